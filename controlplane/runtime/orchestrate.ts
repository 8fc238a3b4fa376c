// The durable control loop as the API uses it: start a stream, signal it, recover streams that no process
// drives, close. drive.ts drives a stream, reconcile.ts has what one pass does, perform.ts performs an effect,
// and the engine decides.
import { type Engine, keptFold } from "../../engines/engine.ts";
import { targetOf } from "../../engines/rollout/names.ts";
import type { RolloutEffect, RolloutEvent, RolloutObservation } from "../../engines/rollout/vocabulary.ts";
import { rolloutUnknown } from "../../errors/api.ts";
import { claimTargetHeld } from "../../errors/claims.ts";
import { oneAtATime } from "./claims.ts";
import { nap } from "./clock.ts";
import { createDrivers, type Drivers } from "./drive.ts";
import type { Apps, Claim, Claims, Clock, Journal, Requests, Telemetry } from "./ports.ts";
import { type Controller, openReconciler, type ReconcilerSetting, type Run } from "./reconcile.ts";

type Request = Extract<RolloutObservation, { kind: "Request" }>;
type Signal = Extract<RolloutObservation, { kind: "Signal" }>;

/** What the control loop is assembled from. */
export interface OrchestratorSetting<State> {
  readonly ports: {
    readonly apps: Apps;
    readonly requests: Requests;
    readonly journal: Journal;
    readonly claims: Claims;
    readonly clock: Clock;
  };
  readonly engine: Engine<RolloutObservation, RolloutEvent, State, RolloutEffect>;
  /** Connections to the database in which DBOS keeps reconcile passes. The caller closes it, after us. */
  readonly pool: ReconcilerSetting["pool"];
  /** Names this process, uniquely for all time: replica name, process id and start time together. */
  readonly process: string;
  readonly leaseSeconds: number;
  /**
   * The limit of one request to the cloud. It is shorter than the lease, so that a late write cannot outlive its claim.
   */
  readonly requestSeconds: number;
  /** Receives a message about trouble that will be retried. */
  readonly log: (message: string) => void;
  /** Receives reports of passes and recoveries. @default none */
  readonly telemetry?: Telemetry | undefined;
}

/** The durable control loop of this process. */
export interface Orchestrator {
  /** Starts DBOS and begins to recover. */
  readonly launch: () => Promise<void>;
  /** Starts a stream, unless one with this name exists, finished or not. @throws claim-target-held */
  readonly start: (stream: string, request: Request) => Promise<"started" | "exists">;
  /**
   * Writes the facts that a signal leads to, and gives them. The process that drives the stream wakes up.
   *
   * @throws rollout-unknown, and claim-target-held when the signal revives a stream whose target another one holds.
   */
  readonly signal: (stream: string, signal: Signal) => Promise<readonly RolloutEvent[]>;
  /**
   * Recovers streams that no process drives, and gives their names. It also runs by itself, three times in each lease.
   */
  readonly recover: () => Promise<readonly string[]>;
  /** Leaves every stream once writes under way have ended, so that another process can continue at once. */
  readonly close: () => Promise<void>;
}

interface Asked {
  readonly controller: Controller;
  readonly journal: Journal;
  readonly claims: Claims;
  readonly drivers: Drivers;
  readonly process: string;
  readonly leaseSeconds: number;
  readonly telemetry: Telemetry | undefined;
}

/** How often a decision is repeated because the stream grew, or its process changed, in the meantime. */
const attemptsMax = 100;
/** How long a finished stream may take to release its target. */
const returnMilliseconds = 20_000;

/** Assembles the control loop. A process has one, because DBOS exists once in a process. */
export function createOrchestrator<State>(setting: OrchestratorSetting<State>): Orchestrator {
  const {
    ports: { apps, requests, journal, claims, clock },
    process,
    leaseSeconds,
    requestSeconds,
    pool,
    log,
    telemetry,
  } = setting;
  const controller = controllerOf(setting.engine);
  const driven = new Map<string, Run>();
  const closing = new AbortController();
  const reconciler = openReconciler({
    controller,
    journal,
    process,
    log,
    telemetry,
    pool,
    world: { apps, requests, claims, clock, requestSeconds },
    runOf: (stream) => driven.get(stream),
  });
  const drivers = createDrivers({ journal, claims, reconciler, controller, process, leaseSeconds, log, driven });
  const asked: Asked = { controller, process, leaseSeconds, journal, claims, drivers, telemetry };

  async function recoverForever(): Promise<void> {
    while (!closing.signal.aborted) {
      await recover(asked, driven, closing.signal).catch((error: unknown) =>
        log(`recovery failed and will be tried again: ${String(error)}`),
      );
      await nap((leaseSeconds * 1000) / 3, closing.signal);
    }
  }

  let recovering: Promise<void> = Promise.resolve();
  return {
    launch: async () => {
      // DBOS fails if two processes create its tables at the same time.
      await oneAtATime("dbos", reconciler.launch, claims, process, leaseSeconds);
      recovering = recoverForever();
    },
    start: (stream, request) => start(stream, request, asked),
    signal: (stream, observation) => signal(stream, observation, asked),
    recover: () => recover(asked, driven, closing.signal),
    close: async () => {
      closing.abort();
      await recovering;
      await drivers.leaveAll();
      await reconciler.close();
    },
  };
}

