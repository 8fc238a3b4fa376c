// The repository of the tests of `ballast comment` and `ballast issue` on the emulated GitHub. It has pull request 7.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";

export interface HostedGithub extends AsyncDisposable, Pick<Hosted, "comments" | "issues" | "pullRequests"> {
  /** What a command needs in its environment. */
  readonly environment: NodeJS.ProcessEnv;
  readonly mishaps: Github["mishaps"];
  /** `METHOD /path` of every request, the path from the repository on. */
  readonly requests: () => readonly string[];
  /** Adds a comment of somebody. */
  readonly comment: (on: number, login: string, body: string) => void;
  /** Adds a commit to the pull request, and gives it. */
  readonly push: () => string;
}

export const own = "github-actions[bot]";
export const token = "ghs_token0of0the0emulated0github0000000000";
const repository = "acme/shop";
const branch = "topic";

/** Starts it. */
export async function startHostedGithub(): Promise<HostedGithub> {
  const folder = mkdtempSync(join(tmpdir(), "ballast-hosted-"));
  const github = await startGithub(folder);
  github.tokens.set(token, { login: own });
  const { git, comments, issues, pullRequests } = github.host(repository);
  pullRequests.push({ number: 7, title: "", login: "ann", body: "", head: branch, base: "main", state: "open" });
  return {
    comments,
    issues,
    pullRequests,
    mishaps: github.mishaps,
    environment: { GITHUB_API_URL: github.api, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token },
    requests: () => github.requests.map((each) => each.replace(`/repos/${repository}`, "")),
    comment: (on, login, body) => {
      comments.push({ id: 1 + Math.max(0, ...comments.map(({ id }) => id)), on, login, body });
    },
    push: () => {
      git.commitAsAnother(branch, "file.md", `${Math.random()}\n`);
      return git.head(branch)!;
    },
    [Symbol.asyncDispose]: async () => {
      await github[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
