// What a program needs to run: the files that its imports reach, once types are gone as Node takes them away, and the packages that those
// need, as the lock would have them found. It is how an image's list is checked; a list that nobody follows would name too much or too little.
import { existsSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { type Content, type LockedPackage, lockedPackages } from "../../../cli/image/content.ts";
import { importsOf } from "./source.ts";

const root = path.join(import.meta.dirname, "..", "..", "..");

/** Follows a program's imports from its entry. */
export function reachOf(entry: string): Content {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(path.join(root, file), "utf8");
    for (const { specifier } of importsOf(file.endsWith(".ts") ? stripTypeScriptTypes(text) : text)) {
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
  /** Finds a package as Node does: in the asker's own folder, then in each above it. */
  const add = (asker: string, name: string, optional = false): void => {
    const above =
      asker === ""
        ? [""]
        : [
            `${asker}/`,
            ...[...asker.matchAll(/(?:^|\/)node_modules\//g)]
              .map(({ index }) => asker.slice(0, index === 0 ? 0 : index + 1))
              .reverse(),
          ];
    const place = above.map((each) => `${each}node_modules/${name}`).find((each) => each in locked);
    if (place === undefined) {
      if (optional) return;
      throw new Error(`${asker} needs ${name}, which the lock has not`);
    }
    // What is for another system is in the lock and on no disk here.
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