async function start(stream: string, request: Request, asked: Asked): Promise<"started" | "exists"> {
  const { controller, process, leaseSeconds, journal, drivers } = asked;
  const events = controller.decides([], request);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if ((await journal.read(stream)).length > 0) return "exists";
    const claim = await claimFor(stream, asked);
    if (claim) {
      const appended = await journal.append(stream, [], events, { process });
      void drivers.run(stream, claim);
      return appended === "appended" ? "started" : "exists";
    }
    // Another process is starting the same stream.
    await journal.grown(stream, 0, AbortSignal.timeout(leaseSeconds * 1000));
  }
  throw new Error(`${stream} was not started within ${attemptsMax} leases`);
}

async function signal(stream: string, observation: Signal, asked: Asked): Promise<readonly RolloutEvent[]> {
  const { controller, process, journal, drivers } = asked;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const facts = await journal.read(stream);
    if (facts.length === 0) throw rolloutUnknown({ stream });
    const events = controller.decides(facts, observation);
    const revives =
      controller.asks(facts) === undefined &&
      controller.asks([...facts, ...events.map((event) => ({ event }))]) !== undefined;
    const claim = revives ? await claimFor(stream, asked) : undefined;
    const appended = await journal.append(stream, facts, events, { process });
    if (claim) void drivers.run(stream, claim);
    if (appended === "appended") return events;
  }
  throw new Error(`${stream} grew ${attemptsMax} times while one signal was being decided`);
}

/**
 * Claims a stream's target. Gives undefined if another process holds it for the same stream.
 *
 * A finished stream is about to release its target, so this waits for a moment.
 *
 * @throws claim-target-held when another stream is in flight.
 */
async function claimFor(stream: string, { controller, journal, drivers }: Asked): Promise<Claim | undefined> {
  const deadline = performance.now() + returnMilliseconds;
  for (;;) {
    const claim = await drivers.claim(stream);
    if (!("heldBy" in claim)) return claim;
    if (claim.heldBy === stream) return undefined;
    const inFlight = controller.asks(await journal.read(claim.heldBy)) !== undefined;
    if (inFlight || performance.now() > deadline) throw claimTargetHeld({ stream, heldBy: claim.heldBy });
    await nap(50, AbortSignal.timeout(returnMilliseconds));
  }
}

/**
 * Recovers every stream that no process drives. A finished stream whose process died before it released its claim is
 * recovered too; driving it releases the claim.
 */
async function recover(
  { journal, claims, drivers, process, telemetry }: Asked,
  driven: ReadonlyMap<string, Run>,
  closing: AbortSignal,
): Promise<readonly string[]> {
  const abandoned = (await claims.expired()).map(({ holder }) => holder);
  const unfinished = await journal.streams({ unfinished: true });
  const kept = new Set(await claims.keptElsewhere(process));
  const recovered: string[] = [];
  for (const stream of new Set([...abandoned, ...unfinished])) {
    if (driven.has(stream) || kept.has(stream) || closing.aborted || !targetOf(stream)) continue;
    const claim = await drivers.claim(stream);
    if ("heldBy" in claim) continue;
    void drivers.run(stream, claim);
    telemetry?.recovered(stream);
    recovered.push(stream);
  }
  return recovered;
}

function controllerOf<State>(engine: Engine<RolloutObservation, RolloutEvent, State, RolloutEffect>): Controller {
  const stateOf = keptFold(engine);
  return {
    asks: (journal) => engine.react(stateOf(journal)),
    decides: (journal, observation) => engine.decide(stateOf(journal), observation),
  };
}
