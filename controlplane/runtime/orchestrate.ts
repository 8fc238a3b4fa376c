// The durable control loop as the API uses it: start a stream, signal it, recover streams that no process
// drives, close. drive.ts drives a stream, reconcile.ts has what one pass does, the performer of a kind performs an
// effect, and its engine decides. Nothing here knows a kind of work.
import type { Request, Signal } from "../../engines/engine.ts";
import { type AnyEvent, type Controller, controllerOf, type Kinds, kindOf } from "../../engines/kind.ts";
import type { TargetKey } from "../../engines/targets.ts";
import { streamUnknown } from "../../errors/api.ts";
import { claimTargetHeld } from "../../errors/claims.ts";
import { oneAtATime } from "./claims.ts";
import { systemTime } from "./clock.ts";
import { createDrivers, type Drivers } from "./drive.ts";
import { type LastingTroubles, logTroubles } from "./lasting-troubles.ts";
import type { Performers } from "./performer.ts";
import type { Claim, Claims, Clock, Fact, Journal, Orchestrations, Telemetry, Time } from "./ports.ts";
import { openReconciler, type Run, type Worker } from "./reconcile.ts";
import { openStreams } from "./streams.ts";
import { namingStream, whyStuck } from "./stuck.ts";

/** What the control loop is assembled from. */
export interface OrchestratorSetting<Event extends AnyEvent> {
  readonly ports: {
    readonly journal: Journal<Event>;
    readonly claims: Claims;
    readonly clock: Pick<Clock, "now">;
  };
  readonly kinds: Kinds<Event>;
  /** Makes the performer of each kind. A kind without one is treated as unknown. */
  readonly performers: Performers;
  /** Keeps the passes that write to the world. */
  readonly orchestrations: Orchestrations;
  /** @default the machine's time */
  readonly time?: Time | undefined;
  /** Names this process, uniquely for all time: replica name, process id and start time together. */
  readonly process: string;
  readonly leaseSeconds: number;
  /** Receives a message about trouble that will be retried. */
  readonly log: (message: string) => void;
  /** Receives reports of passes and recoveries. @default none */
  readonly telemetry?: Telemetry | undefined;
}

/** The durable control loop of this process. */
export interface Orchestrator<Event extends AnyEvent = AnyEvent> {
  /** Starts the orchestrations and begins to recover. */
  readonly launch: () => Promise<void>;
  /**
   * Starts a stream, unless one with this name exists, finished or not. A finished one begins again if the request says
   * so.
   *
   * @throws claim-target-held
   */
  readonly start: (stream: string, request: Request<unknown>) => Promise<"started" | "exists">;
  /**
   * Writes the facts that a signal leads to, and gives them. The process that drives the stream wakes up.
   *
   * @throws stream-unknown, and claim-target-held when the signal revives a stream whose target another one holds.
   */
  readonly signal: (stream: string, signal: Signal<string>) => Promise<readonly Event[]>;
  /**
   * Recovers streams that no process drives, and gives their names. It also runs by itself, three times in each lease.
   */
  readonly recover: () => Promise<readonly string[]>;
  /** Leaves every stream once writes under way have ended, so that another process can continue at once. */
  readonly close: () => Promise<void>;
}

interface Asked<Event extends AnyEvent> {
  readonly driven: ReadonlyMap<string, Run<Event>>;
  readonly workerOf: (stream: string) => Worker<Event> | undefined;
  readonly journal: Journal<Event>;
  readonly claims: Claims;
  readonly drivers: Drivers;
  readonly process: string;
  readonly leaseSeconds: number;
  readonly log: (message: string) => void;
  readonly troubles: LastingTroubles;
  readonly telemetry: Telemetry | undefined;
  readonly time: Time;
  /** Names of unknown kinds that were reported. */
  readonly unknown: Set<string>;
}

/** How often a decision is repeated because the stream grew, or its process changed, in the meantime. */
const attemptsMax = 100;
/** How long a finished stream may take to release its target. */
const returnMilliseconds = 20_000;
const never = new AbortController().signal;

