// Scenarios of rollouts: the request, what the world does and when, and the expected journal.
import { bandOf, durationsOf } from "../../../engines/rollout/judge/durations.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { isNoteworthy, messageOf } from "../../../engines/rollout/tell.ts";
import type {
  Gate,
  OutsideWeights,
  RolloutEvent,
  SignalName,
  Strategy,
  Tally,
  Thresholds,
} from "../../../engines/rollout/vocabulary.ts";
import { after, duration, type Instant, secondsBetween } from "../../../engines/time.ts";
import { readScenarios, refuseUnknown, rewriteScenario, type ScenarioFile } from "./scenario-file.ts";

/** When every scenario begins: a whole minute, so that buckets and warm-ups are easy to read. */
export const start: Instant = Date.parse("2026-01-05T09:00:00Z");

/** The durations of a usual and of a slow request. */
export const usualMilliseconds = 5,
  slowMilliseconds = 1001;

/** The behaviour of an arm from a moment on, in percent of its requests. */
interface Behaviour {
  readonly fromMinutes: number;
  readonly failedPercent: number;
  readonly slowPercent: number;
}

/** What another client does to the app, bypassing the control plane. */
export interface Interference {
  readonly atMinutes: number;
  /** The share that the canary gets; stable gets the rest. */
  readonly canaryPercent?: number;
  readonly deactivates?: "canary";
  /** Kills the process of the canary's replica, as a crash does; its platform starts another. */
  readonly kills?: "canary";
  readonly mode?: "Single" | "Multiple";
  /** Puts a third revision, with stable's template or one of its own. */
  readonly puts?: "stable" | "other";
}

export interface Scenario {
  readonly name: string;
  readonly why: string;
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  readonly requestsPerMinute: readonly { readonly fromMinutes: number; readonly value: number }[];
  readonly canary: readonly Behaviour[];
  readonly stable: readonly Behaviour[];
  /** What served before; a twin is a stable with the canary's template. */
  readonly before: "stable" | "nothing" | "twin";
  /** After this many good probes the canary's own address answers 500; absent means that it always answers. */
  readonly probesAnswered: number;
  readonly signals: readonly {
    readonly atMinutes: number;
    readonly signal: SignalName;
    readonly by: string;
    readonly message: string;
    /** The third revision, if the signal is about it. */
    readonly about?: "third";
    /** Whether the sender has the right to approve; in a file, whoever sends `approve` has it unless it says false. */
    readonly mayApprove?: boolean;
  }[];
  readonly others?: readonly Interference[];
  readonly outsideWeights?: OutsideWeights;
  readonly gate?: Gate;
  readonly dryRun?: Thresholds;
  /** The alert rule whose remediation asks for it. */
  readonly returns?: string;
  readonly expected: string;
}

/** Reads every scenario of the folder, in the order of their names. */
export const scenarios = (): readonly Scenario[] => readScenarios("rollout").map(read);

function read({ file, asked, world, ...told }: ScenarioFile): Scenario {
  refuseUnknown(file, asked, [
    "weights",
    "bakeMinutes",
    "warmUpMinutes",
    "maximumMinutes",
    "thresholds",
    "smokeMinutes",
    "outsideWeights",
    "gate",
    "returns",
  ]);
  refuseUnknown(file, world, [
    "requestsPerMinute",
    "canary",
    "stable",
    "before",
    "probesAnswered",
    "signals",
    "others",
  ]);
  for (const other of world["others"] ?? [])
    refuseUnknown(file, other, ["atMinutes", "canaryPercent", "deactivates", "kills", "mode", "puts"]);
  const minutes = (key: string, fallback: number) => (asked[key] === undefined ? fallback : Number(asked[key]) * 60);
  return {
    ...told,
    strategy: {
      ...defaultStrategy,
      weights: asked["weights"] ?? [10, 50],
      bakeSeconds: minutes("bakeMinutes", 300),
      warmUpSeconds: minutes("warmUpMinutes", 60),
      smokeSeconds: minutes("smokeMinutes", 120),
      maximumSeconds: minutes("maximumMinutes", 3600),
      probeSeconds: 60,
    },
    thresholds: { ...defaultThresholds, ...asked["thresholds"] },
    requestsPerMinute: [world["requestsPerMinute"] ?? 1200]
      .flat()
      .map((entry) => (typeof entry === "number" ? { fromMinutes: 0, value: entry } : entry)),
    canary: behaviours(world["canary"]),
    stable: behaviours(world["stable"]),
    before: world["before"] ?? "stable",
    probesAnswered: world["probesAnswered"] ?? Number.POSITIVE_INFINITY,
    signals: (world["signals"] ?? []).map((signal: Scenario["signals"][number]) =>
      signal.signal === "approve" ? { mayApprove: true, ...signal } : signal,
    ),
    others: world["others"] ?? [],
    ...(asked["gate"] === undefined ? {} : { gate: gateOf(asked["gate"]) }),
    ...(asked["outsideWeights"] === undefined ? {} : { outsideWeights: asked["outsideWeights"] as OutsideWeights }),
    ...(asked["returns"] === undefined ? {} : { returns: String(asked["returns"]) }),
  };
}

