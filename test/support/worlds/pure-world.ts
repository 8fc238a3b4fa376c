// The world as a plain object: the platform of a scenario, over the virtual clock of the simulator. The shipped loop
// and the shipped performer carry the rollout out, as they do in the simulator; journal, claims and passes are in
// memory. Effects take no time; only waiting does.
import { maskPath } from "../../../controlplane/adapters/azure/mask-path.ts";
import { rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import { aborted, clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Performer, Within } from "../../../controlplane/runtime/performer.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import type { Result } from "../../../engines/engine.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { BadAnswer } from "../../../engines/rollout/views.ts";
import type {
  AppView,
  Bucket,
  Labels,
  Measurement,
  ProbeView,
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  RolloutOutcome,
  RolloutState,
  TrafficView,
  Weight,
} from "../../../engines/rollout/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import { createLoop, type Host, type Loop } from "../../../proofs/simulator/loop.ts";
import { beginLife } from "../../../proofs/simulator/virtual-time.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "./memory.ts";
import { rollouts } from "./rollouts.ts";
import { failingPath, type Interference, othersBetween, type Scenario, start, tallyOf } from "./scenario.ts";

const target = { resourceGroup: "shop", app: "storefront" };
const canary = "storefront--2";
const stable = "storefront--1";
const third = "storefront--3";

export const intentOf = (scenario: Scenario): ReleaseIntent => ({
  target,
  revision: canary,
  release: "r2",
  strategy: scenario.strategy,
  thresholds: scenario.thresholds,
  probePath: "/",
  requestedBy: "pulumi",
  ...(scenario.gate ? { gate: scenario.gate } : {}),
  ...(scenario.outsideWeights ? { outsideWeights: scenario.outsideWeights } : {}),
  ...(scenario.dryRun ? { dryRun: scenario.dryRun } : {}),
  ...(scenario.returns === undefined ? {} : { returns: scenario.returns }),
});

type Other = Interference & { readonly at: Instant };

export interface PureWorld {
  weights: readonly Weight[];
  readonly intervalSeconds: number;
  /** The weights from each moment on. */
  readonly shares: { readonly from: Instant; readonly weights: readonly Weight[] }[];
  /** The clock of the process. Set, it is wrong from then on by that much, as after a sleep of its machine. */
  now: Instant;
  probes: number;
  /** How often the canary's only replica has restarted. */
  restarts: number;
  labels: Labels;
  mode: "Single" | "Multiple";
  /** What else the app shows when it is inspected. */
  shows: Partial<AppView>;
  /** The template of a third revision, if another client has put one. */
  third?: "stable" | "other";
  readonly active: Set<string>;
  /** The revisions that were probed besides the canary, to keep a replica. */
  readonly keptAwake: Set<string>;
}

function pureWorld(scenario: Scenario, loop: Loop): PureWorld {
  let skew = 0;
  return {
    intervalSeconds: scenario.strategy.intervalSeconds,
    weights: [{ revision: scenario.before === "nothing" ? canary : stable, percent: 100 }],
    shares: [],
    get now() {
      return loop.now() + skew;
    },
    set now(at) {
      skew = at - loop.now();
    },
    probes: 0,
    restarts: 0,
    labels: {},
    mode: "Multiple",
    shows: {},
    keptAwake: new Set(),
    active: new Set([canary, ...(scenario.before === "nothing" ? [] : [stable])]),
  };
}

/** Changes the world as a write does. It answers nothing: whether the answer arrives is another question. */
export function write(world: PureWorld, effect: RolloutEffect): void {
  noteShares(world);
  switch (effect.kind) {
    case "Activate":
      world.active.add(effect.revision);
      return;
    case "Deactivate":
      world.active.delete(effect.revision);
      return;
    case "ShiftTraffic":
      for (const { revision } of effect.weights) world.active.add(revision); // as the adapter does
      world.weights = effect.weights;
      world.labels = effect.labels;
      return;
    default:
      throw new Error(`${effect.kind} writes nothing`);
  }
}

function noteShares(world: PureWorld, at = world.now): void {
  if (world.shares.at(-1)?.weights === shownBy(world)) return;
  // A whole interval is split by the weights at its end, as in the real world.
  const interval = world.intervalSeconds * 1000;
  world.shares.push({ from: Math.floor(at / interval) * interval, weights: shownBy(world) });
}

const inSingleMode: Result<never> = {
  ok: false,
  reason: "the app is in Single revision mode; weights take effect only in Multiple mode",
};
const found = <Value>(value: Value): Result<Value> => ({ ok: true, value });

/** The platform as the ports of a rollout. */
function portsOf(scenario: Scenario, world: PureWorld): { readonly apps: Apps; readonly requests: Requests } {
  const traffic = (): TrafficView => {
    const weights = shownBy(world);
    const deactivated = weights.filter(({ revision }) => !world.active.has(revision)).map(({ revision }) => revision);
    return { weights, ...(deactivated.length > 0 ? { deactivated } : {}) };
  };
  const written = async (effect: RolloutEffect, fence: Within["fence"]): Promise<Result<null>> => {
    if (!(await fence())) return { ok: false, reason: "the claim is lost" };
    write(world, effect);
    return found(null);
  };
  return {
    apps: {
      inspect: async () => found(inspect(scenario, world)),
      repoint: written,
      activate: written,
      deactivate: written,
      shift: async (effect, fence) => {
        if (world.mode === "Single") return inSingleMode;
        const sent = await written(effect, fence);
        return sent.ok ? found({ weights: world.weights }) : sent;
      },
      readTraffic: async () => found(traffic()),
      probe: async (effect) => found(probe(scenario, world, effect)),
    },
    requests: { measure: async (effect) => found(measure(scenario, world, effect)) },
  };
}

function probe(scenario: Scenario, world: PureWorld, effect: Extract<RolloutEffect, { kind: "Probe" }>): ProbeView {
  if (effect.awake !== undefined) world.keptAwake.add(effect.awake);
  if (!world.active.has(effect.revision)) return { good: false, detail: "answered 503", running: "Stopped" };
  const good = world.probes++ < scenario.probesAnswered;
  const restarts = world.restarts === 0 ? [] : [{ replica: `${canary}-1`, times: world.restarts }];
  return { good, detail: good ? "answered 200" : "answered 500", running: "Running", restarts };
}

function templateOf(name: string, { before }: Scenario, put: PureWorld["third"]): string {
  const isLikeStable = name === third ? put === "stable" : before === "twin";
  if (!isLikeStable) return name;
  return before === "twin" ? "same" : stable;
}

function imagesOf(name: string, { before }: Scenario, put: PureWorld["third"]): readonly string[] {
  const isLikeStable = name === third ? put === "stable" : before === "twin";
  return [`registry.example/storefront:${isLikeStable ? "1" : name.at(-1)}`];
}

const inspect = (scenario: Scenario, world: PureWorld): AppView => ({
  weights: world.weights,
  revisions: [...(scenario.before === "nothing" ? [] : [stable]), canary, ...(world.third ? [third] : [])].map(
    (name) => ({
      name,
      active: world.active.has(name),
      running: "Running",
      health: "Healthy",
      templateHash: templateOf(name, scenario, world.third),
      images: imagesOf(name, scenario, world.third),
    }),
  ),
  ...world.shows,
});

/** Changes the app as another client does. */
function interfere(world: PureWorld, other: Other): void {
  const { at, canaryPercent, deactivates, kills, mode, puts } = other;
  if (canaryPercent !== undefined)
    world.weights = [
      { revision: stable, percent: 100 - canaryPercent },
      { revision: canary, percent: canaryPercent },
    ];
  if (deactivates !== undefined) world.active.delete(canary);
  if (kills !== undefined) world.restarts++;
  if (puts !== undefined) {
    world.third = puts;
    world.active.add(third);
  }
  if (mode !== undefined) world.mode = mode;
  if (mode === "Single") world.active.delete(stable);
  noteShares(world, at);
}

/** Gives the weights in force: in Single mode the latest revision has all traffic. */
const shownBy = ({ mode, weights }: PureWorld): readonly Weight[] => (mode === "Single" ? allToCanary : weights);
const allToCanary: readonly Weight[] = [{ revision: canary, percent: 100 }];

/** Gives the complete buckets since the last measurement, split by the weights of their time. */
export function measure(
  scenario: Scenario,
  world: PureWorld,
  effect: Extract<RolloutEffect, { kind: "Measure" }>,
): Measurement {
  const interval = effect.intervalSeconds * 1000;
  const buckets: Bucket[] = [];
  const share = (revision: string | null, at: Instant) =>
    (world.shares.findLast(({ from }) => from <= at)?.weights ?? world.weights).find(
      (weight) => weight.revision === revision,
    )?.percent ?? 0;
  const nothing = { requests: 0, failed: 0, refused: 0 }; // There are no requests before the scenario.
  for (let at = effect.from; at + interval <= world.now; at += interval) {
    if (at < start) buckets.push({ at, canary: nothing, stable: nothing });
    else
      buckets.push({
        at,
        canary: tallyOf(scenario, "canary", at, share(effect.canary, at)),
        stable: tallyOf(scenario, "stable", at, share(effect.stable, at)),
      });
  }
  const answers = badAnswersIn(buckets);
  return { buckets, ...(answers.length > 0 ? { answers } : {}), to: effect.from + buckets.length * interval };
}

/** Gives the bad answers as the adapter reads them: from the first bucket in which the canary had requests. */
function badAnswersIn(buckets: readonly Bucket[]): readonly BadAnswer[] {
  const from = buckets.findIndex(({ canary: { requests } }) => requests > 0);
  if (from === -1) return [];
  return (["canary", "stable"] as const)
    .map((arm) => ({
      arm,
      code: 500,
      path: maskPath(failingPath),
      requests: buckets.slice(from).reduce((sum, bucket) => sum + bucket[arm].failed, 0),
    }))
    .filter(({ requests }) => requests > 0)
    .toSorted((one, other) => other.requests - one.requests);
}

/**
 * Comes between the loop and an effect: gives another outcome instead, sends a signal before it, or changes the world
 * and gives undefined.
 */
export type Meddle = (effect: RolloutEffect, world: PureWorld, state: RolloutState) => RolloutObservation | undefined;

/** Gives the outcome of a failed effect. */
export const failing = (effect: RolloutEffect, world: PureWorld, reason = "503 out of order"): RolloutOutcome =>
  ({ kind: "Outcome", of: effect.kind, at: world.now, found: { ok: false, reason } }) as RolloutOutcome;

/** What a run left. */
export interface Done {
  readonly journal: readonly RolloutEvent[];
  readonly state: RolloutState;
  readonly world: PureWorld;
}

const leaseSeconds = 600;
const limitSeconds = 100 * 86_400;

/** Runs a scenario to its end and gives the journal. Signals after the end are sent too: a retry begins again. */
export async function run(scenario: Scenario, meddle: Meddle = () => undefined): Promise<Done> {
  const loop = createLoop(start);
  const world = pureWorld(scenario, loop);
  const { time } = beginLife(loop, createHost());
  const stream = streamOf(target, canary);
  const claims = memoryClaims(leaseSeconds, loop.now);
  const journal: RolloutEvent[] = [];
  let state = rollout.initial;
  const kept = memoryJournal(rollouts, claims.stillOurs, loop.now);
  const append: Journal<RolloutEvent>["append"] = async (name, on, events, pen) => {
    const appended = await kept.append(name, on, events, pen);
    if (appended === "appended") {
      journal.push(...events);
      state = events.reduce(rollout.evolve, state);
    }
    return appended;
  };
  const trouble: unknown[] = [];
  const clock = clockOf(() => world.now, time);
  const shipped = rolloutPerformer({ ...portsOf(scenario, world), claims, clock, requestSeconds: 10, time });
  const orchestrator: Orchestrator<RolloutEvent> = createOrchestrator({
    ports: { journal: { ...kept, append }, claims, clock },
    kinds: rollouts,
    performers: () => ({
      rollout: meddled(
        shipped,
        world,
        (effect) => meddle(effect, world, state),
        (signal) => orchestrator.signal(stream, signal),
      ),
    }),
    orchestrations: memoryOrchestrations(),
    time,
    process: "process",
    leaseSeconds,
    log: (message) => trouble.push(message),
  });
  await orchestrator.launch();
  let coming = scenario.signals.length;
  for (const { atMinutes, about, ...signal } of scenario.signals) {
    const at = after(start, atMinutes * 60);
    loop.at(at, () => {
      void orchestrator
        .signal(stream, { kind: "Signal", at, ...signal, ...(about === undefined ? {} : { about: third }) })
        .catch((error: unknown) => trouble.push(error))
        .finally(() => coming--);
    });
  }
  for (const other of othersBetween(scenario, start, Number.POSITIVE_INFINITY))
    loop.at(other.at, () => interfere(world, other));
  await orchestrator.start(stream, { kind: "Request", at: start, intent: intentOf(scenario) });
  const isOver = () => trouble.length > 0 || (state.phase === "finished" && coming === 0);
  await loop.until(start + limitSeconds * 1000, isOver);
  if (trouble.length > 0) throw trouble[0] instanceof Error ? trouble[0] : new Error(String(trouble[0]));
  if (!isOver()) throw new Error(`${scenario.name} did not end within ${limitSeconds} s.`);
  return { journal, state, world };
}

/** Puts a test between the loop and the shipped performer. */
function meddled(
  shipped: Performer<RolloutEffect, RolloutOutcome>,
  world: PureWorld,
  meddle: (effect: RolloutEffect) => RolloutObservation | undefined,
  signal: (signal: Extract<RolloutObservation, { kind: "Signal" }>) => Promise<unknown>,
): Performer<RolloutEffect, RolloutOutcome> {
  let instead: RolloutOutcome | undefined;
  return {
    ...shipped,
    ready: async (effect, cancel) => {
      await shipped.ready(effect, cancel);
      noteShares(world);
      const given = meddle(effect);
      instead = given?.kind === "Outcome" ? given : undefined;
      if (given?.kind !== "Signal") return;
      await signal(given);
      await aborted(cancel);
    },
    perform: async (effect, within) => instead ?? shipped.perform(effect, within),
  };
}

const createHost = (): Host => ({ name: "process", life: 0, up: true, asleepUntil: 0, sleptAt: -1 });