/** Assembles the control loop. A process has one, because DBOS exists once in a process. */
export function createOrchestrator<Event extends AnyEvent>(setting: OrchestratorSetting<Event>): Orchestrator<Event> {
  const {
    ports: { journal, claims, clock },
    kinds,
    process,
    leaseSeconds,
    orchestrations,
    time = systemTime,
    log,
    telemetry,
  } = setting;
  const performers = setting.performers(
    openStreams({
      kinds,
      journal,
      clock,
      time,
      knows: (stream) => workerOf(stream) !== undefined,
      start: (stream, request) => namingStream(stream, () => start(stream, request, asked)),
      send: (stream, observation) => namingStream(stream, () => signal(stream, observation, asked)),
    }),
  );
  const workerOf = workersOf(kinds, performers);
  const driven = new Map<string, Run<Event>>();
  const closing = new AbortController();
  const reconciler = openReconciler({
    journal,
    clock,
    process,
    telemetry,
    orchestrations,
    time,
    runOf: (stream) => driven.get(stream),
  });
  const troubles = logTroubles(log, time);
  const drivers = createDrivers({
    journal,
    claims,
    reconciler,
    workerOf: (stream) => knownWorker(workerOf, stream),
    process,
    leaseSeconds,
    troubles,
    time,
    driven,
  });
  const shared = { driven, process, leaseSeconds, journal, claims, log, troubles, telemetry };
  const asked: Asked<Event> = { ...shared, workerOf, drivers, time, unknown: new Set() };

  let recovering: Promise<void> = Promise.resolve();
  return {
    launch: async () => {
      // DBOS fails if two processes create its tables at the same time.
      await oneAtATime("dbos", reconciler.launch, claims, process, leaseSeconds, time);
      recovering = recoverUntil(closing.signal, asked, driven);
    },
    start: (stream, request) => namingStream(stream, () => start(stream, request, asked)),
    signal: (stream, observation) => namingStream(stream, () => signal(stream, observation, asked)),
    recover: () => recover(asked, driven, closing.signal),
    close: async () => {
      closing.abort();
      await recovering;
      await drivers.leaveAll();
      await reconciler.close();
    },
  };
}

/** Pairs each kind with its performer; gives undefined for the stream of a kind that has none here. */
function workersOf<Event extends AnyEvent>(
  kinds: Kinds<Event>,
  performers: ReturnType<Performers>,
): (stream: string) => Worker<Event> | undefined {
  const workers = new Map<string, Worker<Event>>();
  return (stream) => {
    const kind = kinds.of(stream);
    const performer = kind && performers[kind.kind];
    if (kind === undefined || performer === undefined) return undefined;
    const worker = workers.get(kind.kind) ?? { controller: controllerOf(kind), performer };
    workers.set(kind.kind, worker);
    return worker;
  };
}

function knownWorker<Event extends AnyEvent>(workerOf: Asked<Event>["workerOf"], stream: string): Worker<Event> {
  const worker = workerOf(stream);
  if (worker === undefined) throw new Error(`${stream} is of a kind that this process does not know`);
  return worker;
}

async function start<Event extends AnyEvent>(
  stream: string,
  request: Request<unknown>,
  asked: Asked<Event>,
): Promise<"started" | "exists"> {
  const { process, leaseSeconds, journal, drivers, time } = asked;
  const { controller } = knownWorker(asked.workerOf, stream);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const facts = await journal.read(stream);
    if (facts.length > 0 && !(request.again && controller.asks(facts) === undefined)) return "exists";
    const events = controller.decides(facts, request);
    const grown = [...facts, ...events.map((event) => ({ event }))];
    if (controller.asks(grown) === undefined) return "exists";
    const claim = await claimFor(stream, controller.targetsOf(grown), asked);
    if (claim) {
      // Under the claim: after a long stall the target may be another stream's.
      const appended = await journal.append(stream, facts, events, { process, claim });
      if (appended === "fenced") continue;
      void drivers.run(stream, claim);
      return appended === "appended" ? "started" : "exists";
    }
    // Another process is starting the same stream.
    await journal.grown(stream, facts.length, time.deadline(leaseSeconds * 1000));
  }
  throw new Error(`${stream} was not started within ${attemptsMax} leases`);
}