const gateOf = ({ expiresMinutes, ...gate }: Omit<Gate, "expiresSeconds"> & { expiresMinutes: number }): Gate => ({
  ...gate,
  expiresSeconds: expiresMinutes * 60,
});

const behaviours = (listed: readonly Partial<Behaviour>[] = []): readonly Behaviour[] =>
  (listed.length === 0 ? [{}] : listed).map((entry) => ({
    fromMinutes: 0,
    failedPercent: 0,
    slowPercent: 0,
    ...entry,
  }));

/** Gives the first signal after one moment and up to another. */
export function signalBetween(
  scenario: Scenario,
  from: Instant,
  to: Instant,
): (Scenario["signals"][number] & { readonly at: Instant }) | undefined {
  return scenario.signals
    .map((signal) => ({ ...signal, at: after(start, signal.atMinutes * 60) }))
    .find(({ at }) => at > from && at <= to);
}

/** Gives what other clients do after one moment and up to another. */
export const othersBetween = (
  { others = [] }: Scenario,
  from: Instant,
  to: Instant,
): readonly (Interference & { readonly at: Instant })[] =>
  others
    .map((other) => ({ ...other, at: after(start, other.atMinutes * 60) }))
    .filter(({ at }) => at > from && at <= to);

/** The path of every request that fails. */
export const failingPath = "/orders/4711?page=2";

/** Gives the requests of an arm in one interval, by its share of the load; the counts are the same in every world. */
export function tallyOf(scenario: Scenario, arm: "canary" | "stable", at: Instant, percent: number): Tally {
  const minute = secondsBetween(start, at) / 60;
  const latest = <Entry extends { readonly fromMinutes: number }>(entries: readonly Entry[]) =>
    entries.filter(({ fromMinutes }) => fromMinutes <= minute).at(-1) ?? entries[0]!;
  const requests = Math.round(
    (latest(scenario.requestsPerMinute).value * (scenario.strategy.intervalSeconds / 60) * percent) / 100,
  );
  const { failedPercent, slowPercent } = latest(scenario[arm]);
  const failed = Math.round((requests * failedPercent) / 100);
  const slow = Math.min(requests - failed, Math.round((requests * slowPercent) / 100));
  const durations = durationsOf([
    [bandOf(usualMilliseconds), requests - slow],
    [bandOf(slowMilliseconds), slow],
  ]);
  return { requests, failed, refused: 0, ...(durations === undefined ? {} : { durations }) };
}

/** Renders a journal as the third document of a scenario: time, fact and message, without ids and hashes. */
export const render = (events: readonly RolloutEvent[]): string =>
  events
    .filter(isNoteworthy)
    .map(
      (event) =>
        `${duration(secondsBetween(start, event.at)).padStart(8)}  ${event.kind.padEnd(14)} ${messageOf(event)}\n`,
    )
    .join("");

/** Replaces the expected journal of a scenario by an actual one. */
export const rewrite = ({ name }: Scenario, journal: string): void => rewriteScenario("rollout", name, journal);
