// The world as a plain object: the platform of a scenario, with virtual time. Effects take no time; only waiting does.
import { rollout } from "../../../engines/rollout/rollout.ts";
import type {
  AppView,
  Bucket,
  Labels,
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  RolloutState,
  Weight,
} from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import { othersBetween, type Scenario, signalBetween, start, tallyOf } from "./scenario.ts";

const target = { resourceGroup: "shop", app: "storefront" };
const canary = "storefront--2";
const stable = "storefront--1";

export interface PureWorld {
  weights: readonly Weight[];
  /** The weights from each moment on. */
  readonly shares: { readonly from: Instant; readonly weights: readonly Weight[] }[];
  now: Instant;
  probes: number;
  /** How often the canary's only replica has restarted. */
  restarts: number;
  labels: Labels;
  mode: "Single" | "Multiple";
  /** What else the app shows when it is inspected. */
  shows: Partial<AppView>;
  readonly active: Set<string>;
  /** The revisions that were probed besides the canary, to keep a replica. */
  readonly keptAwake: Set<string>;
}

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
});

export const pureWorld = (scenario: Scenario): PureWorld => ({
  weights: [{ revision: scenario.before === "nothing" ? canary : stable, percent: 100 }],
  shares: [],
  now: start,
  probes: 0,
  restarts: 0,
  labels: {},
  mode: "Multiple",
  shows: {},
  keptAwake: new Set(),
  active: new Set([canary, ...(scenario.before === "nothing" ? [] : [stable])]),
});

/** Carries out one effect and gives its outcome. A signal during a wait ends the wait. */
export function perform(scenario: Scenario, world: PureWorld, effect: RolloutEffect): RolloutObservation {
  const outcome = <Kind extends string, Found>(of: Kind, value: Found) => ({
    kind: "Outcome" as const,
    of,
    at: world.now,
    found: { ok: true as const, value },
  });
  const traffic = () => {
    const weights = shownBy(world);
    const deactivated = weights.filter(({ revision }) => !world.active.has(revision)).map(({ revision }) => revision);
    return { weights, ...(deactivated.length > 0 ? { deactivated } : {}) };
  };
  if (world.shares.at(-1)?.weights !== shownBy(world)) world.shares.push({ from: world.now, weights: shownBy(world) });
  switch (effect.kind) {
    case "Inspect":
      return outcome("Inspect", {
        weights: world.weights,
        revisions: [...new Set([stable, canary])]
          .filter((name) => name === canary || scenario.before !== "nothing")
          .map((name) => ({
            name,
            active: world.active.has(name),
            running: "Running",
            health: "Healthy",
            templateHash: scenario.before === "twin" ? "same" : name,
            images: [`registry.example/storefront:${scenario.before === "twin" ? "1" : name.at(-1)}`],
          })),
        ...world.shows,
      });
    case "Activate":
      world.active.add(effect.revision);
      return outcome("Activate", null);
    case "Deactivate":
      world.active.delete(effect.revision);
      return outcome("Deactivate", null);
    case "ShiftTraffic":
      for (const { revision } of effect.weights) world.active.add(revision); // as the adapter does
      if (world.mode === "Single")
        return failing(effect, world, "the app is in Single revision mode; weights take effect only in Multiple mode");
      world.weights = effect.weights;
      world.labels = effect.labels;
      return outcome("ShiftTraffic", { weights: world.weights });
    case "VerifyTraffic":
      return outcome("VerifyTraffic", traffic());
    case "Probe": {
      if (effect.awake !== undefined) world.keptAwake.add(effect.awake);
      if (!world.active.has(effect.revision))
        return outcome("Probe", { good: false, detail: "answered 503", running: "Stopped" });
      const good = world.probes++ < scenario.probesAnswered;
      return outcome("Probe", {
        good,
        detail: good ? "answered 200" : "answered 500",
        running: "Running",
        restarts: world.restarts === 0 ? [] : [{ replica: `${canary}-1`, times: world.restarts }],
      });
    }
    case "Measure":
      return outcome("Measure", measure(scenario, world, effect));
    case "AwaitSignal":
      return signalBefore(scenario, world, Number.POSITIVE_INFINITY) ?? outcome("AwaitSignal", null);
    case "Wait": {
      const signal = signalBefore(scenario, world, effect.until);
      if (signal !== undefined) return signal;
      pass(scenario, world, effect.until);
      return outcome("Wait", null);
    }
  }
}

