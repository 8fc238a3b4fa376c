// The content of an image: the files on its list, the packages they need at the versions of our lock file, and its
// Dockerfile. It is laid out in a folder of its own, so that a build can include nothing else.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Our images, each with the program it starts. */
export const imageEntries = {
  "control-plane": "controlplane/main.ts",
  storefront: "examples/storefront/main.ts",
  "dead-mans-switch": "deadman/main.ts",
} as const;
export type ImageName = keyof typeof imageEntries;

/** The configuration key of a stack that names each image. */
export const imageKeys: Readonly<Record<ImageName, string>> = {
  storefront: "ballast:storefrontImage",
  "control-plane": "ballast:controlPlaneImage",
  "dead-mans-switch": "ballast:deadMansSwitchImage",
};

const root = path.join(import.meta.dirname, "..", "..");

/** A package in a lock file. */
export interface LockedPackage {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** An image's list: source files by their paths in the repository, and packages by their paths in the lock file. */
export interface Content {
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

/** Gives the packages of our lock file by their paths, such as `node_modules/pg`. */
export const lockedPackages = (): Readonly<Record<string, LockedPackage>> =>
  (
    JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
      packages: Record<string, LockedPackage>;
    }
  ).packages;

/** Gives the path of an image's list. */
export const listOf = (name: ImageName): string => path.join(root, "images", `${name}.files`);

/** Reads an image's list. */
export function contentOf(name: ImageName): Content {
  const lines = readFileSync(listOf(name), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const isPackage = (line: string): boolean => line.startsWith("node_modules/");
  return {
    files: lines.filter((line) => !isPackage(line)),
    packages: lines.filter(isPackage).map((line) => line.split(" ")[0]!),
  };
}

/**
 * Lays out an image in an empty folder, and gives the hash of its content, including the Dockerfile.
 *
 * The same sources give the same hash on every machine, since only names and bytes count. Packages are listed in a lock
 * file of the image's own; the build installs them and verifies their checksums.
 */
export function layOut(name: ImageName, folder: string): string {
  const { files, packages } = contentOf(name);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    copyFileSync(path.join(root, file), path.join(folder, file));
  }
  copyFileSync(path.join(root, "images", `${name}.Dockerfile`), path.join(folder, "Dockerfile"));
  const written = manifests(name, packages);
  for (const [file, value] of Object.entries(written))
    writeFileSync(path.join(folder, file), `${JSON.stringify(value, null, 2)}\n`);
  const hash = createHash("sha256");
  for (const file of [...files, "Dockerfile", ...Object.keys(written)].sort())
    hash.update(
      `${file} ${createHash("sha256")
        .update(readFileSync(path.join(folder, file)))
        .digest("hex")}\n`,
    );
  return hash.digest("hex");
}

/**
 * Gives the image's package.json and lock file, cut from ours: the same versions and checksums, but only what it needs.
 */
function manifests(name: ImageName, packages: readonly string[]): Readonly<Record<string, object>> {
  const { version, dependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  const locked = lockedPackages();
  const direct = Object.fromEntries(
    Object.entries(dependencies).filter(([dependency]) => packages.includes(`node_modules/${dependency}`)),
  );
  const own = { name, version, private: true, type: "module", dependencies: direct };
  if (packages.length === 0) return { "package.json": own };
  const kept = packages.map((place) => {
    const {
      dev: _dev,
      devOptional: _devOptional,
      peer: _peer,
      ...entry
    } = locked[place] as LockedPackage & Readonly<Record<string, unknown>>;
    return [place, entry];
  });
  return {
    "package.json": own,
    "package-lock.json": {
      name,
      version,
      lockfileVersion: 3,
      requires: true,
      packages: { "": { name, version, dependencies: direct }, ...Object.fromEntries(kept) },
    },
  };
}
