// `ballast issue`: keeps one issue for each thing that fails on a schedule or after a merge, where no pull request
// shows it. The key names the thing, such as the workflow and the stack.
import { type Command, InvalidArgumentError } from "commander";
import { tokenHelp, withRepositoryOptions } from "../github/options.ts";
import { withRunUrl } from "../github/run-url.ts";
import type { IssueOptions, OpenOptions } from "./run-issue.ts";

const permission = "the permission `issues: write`";

/** Adds the group `issue`. */
export function addIssue(program: Command): void {
  const group = program.command("issue").description("keep one issue for each thing that fails");
  withKey(group.command("open"))
    .description("open an issue, or count one more failure in the issue that is open already")
    .requiredOption("--title <text>", "title of a new issue, without a full stop")
    .option("--output <file>", "text to show: what the failed command printed")
    .option(
      "--label <name>",
      "label of a new issue; may be repeated",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .addHelpText(
      "after",
      `
${tokenHelp(permission)}

Examples:
  ballast issue open --key drift-detect/prod --title "The stack prod has drifted" --output drift.txt`,
    )
    .action(async (options: OpenOptions) => (await import("./run-issue.ts")).openOrCount(options));
  withKey(group.command("close"))
    .description("close the issue, since it succeeded again; it is no error if none is open")
    .addHelpText(
      "after",
      `
${tokenHelp(permission)}

Examples:
  ballast issue close --key drift-detect/prod`,
    )
    .action(async (options: IssueOptions) => (await import("./run-issue.ts")).closeAll(options));
}

const withKey = (command: Command): Command =>
  withRunUrl(withRepositoryOptions(command))
    .requiredOption("--key <text>", "what fails; each key has one issue", key)
    .option("--author <login>", "who opens the issues; those of others are left alone", "github-actions[bot]");

function key(text: string): string {
  if (!/^[\w./-]{1,200}$/.test(text)) throw new InvalidArgumentError("Expected letters, digits, and any of . _ - /");
  return text;
}
