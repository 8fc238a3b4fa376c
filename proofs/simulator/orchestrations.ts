// The passes of a process, as the port of the loop, kept in the store that all processes share: a step is recorded
// once, and a pass that its process did not end stays open for the next one.
import type { Orchestrations, Step } from "../../controlplane/runtime/ports.ts";
import type { RolloutOutcome } from "../../engines/rollout/vocabulary.ts";
import { type Place, pass, query } from "./ports.ts";
import type { StoredPass } from "./store.ts";

const never = new AbortController().signal;

const passesOf = ({ world }: Place, stream: string): Map<number, StoredPass> => world.store.streams.get(stream)!.passes;

/** The loop records `{ outcome, epoch }`, or null for an effect that was cut short. */
const performed = (value: unknown): { readonly outcome: RolloutOutcome | undefined } => ({
  outcome: (value as { readonly outcome: RolloutOutcome } | null)?.outcome,
});

/** Performs a step and records its value, with points around the record. */
const performStep =
  (place: Place, stream: string, length: number): Step =>
  async (name, act) => {
    const { world, me } = place;
    const { steps } = passesOf(place, stream).get(length)!;
    const beganAt = world.loop.now();
    const isPerform = name === "perform";
    const value = await act();
    await pass(place, isPerform ? "before-record" : "before-end");
    await query(place, () => {
      if (steps.has(name)) return;
      steps.set(name, value);
      if (isPerform) world.recorded.push({ stream, length, process: me.process, beganAt, ...performed(value) });
    });
    if (isPerform) await pass(place, "after-record");
    return steps.get(name) as typeof value;
  };

/** Performs a step unless it is recorded, and repeats it as often as the loop asks. */
const stepOf = (place: Place, stream: string, length: number): Step => {
  const step = performStep(place, stream, length);
  return async (name, act, patience) => {
    const { steps } = passesOf(place, stream).get(length)!;
    for (let attempt = 1; ; attempt++) {
      if (steps.has(name)) return steps.get(name) as Awaited<ReturnType<typeof act>>;
      try {
        return await step(name, act);
      } catch (error) {
        if (patience === undefined || attempt >= patience.attemptsMax) throw error;
        const restSeconds = patience.firstRestSeconds * patience.backoffRate ** (attempt - 1);
        await place.life.time.nap(restSeconds * 1000, never);
      }
    }
  };
};

/** The passes, kept in the store that all processes share. */
export function orchestrationsFor(place: Place): Orchestrations {
  let body: Parameters<Orchestrations["launch"]>[0];

  const carryOn = async (stream: string, length: number): Promise<void> => {
    const found = passesOf(place, stream).get(length);
    if (found === undefined || found.done) return;
    const end = () =>
      query(place, () => {
        found.done = true;
      });
    try {
      await body(stream, length, stepOf(place, stream, length));
    } catch (error) {
      await end(); // A pass that throws has ended, and what it threw is its result.
      throw error;
    }
    await end();
  };

  return {
    launch: async (given) => {
      body = given;
    },
    begin: async (stream, length) => {
      const found = await query(place, () => {
        const before = passesOf(place, stream).get(length);
        if (before === undefined) passesOf(place, stream).set(length, { done: false, steps: new Map() });
        return before;
      });
      if (found !== undefined) return found.done ? "ended" : "open";
      await carryOn(stream, length);
      return "done";
    },
    resume: carryOn,
    open: (stream) =>
      query(place, () => [...passesOf(place, stream)].filter(([, { done }]) => !done).map(([length]) => length)),
    forget: (stream, length) => query(place, () => void passesOf(place, stream).delete(length)),
    forgetAll: (stream) => query(place, () => passesOf(place, stream).clear()),
    close: async () => undefined,
  };
}
