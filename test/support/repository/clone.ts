// A clone for tests that change files or leave some: everything that the repository keeps, in a folder of its own, with the packages shared. No git is
// needed to make it, so that it can be made of an unpacked archive as well.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readRepository } from "./source.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** Makes a clone of the files as they are now, changes that nobody has committed included. */
export function cloneInto(folder: string): void {
  for (const { path, text, executable } of readRepository(root)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: executable ? 0o755 : 0o644 });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}
