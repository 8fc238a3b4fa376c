// The dead man's switch: a scheduled job that listens for the control plane's heartbeat. If there is none during the
// whole time, it returns the traffic of every app to its stable revision. It shares only the heartbeat with the control
// plane, and no code. Exit code 0: all is well, or the traffic was returned. Exit code 1: a person must look.
import { setTimeout as sleep } from "node:timers/promises";
import { describeAsked, resourceManager, send } from "./azure.ts";
import { restore, type Target } from "./restore.ts";

const say = (line: object): void =>
  void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);

/** Reads one setting. @throws if it is missing, which ends the run with its name. */
function text(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
}

function seconds(name: string): number {
  const value = Number(text(name));
  if (!(value > 0)) throw new Error(`${name} is not a number above 0`);
  return value;
}

/**
 * Listens once. Gives why the answer was no heartbeat, or undefined if it was one.
 *
 * A control plane that answers while its rollouts stand still is as dead as a silent one. The answer has for how long
 * its loop has left alone a rollout that was due, by its database's clock, so that the clocks of two machines are never
 * compared. A paused rollout is not due, and what is written about one rollout hides no other.
 */
async function whySilent(health: URL, silence: number): Promise<string | undefined> {
  const asked = await send("GET", health);
  if (asked.status !== 200) return describeAsked(asked);
  const { inFlight, overdueSeconds } = asked.body;
  // A control plane of the previous version, which an update may not have replaced yet, reports its last write only.
  const alone = overdueSeconds ?? asked.body["lastWriteSecondsAgo"];
  if (inFlight === 0 || (typeof inFlight === "number" && typeof alone === "number" && alone < silence))
    return undefined;
  return typeof inFlight === "number"
    ? `rollouts in flight: ${inFlight}; its loop has left one alone for ${alone} s`
    : "it answered 200 without the number of rollouts in flight";
}

/** Listens until the first heartbeat, or for the whole time. Then it gives why the last answer was no heartbeat. */
async function listen(health: URL, silence: number): Promise<string | undefined> {
  const deadline = performance.now() + silence * 1000;
  for (;;) {
    const why = await whySilent(health, silence);
    if (why === undefined || performance.now() >= deadline) return why;
    await sleep(Math.min(5_000, silence * 100)); // at least ten times
  }
}

async function main(): Promise<number> {
  const health = new URL(text("BALLAST_HEALTH"));
  const silence = seconds("BALLAST_DEADMAN_SECONDS");
  const patience = seconds("BALLAST_DEADMAN_PATIENCE_SECONDS");
  const subscription = text("BALLAST_SUBSCRIPTION");
  const managedTargets = JSON.parse(text("BALLAST_MANAGED_TARGETS")) as readonly Target[];
  const ask = resourceManager(text("BALLAST_RESOURCE_MANAGER"), {
    endpoint: text("IDENTITY_ENDPOINT"),
    header: text("IDENTITY_HEADER"),
    clientId: text("AZURE_CLIENT_ID"),
  });
  const silent = await listen(health, silence);
  if (silent === undefined) {
    say({ what: "heartbeat" });
    return 0;
  }
  say({ what: "silence", message: `no heartbeat for ${silence} s: ${silent}` });
  const isBack = async () => (await whySilent(health, silence)) === undefined;
  const outcomes = await Promise.all(
    managedTargets.map(async (target) => {
      const outcome = await restore(ask, subscription, target, patience, isBack);
      say({ ...outcome, ...target });
      return outcome.what;
    }),
  );
  return outcomes.includes("failed") ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  say({ what: "failed", message: (error as Error).message });
  return 1;
});
