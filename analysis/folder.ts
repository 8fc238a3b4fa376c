// A folder on disk as systems see it. It is walked once; links are not followed, so nothing outside is read and no
// circle of links can trap it. Texts are decoded strictly, and what is no text is reported with the reason.
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { compareText } from "./place.ts";
import type { FileRead, Folder } from "./systems/system.ts";

/** Folders that hold what others wrote, or what was built. */
const skipped = new Set([
  ".git",
  "node_modules",
  ".venv",
  "venv",
  "vendor",
  "target",
  ".terraform",
  "bower_components",
]);
const filesMax = 200_000;
const bytesMax = 5_000_000;

/** Opens a folder. */
export function openFolder(root: string): Folder {
  const files: string[] = [];
  const unreadable = new Map<string, string>();
  walk(root, "", files, unreadable);
  const cache = new Map<string, FileRead>();
  const read = (file: string): FileRead => {
    const because = unreadable.get(file);
    if (because) return { because };
    const known = cache.get(file) ?? readText(join(root, ...file.split("/")));
    cache.set(file, known);
    return known;
  };
  return { files: [...files, ...unreadable.keys()].toSorted(compareText), read };
}

/** Makes a folder of texts, as tests and examples have them. */
export const folderOf = (files: Readonly<Record<string, string>>): Folder => ({
  files: Object.keys(files).toSorted(compareText),
  read: (file) => decodeText(Buffer.from(files[file] ?? "", "utf8")),
});

function walk(root: string, at: string, files: string[], unreadable: Map<string, string>): void {
  if (files.length > filesMax) return;
  for (const entry of entriesOf(join(root, ...at.split("/")))) {
    const path = at === "" ? entry.name : `${at}/${entry.name}`;
    if (entry.isDirectory() && !skipped.has(entry.name)) walk(root, path, files, unreadable);
    else if (entry.isFile()) files.push(path);
    else if (entry.isSymbolicLink()) unreadable.set(path, "it is a link, and links are not followed");
    else if (!entry.isDirectory()) unreadable.set(path, "it is not a regular file");
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function readText(path: string): FileRead {
  try {
    if (!lstatSync(path).isFile()) return { because: "it is not a regular file" };
    const descriptor = openSync(path, "r");
    try {
      const { size } = fstatSync(descriptor);
      if (size > bytesMax) return { because: `it is larger than ${bytesMax / 1_000_000} MB` };
      const bytes = Buffer.alloc(size);
      return decodeText(bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0)));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { because: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})` };
  }
}

/** Decodes UTF-8, and UTF-16 with a byte order mark. The mark is dropped; line ends become `\n`. */
function decodeText(bytes: Uint8Array): FileRead {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (isUtf16) return { because: "it is encoded as UTF-16; GitHub and Claude Code read UTF-8" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) return { because: "it is not a text file" };
    return { text: text.replaceAll("\r\n", "\n") };
  } catch {
    return { because: "it is not encoded as UTF-8" };
  }
}
