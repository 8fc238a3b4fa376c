// `ballast doctor`: looks at a stack and the cloud that it names, and says of each thing that a release needs whether it is so. It changes
// nothing; what it finds wrong is an error of the catalogue with its fix. What is checked is in doctor/, a file a group.
import type { Command } from "commander";
import { bringEngine } from "../../toolchain/pulumi/bring.ts";
import { print, printJson } from "../terminal.ts";
import type { Patient } from "./context.ts";
import { type Check, examine, findingJson, findingLines } from "./finding.ts";
import type { Stack } from "./stack.ts";

/** Adds the command. */
export const addDoctor = (program: Command, engines: string): Command =>
  program
    .command("doctor")
    .description(
      "check what releases of a stack need, from this machine's tools to request rows, and say how to mend what is wrong",
    )
    .requiredOption("--stack <name>", "the Pulumi stack to look at")
    .option("--json", "answer in JSON")
    .addHelpText(
      "after",
      `
Nothing is changed; one request is sent to the app, to see its row arrive. That takes as long as rows take: minutes on Azure.
What cannot be known now, such as an app before the first \`pulumi up\`, is unknown and no failure. The exit code is 1 when a check failed.
Any program with a ControlPlane can be looked at once it has been deployed: run it in that program's folder.

Examples:
  ballast doctor --stack prod
  ballast doctor --stack prod --json | jq '.findings[] | select(.state == "failed")'
  ballast doctor --stack prod --json | jq '.findings[] | select(.check == "cost").lines'`,
    )
    .action(async ({ stack, json }: { stack: string; json?: boolean }) => {
      const [{ toolChecks }, { patientOf, stackNamed }, checksOf] = await Promise.all([
        import("./tools.ts"),
        import("./context.ts"),
        checksOfStacks(),
      ]);
      const engine = bringEngine({ report: (line) => void process.stderr.write(`${line}\n`) });
      const tools = await examine(toolChecks(engines, program.version()!), () => engine);
      if (!json) tools.forEach((finding) => print(findingLines(finding)));
      const patient = patientOf(await stackNamed(await engine, stack));
      const found = await examine(checksOf(patient.stack), patient);
      const findings = [...tools, ...found];
      if (findings.some(({ state }) => state === "failed")) process.exitCode = 1;
      if (json) return printJson({ stack, findings: findings.map(findingJson) });
      found.forEach((finding) => print(findingLines(finding)));
    });

/** The SDKs behind these are loaded when they are needed, and no other command waits for them. */
async function checksOfStacks(): Promise<(stack: Stack) => readonly Check<Patient>[]> {
  const [
    { subscriptionChecks },
    { databaseChecks },
    { planeChecks },
    { checksOfApps },
    { costChecks },
    { identityChecks },
    { telemetryChecks },
  ] = await Promise.all([
    import("./subscription-checks.ts"),
    import("./database-checks.ts"),
    import("./plane-checks.ts"),
    import("./app-checks.ts"),
    import("./cost.ts"),
    import("./identity-checks.ts"),
    import("./telemetry-checks.ts"),
  ]);
  return ({ apps }) => [
    ...subscriptionChecks,
    ...identityChecks,
    ...databaseChecks,
    ...planeChecks,
    ...telemetryChecks,
    ...checksOfApps(apps),
    ...costChecks,
  ];
}
