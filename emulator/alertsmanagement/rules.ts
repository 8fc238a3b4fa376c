// Evaluates alert rules at their frequency on the emulator's clock, and carries out their actions. How a kind of rules
// sees its resource is in log-rules.ts and metric-rules.ts. A rule that this emulator cannot evaluate is reported once
// and never fires.
import { randomUUID } from "node:crypto";
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { deliveriesOf } from "../delivery/deliveries.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import { type Alert, alertBookOf, type RuleBook } from "./alert-book.ts";
import { logRules } from "./log-rules.ts";
import { metricRules } from "./metric-rules.ts";
import { commonPayload } from "./payloads.ts";
import type { RuleKind } from "./rule-kind.ts";
import { type Change, step } from "./steps.ts";

const kinds: readonly RuleKind[] = [logRules, metricRules];
const kindOf = ({ type }: Resource): RuleKind | undefined => kinds.find((each) => each.type === type);
const appointment = "rule";
// After a long jump of the clock only the newest evaluations are made: a rule looks back two days at most.
const caughtUpMilliseconds = 2 * 86_400_000;
const reported = new WeakMap<Cloud, Set<string>>();

const isEnabled = ({ body }: Pick<Resource, "body">): boolean => body["properties"].enabled !== false;
const frequencyOf = ({ body }: Pick<Resource, "body">): number =>
  isoMilliseconds(String(body["properties"].evaluationFrequency))!;

/** Begins to evaluate the rules of a cloud. */
export function watchRules(cloud: Cloud): void {
  const scheduler = schedulerOf(cloud);
  const rules = (): readonly Resource[] => cloud.store.list().filter((each) => kindOf(each) !== undefined);
  scheduler.handle(
    appointment,
    ({ key, at }, now) => {
      const rule = cloud.store.get(key.slice(appointment.length + 1));
      if (!rule || !isEnabled(rule)) return undefined;
      const next = at + frequencyOf(rule);
      const skipped = Math.max(0, Math.floor((now - caughtUpMilliseconds - next) / frequencyOf(rule)));
      scheduler.at(next + skipped * frequencyOf(rule), key);
      evaluateRule(cloud, rule, at);
      return undefined;
    },
    () => {
      for (const rule of rules()) scheduleRule(cloud, rule);
    },
  );
  for (const rule of rules()) if (scheduler.timeOf(keyOfRule(rule.id)) === undefined) scheduleRule(cloud, rule);
}

const keyOfRule = (id: string): string => `${appointment} ${id.toLowerCase()}`;

/** Makes the appointment for the next evaluation of a rule that was written, or cancels it. */
export function scheduleRule(cloud: Cloud, rule: Pick<Resource, "id" | "body">): void {
  const scheduler = schedulerOf(cloud);
  const key = keyOfRule(rule.id);
  if (!isEnabled(rule)) return scheduler.cancel(key);
  // A rule that is written again and again is evaluated all the same.
  scheduler.at(Math.min(scheduler.timeOf(key) ?? Infinity, cloud.clock.now() + frequencyOf(rule)), key);
}

/** Forgets the appointment of a rule that was deleted. Its alerts stay as they are. */
export const forgetRule = (cloud: Cloud, { id }: Resource): void => schedulerOf(cloud).cancel(keyOfRule(id));

function evaluateRule(cloud: Cloud, rule: Resource, at: number): void {
  const kind = kindOf(rule)!;
  const { properties } = rule.body;
  const found = kind.look(cloud, rule, at);
  if (typeof found === "string") return report(cloud, rule, found);
  const book = alertBookOf(cloud);
  const before = book.of(rule.id);
  const { changes, series } = step(properties, before, found, at, kind.cleanNeeded(properties));
  const { told, ...after } = applied(kind, rule, before, changes, series, at);
  book.write(rule.id, after);
  for (const alert of told) tell(cloud, kind, rule, alert);
}

function report(cloud: Cloud, { id, body }: Resource, why: string): void {
  const known = reported.get(cloud) ?? new Set();
  if (!known.has(id)) cloud.log(`the rule ${body["name"]} cannot be evaluated: ${why}`);
  reported.set(cloud, known.add(id));
}

/** Adds new alerts, resolves others, remembers which alert a series has, and gives those whose actions are due. */
function applied(
  kind: RuleKind,
  rule: Resource,
  before: RuleBook,
  changes: readonly Change[],
  series: RuleBook["series"],
  at: number,
): RuleBook & { readonly told: readonly Alert[] } {
  const isStateful = rule.body["properties"].autoMitigate === true;
  const states = { ...series };
  const alerts = new Map(before.alerts.map((alert) => [alert.id, alert]));
  const told: Alert[] = [];
  for (const change of changes) {
    const known = alerts.get(before.series[change.key]?.alertId ?? "");
    const isFired = change.change === "fired";
    const alert = isFired ? firedAlert(kind, rule, change, at) : known && resolvedAlert(known, at);
    if (alert === undefined) continue;
    alerts.set(alert.id, alert);
    if (isFired && isStateful) states[change.key] = { ...states[change.key]!, alertId: alert.id };
    if (change.isTold) told.push(alert);
  }
  return { alerts: [...alerts.values()], series: states, told };
}

function firedAlert(kind: RuleKind, rule: Resource, { key, series }: Change, at: number): Alert {
  const { properties, name } = rule.body;
  const condition: Body = properties.criteria.allOf[Number(key.split(" ", 1)[0])];
  return {
    id: randomUUID(),
    ruleId: rule.id,
    ruleName: String(name),
    severity: Number(properties.severity),
    targetResource: String(properties.scopes[0]),
    firedAt: at,
    resolvedAt: null,
    state: "New",
    lastModifiedAt: at,
    lastModifiedBy: "System",
    context: kind.contextOf(rule, condition, series!, at),
    history: [{ event: "AlertCreated", at, oldValue: "", newValue: "New" }],
  };
}

const resolvedAlert = (alert: Alert, at: number): Alert => ({
  ...alert,
  resolvedAt: at,
  lastModifiedAt: at,
  history: [...alert.history, { event: "MonitorConditionChange", at, oldValue: "Fired", newValue: "Resolved" }],
});

/** Sends an alert to the webhooks of the rule's action groups. Other receivers get nothing from this emulator. */
function tell(cloud: Cloud, kind: RuleKind, rule: Resource, alert: Alert): void {
  const groups = kind.actionGroupsOf(rule.body["properties"]).map((id) => cloud.store.get(id));
  for (const group of groups) {
    if (group === undefined || group.body["properties"].enabled === false) continue;
    for (const { name, serviceUri, useCommonAlertSchema } of (group.body["properties"].webhookReceivers ??
      []) as Body[])
      if (useCommonAlertSchema === true)
        deliveriesOf(cloud).send({
          to: String(serviceUri),
          body: JSON.stringify(commonPayload(rule, alert)),
          headers: {},
          policy: "actionGroup",
          deadLetter: false,
        });
      else cloud.log(`the receiver ${name} gets nothing: the emulator sends alerts in the common schema only`);
  }
}
