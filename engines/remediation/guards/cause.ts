// Guards that look at alerts of other targets. An incident is a cause, not an alert: if the cause is something that
// several targets depend on, no restart of any of them helps, and one person is called once.
import { groupedBy } from "../../grouped.ts";
import type { TargetKey } from "../../targets.ts";
import { secondsBetween } from "../../time.ts";
import { dependenciesOf } from "../targets.ts";
import type { Sighting } from "../vocabulary.ts";
import { end, type Finding, type Guard, type Guarded, pass } from "./guard.ts";

type Targeted = Sighting & { readonly target: TargetKey };

const isFired = ({ resolvedAt }: Sighting): boolean => resolvedAt === null;

/**
 * Gives the fired alerts that name a declared target, this incident's own included. A budget that has been used up over
 * days explains nothing that has just begun.
 */
function firedOn({ incident, situation }: Guarded): readonly Targeted[] {
  const { alert, target } = incident;
  const own: Targeted = {
    id: alert.id,
    kind: alert.kind,
    rule: alert.rule,
    severity: alert.severity,
    firedAt: alert.firedAt,
    target,
    covered: true,
    resolvedAt: null,
  };
  const others = (situation.alerts ?? []).filter(
    (each): each is Targeted =>
      isFired(each) && each.target !== null && each.id !== alert.id && each.kind !== "objective",
  );
  return [own, ...others];
}

/** Of several incidents of one cause, the one whose alert fired first calls a person; the others name it. */
function isFirst({ incident: { alert }, limits }: Guarded, group: readonly Targeted[]): boolean {
  return !group.some(
    ({ covered, id, firedAt }) =>
      covered &&
      secondsBetween(firedAt, alert.firedAt) <= limits.correlationSeconds &&
      (firedAt < alert.firedAt || (firedAt === alert.firedAt && id < alert.id)),
  );
}

/** Ends the incidents of one cause: the first calls a person, as does every critical one; the others refer to it. */
function endAll(
  guarded: Guarded,
  group: readonly Targeted[],
  reason: "common-cause" | "storm",
  message: string,
): Finding {
  const calls = isFirst(guarded, group) || guarded.incident.alert.severity === 0;
  return calls
    ? end("person-called", reason, message)
    : end("attributed", reason, `${message}; the incident that began first calls a person`);
}

/** Looks for the cause among what the target depends on, and at the platform itself. */
export const cause: Guard = (guarded) => {
  const { incident, situation, state } = guarded;
  const { target } = incident;
  const upstream = dependenciesOf(target, state.graph);
  const platform = (situation.alerts ?? []).find(
    (each) =>
      isFired(each) &&
      (each.kind === "service-health" ||
        (each.kind === "resource-health" && each.target !== null && [target, ...upstream].includes(each.target))),
  );
  if (platform !== undefined)
    return end("attributed", "platform-cause", `Azure reports trouble of its platform (${platform.rule})`);
  const alerts = firedOn(guarded);
  const sick = upstream.filter((each) => alerts.some((alert) => alert.target === each));
  const root = sick.find((each) => !dependenciesOf(each, state.graph).some((below) => sick.includes(below))) ?? sick[0];
  if (root !== undefined) return end("attributed", "upstream-cause", `${root}, on which it depends, has an alert`);
  const suspect = suspectOf(guarded, alerts, upstream);
  if (suspect === undefined) return pass("nothing that it depends on explains the alert");
  const { on, group, dependents } = suspect;
  return endAll(
    guarded,
    group,
    "common-cause",
    `${targetsIn(group)} of the ${dependents} targets that depend on ${on} have alerts, so it is the suspected cause`,
  );
};

const targetsIn = (alerts: readonly Targeted[]): number => new Set(alerts.map(({ target }) => target)).size;

/**
 * Gives the dependency that explains most alerts: at least two of the targets that depend on it have one, and at least
 * half of them. A dependency that has no other dependents explains nothing that the target itself does not.
 */
function suspectOf({ state: { graph } }: Guarded, alerts: readonly Targeted[], upstream: readonly TargetKey[]) {
  const suspects = upstream.flatMap((on) => {
    const dependents = graph.map(({ target }) => target).filter((each) => dependenciesOf(each, graph).includes(on));
    const group = alerts.filter((alert) => dependents.includes(alert.target));
    const sick = targetsIn(group);
    return sick >= 2 && sick * 2 >= dependents.length ? [{ on, group, sick, dependents: dependents.length }] : [];
  });
  return suspects.toSorted((one, other) => other.sick - one.sick)[0];
}

/** Alerts on many targets at once that nothing declared explains: whatever it is, a restart of one of them is none. */
export const storm: Guard = (guarded) => {
  const alerts = firedOn(guarded);
  const targets = groupedBy(alerts, ({ target }) => target).length;
  const { stormTargetsMax } = guarded.limits;
  return targets > stormTargetsMax
    ? endAll(guarded, alerts, "storm", `${targets} targets have alerts at once; at most ${stormTargetsMax} may`)
    : pass(`targets with alerts: ${targets}, of at most ${stormTargetsMax}`);
};