async function signal<Event extends AnyEvent>(
  stream: string,
  observation: Signal<string>,
  asked: Asked<Event>,
): Promise<readonly Event[]> {
  const { process, journal, drivers } = asked;
  const { controller } = knownWorker(asked.workerOf, stream);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const facts = await journal.read(stream, asked.driven.get(stream)?.facts);
    if (facts.length === 0) throw streamUnknown({ kind: controller.kind, stream });
    const events = controller.decides(facts, observation);
    if (isRepeatedRefusal(facts, events, controller)) return events;
    const revives =
      controller.asks(facts) === undefined &&
      controller.asks([...facts, ...events.map((event) => ({ event }))]) !== undefined;
    const claim = revives ? await claimFor(stream, controller.targetsOf(facts), asked) : undefined;
    const appended = await journal.append(stream, facts, events, { process, ...(claim && { claim }) });
    if (claim && appended !== "fenced") void drivers.run(stream, claim);
    if (appended === "appended") return events;
  }
  throw new Error(`${stream} grew ${attemptsMax} times while one signal was being decided`);
}

/** How many of the newest facts may hold the same refusal of a signal only once. */
const refusalsWithin = 20;

/**
 * Reports whether a refused signal adds nothing to the journal: the stream has finished, or its newest facts have the
 * same refusal already. Otherwise callers could make a journal grow without end.
 */
function isRepeatedRefusal<Event extends AnyEvent>(
  facts: readonly { readonly event: Event }[],
  events: readonly Event[],
  { asks, refuses }: Controller<Event>,
): boolean {
  const why = refuses(events);
  if (why === undefined) return false;
  return asks(facts) === undefined || facts.slice(-refusalsWithin).some(({ event }) => refuses([event]) === why);
}

/**
 * Claims a stream's targets. Gives undefined if another process holds them for the same stream.
 *
 * A finished stream is about to release its targets, so this waits for a moment.
 *
 * @throws claim-target-held when another stream is in flight on one of the targets.
 */
async function claimFor<Event extends AnyEvent>(
  stream: string,
  targets: readonly TargetKey[],
  asked: Asked<Event>,
): Promise<Claim | undefined> {
  const { drivers, time } = asked;
  const deadline = time.steady() + returnMilliseconds;
  let held: Held<Event> = { stream: "", facts: [] };
  for (;;) {
    const claim = await drivers.claim(stream, targets);
    if (!("heldBy" in claim)) return claim;
    if (claim.heldBy === stream) return undefined;
    held = claim.heldBy === held.stream ? held : { stream: claim.heldBy, facts: [] };
    if ((await isInFlight(held, asked)) || time.steady() > deadline)
      throw claimTargetHeld({ stream, heldBy: claim.heldBy });
    await time.nap(50, never);
  }
}

/** A stream that holds a target, with its journal as last read. */
interface Held<Event extends AnyEvent> {
  readonly stream: string;
  facts: readonly Fact<Event>[];
}

/**
 * Reports whether a stream has not finished, by its newest facts. One of an unknown kind, and one that is stuck, count
 * as in flight: only a version that knows better can say that it has finished.
 */
async function isInFlight<Event extends AnyEvent>(
  held: Held<Event>,
  { workerOf, journal }: Asked<Event>,
): Promise<boolean> {
  const { stream } = held;
  const controller = workerOf(stream)?.controller;
  try {
    if (controller === undefined) return true;
    held.facts = await journal.read(stream, held.facts);
    return controller.asks(held.facts) !== undefined;
  } catch (thrown) {
    if (whyStuck(stream, thrown) === undefined) throw thrown;
    return true;
  }
}

