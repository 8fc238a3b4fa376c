// The reusable workflows of one side of a comparison: those in a folder, or those of a commit, branch or tag.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { workflowsSideUnreadable } from "../../errors/workflows.ts";
import { type Contract, readContract } from "./contract.ts";

const folder = ".github/workflows";
const isWorkflow = (name: string): boolean => /\.ya?ml$/.test(name);

/** Reports whether a path is that of a folder. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Gives the texts of the workflows in a folder by the names of their files. */
export const workflowsIn = (path: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(path)
      .filter(isWorkflow)
      .map((name) => [name, readFileSync(join(path, name), "utf8")]),
  );

/** Gives the contracts of a side by the names of their files. @throws workflows-side-unreadable */
export function contractsAt(side: string): ReadonlyMap<string, Contract> {
  const files = isFolder(side) ? filesIn(side) : filesOf(side);
  const contracts = new Map<string, Contract>();
  for (const [name, text] of files) {
    const contract = readContract(name, text);
    if (contract !== undefined) contracts.set(name, contract);
  }
  if (contracts.size === 0) throw workflowsSideUnreadable({ side, reason: "it has no workflow that others can call" });
  return contracts;
}

/** The folder is a repository, or that of its workflows. */
function filesIn(side: string): ReadonlyMap<string, string> {
  const at = existsSync(join(side, folder)) ? join(side, folder) : side;
  return workflowsIn(at);
}

function filesOf(commit: string): ReadonlyMap<string, string> {
  const names = git(commit, ["ls-tree", "--name-only", "--full-tree", commit, `${folder}/`]);
  return new Map(
    names
      .split("\n")
      .filter(isWorkflow)
      .map((path) => [path.slice(folder.length + 1), git(commit, ["show", `${commit}:${path}`])]),
  );
}

function git(side: string, words: readonly string[]): string {
  // A name that begins with a dash would be an option.
  if (side.startsWith("-")) throw workflowsSideUnreadable({ side, reason: "it is neither a folder nor a commit" });
  const { status, stdout, error } = spawnSync("git", [...words], { encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
  if (status === 0) return stdout;
  const reason = error === undefined ? "it is neither a folder nor a commit" : "git cannot be run";
  throw workflowsSideUnreadable({ side, reason });
}
