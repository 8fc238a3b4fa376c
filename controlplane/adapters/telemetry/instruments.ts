// The metrics of the control plane: their names, units and meanings. Each kind of work adds its own. A table in
// docs/guides/telemetry.md is compared with this file by a test, and the alerts query the metrics by name.
import type { Counter, Histogram, Meter, MetricOptions, ObservableGauge } from "@opentelemetry/api";
import type { AnyKind, Metric } from "../../../engines/kind.ts";

/** The metrics that belong to no kind of work, by their names in the code. */
export const metrics = {
  heartbeat: {
    name: "ballast.heartbeat",
    kind: "gauge",
    unit: "1",
    says: "1 on each report of the process, by whether the `journal` answered (`reachable`, `unreachable`)",
  },
  effects: {
    name: "ballast.effects",
    kind: "histogram",
    unit: "s",
    says: "duration of an effect, by `effect`, `result` (`ok`, `failed`, `cut`), `phase` and the target, such as `app`",
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
    unit: "{stream}",
    says: "streams that this process recovered, by target, such as `app`",
  },
  undelivered: {
    name: "ballast.notifications.undelivered",
    kind: "counter",
    unit: "{attempt}",
    says: "failed attempts to deliver to a `notifier`; each is retried",
  },
} as const;

type Meters = { readonly gauge: ObservableGauge; readonly histogram: Histogram; readonly counter: Counter };

/** The instruments that the metrics are measured with. */
export type Instruments = { readonly [Each in keyof typeof metrics]: Meters[(typeof metrics)[Each]["kind"]] };

/** The instruments of one kind of work: how many of its streams are under way, and its own metrics. */
export interface KindInstruments {
  readonly underWay: ObservableGauge;
  readonly own: Readonly<Record<string, Counter | Histogram>>;
}

/** Gives the metric of the streams of a kind that have not ended. */
export const underWayOf = ({ kind, calls: { plural } }: AnyKind) =>
  ({
    name: `ballast.${plural}.under_way`,
    kind: "gauge",
    unit: `{${kind}}`,
    says: `${plural} that have not ended, by \`phase\`; every replica reports all of them`,
  }) as const;

const optionsOf = ({ unit, says }: { readonly unit: string; readonly says: string }): MetricOptions => ({
  unit,
  description: says,
});

/** Makes the instruments. */
export function instrumentsOf(meter: Meter): Instruments {
  const make: { readonly [Each in keyof Meters]: (name: string, options: MetricOptions) => Meters[Each] } = {
    gauge: (name, options) => meter.createObservableGauge(name, options),
    histogram: (name, options) => meter.createHistogram(name, options),
    counter: (name, options) => meter.createCounter(name, options),
  };
  return Object.fromEntries(
    Object.entries(metrics).map(([key, metric]) => [key, make[metric.kind](metric.name, optionsOf(metric))]),
  ) as unknown as Instruments;
}

/** Makes the instruments of a kind. */
export function kindInstrumentsOf(meter: Meter, kind: AnyKind): KindInstruments {
  const own = Object.entries<Metric>(kind.telemetry.metrics).map(([key, metric]) => [
    key,
    metric.kind === "counter"
      ? meter.createCounter(metric.name, optionsOf(metric))
      : meter.createHistogram(metric.name, optionsOf(metric)),
  ]);
  const underWay = underWayOf(kind);
  return {
    underWay: meter.createObservableGauge(underWay.name, optionsOf(underWay)),
    own: Object.fromEntries(own),
  };
}