/** Recovers streams three times in each lease until the process closes. A failure is noted and tried again. */
async function recoverUntil<Event extends AnyEvent>(
  closing: AbortSignal,
  asked: Asked<Event>,
  driven: ReadonlyMap<string, Run<Event>>,
): Promise<void> {
  while (!closing.aborted) {
    await noting("the heartbeat", () => look(asked, driven), asked);
    await noting("recovery", () => recover(asked, driven, closing), asked);
    await asked.time.nap((asked.leaseSeconds * 1000) / 3, closing);
  }
}

async function noting<Event extends AnyEvent>(
  subject: string,
  part: () => Promise<unknown>,
  { troubles }: Pick<Asked<Event>, "troubles">,
): Promise<void> {
  try {
    await part();
    troubles.over(subject);
  } catch (error) {
    troubles.met(subject, `failed and will be tried again: ${String(error)}`);
  }
}

/**
 * Records that this process looks at the streams whose effects are under way and within their limits. Together with the
 * facts of the loop this is its heartbeat: a stream that is due and gets neither is left alone by it.
 */
async function look<Event extends AnyEvent>(
  { journal, time }: Asked<Event>,
  driven: ReadonlyMap<string, Run<Event>>,
): Promise<void> {
  const streams = [...driven.values()]
    .filter(({ underWayUntil, lease }) => underWayUntil !== undefined && time.steady() < underWayUntil && lease.fresh())
    .map(({ stream }) => stream);
  if (streams.length > 0) await journal.looked(streams);
}

/**
 * Recovers every stream that no process drives. A finished stream whose process died before it released its claim is
 * recovered too; driving it releases the claim. Streams of an unknown kind are left to the version that knows it.
 */
async function recover<Event extends AnyEvent>(
  asked: Asked<Event>,
  driven: ReadonlyMap<string, Run<Event>>,
  closing: AbortSignal,
): Promise<readonly string[]> {
  const { journal, claims, drivers, process, workerOf, telemetry } = asked;
  const abandoned = new Map((await claims.expired()).map(({ holder, targets }) => [holder, targets]));
  const unfinished = await journal.streams({ unfinished: true });
  const kept = new Set(await claims.keptElsewhere(process));
  const recovered: string[] = [];
  for (const stream of new Set([...abandoned.keys(), ...unfinished])) {
    if (driven.has(stream) || kept.has(stream) || closing.aborted) continue;
    const worker = workerOf(stream);
    if (worker === undefined) {
      reportUnknown(stream, asked);
      continue;
    }
    const targets = abandoned.get(stream) ?? (await targetsIn(stream, worker, asked));
    if (targets.length === 0) continue;
    const claim = await drivers.claim(stream, targets);
    if ("heldBy" in claim) continue;
    void drivers.run(stream, claim);
    telemetry?.recovered(stream);
    recovered.push(stream);
  }
  return recovered;
}

/** Reads the targets of a stream from its journal. One that is stuck is recorded, and does not stop the others. */
async function targetsIn<Event extends AnyEvent>(
  stream: string,
  { controller }: Worker<Event>,
  { journal, troubles }: Asked<Event>,
): Promise<readonly TargetKey[]> {
  try {
    return controller.targetsOf(await journal.read(stream));
  } catch (error) {
    const stuck = whyStuck(stream, error);
    if (stuck !== undefined) await journal.stuck(stream, stuck).catch(() => undefined); // The next recovery records it.
    troubles.met(stream, `cannot be recovered: ${(stuck ?? (error as Error | null))?.message ?? String(error)}`);
    return [];
  }
}

/** Reports once that streams of a kind are left alone. A claim that is no stream's, such as DBOS's, is not reported. */
function reportUnknown<Event extends AnyEvent>(stream: string, { unknown, log }: Asked<Event>): void {
  const kind = kindOf(stream);
  if (kind === "" || unknown.has(kind)) return;
  unknown.add(kind);
  log(`Streams of the kind "${kind}" are left to the processes that know it; this one does not.`);
}
