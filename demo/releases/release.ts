// One release from `pulumi up` to its result, printed as it happens, and the kill of the control plane during one.
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane } from "../../client/control-plane.ts";
import type { JournalLine, RolloutName } from "../../client/rollouts.ts";
import type { RolloutResult } from "../../engines/rollout/vocabulary.ts";
import type { Ended } from "../../toolchain/child.ts";
import type { Emulator } from "../emulator.ts";
import type { Stack } from "../stack.ts";
import { StoryUndecided } from "../story.ts";
import type { Timeline } from "../timeline.ts";
import { type Draw, type DrawnRelease, describeFault, environmentOf, expectedResult, type Fault } from "./draw.ts";

/** What a release needs: the stack, the control plane, the emulator and the timeline. */
export interface Stage {
  readonly stack: Stack;
  readonly plane: ControlPlane;
  readonly emulator: Emulator;
  readonly timeline: Timeline;
  /** Reports whether the machine was too busy for the demo from one time to another. */
  readonly wasStarved: (from: number, to: number) => Promise<boolean>;
  readonly lastMinute: () => void;
}

/** The result of one release. Requests are counted at the end, when all of them are known. */
export interface Released {
  readonly release: number;
  readonly fault: Fault;
  readonly name: RolloutName;
  readonly result: RolloutResult;
  readonly message: string;
  readonly from: number;
  readonly to: number;
  readonly journal: readonly JournalLine[];
}

/** The app that the demo releases. */
export const app = { resourceGroup: "ballast-local", app: "storefront" };

/** Something that happens to a rollout a while after it has reached a weight. */
export interface Interference {
  readonly atPercent: number;
  readonly afterSeconds: number;
  readonly act: () => Promise<void>;
}

/**
 * Carries out a release, prints its journal, and checks that the result follows from the fault.
 *
 * @param begins hears that the rollout has begun: the Pulumi CLI now only waits, and leaves the machine to others
 */
export async function carryOut(
  stage: Stage,
  drawn: DrawnRelease,
  { kill, begins }: { readonly kill?: Draw["kill"] | undefined; readonly begins?: (() => void) | undefined } = {},
): Promise<Released> {
  const { stack, timeline, emulator } = stage;
  const from = Date.now();
  const known = await knownNow(stage);
  stack.setStorefront(environmentOf(drawn));
  const up = stack.up();
  const killed = kill && {
    ...kill,
    act: async () =>
      timeline.line(
        `  ✂ the control plane is killed with SIGKILL, process ${(await emulator.kill("control-plane")).join(", ")}`,
        "magenta",
      ),
  };
  const followed = await Promise.race([
    follow(stage, known, killed, begins),
    up.then(async (ended) => {
      await sleep(5_000);
      throw new Error(`pulumi up ended before a rollout began:\n${ended.output}`);
    }),
  ]);
  return account(stage, drawn, followed, await up, from);
}

/** Returns the ids of the rollouts so far. */
export const knownNow = async ({ plane }: Stage): Promise<ReadonlySet<string>> =>
  new Set((await plane.list(app)).rollouts.map(({ id }) => id));

export type FollowedToEnd = Pick<Released, "name" | "result" | "message">;

/** Checks the result of a release, and what its `pulumi up` printed. */
export async function account(
  stage: Stage,
  drawn: DrawnRelease,
  followed: FollowedToEnd,
  { code, output }: Ended,
  from: number,
): Promise<Released> {
  const { plane, timeline } = stage;
  const expected = await checkResult(stage, drawn, followed, from);
  timeline.check((code === 0) === (expected === "promoted"), `pulumi up exited with ${code}`);
  if (code !== 0) timeline.check(output.includes(followed.message), "pulumi up failed with the judge's message");
  const journal = await plane.journal(followed.name);
  timeline.check(
    journal
      .filter(({ event }) => event.kind === "StepReached" || event.kind === "StepPassed")
      .every(({ message }) => output.includes(message)),
    "pulumi up printed every step",
  );
  return { ...drawn, ...followed, from, to: Date.now(), journal };
}

/**
 * Checks that the result follows from the fault, and returns the expected result.
 *
 * A busy machine sends too few requests for a judgement in time. That result is undecided, and the story ends, since
 * the next releases build on this one.
 *
 * @throws StoryUndecided
 */
export async function checkResult(
  { plane, timeline, wasStarved }: Stage,
  { release, fault }: DrawnRelease,
  { name, result }: FollowedToEnd,
  from: number,
): Promise<RolloutResult> {
  const expected = expectedResult(fault);
  const isAsExpected = result === expected;
  const last = isAsExpected ? undefined : (await plane.journal(name)).at(-1)?.event;
  const spoilt = last?.kind === "Finished" && last.reason === "time-expired" && (await wasStarved(from, Date.now()));
  timeline.check(isAsExpected, `release ${release} (${describeFault(fault)}) was ${result}`, spoilt);
  if (spoilt) throw new StoryUndecided();
  return expected;
}

/** Prints the new rollout as it happens, until it has ended. */
export async function follow(
  stage: Stage,
  known: ReadonlySet<string>,
  interference?: Interference,
  begins?: () => void,
): Promise<FollowedToEnd> {
  const { plane, timeline } = stage;
  const name = await begun(plane, known);
  begins?.();
  for await (const heard of plane.follow(name)) {
    if (heard.kind === "ended") return { name, result: heard.result, message: heard.message };
    if (heard.kind === "broken")
      timeline.line("  … the control plane does not answer; its platform restarts it", "yellow");
    else timeline.fact(heard.fact);
    if (
      heard.kind === "fact" &&
      interference !== undefined &&
      heard.fact.message === `canary has ${interference.atPercent} percent`
    ) {
      await sleep(interference.afterSeconds * 1000);
      await interference.act();
      interference = undefined;
    }
  }
  throw new Error("the connection to the rollout ended before the rollout did");
}

/** Waits for a new rollout. If there never is one, `pulumi up` gives up by itself. */
async function begun(plane: ControlPlane, known: ReadonlySet<string>): Promise<RolloutName> {
  for (;;) {
    const found = (await plane.list(app)).rollouts.find(({ id }) => !known.has(id));
    if (found !== undefined) return { ...app, revision: found.revision };
    await sleep(200);
  }
}

/** Reports whether a journal shows a recovery: facts by two processes, and a raised epoch of the claim. */
export function isResumed(journal: readonly JournalLine[]): boolean {
  const byClaim = journal.filter(({ epoch }) => epoch > 0);
  return (
    new Set(byClaim.map(({ process }) => process)).size >= 2 &&
    Math.max(...byClaim.map(({ epoch }) => epoch)) > Math.min(...byClaim.map(({ epoch }) => epoch))
  );
}
