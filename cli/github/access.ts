// Where and as whom a command writes to GitHub. A workflow's runner sets the variables; an option of the command names
// another repository. The token comes from a variable only, because everyone on a machine can read a process's
// arguments.
import { type Command, Option } from "commander";
import { githubAccessUnclear } from "../../errors/github.ts";

/** The options of every command that writes to GitHub. */
export interface RepositoryOptions {
  readonly repository?: string;
  readonly json?: boolean;
}

/** A repository, the address of the API that has it, and a token for it. */
export interface Access {
  /** `owner/name`. */
  readonly repository: string;
  readonly api: string;
  readonly token: string;
}

/** Adds the options that name the repository. */
export const withRepositoryOptions = (command: Command): Command =>
  command
    .addOption(new Option("--repository <owner/name>", "repository to write to").env("GITHUB_REPOSITORY"))
    .option("--json", "print JSON");

/** What the help of each of these commands says about its token. */
export const tokenHelp = (permission: string): string =>
  `The token is in GITHUB_TOKEN, and needs ${permission}. GITHUB_API_URL names the API of a GitHub Enterprise.`;

/** Gives the access of a command. @throws github-access-unclear */
export function accessOf({ repository }: RepositoryOptions, environment: NodeJS.ProcessEnv): Access {
  const { GITHUB_TOKEN: token, GITHUB_API_URL: api = "https://api.github.com" } = environment;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository ?? ""))
    throw githubAccessUnclear({
      what: repository === undefined ? "no repository is named" : `"${repository}" is not owner/name`,
      fix: "give --repository owner/name, or set GITHUB_REPOSITORY",
    });
  if (!token) throw githubAccessUnclear({ what: "GITHUB_TOKEN is not set", fix: "set GITHUB_TOKEN" });
  const url = URL.parse(api);
  if (url?.protocol !== "https:" && url?.hostname !== "127.0.0.1")
    throw githubAccessUnclear({
      what: `GITHUB_API_URL (${api}) does not begin with https://, and a token is sent to no other`,
      fix: "set GITHUB_API_URL to the address of your GitHub's API, or leave it out",
    });
  return { repository: repository!, api: api.replace(/\/+$/, ""), token };
}
