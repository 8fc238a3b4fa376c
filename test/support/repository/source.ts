// Reads the files of the repository for the laws in `laws.ts`, and knows which of them are programs.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** One file of the repository, by its path from the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** Reads every text file of the repository except what .gitignore excludes. */
export function readRepository(root: string): readonly SourceFile[] {
  const ignored = readFileSync(join(root, ".gitignore"), "utf8")
    .split("\n")
    .map((line) => line.replace(/\/$/, ""))
    .filter(Boolean);
  const isIgnored = (name: string): boolean =>
    name === ".git" ||
    ignored.some((pattern) => (pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : name === pattern));
  const walk = (folder: string): readonly SourceFile[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isIgnored(entry.name)) return [];
      if (entry.isDirectory()) return walk(path);
      if (!entry.isFile()) return [];
      const text = readFileSync(join(root, path), "utf8");
      return text.includes("\0") ? [] : [{ path, text, executable: (statSync(join(root, path)).mode & 0o111) !== 0 }];
    });
  return walk("");
}

/** Reports whether a file is program text: TypeScript, JavaScript, or a launcher that Node or a like program runs. */
export const isProgram = (file: SourceFile): boolean =>
  /\.[cm]?[jt]sx?$/.test(file.path) || /^#!.*\b(node\d*|tsx|ts-node|bun|deno|vite-node)\b/.test(file.text);

/** Gives the line of an offset, counted from 1. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;
