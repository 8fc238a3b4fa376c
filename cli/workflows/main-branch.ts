// The branch whose commits are deployed: what `origin` calls its default, as far as this clone knows.
import { spawnSync } from "node:child_process";

/** A branch, and how it is known. */
export interface MainBranch {
  readonly name: string;
  readonly source: string;
}

/** Finds the main branch of a repository. It asks no server: `git clone` has written down what `origin` said. */
export function mainBranchOf(folder: string, named: string | undefined): MainBranch {
  if (named !== undefined) return { name: named, source: "as --branch says" };
  const ofOrigin = symbolicRef(folder, "refs/remotes/origin/HEAD")?.replace(/^refs\/remotes\/origin\//, "");
  if (ofOrigin !== undefined) return { name: ofOrigin, source: "the default branch of origin" };
  const current = symbolicRef(folder, "HEAD")?.replace(/^refs\/heads\//, "");
  const change = "name another with --branch";
  if (current !== undefined) return { name: current, source: `the current branch; ${change}` };
  return { name: "main", source: `nothing here says otherwise; ${change}` };
}

function symbolicRef(folder: string, ref: string): string | undefined {
  const { status, stdout } = spawnSync("git", ["symbolic-ref", "--quiet", ref], { cwd: folder, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
