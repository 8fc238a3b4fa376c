// Carries out what a ferry asks for. Where each load is stands in a table, which outlives the processes that move it;
// every move is noted with the process that made it. A load whose name begins with `stuck` cannot be put down.
import type pg from "pg";
import { aborted } from "../../../controlplane/runtime/clock.ts";
import type { Performer, Streams } from "../../../controlplane/runtime/performer.ts";
import type { Clock, Fence } from "../../../controlplane/runtime/ports.ts";
import type { Result } from "../../../engines/engine.ts";
import type { AnyOutcome } from "../../../engines/kind.ts";
import type { FerryEffect } from "./engine.ts";

/** Where loads are, and who moves them. */
export interface Quay {
  readonly move: (load: string, place: string) => Promise<void>;
}

/** Creates the table of moves, once for all processes. */
export const createQuay = async (pool: pg.Pool): Promise<void> =>
  void (await pool.query("create table public.moves (number serial, load text, place text, process text)"));

/** Opens the quay for a process. */
export const openQuay = (pool: pg.Pool, process: string): Quay => ({
  move: async (load, place) =>
    void (await pool.query("insert into public.moves (load, place, process) values ($1, $2, $3)", [
      load,
      place,
      process,
    ])),
});

/** What a ferry needs from the world. */
export interface FerryWorld {
  readonly quay: Quay;
  readonly clock: Clock;
  readonly streams: Streams;
}

const writes: readonly FerryEffect["kind"][] = ["TakeLoad", "PutDown", "AskForRelease"];
const done = (): Result<null> => ({ ok: true, value: null });

/** Makes the performer of ferries. */
export function ferryPerformer({ quay, clock, streams }: FerryWorld): Performer<FerryEffect> {
  async function found(effect: FerryEffect, fence: Fence, cancel: AbortSignal): Promise<Result<unknown>> {
    switch (effect.kind) {
      case "TakeLoad":
      case "PutDown": {
        if (effect.kind === "PutDown" && effect.load.startsWith("stuck"))
          return { ok: false, reason: "the crane is stuck" };
        if (!(await fence())) return { ok: false, reason: "fenced" };
        await quay.move(effect.load, effect.kind === "TakeLoad" ? "aboard" : effect.dock);
        return done();
      }
      case "Cross":
        await Promise.race([clock.until(effect.until, cancel), aborted(cancel)]);
        return done();
      case "AskForRelease": {
        if (!(await fence())) return { ok: false, reason: "fenced" };
        const asked = await streams.request(effect.stream, effect.intent, clock.now());
        return asked.ok ? done() : asked;
      }
      case "AwaitRelease":
        return streams.follow(effect.stream, effect.until, cancel);
    }
  }
  return {
    isWrite: ({ kind }) => writes.includes(kind),
    ready: () => Promise.resolve(),
    perform: async (effect, { fence, cancel }) => {
      const result = await found(effect, fence, cancel);
      return { kind: "Outcome", of: effect.kind, at: clock.now(), found: result } as AnyOutcome;
    },
  };
}
