// The metrics of the control plane: their names, units and what each says. docs/guides/telemetry.md has them as a table, which a test holds to this
// file, and the alerts ask for them by name. Names, not numbers: what is measured when is in watch.ts.
import type { Counter, Histogram, Meter, MetricOptions, ObservableGauge } from "@opentelemetry/api";

/** Every metric, by how it is called in the code. */
export const metrics = {
  heartbeat: {
    name: "ballast.heartbeat",
    kind: "gauge",
    unit: "1",
    says: "1 each time that the process reports, with whether its `journal` answered (`reachable`, `unreachable`)",
  },
  underWay: {
    name: "ballast.rollouts.under_way",
    kind: "gauge",
    unit: "{rollout}",
    says: "rollouts that have not ended, by `phase`; every replica reports all of them",
  },
  tickLag: {
    name: "ballast.tick.lag",
    kind: "histogram",
    unit: "s",
    says: "how long after its due moment a measurement began, by `app`; a rollout that is paused has none",
  },
  effects: {
    name: "ballast.effects",
    kind: "histogram",
    unit: "s",
    says: "how long an effect took, by `effect`, `result` (`ok`, `failed`, `cut`), `phase` and `app`",
  },
  verdicts: {
    name: "ballast.verdicts",
    kind: "counter",
    unit: "{verdict}",
    says: "verdicts as they were written, by `verdict` (`pass`, `fail`, `inconclusive`), `reason` of what is inconclusive, and `app`",
  },
  ended: {
    name: "ballast.rollouts.ended",
    kind: "counter",
    unit: "{rollout}",
    says: "rollouts that ended, by `result` and `app`",
  },
  append: {
    name: "ballast.journal.append",
    kind: "histogram",
    unit: "s",
    says: "how long an append to the journal took, by `result` (`appended`, `conflict`, `fenced`, `lost`)",
  },
  takeovers: {
    name: "ballast.takeovers",
    kind: "counter",
    unit: "{rollout}",
    says: "rollouts that this process took over, by `app`",
  },
  undelivered: {
    name: "ballast.notices.undelivered",
    kind: "counter",
    unit: "{attempt}",
    says: "attempts to tell a `channel` that failed and are made again",
  },
} as const;

type Kinds = { readonly gauge: ObservableGauge; readonly histogram: Histogram; readonly counter: Counter };

/** The instruments that the metrics are measured with. */
export type Instruments = { readonly [Metric in keyof typeof metrics]: Kinds[(typeof metrics)[Metric]["kind"]] };

/** Makes the instruments. */
export function instrumentsOf(meter: Meter): Instruments {
  const make: { readonly [Kind in keyof Kinds]: (name: string, options: MetricOptions) => Kinds[Kind] } = {
    gauge: (name, options) => meter.createObservableGauge(name, options),
    histogram: (name, options) => meter.createHistogram(name, options),
    counter: (name, options) => meter.createCounter(name, options),
  };
  return Object.fromEntries(
    Object.entries(metrics).map(([metric, { name, kind, unit, says }]) => [
      metric,
      make[kind](name, { unit, description: says }),
    ]),
  ) as unknown as Instruments;
}
