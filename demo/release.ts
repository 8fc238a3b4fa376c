// One release from `pulumi up` to its result, told as it happens; and the control plane's death in the middle of one.
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane, JournalLine, RolloutName } from "../client/control-plane.ts";
import type { RolloutResult } from "../engines/rollout/vocabulary.ts";
import type { Ended } from "../toolchain/child.ts";
import { type Draw, type DrawnRelease, describeFault, environmentOf, expectedResult, type Fault } from "./draw.ts";
import type { StandIn } from "./emulator.ts";
import type { Stack } from "./stack.ts";
import type { Timeline } from "./timeline.ts";

export interface Stage {
  readonly stack: Stack;
  readonly plane: ControlPlane;
  readonly standIn: StandIn;
  readonly timeline: Timeline;
}

/** What came of one release; the requests of its arms are counted when all of them are known. */
export interface Released {
  readonly release: number;
  readonly fault: Fault;
  readonly name: RolloutName;
  readonly result: RolloutResult;
  readonly sentence: string;
  readonly from: number;
  readonly to: number;
  readonly journal: readonly JournalLine[];
}

/** The app that the demo releases again and again. */
export const app = { resourceGroup: "ballast-local", app: "storefront" };

/** Something that is done to a rollout, so long after it has reached a weight. */
export interface Interference {
  readonly atPercent: number;
  readonly afterSeconds: number;
  readonly act: () => Promise<void>;
}

/** Releases what was drawn, tells its journal, and checks that the result follows from the fault. */
export async function carryOut(stage: Stage, drawn: DrawnRelease, kill?: Draw["kill"]): Promise<Released> {
  const { stack, timeline, standIn } = stage;
  const from = Date.now();
  const known = await knownNow(stage);
  stack.setStorefront(environmentOf(drawn));
  const up = stack.up();
  const killed = kill && {
    ...kill,
    act: async () =>
      timeline.line(
        `  ✂ SIGKILL to the control plane, process ${(await standIn.kill("control-plane")).join(", ")}`,
        "magenta",
      ),
  };
  const followed = await Promise.race([
    follow(stage, known, killed),
    up.then(async (ended) => {
      await sleep(5_000);
      throw new Error(`pulumi up ended before a rollout began:\n${ended.output}`);
    }),
  ]);
  return account(stage, drawn, followed, await up, from);
}

/** Gives the rollouts that there are by now. */
export const knownNow = async ({ plane }: Stage): Promise<ReadonlySet<string>> =>
  new Set((await plane.list(app)).rollouts.map(({ id }) => id));

export type FollowedToEnd = Pick<Released, "name" | "result" | "sentence">;

/** Checks what became of a release, and what the `pulumi up` that waited for it said. */
export async function account(
  { plane, timeline }: Stage,
  drawn: DrawnRelease,
  followed: FollowedToEnd,
  { code, output }: Ended,
  from: number,
): Promise<Released> {
  const expected = checkResult(timeline, drawn, followed);
  timeline.check((code === 0) === (expected === "promoted"), `pulumi up exits with ${code}`);
  if (code !== 0) timeline.check(output.includes(followed.sentence), "pulumi up ends with the judge's sentence");
  const journal = await plane.journal(followed.name);
  timeline.check(
    journal
      .filter(({ event }) => event.kind === "StepReached" || event.kind === "StepPassed")
      .every(({ text }) => output.includes(text)),
    "pulumi up told every step as it came",
  );
  return { ...drawn, ...followed, from, to: Date.now(), journal };
}

/** Checks that a result follows from the fault, and gives what does. */
export function checkResult(
  timeline: Timeline,
  { release, fault }: DrawnRelease,
  { result }: FollowedToEnd,
): RolloutResult {
  const expected = expectedResult(fault);
  timeline.check(result === expected, `release ${release} (${describeFault(fault)}) is ${result}`);
  return expected;
}

/** Tells the rollout that was not known before as it happens, to its end. */
export async function follow(
  stage: Stage,
  known: ReadonlySet<string>,
  interference?: Interference,
): Promise<FollowedToEnd> {
  const { plane, timeline } = stage;
  const name = await begun(plane, known);
  for await (const heard of plane.follow(name)) {
    if (heard.kind === "ended") return { name, result: heard.result, sentence: heard.sentence };
    if (heard.kind === "broken")
      timeline.line("  … the control plane does not answer; its platform starts it again", "yellow");
    else timeline.fact(heard.fact);
    if (
      heard.kind === "told" &&
      interference !== undefined &&
      heard.fact.text === `canary has ${interference.atPercent} percent`
    ) {
      await sleep(interference.afterSeconds * 1000);
      await interference.act();
      interference = undefined;
    }
  }
  throw new Error("the rollout was followed to no end");
}

/** Waits until a rollout shows up that was not known before; `pulumi up` gives up by itself where none ever does. */
async function begun(plane: ControlPlane, known: ReadonlySet<string>): Promise<RolloutName> {
  for (;;) {
    const found = (await plane.list(app)).rollouts.find(({ id }) => !known.has(id));
    if (found !== undefined) return { ...app, revision: found.revision };
    await sleep(200);
  }
}

/** Says whether a journal shows that another process took over: facts by two processes, and the claim's epoch raised. */
export function isResumed(journal: readonly JournalLine[]): boolean {
  const byClaim = journal.filter(({ epoch }) => epoch > 0);
  return (
    new Set(byClaim.map(({ process }) => process)).size >= 2 &&
    Math.max(...byClaim.map(({ epoch }) => epoch)) > Math.min(...byClaim.map(({ epoch }) => epoch))
  );
}
