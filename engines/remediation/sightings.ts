// Parsed alerts → what the guards see of them: the declared target of each, whether a policy covers it, and the most
// severe first. What a fact holds of a storm is cut to a size, and what was left out is counted.
import type { Alert, ParsedAlert } from "./alerts/alert.ts";
import type { Policy } from "./policy.ts";
import { type Declared, targetOf } from "./targets.ts";
import type { Sighting } from "./views.ts";

/** Gives the alerts as sightings. What could not be parsed is nobody's alert, and is counted as refused. */
export function sightingsOf(
  parsed: readonly ParsedAlert[],
  graph: readonly Declared[],
  policies: readonly Policy[],
): { readonly alerts: readonly Sighting[]; readonly refused: readonly string[] } {
  const alerts = parsed.flatMap((each) => ("alert" in each ? [sightingOf(each.alert, graph, policies)] : []));
  return {
    alerts: mostSevereFirst(alerts),
    refused: parsed.flatMap((each) => ("refused" in each ? [each.refused] : [])),
  };
}

/** Gives fired alerts before others, the most severe first, and of equal ones the newest. */
export const mostSevereFirst = (alerts: readonly Sighting[]): readonly Sighting[] =>
  alerts.toSorted(
    (one, other) =>
      Number(one.resolvedAt !== null) - Number(other.resolvedAt !== null) ||
      one.severity - other.severity ||
      other.firedAt - one.firedAt,
  );

/** The most alerts of one situation. */
const sightingsMax = 200;

/** Gives as many alerts as a fact can hold, in their order, and how many are left out. */
export const cutToFact = (alerts: readonly Sighting[]): { alerts: readonly Sighting[]; leftOut: number } => ({
  alerts: alerts.slice(0, sightingsMax),
  leftOut: Math.max(0, alerts.length - sightingsMax),
});

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
