// The durable loop as the functions see it: start a stream, signal it, take over what nobody drives, close.
// How a stream is driven is in drive.ts, what a turn of it does in turns.ts, what an effect does in perform.ts, what is
// decided in the engine. Nothing here knows the domain but that a request comes first.

import { type Engine, keptFold } from "../../engines/engine.ts";
import { targetOf } from "../../engines/rollout/names.ts";
import type { RolloutEffect, RolloutEvent, RolloutObservation } from "../../engines/rollout/vocabulary.ts";
import { rolloutUnknown } from "../../errors/api.ts";
import { claimTargetHeld } from "../../errors/claims.ts";
import { oneAtATime } from "./claims.ts";
import { nap } from "./clock.ts";
import { createDrivers, type Drivers } from "./drive.ts";
import type { Apps, Claim, Claims, Clock, Journal, Requests, Telemetry } from "./ports.ts";
import { type Mind, openTurns, type Run, type TurnsSetting } from "./reconcile.ts";

type Request = Extract<RolloutObservation, { kind: "Request" }>;
type Signal = Extract<RolloutObservation, { kind: "Signal" }>;

/** What the loop is assembled from. */
export interface OrchestratorSetting<State> {
  readonly ports: {
    readonly apps: Apps;
    readonly requests: Requests;
    readonly journal: Journal;
    readonly claims: Claims;
    readonly clock: Clock;
  };
  readonly engine: Engine<RolloutObservation, RolloutEvent, State, RolloutEffect>;
  /** Connections to the database in which turns are kept; the caller closes it, after us. */
  readonly pool: TurnsSetting["pool"];
  /** Names this process: unique for ever, as replica name, process id and start together are. */
  readonly process: string;
  readonly leaseSeconds: number;
  /** The limit of one request to the cloud; shorter than the lease, so that a late write does not outlive its claim. */
  readonly requestSeconds: number;
  /** Gets a sentence on trouble that mends itself. */
  readonly log: (sentence: string) => void;
  /** Is told of turns and of what is taken over. @default nobody */
  readonly telemetry?: Telemetry | undefined;
}

/** The durable loop of this process. */
export interface Orchestrator {
  /** Readies the durable engine and begins to sweep. */
  readonly launch: () => Promise<void>;
  /** Begins a stream, unless there is one of that name, finished or not. @throws claim-target-held */
  readonly start: (stream: string, request: Request) => Promise<"started" | "exists">;
  /**
   * Writes what a signal comes to, and gives it; whichever process drives the stream wakes up.
   *
   * @throws rollout-unknown, and claim-target-held where the signal revives a stream whose target another has.
   */
  readonly signal: (stream: string, signal: Signal) => Promise<readonly RolloutEvent[]>;
  /** Takes over what nobody drives, and gives the names of those streams. It also happens at each third of the lease. */
  readonly sweep: () => Promise<readonly string[]>;
  /** Leaves every stream as it is, once writes under way have ended, so that another process may carry on at once. */
  readonly close: () => Promise<void>;
}

interface Asked {
  readonly mind: Mind;
  readonly journal: Journal;
  readonly claims: Claims;
  readonly drivers: Drivers;
  readonly process: string;
  readonly leaseSeconds: number;
  readonly telemetry: Telemetry | undefined;
}

/** So often something is decided again because the stream grew, or changed hands, meanwhile. */
const attemptsMax = 100;
/** So long a finished stream may take to give its target back. */
const returnMilliseconds = 20_000;

/** Assembles the loop. There is one in a process, since the durable engine is one in a process. */
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
  const mind = mindOf(setting.engine);
  const driven = new Map<string, Run>();
  const closing = new AbortController();
  const turns = openTurns({
    mind,
    journal,
    process,
    log,
    telemetry,
    pool,
    world: { apps, requests, claims, clock, requestSeconds },
    runOf: (stream) => driven.get(stream),
  });
  const drivers = createDrivers({ journal, claims, turns, mind, process, leaseSeconds, log, driven });
  const asked: Asked = { mind, process, leaseSeconds, journal, claims, drivers, telemetry };

  async function sweepForever(): Promise<void> {
    while (!closing.signal.aborted) {
      await sweep(asked, driven, closing.signal).catch((error: unknown) =>
        log(`the sweep failed and will be repeated: ${String(error)}`),
      );
      await nap((leaseSeconds * 1000) / 3, closing.signal);
    }
  }

  let sweeping: Promise<void> = Promise.resolve();
  return {
    launch: async () => {
      await oneAtATime("durable-engine", turns.launch, claims, process, leaseSeconds); // It cannot prepare its tables twice at once.
      sweeping = sweepForever();
    },
    start: (stream, request) => start(stream, request, asked),
    signal: (stream, observation) => signal(stream, observation, asked),
    sweep: () => sweep(asked, driven, closing.signal),
    close: async () => {
      closing.abort();
      await sweeping;
      await drivers.leaveAll();
      await turns.close();
    },
  };
}

