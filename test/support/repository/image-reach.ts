// Finds what a program needs to run: the files that its imports reach after types are stripped, and the packages that
// those need according to the lock. The tests check each image's list of files against it.
import { existsSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { type Content, type LockedPackage, lockedPackages } from "../../../cli/image/content.ts";
import { importsOf } from "./imports.ts";

const root = path.join(import.meta.dirname, "..", "..", "..");

/** Follows the imports of a program from its entry. */
export function reachOf(entry: string): Content {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const written = readFileSync(path.join(root, file), "utf8");
    const text = file.endsWith(".ts") ? stripTypeScriptTypes(written) : written;
    for (const { specifier } of importsOf({ path: file, text })) {
      if (specifier.startsWith(".")) follow(path.join(path.dirname(file), specifier));
      else if (!specifier.startsWith("node:"))
        add(
          "",
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/"),
        );
    }
  };
  const locked = lockedPackages();
  /** Finds a package as Node does: in the importer's own folder, then in each folder above. */
  const add = (importer: string, name: string, optional = false): void => {
    const above =
      importer === ""
        ? [""]
        : [
            `${importer}/`,
            ...[...importer.matchAll(/(?:^|\/)node_modules\//g)]
              .map(({ index }) => importer.slice(0, index === 0 ? 0 : index + 1))
              .reverse(),
          ];
    const place = above.map((each) => `${each}node_modules/${name}`).find((each) => each in locked);
    if (place === undefined) {
      if (optional) return;
      throw new Error(`${importer} needs ${name}, which is not in the lock`);
    }
    // An optional package for another platform is in the lock but not installed here.
    if (packages.has(place) || (optional && !existsSync(path.join(root, place)))) return;
    packages.add(place);
    const { dependencies = {}, optionalDependencies = {} } = locked[place] as LockedPackage;
    for (const dependency of Object.keys(dependencies))
      if (!(dependency in optionalDependencies)) add(place, dependency);
    for (const dependency of Object.keys(optionalDependencies)) add(place, dependency, true);
  };
  follow(entry);
  return { files: [...files].sort(), packages: [...packages].sort() };
}
