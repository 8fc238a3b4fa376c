// One reconcile pass of a stream: perform the one missing effect, and write its outcome. A pass that writes to the
// world is an orchestration, identified by the stream and the length of its journal, so that it happens once
// whichever process continues it. A pass that only reads needs nothing but the journal: if the process dies first, the
// next one reads again.
import { type AnyEffect, type AnyEvent, type AnyOutcome, type Controller, EngineFailed } from "../../engines/kind.ts";
import type { Lease } from "./claims.ts";
import { aborted } from "./clock.ts";
import type { Performer } from "./performer.ts";
import type { Clock, Fact, Journal, Orchestrations, Patience, Step, Telemetry, Time } from "./ports.ts";

/** A kind of work as the loop carries it out. */
export interface Worker<Event extends AnyEvent> {
  readonly controller: Controller<Event>;
  readonly performer: Performer;
}

/** A stream that this process drives. */
export interface Run<Event extends AnyEvent> {
  readonly stream: string;
  /** What decides about the stream, and what performs its effects. */
  readonly worker: Worker<Event>;
  readonly lease: Lease;
  /** Fires when this process must leave the stream: the claim is lost, or the process closes. */
  readonly left: AbortSignal;
  /** The journal as last read; it only ever grows. */
  facts: readonly Fact<Event>[];
  /** Ends with the write now under way. */
  busy: Promise<void>;
  /** Until when, by the steady clock, the effect under way may last; undefined between two effects. */
  underWayUntil: number | undefined;
}

/** What a pass needs beside its run. */
export interface ReconcilerSetting<Event extends AnyEvent> {
  readonly journal: Journal<Event>;
  readonly clock: Pick<Clock, "now">;
  readonly process: string;
  readonly orchestrations: Orchestrations;
  readonly time: Pick<Time, "steady">;
  readonly telemetry?: Telemetry | undefined;
  readonly runOf: (stream: string) => Run<Event> | undefined;
}

