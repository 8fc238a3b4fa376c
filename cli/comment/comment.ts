// `ballast comment`: shows in a pull request what an update would do. There is one comment for each project and stack;
// it is changed in place, and says when a newer commit has made it out of date.
import { type Command, InvalidArgumentError } from "commander";
import { tokenHelp, withRepositoryOptions } from "../github/options.ts";
import { withRunUrl } from "../github/run-url.ts";
import type { WriteOptions } from "./run-comment.ts";

const permission = "the permission `pull-requests: write`";

/** Adds the group `comment`. */
export function addComment(program: Command): void {
  const group = program.command("comment").description("show previews in a pull request");
  withRunUrl(withPullRequest(group.command("write")))
    .description("write the comment of a project and stack from files")
    .requiredOption("--preview <file>", "output of `pulumi preview --json --show-sames`")
    .requiredOption("--commit <sha>", "commit that the preview was made for: the head of the pull request", commit)
    .option("--failed", "say that the preview failed, and what the Pulumi CLI reported")
    .option("--project <name>", "the project, if neither the preview nor the Pulumi.yaml here names it")
    .option("--stack <name>", "the stack, if the preview does not name it")
    .option("--policies <file>", "output of `ballast policy check --format json` for the preview")
    .option("--base-policies <file>", "the same for the base, to tell new findings from known ones")
    .option(
      "--plan <service=file>",
      "output of `ballast power --json` for a service; may be repeated",
      (text: string, before: readonly (readonly [string, string])[] = []) => [...before, plan(text)],
    )
    .option("--plans <file>", "output of `ballast power --preview --json`, for all services; --plan takes precedence")
    .option("--print", "print the comment, and call nobody")
    .addHelpText(
      "after",
      `
Secrets are never shown: what Pulumi marks as secret, what its name or form tells to be one, and what lies below such a
name. A comment that is too long for GitHub shows fewer rows, and says how many it leaves out.
${tokenHelp(permission)}

Examples:
  ballast comment write --pull-request 7 --preview preview.json --commit 4f2a9c1d
  ballast comment write --pull-request 7 --preview preview.json --commit 4f2a9c1d --policies policies.json --print`,
    )
    .action(async (options: WriteOptions) => (await import("./run-comment.ts")).writeComment(options));
  withPullRequest(group.command("mark-stale"))
    .description("mark comments for older commits as out of date, before a new preview begins")
    .addHelpText(
      "after",
      `
${tokenHelp(permission)}

Examples:
  ballast comment mark-stale --pull-request 7`,
    )
    .action(async (options: WriteOptions) => (await import("./run-comment.ts")).markStale(options));
}

const withPullRequest = (command: Command): Command =>
  withRepositoryOptions(command)
    .requiredOption("--pull-request <number>", "number of the pull request", number)
    .option("--author <login>", "who writes the comments; those of others are left alone", "github-actions[bot]");

function number(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("Expected a number above 0.");
  return Number(text);
}

function commit(text: string): string {
  if (!/^[0-9a-f]{7,40}$/.test(text)) throw new InvalidArgumentError("Expected a commit's hash.");
  return text;
}

function plan(text: string): readonly [string, string] {
  const [, service, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (service === undefined || file === undefined)
    throw new InvalidArgumentError("Expected a service and a file, such as shop=power.json.");
  return [service, file];
}
