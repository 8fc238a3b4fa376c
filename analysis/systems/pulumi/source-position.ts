// Reads the source position that Pulumi writes into states and previews. It is meant to be relative to the project,
// but the Node SDK glues an absolute file URL behind `project:///`, and a state keeps the path of the machine that ran
// the update. A position is used only if its file is in the folder that is analysed; no absolute path is ever shown.
import type { Place } from "../../place.ts";

/** Gives the place of a position; undefined if no file of the folder is meant. */
export function placeOfPosition(position: unknown, files: ReadonlySet<string>, project: string): Place | undefined {
  const [, uri, line = "1", column = "1"] =
    /^(.*?)#(\d+)(?:,(\d+))?$/.exec(typeof position === "string" ? position : "") ?? [];
  if (uri === undefined) return undefined;
  const path = decoded(uri.replace(/^project:\/\/\//, "").replace(/^file:\/*/, "/")).replaceAll("\\", "/");
  const file =
    path.startsWith("/") || /^[a-z]:/i.test(path) ? longestSuffix(path, files) : inProject(path, files, project);
  if (file === undefined) return undefined;
  const at = { line: Number(line), column: Number(column) };
  return { file, ...at, endLine: at.line, endColumn: at.column };
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

function inProject(path: string, files: ReadonlySet<string>, project: string): string | undefined {
  const file = project === "" ? path : `${project}/${path}`;
  return files.has(file) ? file : undefined;
}

/** The end of a path that names a file of the folder: the path may come from another machine. */
function longestSuffix(path: string, files: ReadonlySet<string>): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.includes("node_modules")) return undefined;
  for (let from = 0; from < parts.length; from += 1) {
    const suffix = parts.slice(from).join("/");
    if (files.has(suffix)) return suffix;
  }
  return undefined;
}
