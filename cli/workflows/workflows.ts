// `ballast workflows`: delivers a Pulumi project by reusable GitHub workflows, and keeps those workflows compatible
// with their callers.
import { type Command, InvalidArgumentError, Option } from "commander";
import { callerNames } from "../../components/workflows/callers.ts";
import type { DiffOptions } from "./run-diff.ts";
import type { InitOptions } from "./run-init.ts";
import type { PublishOptions } from "./run-publish.ts";

/** Adds the group `workflows`. */
export function addWorkflows(program: Command): void {
  const group = program.command("workflows").description("deliver a project by reusable GitHub workflows");
  group
    .command("init")
    .description(
      "write the workflows that deliver the stacks of a Pulumi project, and name the values that you must set",
    )
    .argument("[folder]", "root of the repository", ".")
    .requiredOption("--source <owner/name@commit>", "repository of the reusable workflows, and its commit", source)
    .option("--tag <name>", "tag of that commit, written beside it as its version")
    .option("--branch <name>", "branch whose commits are deployed (default: origin's default, else the current one)")
    .option("--program <folder>", "folder of the Pulumi project, from the root", ".")
    .option(
      "--stack <name>",
      "stack to deliver; may be repeated, in the order of updates (default: all but the emulator's, production last)",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option("--overwrite", "write files that exist and differ")
    .addOption(
      new Option("--skip <file>", "leave this file out; may be repeated")
        .choices(callerNames)
        .argParser((name: string, before: readonly string[] = []) => [...before, callerName(name)]),
    )
    .option("--print", "print the files, and write nothing")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
It writes .github/workflows/preview.yml, deploy.yml and nightly.yml, which belong to the project from then on. If the
program declares a credential it also writes credentials.yml; if it has files *.expand.sql or *.contract.sql,
migrate.yml. If a project in another folder has these files, the names of files and jobs begin with the project's name.
It calls nobody, so it cannot say what is set already.

Examples:
  ballast workflows init --source example/ballast@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4
  ballast workflows init --source example/ballast@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4 --stack dev --stack prod`,
    )
    .action(async (folder: string, options: InitOptions) => {
      const { runInit } = await import("./run-init.ts");
      runInit(folder, options);
    });
  group
    .command("diff")
    .description("compare the contracts of reusable workflows: what would break their callers")
    .argument("<before>", "folder, commit, branch or tag with the older workflows")
    .argument("<after>", "folder, commit, branch or tag with the newer ones")
    .option("--from <version>", "version of the older ones")
    .option("--to <version>", "version of the newer ones; a new major version allows breaking changes")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Breaking are: a workflow, an input, a secret or an output that is gone or has another name, an input of another type,
an input or a secret that every caller must give now, and a permission that every caller must grant now.
The exit code is 1 if a change is breaking and the versions do not allow it.

Examples:
  ballast workflows diff v1.4.0 HEAD
  ballast workflows diff v1.4.0 HEAD --from 1.4.0 --to 2.0.0`,
    )
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { runDiff } = await import("./run-diff.ts");
      runDiff(before, after, options);
    });
  addPublish(group);
}

function addPublish(group: Command): void {
  group
    .command("publish")
    .description("write the workflows of a folder to repositories, the first of them as a canary")
    .argument("<folder>", "folder with the workflows")
    .requiredOption(
      "--to <owner/name>",
      "repository to write to; may be repeated, and a failure ends the command before the next",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .requiredOption("--source <owner/name@commit>", "where the workflows come from, as their first line says", source)
    .option("--check", "compare, write nothing, and exit with 1 if something differs")
    .option("--repair", "overwrite what was edited there")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
All files of a repository are one commit, which GitHub signs if the token is an app's. Where the branch takes no direct
commit, they go to the branch ballast/workflows, with a pull request. To go back, publish the older commit.
The token is in GITHUB_TOKEN, and needs the permissions \`contents: write\`, \`workflows: write\` and, for a protected
branch, \`pull-requests: write\`.

Examples:
  ballast workflows publish callers --to acme/canary --to acme/shop \\
    --source example/ballast@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4`,
    )
    .action(async (folder: string, options: PublishOptions) =>
      (await import("./run-publish.ts")).runPublish(folder, options),
    );
}

function callerName(text: string): string {
  if (!callerNames.some((name) => text === name || text.endsWith(`-${name}`)))
    throw new InvalidArgumentError(`Expected one of ${callerNames.join(", ")}.`);
  return text;
}

function source(text: string): InitOptions["source"] {
  const [, repository, commit] = /^([\w.-]+\/[\w.-]+)@([0-9a-f]{40})$/.exec(text) ?? [];
  if (repository === undefined || commit === undefined)
    throw new InvalidArgumentError("Expected owner/name@commit, with all 40 characters of the commit.");
  return { repository, commit };
}
