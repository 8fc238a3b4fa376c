// One release from `pulumi up` to its result, told as it happens; and the control plane's death in the middle of one.
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutResult } from "../controlplane/engines/rollout/vocabulary.ts";
import type { ControlPlane, JournalLine, RolloutName } from "../provider/control-plane.ts";
import { describeFault, environmentOf, expectedResult, type Draw, type DrawnRelease, type Fault } from "./draw.ts";
import type { Stack } from "./stack.ts";
import type { StandIn } from "./stand-in.ts";
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

/** Releases what was drawn, tells its journal, and checks that the result follows from the fault. */
export async function carryOut(stage: Stage, drawn: DrawnRelease, kill?: Draw["kill"]): Promise<Released> {
  const { stack, timeline } = stage;
  const from = Date.now(), known = new Set((await stage.plane.list(app)).rollouts.map(({ id }) => id));
  stack.setStorefront(environmentOf(drawn));
  const up = stack.up();
  const followed = await Promise.race([follow(stage, known, kill), up.then(async (ended) => { await sleep(5_000); throw new Error(`pulumi up ended before a rollout began:\n${ended.output}`); })]);
  const { code, output } = await up;
  const expected = expectedResult(drawn.fault);
  timeline.check(followed.result === expected, `release ${drawn.release} (${describeFault(drawn.fault)}) is ${followed.result}`);
  timeline.check((code === 0) === (expected === "promoted"), `pulumi up exits with ${code}`);
  if (code !== 0) timeline.check(output.includes(followed.sentence), "pulumi up ends with the judge's sentence");
  const journal = await stage.plane.journal(followed.name);
  timeline.check(journal.filter(({ event }) => event.kind === "StepReached" || event.kind === "StepPassed").every(({ text }) => output.includes(text)), "pulumi up told every step as it came");
  return { ...drawn, ...followed, from, to: Date.now(), journal };
}

async function follow(stage: Stage, known: ReadonlySet<string>, kill: Draw["kill"] | undefined): Promise<Pick<Released, "name" | "result" | "sentence">> {
  const { plane, timeline } = stage;
  const name = await begun(plane, known);
  for await (const heard of plane.follow(name)) {
    if (heard.kind === "ended") return { name, result: heard.result, sentence: heard.sentence };
    if (heard.kind === "broken") timeline.line("  … the control plane does not answer; its platform starts it again", "yellow");
    else timeline.fact(heard.fact);
    if (heard.kind === "told" && kill !== undefined && heard.fact.text === `canary has ${kill.atPercent} percent`) {
      await sleep(kill.afterSeconds * 1000);
      timeline.line(`  ✂ SIGKILL to the control plane, process ${(await stage.standIn.kill("control-plane")).join(", ")}`, "magenta");
      kill = undefined;
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
  return new Set(byClaim.map(({ process }) => process)).size >= 2 && Math.max(...byClaim.map(({ epoch }) => epoch)) > Math.min(...byClaim.map(({ epoch }) => epoch));
}
