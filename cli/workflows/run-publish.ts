// What `ballast workflows publish` does: it reads the workflows of a folder, and publishes them to one repository after
// another. The first is the canary: what fails there reaches no other.
import { accessTo } from "../../client/github/access.ts";
import { compare, type Publication, type Published, publish } from "../../client/github/publish.ts";
import { workflowsSideUnreadable } from "../../errors/workflows.ts";
import { print, printJson } from "../terminal.ts";
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
    files: filesIn(folder),
    source: `${source.repository}@${source.commit}`,
    mayReplace: () => repair,
  };
  const accesses = to.map((repository) => accessTo(repository, process.env));
  const done: Published[] = [];
  try {
    for (const access of accesses)
      done.push(await (check ? compare(access, publication) : published(access, publication)));
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

/** Publishes, and leaves out what only a way back needs. */
async function published(access: Parameters<typeof publish>[0], publication: Publication): Promise<Published> {
  const { branch: _branch, before: _before, ...told } = await publish(access, publication);
  return told;
}

function filesIn(folder: string): ReadonlyMap<string, string> {
  const texts = isFolder(folder) ? [...workflowsIn(folder)] : [];
  if (texts.length === 0) throw workflowsSideUnreadable({ side: folder, reason: "it is no folder with workflows" });
  return new Map(texts.map(([name, text]) => [`.github/workflows/${name}`, text]));
}
