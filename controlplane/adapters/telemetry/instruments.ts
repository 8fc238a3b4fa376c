// The metrics of the control plane: their names, units and meanings. docs/guides/telemetry.md lists them in a table
// that a test compares with this file, and the alerts query them by name. watch.ts records them.
import type { Counter, Histogram, Meter, MetricOptions, ObservableGauge } from "@opentelemetry/api";

/** Every metric, by its name in the code. */
export const metrics = {
  heartbeat: {
    name: "ballast.heartbeat",
    kind: "gauge",
    unit: "1",
    says: "1 on each report of the process, by whether the `journal` answered (`reachable`, `unreachable`)",
  },
  underWay: {
    name: "ballast.rollouts.under_way",
    kind: "gauge",
    unit: "{rollout}",
    says: "rollouts that have not ended, by `phase`; every replica reports all of them",
  },
  intervalLag: {
    name: "ballast.interval.lag",
    kind: "histogram",
    unit: "s",
    says: "delay between the time when a measurement was due and its start, by `app`; paused rollouts have none",
  },
  effects: {
    name: "ballast.effects",
    kind: "histogram",
    unit: "s",
    says: "duration of an effect, by `effect`, `result` (`ok`, `failed`, `cut`), `phase` and `app`",
  },
  verdicts: {
    name: "ballast.verdicts",
    kind: "counter",
    unit: "{verdict}",
    says: "verdicts, by `verdict` (`pass`, `fail`, `inconclusive`), `reason` (of inconclusive ones) and `app`",
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
    says: "duration of an append to the journal, by `result` (`appended`, `conflict`, `fenced`, `lost`)",
  },
  recoveries: {
    name: "ballast.recoveries",
    kind: "counter",
    unit: "{rollout}",
    says: "rollouts that this process recovered, by `app`",
  },
  undelivered: {
    name: "ballast.notifications.undelivered",
    kind: "counter",
    unit: "{attempt}",
    says: "failed attempts to deliver to a `notifier`; each is retried",
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
