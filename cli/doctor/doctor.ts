// `ballast doctor`: checks a stack and the cloud that it is deployed to for everything that a release needs. It changes
// nothing. Each problem that it finds is an error of the catalogue with its fix. The checks are in this folder, one
// file for each group.
import { type Command, Option } from "commander";
import { findPulumi } from "../../toolchain/pulumi/bring.ts";
import { type Output, whileRunning } from "../still-running.ts";
import { print, printJson } from "../terminal.ts";
import type { Context } from "./context.ts";
import { type Check, examine, type Finding, findingJson, findingLines } from "./finding.ts";
import type { Stack } from "./stack.ts";

interface DoctorOptions {
  readonly stack?: string;
  readonly json?: boolean;
  readonly configFile?: string;
}

/** Adds the command `doctor`. */
export const addDoctor = (program: Command, engines: string): Command =>
  program
    .command("doctor")
    .description("check everything that releases of a stack need, and show how to fix what is wrong")
    .option("--stack <name>", "the Pulumi stack to check (default: the selected one, or the only one)")
    .addOption(
      new Option("--config-file <file>", "the stack's configuration, if it is not in the program's folder").env(
        "BALLAST_CONFIG_FILE",
      ),
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Checks this machine's tools, your permissions and those of the stack's identities, quotas, names, the database, the
control plane, the declared credentials, telemetry, the app, its image and its request rows.

Nothing is changed. One request is sent to the app to see whether its row arrives, which takes minutes on Azure.
A check that cannot be answered yet, such as one of an app before the first \`pulumi up\`, is unknown, not failed.
The exit code is 1 if a check failed.

A stack of any program with a ControlPlane can be checked once it is deployed. Run the command in that program's folder.

Examples:
  ballast doctor
  ballast doctor --stack prod
  ballast doctor --stack prod --json | jq '.findings[] | select(.state == "failed")'`,
    )
    .action(async ({ stack: given, json, configFile }: DoctorOptions) => {
      const [{ toolChecks }, { chosenStack, contextOf, stackNamed }, checksOf] = await Promise.all([
        import("./tools.ts"),
        import("./context.ts"),
        checksOfStacks(),
      ]);
      const pulumiCli = findPulumi();
      const tools = await examineAloud(toolChecks(engines, program.version()!), () => pulumiCli);
      if (!json) for (const finding of tools) print(findingLines(finding));
      const stack = given || (await chosenStack(await pulumiCli));
      const context = contextOf(await stackNamed(await pulumiCli, stack, configFile));
      const found = await examineAloud(checksOf(context.stack), context);
      const findings = [...tools, ...found];
      if (findings.some(({ state }) => state === "failed")) process.exitCode = 1;
      if (json) return printJson({ stack, findings: findings.map(findingJson) });
      for (const finding of found) print(findingLines(finding));
    });

/** Runs checks, and names those that still run whenever they have said nothing for ten seconds. */
export function examineAloud<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  output?: Output,
): Promise<readonly Finding[]> {
  const left = new Set(checks.map(({ name }) => name));
  const watched = checks.map(({ name, run }) => ({
    name,
    run: (given: Subject) => run(given).finally(() => left.delete(name)),
  }));
  return whileRunning(
    () => `checking ${[...left].join(", ")}`,
    () => examine(watched, subject),
    output,
  );
}

/** Loads the checks, and with them the Azure SDKs, only when this command runs, so that other commands start fast. */
async function checksOfStacks(): Promise<(stack: Stack) => readonly Check<Context>[]> {
  const [
    { subscriptionChecks },
    { databaseChecks },
    { planeChecks },
    { credentialChecks },
    { checksOfApps },
    { identityChecks },
    { telemetryChecks },
  ] = await Promise.all([
    import("./subscription-checks.ts"),
    import("./database-checks.ts"),
    import("./plane-checks.ts"),
    import("./credential-checks.ts"),
    import("./app-checks.ts"),
    import("./identity-checks.ts"),
    import("./telemetry-checks.ts"),
  ]);
  return ({ apps }) => [
    ...subscriptionChecks,
    ...identityChecks,
    ...databaseChecks,
    ...planeChecks,
    ...credentialChecks,
    ...telemetryChecks,
    ...checksOfApps(apps),
  ];
}
