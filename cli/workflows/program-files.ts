// What the files of a Pulumi program say about its delivery: where the state is, which secrets a run needs, and what
// would fail in the first run.
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isMap, parseDocument } from "yaml";
import type { DeliveredStack } from "../../components/workflows/delivery.ts";

/** A Pulumi program, as its Pulumi.yaml describes it. */
export interface ProgramFiles {
  readonly folder: string;
  readonly name: string;
  /** Where the state is. Without it, in Pulumi Cloud. */
  readonly backend: string | undefined;
  readonly main: string | undefined;
}

const textOr = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Reads the Pulumi.yaml of a folder that has one. */
export function programIn(folder: string): ProgramFiles {
  const document = parseDocument(readFileSync(join(folder, "Pulumi.yaml"), "utf8"));
  const valueAt = (...path: readonly string[]): string | undefined =>
    isMap(document.contents) ? textOr(document.getIn(path)) : undefined;
  return {
    folder,
    name: valueAt("name") ?? basename(folder),
    backend: valueAt("backend", "url"),
    main: valueAt("main"),
  };
}

/** Pulumi Cloud, or a copy of it, keeps the state. */
const isInCloud = ({ backend }: ProgramFiles): boolean => backend === undefined || /^https?:/.test(backend);

/** Gives the secrets that a stack needs, by what its file says. */
export const secretsIn = (program: ProgramFiles, stackFile: string): NonNullable<DeliveredStack["secrets"]> => [
  ...(isInCloud(program) ? (["pulumi-access-token"] as const) : []),
  ...(/^encryptionsalt:/m.test(stackFile) ? (["pulumi-config-passphrase"] as const) : []),
];

/** Lists what a run on GitHub would not find, or could not reach. */
export function lacksOf(program: ProgramFiles, stacks: readonly DeliveredStack[]): readonly string[] {
  const { folder, backend, main } = program;
  const textOf = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : undefined;
  const hasPackage = /"(@[\w.-]+\/)?ballast"\s*:/.test(textOf("package.json") ?? "");
  const isUnmade = (name: string): boolean =>
    !isInCloud(program) &&
    !/^(encryptionsalt|secretsprovider|encryptedkey):/m.test(textOf(`Pulumi.${name}.yaml`) ?? "");
  return [
    ...(backend?.startsWith("file:")
      ? [`backend.url of Pulumi.yaml is ${backend}, which no run reaches: move the state, as to azblob://<container>`]
      : []),
    ...(hasPackage ? [] : ["package.json does not name the package ballast, which every run starts"]),
    ...(textOf("package-lock.json") === undefined
      ? ["there is no package-lock.json beside Pulumi.yaml: every run starts with npm ci"]
      : []),
    ...(main !== undefined && !existsSync(join(folder, main))
      ? [`Pulumi.yaml has main: ${main}, which is not there: no workflow compiles it`]
      : []),
    ...stacks
      .filter(({ name }) => isUnmade(name))
      .map(
        ({ name }) =>
          `Pulumi.${name}.yaml names no key for the stack's secrets: commit what pulumi stack init ${name} ` +
          "--secrets-provider azurekeyvault://<vault>.vault.azure.net/keys/<key> writes there",
      ),
  ];
}
