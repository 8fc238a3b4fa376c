// What `ballast policy check` does: it reads the state from a file or from the Pulumi CLI, judges it, keeps the
// baseline, and prints the report.
import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { DeclaredStack } from "../../analysis/systems/pulumi/nodes.ts";
import { emptyStack, originOf, readStack } from "../../analysis/systems/pulumi/read-state.ts";
import { policyBaselineExists, policyStateUnreadable } from "../../errors/policies.ts";
import { baselineName, baselineText, entryOf, shrunk } from "../../policies/baseline.ts";
import { judgeState } from "../../policies/judge-state.ts";
import { isUnsure, type Judgement } from "../../policies/judgement.ts";
import { baselineIn, type ProgramFolder, programFolder } from "../../policies/program-folder.ts";
import { dayOf } from "../../policies/waivers.ts";
import { findPulumi } from "../../toolchain/pulumi/bring.ts";
import { print } from "../terminal.ts";
import type { CheckOptions } from "./options.ts";
import { checkJson, checkSarif, checkText } from "./report.ts";

/** A stack's state can exceed the output that a child process may write by default. */
const stateBytesMax = 256 * 2 ** 20;

/**
 * Runs the command.
 *
 * @throws policy-state-unreadable, policy-settings-refused, policy-baseline-unreadable, policy-baseline-exists
 */
export async function runCheck(options: CheckOptions, version: string): Promise<void> {
  const program = programFolder(resolve(options.program));
  const { text, file } = await stateOf(options, program);
  const stack = stackIn(text, file, options, program);
  const place = { file: stack.file, line: 1, column: 1, endLine: 1, endColumn: 1 };
  const otherwise = options.file === undefined ? program.otherwise : place;
  const judge = (): Judgement =>
    judgeState(program, stack, { today: dayOf(Date.now()), profile: options.profile, otherwise });
  if (options.writeBaseline || options.shrinkBaseline) keepBaseline(program, judge(), options);
  const judgement = judge();
  if (options.format === "json") print(checkJson(judgement));
  else if (options.format === "sarif") print(checkSarif(judgement, program, version));
  else print(checkText(judgement));
  if (judgement.findings.some(({ level }) => level === "mandatory")) process.exitCode = 1;
}

async function stateOf(
  { stack, file }: CheckOptions,
  { root }: ProgramFolder,
): Promise<{ readonly text: string; readonly file: string }> {
  if (file !== undefined) {
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
    if (!isFile) throw policyStateUnreadable({ what: file, reason: "it is not a file that can be read" });
    return { text: readFileSync(file, "utf8"), file: file.split(/[\\/]/).at(-1)! };
  }
  if (stack === undefined)
    throw policyStateUnreadable({ what: "No stack", reason: "neither --stack nor --file was given" });
  const pulumiCli = await findPulumi();
  const { stdout } = await promisify(execFile)(
    pulumiCli.command,
    // Decrypted, because an object with one secret is encrypted as a whole. The values are sealed and never shown.
    ["stack", "export", "--show-secrets", "--stack", stack, "--non-interactive"],
    { cwd: root, env: { ...process.env, ...pulumiCli.environment }, maxBuffer: stateBytesMax },
  ).catch((error: Error & { stderr?: string }) => {
    const reason =
      error.stderr
        ?.trim()
        .split("\n")
        .at(-1)
        ?.replace(/^error: |\.$/g, "") || error.message;
    throw policyStateUnreadable({ what: `The stack ${stack}`, reason });
  });
  return { text: stdout, file: "" };
}

function stackIn(text: string, file: string, { stack }: CheckOptions, { folder }: ProgramFolder): DeclaredStack {
  const what = stack === undefined ? file : `The stack ${stack}`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw policyStateUnreadable({ what, reason: `it is not JSON (${(error as Error).message})` });
  }
  const read = readStack(file, text, json, { files: new Set(folder().files) });
  // A stack before its first update has nothing that breaks a policy.
  if (read === undefined && stack !== undefined && originOf(json) === "state")
    return emptyStack(file, stack.split("/").at(-1)!);
  if (read === undefined) throw policyStateUnreadable({ what, reason: "it holds no resources of a Pulumi stack" });
  return read;
}

/** Starts a baseline for a stack that has none, or takes out what is no longer found. */
function keepBaseline(program: ProgramFolder, judgement: Judgement, options: CheckOptions): void {
  const { stack, findings } = judgement;
  const path = join(program.root, baselineName);
  const before = existsSync(path) ? baselineIn(program.root) : [];
  const found = findings
    .filter(({ finding }) => finding.rule !== "baseline-stale")
    .map(({ finding }) => entryOf(stack, finding));
  const hasOwn = before.some((entry) => entry.stack === stack);
  if (options.writeBaseline && hasOwn) throw policyBaselineExists({ file: baselineName, stack });
  const after = options.writeBaseline
    ? [...before, ...found]
    : shrunk(before, stack, found, (rule) => isUnsure(rule, judgement));
  writeFileSync(path, baselineText(after));
}
