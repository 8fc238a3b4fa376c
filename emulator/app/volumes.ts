// The volumes of a replica as folders of this machine. A container finds the folder of each mount in its environment,
// as MOUNT_<PATH>, since processes here share one file system: `/var/data` is MOUNT_VAR_DATA. An EmptyDir and a Secret
// volume belong to one replica and end with it; an AzureFile volume is a folder that all replicas of all apps share,
// and that stays.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Body } from "../arm/resource.ts";

/** The volumes of one replica. */
export interface Volumes {
  /** Their folders, by name. */
  readonly folders: ReadonlyMap<string, string>;
  /** Removes what belongs to the replica alone. */
  readonly remove: () => Promise<void>;
}

const ownerOnly = 0o600;

/**
 * Makes the volumes of a replica. `storageFolder` is where the storages of the app's environment are.
 *
 * @throws when a secret has no value
 */
export async function makeVolumes(
  template: Body,
  secrets: ReadonlyMap<string, string>,
  storageFolder: string,
): Promise<Volumes> {
  const volumes: readonly Body[] = template["volumes"] ?? [];
  if (volumes.length === 0) return { folders: new Map(), remove: async () => undefined };
  const own = await mkdtemp(path.join(tmpdir(), "ballast-volumes-"));
  const folders = new Map<string, string>();
  for (const { name, storageType, storageName, secrets: files } of volumes) {
    const isShared = String(storageType).toLowerCase() === "azurefile";
    const folder = isShared ? path.join(storageFolder, String(storageName).toLowerCase()) : path.join(own, name);
    await mkdir(folder, { recursive: true });
    if (String(storageType).toLowerCase() === "secret") await writeSecrets(folder, files, secrets);
    folders.set(name, folder);
  }
  for (const container of [...(template["initContainers"] ?? []), ...(template["containers"] ?? [])] as Body[])
    for (const each of mountsOf(container, folders)) await mkdir(each.folder, { recursive: true });
  return { folders, remove: () => rm(own, { recursive: true, force: true }) };
}

/** Writes each secret into a file: all secrets under their names, or those that the volume lists. */
async function writeSecrets(
  folder: string,
  files: readonly Body[] | undefined,
  secrets: ReadonlyMap<string, string>,
): Promise<void> {
  const listed = files?.length
    ? files.map(({ secretRef, path: file }) => [file || secretRef, secretRef] as const)
    : [...secrets.keys()].map((name) => [name, name] as const);
  for (const [file, name] of listed) {
    const target = path.join(folder, path.normalize(`/${file}`));
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, secrets.get(name) ?? "", { mode: ownerOnly });
  }
}

/** Gives the variables by which a container finds its mounts. */
export const mountVariables = (container: Body, folders: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries(mountsOf(container, folders).map(({ variable, folder }) => [variable, folder]));

const mountsOf = (
  { volumeMounts }: Body,
  folders: ReadonlyMap<string, string>,
): readonly { readonly variable: string; readonly folder: string }[] =>
  ((volumeMounts ?? []) as Body[]).map(({ volumeName, mountPath, subPath }) => ({
    variable: `MOUNT_${String(mountPath)
      .replace(/^\/+|\/+$/g, "")
      .replace(/[^a-zA-Z0-9]+/g, "_")
      .toUpperCase()}`,
    folder: path.join(folders.get(volumeName) ?? "", subPath ?? ""),
  }));
