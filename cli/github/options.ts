// The options of every command that writes to a repository on GitHub. A workflow's runner sets the variables; an option
// names another repository.
import { type Command, Option } from "commander";

export interface RepositoryOptions {
  readonly repository?: string;
  readonly json?: boolean;
}

/** Adds the options that name the repository. */
export const withRepositoryOptions = (command: Command): Command =>
  command
    .addOption(new Option("--repository <owner/name>", "repository to write to").env("GITHUB_REPOSITORY"))
    .option("--json", "print JSON");

/** What the help of each of these commands says about its token. */
export const tokenHelp = (permission: string): string =>
  `The token is in GITHUB_TOKEN, and needs ${permission}. GITHUB_API_URL names the API of a GitHub Enterprise.`;
