// `ballast analyze`: judges how a repository orchestrates its work. It reads the folder and nothing else, calls no
// network, and loads nothing of the control plane. It changes files only with --implement.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { focuses, severities } from "../../analysis/rule.ts";
import { dismissOfficial, prepareOfficial } from "../../analysis/systems/workflows/official.ts";
import { type AnalyzeOptions, depths, formats, outputs, scopes } from "./options.ts";

/** Adds the command `analyze`. */
export const addAnalyze = (program: Command): Command =>
  program
    .command("analyze")
    .description("judge how a repository orchestrates its work: workflows, agents, deployments")
    .argument("[folder]", "the root of the repository", ".")
    .addOption(new Option("--scope <scope>", "what to read").choices(Object.keys(scopes)).default("all"))
    .addOption(
      new Option("--depth <depth>", "quick shows the ten worst findings; deep also proves every patch")
        .choices(depths)
        .default("standard"),
    )
    .addOption(new Option("--focus <focus>", "only rules with this focus").choices([...focuses, "all"]).default("all"))
    .addOption(new Option("--output <output>", "what the page holds").choices(outputs).default("report"))
    .addOption(new Option("--format <format>", "the form of the report").choices(formats).default("md"))
    .addOption(new Option("--json", "print JSON, as --format json does").conflicts("format"))
    .addOption(
      new Option("--fail-on <severity>", "exit with 1 from this severity on").choices(severities).default("low"),
    )
    .option("--history <file>", "jobs of finished runs, as GitHub's API gives them; costs are then measured")
    .option("--baseline <file>", "show only findings that are not in this file")
    .option("--write-baseline <file>", "write the findings of now to this file")
    .option("--dry-run", "show the patches that are proven, and change nothing")
    .option("--implement", "write the patches that are proven; refused if the git tree is not clean")
    .option("--validate-only", "print nothing; only the exit code says the result")
    .addHelpText(
      "after",
      `
Nothing is changed without --implement. Nothing outside of the folder is read, and no network is used.
The exit code is 1 if a finding is at least as severe as --fail-on, or if the scope cannot be judged.

Examples:
  ballast analyze
  ballast analyze . --format sarif > ballast.sarif
  ballast analyze . --write-baseline .ballast-baseline.json
  ballast analyze . --baseline .ballast-baseline.json
  ballast analyze . --dry-run`,
    )
    .action(async (folder: string, { json, ...given }: AnalyzeOptions & { readonly json?: boolean }) => {
      const options: AnalyzeOptions = json ? { ...given, format: "json" } : given;
      // GitHub's parser loads in its child while the analysis loads here.
      if (existsSync(join(folder, ".github", "workflows")) && scopes[options.scope]?.includes("github"))
        prepareOfficial();
      const { runAnalyze } = await import("./run-analyze.ts");
      await runAnalyze(folder, options, program.version() ?? "0").finally(dismissOfficial);
    });
