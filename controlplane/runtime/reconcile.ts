// One turn of a stream: perform the one effect that is missing, write what it came to. A turn that changes the world is a durable orchestration, whose id
// is the stream and the length of the journal at its start, so that it happens once, whoever carries it on. One that only looks needs no more than the
// journal: what a process saw that died before it wrote it down is looked at again. Which process may turn, and what comes after a turn, is not decided here.
import { DBOS, type DBOSConfig, Error as DbosErrors } from "@dbos-inc/dbos-sdk";
import type {
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  RolloutOutcome,
} from "../../engines/rollout/vocabulary.ts";
import { type Lease, untilUnheld } from "./claims.ts";
import { isWrite, perform, type World } from "./perform.ts";
import type { Fact, Journal, Telemetry } from "./ports.ts";

/** An engine as the loop uses it: what a journal asks for, and how it answers. */
export interface Mind {
  readonly asks: (journal: readonly Pick<Fact, "event">[]) => RolloutEffect | undefined;
  readonly answers: (
    journal: readonly Pick<Fact, "event">[],
    observation: RolloutObservation,
  ) => readonly RolloutEvent[];
}

/** A stream that this process drives. */
export interface Run {
  readonly stream: string;
  readonly lease: Lease;
  /** Fires when this process must leave the stream: its claim is lost, or it closes. */
  readonly left: AbortSignal;
  /** The journal as last read; it only ever grows. */
  facts: readonly Fact[];
  /** Ends with the write now under way. */
  busy: Promise<void>;
}

/** What turning needs: what to decide with, where facts go, and the world. */
export interface TurnsSetting {
  readonly mind: Mind;
  readonly journal: Journal;
  readonly world: World;
  readonly process: string;
  readonly pool: NonNullable<DBOSConfig["systemDatabasePool"]>;
  readonly log: (sentence: string) => void;
  readonly telemetry?: Telemetry | undefined;
  readonly runOf: (stream: string) => Run | undefined;
}