async function start(stream: string, request: Request, asked: Asked): Promise<"started" | "exists"> {
  const { mind, process, leaseSeconds, journal, drivers } = asked;
  const events = mind.answers([], request);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if ((await journal.read(stream)).length > 0) return "exists";
    const claim = await claimFor(stream, asked);
    if (claim) {
      const appended = await journal.append(stream, [], events, { process });
      void drivers.run(stream, claim);
      return appended === "appended" ? "started" : "exists";
    }
    await journal.grown(stream, 0, AbortSignal.timeout(leaseSeconds * 1000)); // Another process is starting the very same.
  }
  throw new Error(`${stream} was never started, though ${attemptsMax} leases went by`);
}

async function signal(stream: string, observation: Signal, asked: Asked): Promise<readonly RolloutEvent[]> {
  const { mind, process, journal, drivers } = asked;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const facts = await journal.read(stream);
    if (facts.length === 0) throw rolloutUnknown({ stream });
    const events = mind.answers(facts, observation);
    const revives =
      mind.asks(facts) === undefined && mind.asks([...facts, ...events.map((event) => ({ event }))]) !== undefined;
    const claim = revives ? await claimFor(stream, asked) : undefined;
    const appended = await journal.append(stream, facts, events, { process });
    if (claim) void drivers.run(stream, claim);
    if (appended === "appended") return events;
  }
  throw new Error(`${stream} grew ${attemptsMax} times while one signal was decided`);
}

/**
 * Claims a stream's target, or gives undefined where another process has it for the very same stream.
 *
 * A stream that has finished is about to give its target back; that is worth a moment's wait.
 *
 * @throws claim-target-held when another stream is in flight.
 */
async function claimFor(stream: string, { mind, journal, drivers }: Asked): Promise<Claim | undefined> {
  const deadline = performance.now() + returnMilliseconds;
  for (;;) {
    const claim = await drivers.claim(stream);
    if (!("heldBy" in claim)) return claim;
    if (claim.heldBy === stream) return undefined;
    const inFlight = mind.asks(await journal.read(claim.heldBy)) !== undefined;
    if (inFlight || performance.now() > deadline) throw claimTargetHeld({ stream, heldBy: claim.heldBy });
    await nap(50, AbortSignal.timeout(returnMilliseconds));
  }
}

/** A finished stream whose process died before it gave its claim back is taken over too: its first turn gives it back. */
async function sweep(
  { journal, claims, drivers, process, telemetry }: Asked,
  driven: ReadonlyMap<string, Run>,
  closing: AbortSignal,
): Promise<readonly string[]> {
  const abandoned = (await claims.expired()).map(({ holder }) => holder);
  const unfinished = await journal.streams({ unfinished: true });
  const kept = new Set(await claims.keptElsewhere(process));
  const takenOver: string[] = [];
  for (const stream of new Set([...abandoned, ...unfinished])) {
    if (driven.has(stream) || kept.has(stream) || closing.aborted || !targetOf(stream)) continue;
    const claim = await drivers.claim(stream);
    if ("heldBy" in claim) continue;
    void drivers.run(stream, claim);
    telemetry?.tookOver(stream);
    takenOver.push(stream);
  }
  return takenOver;
}

function mindOf<State>(engine: Engine<RolloutObservation, RolloutEvent, State, RolloutEffect>): Mind {
  const stateOf = keptFold(engine);
  return {
    asks: (journal) => engine.react(stateOf(journal)),
    answers: (journal, observation) => engine.decide(stateOf(journal), observation),
  };
}