function signalBefore(scenario: Scenario, world: PureWorld, until: Instant): RolloutObservation | undefined {
  const next = signalBetween(scenario, world.now, until);
  if (next === undefined) return undefined;
  pass(scenario, world, next.at);
  return { kind: "Signal", at: next.at, signal: next.signal, by: next.by, message: next.message };
}

/** Lets time pass, and other clients act in it. */
function pass(scenario: Scenario, world: PureWorld, to: Instant): void {
  const interval = scenario.strategy.intervalSeconds * 1000;
  for (const { at, canaryPercent, deactivates, kills, mode } of othersBetween(scenario, world.now, to)) {
    if (canaryPercent !== undefined)
      world.weights = [
        { revision: stable, percent: 100 - canaryPercent },
        { revision: canary, percent: canaryPercent },
      ];
    if (deactivates !== undefined) world.active.delete(canary);
    if (kills !== undefined) world.restarts++;
    if (mode !== undefined) world.mode = mode;
    if (mode === "Single") world.active.delete(stable);
    // A whole interval is split by the weights at its end, as in the real worlds.
    world.shares.push({ from: Math.floor(at / interval) * interval, weights: shownBy(world) });
  }
  world.now = to;
}

/** Gives the weights in force: in Single mode the latest revision has all traffic. */
const shownBy = ({ mode, weights }: PureWorld): readonly Weight[] => (mode === "Single" ? allToCanary : weights);
const allToCanary: readonly Weight[] = [{ revision: canary, percent: 100 }];

/** Gives the complete buckets since the last measurement, split by the weights of their time. */
function measure(
  scenario: Scenario,
  world: Pick<PureWorld, "now" | "weights"> & Partial<Pick<PureWorld, "shares">>,
  effect: Extract<RolloutEffect, { kind: "Measure" }>,
): { buckets: Bucket[]; to: Instant } {
  const interval = effect.intervalSeconds * 1000;
  const buckets: Bucket[] = [];
  const share = (revision: string | null, at: Instant) =>
    (world.shares?.findLast(({ from }) => from <= at)?.weights ?? world.weights).find(
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
  return { buckets, to: effect.from + buckets.length * interval };
}

/** Comes between an effect and the world: gives another outcome instead, or changes the world and gives undefined. */
export type Meddle = (effect: RolloutEffect, world: PureWorld, state: RolloutState) => RolloutObservation | undefined;

/** Gives the outcome of a failed effect. */
export const failing = (effect: RolloutEffect, world: PureWorld, reason = "503 out of order"): RolloutObservation =>
  ({ kind: "Outcome", of: effect.kind, at: world.now, found: { ok: false, reason } }) as RolloutObservation;

/** Runs a scenario to its end and gives the journal. Signals after the end are sent too: a retry begins again. */
export function run(
  scenario: Scenario,
  meddle: Meddle = () => undefined,
): { readonly journal: readonly RolloutEvent[]; readonly state: RolloutState; readonly world: PureWorld } {
  const world = pureWorld(scenario);
  const journal: RolloutEvent[] = [];
  let state = rollout.initial;
  const hear = (observation: RolloutObservation) => {
    for (const event of rollout.decide(state, observation)) {
      journal.push(event);
      state = rollout.evolve(state, event);
    }
  };
  hear({ kind: "Request", at: start, intent: intentOf(scenario) });
  for (let passes = 0; passes < 5_000; passes++) {
    const effect =
      rollout.react(state) ??
      (signalBefore(scenario, { ...world }, Number.POSITIVE_INFINITY) ? { kind: "AwaitSignal" as const } : undefined);
    if (effect === undefined) return { journal, state, world };
    hear(meddle(effect, world, state) ?? perform(scenario, world, effect));
  }
  throw new Error(`${scenario.name} did not end in 5,000 passes.`);
}
