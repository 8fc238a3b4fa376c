// Parsed alerts → what the guards see of them: the declared target of each, whether a policy covers it, and the most
// severe first. A storm is cut to a size that a fact can hold, and what was left out is counted.
import type { Alert, ParsedAlert } from "./alerts/alert.ts";
import type { Policy } from "./policy.ts";
import { type Declared, targetOf } from "./targets.ts";
import type { Sighting } from "./views.ts";

/** The most alerts of one situation. */
const sightingsMax = 200;

/** Gives the alerts as sightings. What could not be parsed is nobody's alert, and is counted as refused. */
export function sightingsOf(
  parsed: readonly ParsedAlert[],
  graph: readonly Declared[],
  policies: readonly Policy[],
): { readonly alerts: readonly Sighting[]; readonly leftOut: number; readonly refused: readonly string[] } {
  const alerts = parsed.flatMap((each) => ("alert" in each ? [sightingOf(each.alert, graph, policies)] : []));
  const sorted = alerts.toSorted(
    (one, other) =>
      Number(one.resolvedAt !== null) - Number(other.resolvedAt !== null) ||
      one.severity - other.severity ||
      other.firedAt - one.firedAt,
  );
  return {
    alerts: sorted.slice(0, sightingsMax),
    leftOut: Math.max(0, sorted.length - sightingsMax),
    refused: parsed.flatMap((each) => ("refused" in each ? [each.refused] : [])),
  };
}

function sightingOf(alert: Alert, graph: readonly Declared[], policies: readonly Policy[]): Sighting {
  const { id, kind, rule, severity, firedAt, condition, resolvedAt = firedAt, trace } = alert;
  const target = targetOf(alert, graph) ?? null;
  const covered = policies.some((policy) => policy.rule === rule && target !== null && policy.targets.includes(target));
  return {
    id,
    kind,
    rule,
    severity,
    target,
    covered,
    firedAt,
    resolvedAt: condition === "resolved" ? resolvedAt : null,
    ...(trace === undefined ? {} : { trace }),
  };
}
