// The dead man's switch: a scheduled job that listens for the control plane's heartbeat and, when there was none for the whole time that
// it listened, gives every app back to its stable revision. It shares nothing with the control plane but that heartbeat, no code
// either. Its exit code is its verdict: 0 is all is well or was made well, 1 is that somebody must look.
import { setTimeout as sleep } from "node:timers/promises";
import { describeAsked, resourceManager, send } from "./azure.ts";
import { restore, type Target } from "./restore.ts";

const say = (line: object): void =>
  void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);

/** Reads one setting. @throws where it is missing, which ends the run with its name. */
function text(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
}

function seconds(name: string): number {
  const value = Number(text(name));
  if (!(value > 0)) throw new Error(`${name} is no number above 0`);
  return value;
}

/**
 * Listens once; gives why that was no heartbeat, or undefined where it was one.
 *
 * A control plane that answers while a rollout of it stands still is as dead as one that is silent. How long ago it wrote it says itself, by
 * its database's clock: two machines' clocks are never compared.
 */
async function whySilent(health: URL, silence: number): Promise<string | undefined> {
  const asked = await send("GET", health);
  if (asked.status !== 200) return describeAsked(asked);
  const { inFlight, lastWriteSecondsAgo } = asked.body;
  if (
    inFlight === 0 ||
    (typeof inFlight === "number" && typeof lastWriteSecondsAgo === "number" && lastWriteSecondsAgo < silence)
  )
    return undefined;
  return typeof inFlight === "number"
    ? `${inFlight} rollouts are in flight, and nothing was written for ${lastWriteSecondsAgo} s`
    : "it answered 200 without saying what is in flight";
}

/** Listens until the first heartbeat, or for the whole time; then gives why the last was none. */
async function listen(health: URL, silence: number): Promise<string | undefined> {
  const deadline = performance.now() + silence * 1000;
  for (;;) {
    const why = await whySilent(health, silence);
    if (why === undefined || performance.now() >= deadline) return why;
    await sleep(Math.min(5_000, silence * 100)); // ten times at least
  }
}

async function main(): Promise<number> {
  const health = new URL(text("BALLAST_HEALTH"));
  const silence = seconds("BALLAST_DEADMAN_SECONDS");
  const patience = seconds("BALLAST_DEADMAN_PATIENCE_SECONDS");
  const subscription = text("BALLAST_SUBSCRIPTION");
  const inventory = JSON.parse(text("BALLAST_INVENTORY")) as readonly Target[];
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
  say({ what: "silence", sentence: `no heartbeat for ${silence} s: ${silent}` });
  const isBack = async () => (await whySilent(health, silence)) === undefined;
  const outcomes = await Promise.all(
    inventory.map(async (target) => {
      const outcome = await restore(ask, subscription, target, patience, isBack);
      say({ ...outcome, ...target });
      return outcome.what;
    }),
  );
  return outcomes.includes("failed") ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  say({ what: "failed", sentence: (error as Error).message });
  return 1;
});
