// The callers of another project, which are in a repository already: the files of a second one need names of their own.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { callerNames } from "../../components/workflows/callers.ts";
import type { Contracts } from "../../components/workflows/contracts.ts";

const called: readonly (keyof Contracts)[] = [
  "pulumi-preview",
  "pulumi-up",
  "drift-detect",
  "credential-rotate",
  "db-migrate",
];
const isCall = new RegExp(`/\\.github/workflows/(${called.join("|")})\\.yml@`);

/** Reports whether the plain names of callers are taken by a project in another folder. */
export const isTakenByAnother = (workflows: string, folder: string): boolean =>
  callerNames
    .map((name) => join(workflows, name))
    .filter((path) => existsSync(path) && statSync(path).isFile())
    .some((path) => foldersOf(readFileSync(path, "utf8")).some((each) => each !== folder));

interface Job {
  readonly uses?: unknown;
  readonly with?: { readonly "working-directory"?: unknown };
}

/** Gives the folders that a caller's jobs are about; none if it is no caller of ours. */
function foldersOf(text: string): readonly string[] {
  let jobs: Readonly<Record<string, Job | null>>;
  try {
    jobs = Object(parse(text)?.jobs);
  } catch {
    return []; // whoever wrote it, it is no caller
  }
  return Object.values(jobs)
    .filter((job) => isCall.test(String(job?.uses)))
    .map((job) => String(job?.with?.["working-directory"] ?? "."));
}
