// What `ballast workflows publish` does: it reads the workflows of a folder, and publishes them to one repository after
// another. The first is the canary: what fails there reaches no other.
import { workflowsSideUnreadable } from "../../errors/workflows.ts";
import { accessOf } from "../github/access.ts";
import { print, printJson } from "../terminal.ts";
import { type Publication, type Published, publish } from "./publish.ts";
import { published } from "./published.ts";
import { isFolder, workflowsIn } from "./sides.ts";

export interface PublishOptions {
  readonly to: readonly string[];
  readonly source: { readonly repository: string; readonly commit: string };
  readonly check?: boolean;
  readonly repair?: boolean;
  readonly json?: boolean;
}

/** Runs the command. @throws workflows-side-unreadable, and what `publish` throws */
export async function runPublish(folder: string, options: PublishOptions): Promise<void> {
  const { to, source, check = false, repair = false, json } = options;
  const publication: Publication = {
    files: filesIn(folder, `${source.repository}@${source.commit}`),
    headline: `Workflows of ${source.repository} at ${source.commit.slice(0, 7)}`,
    mayRepair: repair,
    onlyChecks: check,
  };
  const accesses = to.map((repository) => accessOf({ repository }, process.env));
  const done: Published[] = [];
  try {
    for (const access of accesses) done.push(await publish(access, publication));
  } finally {
    // What was done before a failure is said as well.
    if (json) printJson({ repositories: done });
    else for (const each of done) print(lineOf(each));
  }
  if (done.some(({ outcome }) => outcome === "differs")) process.exitCode = 1;
}

function lineOf({ repository, outcome, files, commit, pullRequest }: Published): string {
  const differing = Object.entries(files).filter(([, state]) => state !== "current");
  const what = differing.map(([path, state]) => `${path} ${state}`).join(", ");
  return `${repository}: ${[outcome, pullRequest ?? commit, what].filter((each) => each).join("  ")}`;
}

function filesIn(folder: string, source: string): ReadonlyMap<string, string> {
  const texts = isFolder(folder) ? [...workflowsIn(folder)] : [];
  if (texts.length === 0) throw workflowsSideUnreadable({ side: folder, reason: "it is no folder with workflows" });
  return new Map(texts.map(([name, text]) => [`.github/workflows/${name}`, published(text, source)]));
}
