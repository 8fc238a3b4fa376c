// Which streams this process drives, and the loop that drives one: turn after turn until nothing is missing any more.
// A stream is driven under its claim, and left as soon as the claim is lost. What a turn does is in turns.ts; who asks
// for a stream to be driven, and why, is in orchestrate.ts.
import { targetOf } from "../../engines/rollout/names.ts";
import { keepLease } from "./claims.ts";
import { aborted, nap } from "./clock.ts";
import type { Claim, Claims, Journal } from "./ports.ts";
import type { Mind, Run, Turns } from "./reconcile.ts";

/** What driving needs, and what it shares with the turns. */
export interface DriversSetting {
  readonly journal: Journal;
  readonly claims: Claims;
  readonly turns: Turns;
  readonly mind: Mind;
  readonly process: string;
  readonly leaseSeconds: number;
  readonly log: (sentence: string) => void;
  /** The streams now driven here, which the turns look into. */
  readonly driven: Map<string, Run>;
}

/** Claims streams for this process and drives them. */
export interface Drivers {
  /** Claims a stream's target for this process, or gives who has it. */
  readonly claim: (stream: string) => Promise<Claim | { readonly heldBy: string }>;
  /** Drives a stream whose claim we have, in the background: once at a time, however often it is asked for. */
  readonly run: (stream: string, claim: Claim) => Promise<void>;
  /** Leaves every stream as it is, once writes under way have ended, and lets other processes carry on at once. */
  readonly leaveAll: () => Promise<void>;
}

const longestRestMilliseconds = 30_000;

/** Prepares to drive streams; none is driven before it is asked for. */
export function createDrivers(setting: DriversSetting): Drivers {
  const { claims, process, leaseSeconds, log, driven } = setting;
  const leaving = new AbortController();
  const endings = new Map<string, Promise<void>>();

  async function claim(stream: string): Promise<Claim | { readonly heldBy: string }> {
    const target = targetOf(stream);
    if (!target) throw new Error(`${stream} names no rollout`);
    if (leaving.signal.aborted) throw new Error("this process is closing and takes nothing on");
    const claimed = await claims.take(target, stream, process);
    return "claim" in claimed ? claimed.claim : claimed;
  }

  async function oneRun(stream: string, claim: Claim): Promise<void> {
    const lease = keepLease(claim, claims, leaseSeconds);
    if (!(await lease.confirm().catch(() => true))) return oneMoreRun(stream); // A run before gave it back after we had taken it.
    const run: Run = {
      stream,
      lease,
      left: AbortSignal.any([lease.lost, leaving.signal]),
      facts: [],
      busy: Promise.resolve(),
    };
    driven.set(stream, run);
    await turnAfterTurn(run, setting);
    lease.end();
    driven.delete(stream);
    if (leaving.signal.aborted) await claims.lapse(claim).catch(() => undefined); // Else it runs out by itself.
  }

  /** A run that is about to end may have missed what it is asked for now, and may just be giving its claim back. */
  async function oneMoreRun(stream: string): Promise<void> {
    if (leaving.signal.aborted || setting.mind.asks(await setting.journal.read(stream)) === undefined) return;
    const claimed = await claim(stream);
    if (!("heldBy" in claimed)) await oneRun(stream, claimed);
  }

  return {
    claim,
    run: (stream, claimed) => {
      const before = endings.get(stream);
      const ending = (before ? before.then(() => oneMoreRun(stream)) : oneRun(stream, claimed))
        .catch((error: unknown) => log(`${stream} is left to the next sweep: ${String(error)}`))
        .finally(() => {
          if (endings.get(stream) === ending) endings.delete(stream);
        });
      endings.set(stream, ending);
      return ending;
    },
    leaveAll: async () => {
      leaving.abort();
      await Promise.all(endings.values());
    },
  };
}

/** Turns until the stream has finished or must be left. Trouble with the database makes it rest and look again. */
async function turnAfterTurn(run: Run, { journal, claims, turns, mind, log }: DriversSetting): Promise<void> {
  const { stream } = run;
  let carriedOn = false;
  let taken = -1;
  for (let failures = 0; !run.left.aborted && run.lease.fresh(); ) {
    try {
      if (!carriedOn) await unlessLeft(run, turns.carryOn(stream));
      carriedOn = true;
      run.facts = await journal.read(stream, run.facts);
      if (run.facts.length === taken) throw new Error("a turn came to nothing");
      if (mind.asks(run.facts) === undefined) {
        await turns.forgetAll(stream);
        return await claims.release(run.lease.claim);
      }
      taken = run.facts.length;
      await unlessLeft(run, turns.turn(stream, taken));
      failures = 0;
    } catch (error) {
      failures++;
      log(`${stream} rests, since ${error instanceof Error ? error.message : String(error)}`);
      await nap(Math.min(250 * 2 ** failures, longestRestMilliseconds), run.left);
      if (taken >= 0 && !run.left.aborted) await turns.forget(stream, taken).catch(() => undefined);
      taken = -1;
    }
  }
}

/** Waits for a turn, or until the stream must be left; a write under way is waited for even then, unless the claim is lost. */
async function unlessLeft(run: Run, turning: Promise<void>): Promise<void> {
  const left = aborted(run.left).then(() => Promise.race([run.busy, aborted(run.lease.lost)]));
  turning.catch(() => undefined); // Nobody waits for it once the stream is left.
  await Promise.race([turning, left]);
}
