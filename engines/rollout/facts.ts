// The stored form of a rollout's facts. A field that is added later stays optional here for good, because journals
// outlive the code that wrote them.
import {
  codecOf,
  completed,
  type FieldsOf,
  flag,
  listOf,
  nullable,
  number,
  oneOf,
  optional,
  type Reader,
  record,
  text,
} from "../codec.ts";
import { defaultThresholds } from "./plan.ts";
import { endReasons, waitReasons } from "./reasons.ts";
import { results } from "./summary.ts";
import type {
  AppView,
  Bucket,
  Durations,
  Gate,
  Labels,
  Landing,
  OutsideWeights,
  ReleaseIntent,
  RevisionView,
  RolloutEffect,
  RolloutEvent,
  RolloutResult,
  SignalName,
  Strategy,
  Tally,
  Target,
  Thresholds,
  Verdict,
  Weight,
} from "./vocabulary.ts";

const target = record<Target>({ resourceGroup: text, app: text });
const weight = record<Weight>({ revision: text, percent: number });
const landing = record<Landing>({ weights: listOf(weight), until: number });
const tally = record<Tally>({
  requests: number,
  failed: number,
  refused: optional(number),
  durations: optional(record<Durations>({ from: number, counts: listOf(number) })),
});
const bucket = record<Bucket>({ at: number, canary: tally, stable: tally });
const strategy = record<Strategy>({
  weights: listOf(number),
  bakeSeconds: number,
  warmUpSeconds: number,
  intervalSeconds: number,
  probeSeconds: number,
  smokeSeconds: number,
  maximumSeconds: number,
});
const thresholds = completed(
  defaultThresholds,
  record<Thresholds>({
    falseRollbackPercentMax: number,
    falsePromotionPercentMax: number,
    oddsTolerated: number,
    slowdownTolerated: number,
    failurePointsMax: number,
    ceilingPercent: number,
    ceilingRequests: number,
    stableFailurePercentMax: number,
    probeFailuresMax: number,
  }),
);
const intent = record<ReleaseIntent>({
  target,
  revision: text,
  release: text,
  strategy,
  thresholds,
  dryRun: optional(thresholds),
  probePath: text,
  outsideWeights: optional(oneOf<OutsideWeights>({ restore: true, adopt: true })),
  gate: optional(record<Gate>({ beforePercent: number, expiresSeconds: number })),
  requestedBy: text,
});
const signalName = oneOf<SignalName>({
  pause: true,
  resume: true,
  approve: true,
  promote: true,
  abort: true,
  retry: true,
  supersede: true,
});
const result = oneOf<RolloutResult>(results);
const endReason = oneOf(endReasons);
const waitReason = oneOf(waitReasons);
const revision = record<RevisionView>({
  name: text,
  active: flag,
  running: text,
  health: text,
  templateHash: text,
  minReplicas: optional(number),
});
const labels = record<Labels>({ stable: optional(text), canary: optional(text) });
const view = record<AppView>({
  weights: listOf(weight),
  revisions: listOf(revision),
  labels: optional(labels),
  mode: optional(text),
  ingress: optional(oneOf({ http: true, tcp: true, none: true })),
  sticky: optional(flag),
});
const effectKind = oneOf<RolloutEffect["kind"]>({
  Inspect: true,
  Activate: true,
  Probe: true,
  ShiftTraffic: true,
  VerifyTraffic: true,
  Wait: true,
  AwaitSignal: true,
  Measure: true,
  Deactivate: true,
});

/** The shape of every fact that was ever written. A field that is added later stays optional here for good. */
const shapes: { readonly [Each in RolloutEvent["kind"]]: Reader<FieldsOf<RolloutEvent, Each>> } = {
  Planned: record({ intent, steps: listOf(number) }),
  Inspected: record({ view }),
  Activated: record({}),
  Probed: record({ good: flag, detail: text, running: text }),
  TrafficShifted: record<FieldsOf<RolloutEvent, "TrafficShifted">>({
    weights: listOf(weight),
    mayLand: optional(landing),
  }),
  TrafficRead: record<FieldsOf<RolloutEvent, "TrafficRead">>({
    weights: listOf(weight),
    deactivated: optional(listOf(text)),
    lockedUntil: optional(number),
  }),
  Waited: record({}),
  Measured: record({ buckets: listOf(bucket), to: number }),
  Deactivated: record({}),
  AttemptFailed: record<FieldsOf<RolloutEvent, "AttemptFailed">>({
    effect: effectKind,
    message: text,
    mayLand: optional(landing),
  }),
  Signalled: record({ signal: signalName, by: text, message: text }),
  Started: record({ stable: nullable(text), activate: flag }),
  FoundUnchanged: record({ stable: text, untouched: flag, message: text }),
  SmokePassed: record({}),
  StepReached: record({ percent: number }),
  TrafficDrifted: record<FieldsOf<RolloutEvent, "TrafficDrifted">>({
    percent: number,
    seenPercent: number,
    deactivated: optional(listOf(text)),
  }),
  TrafficMoved: record({ percent: number, seenPercent: number }),
  TrafficAdopted: record({ percent: number }),
  Waiting: record({ reason: waitReason, message: text }),
  DryRunJudged: record<FieldsOf<RolloutEvent, "DryRunJudged">>({
    verdict: oneOf<Verdict["verdict"]>({ pass: true, fail: true, inconclusive: true }),
    reason: optional(waitReason),
    message: text,
  }),
  StepPassed: record({ percent: number, message: text }),
  Aborted: record({ reason: endReason, message: text, by: text }),
  Reverted: record({}),
  Disregarded: record({ what: text }),
  Finished: record({ result, reason: endReason, message: text }),
};

/** Reads the facts of rollouts. */
export const facts = codecOf<RolloutEvent>(shapes);

/** Reports whether a rollout is finished after these events; undefined if they do not change that. */
export function finishes(events: readonly RolloutEvent[]): boolean | undefined {
  const last = events.findLast(
    (event) => event.kind === "Finished" || (event.kind === "Signalled" && event.signal === "retry"),
  );
  return last && last.kind === "Finished";
}