/** Takes turns as durable orchestrations, and clears them away. */
export interface Turns {
  readonly launch: () => Promise<void>;
  /** Carries out the turn that begins at this length, or carries on with it where another process left it. */
  readonly turn: (stream: string, length: number) => Promise<void>;
  /** Carries on with every turn of the stream that another process left open. */
  readonly carryOn: (stream: string) => Promise<void>;
  /** Forgets a turn that came to nothing, so that it can be taken again. */
  readonly forget: (stream: string, length: number) => Promise<void>;
  /** Forgets all turns of a finished stream: the journal has it all, and they would lie here for ever. */
  readonly forgetAll: (stream: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The same for all versions, or a deployment would strand what the version before had under way. */
const applicationVersion = "1";

const turnId = (stream: string, length: number): string => `${stream}#${length}`;

/**
 * Leaves a turn open for whoever drives the stream next, by never ending it here.
 *
 * Any end would be recorded as the turn's, and with it an outcome that nobody wrote to the journal would be lost.
 */
const leaveOpen = (): Promise<never> => new Promise(() => {});

/** Opens the turns. There is one of it in a process, since the durable engine is one. */
export function openTurns(setting: TurnsSetting): Turns {
  const queue = `turns of ${setting.process}`;
  const turnOrchestration = async (stream: string, length: number): Promise<void> => {
    const run = setting.runOf(stream);
    return run ? takeTurn(run, length, setting) : leaveOpen();
  };
  let registered = turnOrchestration;

  /** Runs a turn here that another process has begun. Only we listen to our queue, so nobody else can pick it up. */
  async function resume(id: string): Promise<void> {
    await DBOS.registerQueue(queue, { minPollingIntervalMs: 100, onConflict: "always_update" });
    const handle = await DBOS.resumeWorkflow<void>(id, { queueName: queue });
    await handle.getResult({ pollingIntervalMs: 50 });
  }

  async function turn(stream: string, length: number): Promise<void> {
    const run = setting.runOf(stream);
    const effect = run && setting.mind.asks(run.facts.slice(0, length));
    if (run && effect && !isWrite(effect)) return look(run, length, effect, setting);
    const workflowID = turnId(stream, length);
    try {
      const handle = await DBOS.startWorkflow(registered, { workflowID, workflowIDReusePolicy: "reject" })(
        stream,
        length,
      );
      await handle.getResult();
    } catch (error) {
      if (!(error instanceof DbosErrors.DBOSWorkflowIDInUseError)) throw error;
      if (isOpen(error.status)) await resume(workflowID);
      else await DBOS.deleteWorkflow(workflowID); // It came to nothing, since the journal has not grown; the loop asks again.
    }
  }

  const ofStream = async (stream: string) =>
    (await DBOS.listWorkflows({ workflow_id_prefix: `${stream}#`, loadInput: false, loadOutput: false })).filter(
      ({ workflowID }) => workflowID.startsWith(`${stream}#`),
    );

  return {
    launch: async () => {
      DBOS.setConfig({
        name: "ballast",
        systemDatabasePool: setting.pool,
        executorID: setting.process,
        applicationVersion,
        listenQueues: [queue],
        useListenNotify: false,
        logger: dbosLogger(setting.log),
      });
      registered = DBOS.registerWorkflow(turnOrchestration, { name: "turn" });
      await DBOS.launch();
    },
    turn,
    carryOn: async (stream) => {
      for (const { workflowID, status } of await ofStream(stream)) if (isOpen(status)) await resume(workflowID);
    },
    forget: (stream, length) => DBOS.deleteWorkflow(turnId(stream, length)),
    forgetAll: async (stream) => DBOS.deleteWorkflows((await ofStream(stream)).map(({ workflowID }) => workflowID)),
    close: async () => {
      await DBOS.deleteQueue(queue).catch(() => undefined);
      await DBOS.shutdown({ deregister: true });
    },
  };
}

const isOpen = (status: string): boolean => status !== "SUCCESS" && status !== "ERROR";

/** A database that is away for a moment must not cost us an outcome. Appending again is harmless: see `record`. */
const patience = { retriesAllowed: true, maxAttempts: 5, intervalSeconds: 0.5, backoffRate: 2 };

/** What an effect came to, and under which epoch; null where it was cut short. Turns of the first release recorded the outcome alone. */
type Performed = { readonly outcome: RolloutOutcome; readonly epoch: number } | RolloutOutcome | null;

/** Takes a turn that changes nothing in the world: what it sees counts once it is in the journal, and not before. */
async function look(run: Run, length: number, effect: RolloutEffect, setting: TurnsSetting): Promise<void> {
  const outcome = await performTold(run, length, effect, Promise.resolve(), setting);
  if (outcome !== null) await record(run, length, outcome, false, setting);
}

/**
 * Takes the turn as an orchestration. What is a step is recorded; all else is calculated again from the journal as it was at `length`.
 *
 * A turn that only looks comes here where the version before has begun it.
 *
 * What a dead process has written to the world counts, whenever that was. What it has merely seen may be hours old by now: it is
 * forgotten, the turn comes to nothing, and the loop looks for itself.
 */
async function takeTurn(run: Run, length: number, setting: TurnsSetting): Promise<void> {
  if (run.facts.length < length) run.facts = await setting.journal.read(run.stream, run.facts);
  const effect = setting.mind.asks(run.facts.slice(0, length));
  if (effect === undefined) return;
  let end!: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  try {
    const performed = await DBOS.runStep(
      async (): Promise<Performed> => {
        const outcome = await performTold(run, length, effect, ended, setting);
        return outcome && { outcome, epoch: run.lease.claim.epoch };
      },
      { name: "perform" },
    );
    if (performed === null) return;
    const { outcome, epoch } = "kind" in performed ? { outcome: performed, epoch: undefined } : performed;
    if (isWrite(effect) || epoch === run.lease.claim.epoch)
      await DBOS.runStep(() => record(run, length, outcome, isWrite(effect), setting), { name: "append", ...patience });
  } finally {
    end();
  }
}

/** Performs the effect, and says what became of it to whoever watches. */
async function performTold(
  run: Run,
  length: number,
  effect: RolloutEffect,
  ended: Promise<void>,
  setting: TurnsSetting,
): Promise<RolloutOutcome | null> {
  const facts = run.facts.slice(0, length);
  const began = setting.world.clock.now();
  const beganAt = performance.now();
  const outcome = await performUncut(run, length, effect, ended, setting);
  setting.telemetry?.turned({
    stream: run.stream,
    facts,
    effect,
    outcome: outcome ?? undefined,
    began,
    seconds: (performance.now() - beganAt) / 1000,
  });
  return outcome;
}

/**
 * Performs the effect, and gives null where a signal has cut it short: the state has changed, and asks for something else.
 *
 * An effect that was asked for before a signal came and has not begun yet is not begun. A write that has begun ends.
 */
async function performUncut(
  run: Run,
  length: number,
  effect: RolloutEffect,
  ended: Promise<void>,
  { journal, world }: TurnsSetting,
): Promise<RolloutOutcome | null> {
  if (run.facts.length > length) return null;
  const cut = new AbortController();
  const over = new AbortController();
  const write = isWrite(effect);
  const cancel = AbortSignal.any([cut.signal, run.left]);
  void journal.grown(run.stream, length, AbortSignal.any([over.signal, run.left])).then(() => {
    if (!over.signal.aborted) cut.abort();
  });
  try {
    await untilUnheld(effect, world.claims, cancel);
    if (run.left.aborted) return await leaveOpen();
    if (cut.signal.aborted) return null;
    if (write) run.busy = ended;
    const outcome = await perform(effect, world, run.lease.confirm, cancel);
    if (!run.lease.fresh() || (run.left.aborted && !write)) return await leaveOpen();
    return cut.signal.aborted && !write ? null : outcome;
  } finally {
    over.abort();
  }
}

/**
 * Writes what the outcome means, in the state as it is by now.
 *
 * Where a signal has got in first, the outcome of a write is decided again on the new state, since the world has
 * changed; that of anything else counts as cut short. Facts of the loop beyond our length are our own, written by a
 * process that died before it could say so: nothing is written twice.
 */
async function record(
  run: Run,
  length: number,
  outcome: RolloutOutcome,
  write: boolean,
  { mind, journal, process }: TurnsSetting,
): Promise<void> {
  for (;;) {
    const { facts, lease } = run;
    if (facts.slice(length).some(({ epoch }) => epoch > 0)) return;
    if (facts.length > length && !write) return;
    const appended = await journal.append(run.stream, facts, mind.answers(facts, outcome), {
      process,
      claim: lease.claim,
    });
    if (appended === "appended") return;
    if (appended === "fenced") {
      await lease.confirm(); // Which finds the claim lost, and so ends the loop.
      return leaveOpen();
    }
    run.facts = await journal.read(run.stream, facts);
  }
}

/** Passes on what the durable engine complains of; what it merely tells is not for our log. */
const dbosLogger = (log: (sentence: string) => void): NonNullable<DBOSConfig["logger"]> => ({
  info: () => {},
  debug: () => {},
  warn: (entry) => log(`durable engine: ${wording(entry)}`),
  error: (entry) => log(`durable engine: ${wording(entry)}`),
});

const wording = (entry: unknown): string => (entry instanceof Error ? entry.message : String(entry));

/**
 * Makes or updates the tables in which turns are kept, under a role that may, without taking one.
 *
 * @param url Address, database, role and password in one, which is how the durable engine wants it.
 */
export const prepareTurns = (url: string): Promise<void> => DBOS.migrate(url);