/** Runs reconcile passes and removes their orchestrations. */
export interface Reconciler {
  readonly launch: () => Promise<void>;
  /** Runs the pass that begins at this length of the journal, or resumes it where another process left it. */
  readonly reconcile: (stream: string, length: number) => Promise<void>;
  /** Resumes every pass of the stream that another process left open. */
  readonly resumeOpen: (stream: string) => Promise<void>;
  /** Forgets a pass that wrote nothing, so that it can run again. */
  readonly forget: (stream: string, length: number) => Promise<void>;
  /** Forgets all passes of a finished stream. The journal has everything; otherwise they would be kept forever. */
  readonly forgetAll: (stream: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Leaves a pass open for the next process that drives the stream, by never ending here.
 *
 * Any end would be recorded as the end of the pass, and an outcome that is not yet in the journal would be lost.
 */
const leaveOpen = (): Promise<never> => new Promise(() => {});

/** Opens the reconciler. */
export function openReconciler<Event extends AnyEvent>(setting: ReconcilerSetting<Event>): Reconciler {
  const { orchestrations } = setting;
  return {
    launch: () =>
      orchestrations.launch(async (stream, length, step) => {
        const run = setting.runOf(stream);
        return run ? writePass(run, length, step, setting) : leaveOpen();
      }),
    reconcile: async (stream, length) => {
      const run = setting.runOf(stream);
      const effect = run?.worker.controller.asks(run.facts.slice(0, length));
      if (run && effect && !run.worker.performer.isWrite(effect)) return readPass(run, length, effect, setting);
      const how = await orchestrations.begin(stream, length);
      if (how === "open") return orchestrations.resume(stream, length);
      // The pass ended but wrote nothing, because the journal has not grown. Without it, the loop can run it again.
      if (how === "ended") await orchestrations.forget(stream, length);
    },
    resumeOpen: async (stream) => {
      for (const length of await orchestrations.open(stream)) await orchestrations.resume(stream, length);
    },
    forget: orchestrations.forget,
    forgetAll: orchestrations.forgetAll,
    close: orchestrations.close,
  };
}

/**
 * A failover of the database must not lose an outcome. It takes two minutes at most, and the rests add up to that. They
 * grow slowly, because a rollback may be what waits. Appending again is harmless: see `record`.
 */
const patience: Patience = { attemptsMax: 28, firstRestSeconds: 1, backoffRate: 1.1 };

/** The outcome of an effect and its epoch; null if it was cut short. The first release recorded the outcome alone. */
type Performed = { readonly outcome: AnyOutcome; readonly epoch: number } | AnyOutcome | null;

/** Runs a pass that only reads. What it reads counts only once it is in the journal. */
async function readPass<Event extends AnyEvent>(
  run: Run<Event>,
  length: number,
  effect: AnyEffect,
  setting: ReconcilerSetting<Event>,
): Promise<void> {
  const outcome = await performAndReport(run, length, effect, Promise.resolve(), setting);
  if (outcome !== null) await record(run, length, outcome, false, setting);
}

/**
 * Runs the pass as an orchestration. Its steps are recorded; everything else is computed again from the journal as
 * it was at `length`. A pass that only reads comes here if the previous version began it.
 *
 * A write by a dead process counts, whenever it happened. A read by a dead process may be hours old: it is dropped, the
 * pass writes nothing, and the loop reads again.
 */
async function writePass<Event extends AnyEvent>(
  run: Run<Event>,
  length: number,
  step: Step,
  setting: ReconcilerSetting<Event>,
): Promise<void> {
  if (run.facts.length < length) run.facts = await setting.journal.read(run.stream, run.facts);
  const { controller, performer } = run.worker;
  const effect = controller.asks(run.facts.slice(0, length));
  if (effect === undefined) return;
  const write = performer.isWrite(effect);
  let end!: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  try {
    const performed = await step("perform", async (): Promise<Performed> => {
      const outcome = await performAndReport(run, length, effect, ended, setting);
      return outcome && { outcome, epoch: run.lease.claim.epoch };
    });
    if (performed === null) return;
    const { outcome, epoch } = "kind" in performed ? { outcome: performed, epoch: undefined } : performed;
    if (!write && epoch !== run.lease.claim.epoch) return;
    const failure = await step("append", () => recordUnlessFailed(run, length, outcome, write, setting), patience);
    // The version that made these steps first recorded nothing here.
    if (typeof failure === "string") throw new EngineFailed(failure);
  } finally {
    end();
  }
}

/** Performs the effect and reports it to telemetry. */
async function performAndReport<Event extends AnyEvent>(
  run: Run<Event>,
  length: number,
  effect: AnyEffect,
  ended: Promise<void>,
  setting: ReconcilerSetting<Event>,
): Promise<AnyOutcome | null> {
  const facts = run.facts.slice(0, length);
  const began = setting.clock.now();
  const beganAt = setting.time.steady();
  const outcome = await performUnlessCut(run, length, effect, ended, setting);
  setting.telemetry?.reconciled({
    stream: run.stream,
    facts,
    effect,
    outcome: outcome ?? undefined,
    began,
    seconds: (setting.time.steady() - beganAt) / 1000,
  });
  return outcome;
}

/**
 * Performs the effect. Gives null if a signal cut it short: the state has changed and asks for another effect.
 *
 * An effect that has not begun when the signal arrives does not begin. A write that has begun runs to its end.
 */
async function performUnlessCut<Event extends AnyEvent>(
  run: Run<Event>,
  length: number,
  effect: AnyEffect,
  ended: Promise<void>,
  { journal, time }: ReconcilerSetting<Event>,
): Promise<AnyOutcome | null> {
  if (run.facts.length > length) return null;
  const { performer } = run.worker;
  const write = performer.isWrite(effect);
  const cut = new AbortController();
  const over = new AbortController();
  // A signal of this pass alone. One of AbortSignal.any would stay on the run's, which lives on, with its listeners.
  const ending = new AbortController();
  void aborted(run.left, over.signal).then(() => ending.abort());
  void journal.grown(run.stream, length, ending.signal).then(() => {
    if (ending.signal.aborted) return;
    cut.abort();
    ending.abort();
  });
  const cancel = ending.signal;
  try {
    run.underWayUntil = Number.POSITIVE_INFINITY; // What it waits for has its own limits.
    await performer.ready(effect, cancel);
    if (run.left.aborted) return await leaveOpen();
    if (cut.signal.aborted) return null;
    if (write) run.busy = ended;
    run.underWayUntil = time.steady() + performer.limitSeconds(effect) * 1000;
    const outcome = await performer.perform(effect, { stream: run.stream, length, fence: run.lease.confirm, cancel });
    if (!run.lease.fresh() || (run.left.aborted && !write)) return await leaveOpen();
    return cut.signal.aborted && !write ? null : outcome;
  } finally {
    run.underWayUntil = undefined;
    over.abort();
    ending.abort();
  }
}

/** Writes the facts, or gives why the engine fails: no retry of this step would change that. */
async function recordUnlessFailed<Event extends AnyEvent>(
  ...of: Parameters<typeof record<Event>>
): Promise<string | null> {
  try {
    await record(...of);
    return null;
  } catch (error) {
    if (error instanceof EngineFailed) return error.message;
    throw error;
  }
}

/**
 * Writes the facts that the outcome leads to in the present state.
 *
 * If a signal was written first, the outcome of a write is decided again on the new state, because the world has
 * changed; the outcome of a read counts as cut short. Facts of the control loop beyond `length` are this pass's own,
 * written by a process that died before the pass ended, so nothing is written twice.
 */
async function record<Event extends AnyEvent>(
  run: Run<Event>,
  length: number,
  outcome: AnyOutcome,
  write: boolean,
  { journal, process }: ReconcilerSetting<Event>,
): Promise<void> {
  for (;;) {
    const { facts, lease } = run;
    if (facts.slice(length).some(({ epoch }) => epoch > 0)) return;
    if (facts.length > length && !write) return;
    const appended = await journal.append(run.stream, facts, run.worker.controller.decides(facts, outcome), {
      process,
      claim: lease.claim,
    });
    if (appended === "appended") return;
    if (appended === "fenced") {
      await lease.confirm(); // It finds the claim lost, which ends the loop.
      return leaveOpen();
    }
    run.facts = await journal.read(run.stream, facts);
  }
}
