// The `ballast` command: its groups, its help, its exit codes. What a command does stands in the group's own file.
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { BallastError } from "../errors/catalogue.ts";
import { addDoctor } from "./doctor/doctor.ts";
import { addLocal } from "./emulator/emulator.ts";
import { addImage } from "./image/image.ts";
import { addPromote } from "./image/promote.ts";
import { addSimulate } from "./release/backtest.ts";
import { addPower } from "./release/power.ts";
import { addRelease } from "./release/release.ts";
import { addTop } from "./release/top.ts";
import { addSignIn } from "./sign-in.ts";
import { refuse } from "./terminal.ts";

const { version, description, engines } = createRequire(import.meta.url)("ballast/package.json") as {
  version: string;
  description: string;
  engines: { node: string };
};

/** What a command comes to, as the shell sees it. */
const exitCodes = { success: 0, failed: 1, usage: 2, unreachable: 3 };

const program = new Command("ballast")
  .description(description)
  .version(version)
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit codes:
  0  what was asked for is so
  1  it was refused, it failed, or the release did not end well
  2  the command was not understood
  3  the control plane cannot be reached, or the stand-in cloud is not up

Signing in: the first of BALLAST_TOKEN, AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or a federated
token (ARM_* as well), else the sign-in of \`az login\`.

Examples:
  ballast release list
  ballast release follow storefront
  ballast top
  ballast release abort storefront --reason "customers report empty carts"
  ballast power --requests-per-minute 1200 --failure-percent 0.5
  ballast simulate --limits stricter.yaml
  ballast local up`,
  );
addRelease(program);
addTop(program);
addPower(program);
addSimulate(program);
addPromote(program);
addDoctor(program, engines.node);
addImage(program);
addSignIn(program);
addLocal(program);

const unreachable = ["release-control-plane-unreachable", "cli-local-not-up"];
const misunderstood = [
  "cli-rollout-name-unclear",
  "cli-traffic-unknown",
  "cli-local-image-unclear",
  "cli-local-time-unclear",
  "cli-local-reset-unasked",
];

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  if (!(error instanceof BallastError)) throw error;
  refuse(error, process.argv.includes("--json"));
  if (unreachable.includes(error.id)) return exitCodes.unreachable;
  return misunderstood.includes(error.id) ? exitCodes.usage : exitCodes.failed;
}

// A reader that has enough, such as `head`, closes the pipe; that is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? exitCodes.success : exitCodes.failed),
);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
