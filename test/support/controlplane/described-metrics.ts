// Every metric that the control plane describes: its own, and for each kind of work the streams under way and what the
// kind measures itself.
import { metrics, underWayOf } from "../../../controlplane/adapters/telemetry/instruments.ts";
import type { Metric } from "../../../engines/kind.ts";
import { kinds } from "../../../engines/kinds.ts";

export const describedMetrics = [
  ...Object.values(metrics),
  ...kinds.all.flatMap((kind) => [
    underWayOf(kind),
    ...Object.values(kind.telemetry.metrics as Record<string, Metric>),
  ]),
];
