// Makes a clone of the repository for tests that change or leave files. The clone shares node_modules. It needs no
// git, so it also works in an unpacked archive.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readRepository } from "./source.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** Copies the files as they are now, including uncommitted changes. */
export function cloneInto(folder: string): void {
  for (const { path, text, executable } of readRepository(root)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: executable ? 0o755 : 0o644 });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}
