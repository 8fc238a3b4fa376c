// Performs the effects of a remediation: reads the situation, carries runbooks out, and counts the rows since an
// action. The engine decides when; each runbook makes sure that a repetition has no second effect.
import type { Result } from "../../engines/engine.ts";
import type { RemediationEffect, RemediationOutcome } from "../../engines/remediation/vocabulary.ts";
import { systemTime } from "../runtime/clock.ts";
import { limitSecondsOf, readWithin, requestsPerRead, writeWithin } from "../runtime/limits.ts";
import type { Performer, Within } from "../runtime/performer.ts";
import type { Clock, Fence, Time } from "../runtime/ports.ts";
import { readSituation, type SituationWorld } from "./remediation-situation.ts";
import { failure, watched } from "./watched-fence.ts";

/** What effects need. */
export interface RemediationWorld extends SituationWorld {
  readonly clock: Clock;
  /** The limit of a single request; shorter than the lease. */
  readonly requestSeconds: number;
  /** @default the machine's time */
  readonly time?: Time | undefined;
}

const isWrite = ({ kind }: RemediationEffect): boolean => kind === "Act" || kind === "Halt" || kind === "Undo";

/** Makes the performer of remediations. */
export const remediationPerformer = (world: RemediationWorld): Performer<RemediationEffect, RemediationOutcome> => ({
  isWrite,
  limitSeconds: (effect) =>
    effect.kind === "Wait" || effect.kind === "Follow" ? 0 : limitSecondsOf(isWrite(effect), world.requestSeconds),
  ready: () => Promise.resolve(),
  perform: async (effect, within) => {
    const over = new AbortController();
    const { fence, rethrow } = watched(within.fence);
    const found = await call(effect, world, { ...within, fence }, over.signal).finally(() => over.abort());
    rethrow();
    return { kind: "Outcome", of: effect.kind, at: world.clock.now(), found } as RemediationOutcome;
  },
});

async function call(
  effect: RemediationEffect,
  world: RemediationWorld,
  { stream, fence, cancel }: Within,
  over: AbortSignal,
): Promise<Result<unknown>> {
  const { clock, runbooks, declarations, symptoms, requestSeconds, time = systemTime } = world;
  const read = <Value>(ask: (late: AbortSignal) => Promise<Result<Value>>) =>
    readWithin((late) => ask(late).catch(failure), requestSeconds * requestsPerRead, cancel, over, time);
  const write = <Value>(ask: (asked: Fence) => Promise<Result<Value>>) =>
    writeWithin(async (asked) => ask(asked).catch(failure), requestSeconds, fence, over, time);
  switch (effect.kind) {
    case "LoadPolicy":
      return { ok: true, value: declarations.load(effect.rule, effect.target) };
    case "Assess":
      return read(async (late) => ({ ok: true, value: await readSituation(effect, world, stream, clock.now(), late) }));
    case "Wait":
      return clock.until(effect.until, cancel).then(() => ({ ok: true, value: null }));
    case "Act":
      return effect.drill
        ? drill(effect, world, cancel)
        : write((asked) => runbooks[effect.rung.runbook].act(effect, asked));
    case "Follow":
      return (
        (await runbooks[effect.rung.runbook].follow?.(effect, cancel)) ?? {
          ok: false,
          reason: "there is nothing to follow",
        }
      );
    case "Measure":
      return read((late) => symptoms.rows(effect, clock.now(), late));
    case "Halt":
      return write(
        async (asked) =>
          (await runbooks[effect.rung.runbook].halt?.(effect, asked)) ?? { ok: false, reason: "it cannot be halted" },
      );
    case "Undo":
      return write(
        async (asked) =>
          (await runbooks[effect.rung.runbook].undo?.(effect, asked)) ?? { ok: false, reason: "it cannot be undone" },
      );
  }
}

/** A drill shows the plan that would be carried out, made anew, and sends no write. */
async function drill(
  { target, rung, incident }: Extract<RemediationEffect, { kind: "Act" }>,
  { runbooks }: RemediationWorld,
  cancel: AbortSignal,
): Promise<Result<unknown>> {
  const planned = await runbooks[rung.runbook].plan(target, rung, incident, cancel);
  return planned.ok ? { ok: true, value: { message: `would ${planned.value.plan}` } } : planned;
}
