// The streams that this process drives, and the loop that drives one: reconcile pass after pass until nothing is
// missing. A process drives a stream under its claim, and leaves it as soon as the claim is lost. reconcile.ts has what
// a pass does; orchestrate.ts decides which streams to drive.
import type { AnyEvent } from "../../engines/kind.ts";
import type { TargetKey } from "../../engines/targets.ts";
import { replicaEnding } from "../../errors/api.ts";
import { keepLease } from "./claims.ts";
import { aborted } from "./clock.ts";
import type { LastingTroubles } from "./lasting-troubles.ts";
import type { Claim, Claims, Journal, Time } from "./ports.ts";
import type { Reconciler, Run, Worker } from "./reconcile.ts";
import { whyStuck } from "./stuck.ts";

/** What driving needs, and what it shares with the reconcile passes. */
export interface DriversSetting<Event extends AnyEvent> {
  readonly journal: Journal<Event>;
  readonly claims: Claims;
  readonly reconciler: Reconciler;
  /** Gives the worker of a stream. @throws if its kind is not registered; such a stream is never claimed. */
  readonly workerOf: (stream: string) => Worker<Event>;
  readonly process: string;
  readonly leaseSeconds: number;
  readonly troubles: LastingTroubles;
  readonly time: Time;
  /** The streams driven here, which the passes look up. */
  readonly driven: Map<string, Run<Event>>;
}

/** Claims streams for this process and drives them. */
export interface Drivers {
  /** Claims a stream's targets for this process, or gives the stream that holds one of them. */
  readonly claim: (stream: string, targets: readonly TargetKey[]) => Promise<Claim | { readonly heldBy: string }>;
  /** Drives a stream whose claim we hold, in the background. It runs once at a time, however often it is requested. */
  readonly run: (stream: string, claim: Claim) => Promise<void>;
  /** Leaves every stream once writes under way have ended, so that other processes can continue at once. */
  readonly leaveAll: () => Promise<void>;
}

const longestRestMilliseconds = 30_000;

/** Prepares to drive streams. None is driven yet. */
export function createDrivers<Event extends AnyEvent>(setting: DriversSetting<Event>): Drivers {
  const { claims, process, leaseSeconds, troubles, driven } = setting;
  const leaving = new AbortController();
  const endings = new Map<string, Promise<void>>();

  async function claim(stream: string, targets: readonly TargetKey[]): Promise<Claim | { readonly heldBy: string }> {
    if (targets.length === 0) throw new Error(`${stream} has no target`);
    if (leaving.signal.aborted) throw replicaEnding();
    const claimed = await claims.take(targets, stream, process);
    return "claim" in claimed ? claimed.claim : claimed;
  }

  async function oneRun(stream: string, own: Claim): Promise<void> {
    const lease = keepLease(own, claims, leaseSeconds, setting.time);
    // An earlier run may have released the claim after we took it.
    if (!(await lease.confirm().catch(() => true))) return oneMoreRun(stream);
    const run: Run<Event> = {
      stream,
      worker: setting.workerOf(stream),
      lease,
      left: AbortSignal.any([lease.lost, leaving.signal]),
      facts: [],
      busy: Promise.resolve(),
      underWayUntil: undefined,
    };
    driven.set(stream, run);
    await reconcileUntilDone(run, setting);
    lease.end();
    driven.delete(stream);
    if (leaving.signal.aborted) await claims.lapse(own).catch(() => undefined); // Otherwise it expires by itself.
  }

  /** A run that was about to end may have missed the newest facts, and may just have released its claim. */
  async function oneMoreRun(stream: string): Promise<void> {
    if (leaving.signal.aborted) return;
    const facts = await setting.journal.read(stream);
    const { controller } = setting.workerOf(stream);
    if (controller.asks(facts) === undefined) return;
    const claimed = await claim(stream, controller.targetsOf(facts));
    if (!("heldBy" in claimed)) await oneRun(stream, claimed);
  }

  return {
    claim,
    run: (stream, claimed) => {
      const before = endings.get(stream);
      const ending = (before ? before.then(() => oneMoreRun(stream)) : oneRun(stream, claimed))
        .catch((error: unknown) => troubles.met(stream, `is left to the next recovery: ${String(error)}`))
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

/**
 * Reconciles until the stream has finished or must be left. After trouble it rests and retries: with the database,
 * which comes back, and with the journal or the engine, which a newer version may mend. The latter is recorded.
 */
async function reconcileUntilDone<Event extends AnyEvent>(
  run: Run<Event>,
  { journal, claims, reconciler, troubles, time }: DriversSetting<Event>,
): Promise<void> {
  const { stream } = run;
  let resumed = false;
  let taken = -1;
  let mayBeStuck = true; // Another process, of a version with a bug, may have recorded it.
  for (let failures = 0; !run.left.aborted && run.lease.fresh(); ) {
    try {
      if (!resumed) await unlessLeft(run, reconciler.resumeOpen(stream));
      resumed = true;
      run.facts = await journal.read(stream, run.facts);
      if (run.facts.length === taken) throw new Error("a reconcile pass wrote nothing");
      const effect = run.worker.controller.asks(run.facts);
      if (effect === undefined) {
        await reconciler.forgetAll(stream);
        await claims.release(run.lease.claim);
        return troubles.over(stream);
      }
      // A wait may write no fact for days. Any other effect does, which says the same.
      const isWait = run.worker.performer.limitSeconds(effect) === 0;
      if (mayBeStuck && isWait) await journal.stuck(stream, undefined);
      mayBeStuck &&= !isWait;
      taken = run.facts.length;
      await unlessLeft(run, reconciler.reconcile(stream, taken));
      failures = 0;
      troubles.over(stream);
    } catch (error) {
      failures++;
      const isStuck = await noteTrouble(stream, error, { journal, troubles });
      mayBeStuck ||= isStuck;
      await time.nap(Math.min(250 * 2 ** failures, longestRestMilliseconds), run.left);
      if (taken >= 0 && !run.left.aborted) await reconciler.forget(stream, taken).catch(() => undefined);
      taken = -1;
    }
  }
}

/** Logs trouble if it is new, and records it if the stream is stuck with it. */
async function noteTrouble<Event extends AnyEvent>(
  stream: string,
  thrown: unknown,
  { journal, troubles }: Pick<DriversSetting<Event>, "journal" | "troubles">,
): Promise<boolean> {
  const stuck = whyStuck(stream, thrown);
  troubles.met(stream, `rests after an error: ${(stuck ?? (thrown as Error | null))?.message ?? String(thrown)}`);
  if (stuck === undefined) return false;
  await journal.stuck(stream, stuck).catch(() => undefined); // The next attempt records it.
  return true;
}

/**
 * Waits for a pass, or until the stream must be left. Even then it waits for a write under way, unless the
 * claim is lost.
 */
async function unlessLeft(run: Pick<Run<AnyEvent>, "left" | "lease" | "busy">, pass: Promise<void>): Promise<void> {
  const over = new AbortController();
  const left = aborted(run.left, over.signal).then(() =>
    Promise.race([run.busy, aborted(run.lease.lost, over.signal)]),
  );
  pass.catch(() => undefined); // Once the stream is left, nothing waits for the pass.
  await Promise.race([pass, left]).finally(() => over.abort());
}
