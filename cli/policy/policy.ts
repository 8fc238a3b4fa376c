// `ballast policy check`: judges a deployed stack, or a state in a file, by the rules of the policy pack. It runs no
// program and calls no cloud. It writes a file only to start or to shrink a baseline.
import { type Command, Option } from "commander";
import { profileNames } from "../../policies/profiles.ts";
import { type CheckOptions, checkFormats } from "./options.ts";

/** Adds the group `policy`. */
export function addPolicy(program: Command): Command {
  const group = program.command("policy").description("judge stacks by Ballast's policies");
  group
    .command("check")
    .description("judge a stack's state by the rules of the policy pack")
    .addOption(new Option("--stack <name>", "the Pulumi stack to judge").conflicts("file"))
    .option("--file <state.json>", "the output of `pulumi stack export` or of `pulumi preview --json`")
    .option("--program <folder>", "the folder of the program, with its policy settings", ".")
    .addOption(
      new Option("--profile <profile>", "judge as strictly as this, whatever the stack's tier").choices(profileNames),
    )
    .addOption(new Option("--format <format>", "the form of the report").choices(checkFormats).default("text"))
    .addOption(new Option("--json", "print JSON, as --format json does").conflicts("format"))
    .option("--write-baseline", "write the findings of now to ballast.policies.baseline.json; refused if it has some")
    .option("--shrink-baseline", "take out of ballast.policies.baseline.json what is no longer found")
    .addHelpText(
      "after",
      `
The rules, the profiles, the waivers and the baseline are those of the policy pack: docs/guides/policies.md.
With --stack the Pulumi CLI decrypts the state into memory; secrets are tested and never shown. A file of
\`pulumi stack export\` holds secrets encrypted, and what lies in an encrypted object is reported as not judged.
The exit code is 1 if a finding is mandatory.

Examples:
  ballast policy check --stack dev
  ballast policy check --file state.json --profile strict
  ballast policy check --stack prod --format sarif > policies.sarif`,
    )
    .action(async ({ json, ...given }: CheckOptions & { readonly json?: boolean }) => {
      const { runCheck } = await import("./run-check.ts");
      await runCheck(json ? { ...given, format: "json" } : given, program.version() ?? "0");
    });
  return group;
}
