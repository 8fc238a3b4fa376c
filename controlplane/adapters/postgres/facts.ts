// The stored form of a fact: how it is written, how it is read, and when it finishes its stream. Facts are checked when
// they are read, because the journal outlives every version of this code.

import { defaultThresholds } from "../../../engines/rollout/plan.ts";
import { endReasons, waitReasons } from "../../../engines/rollout/reasons.ts";
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
} from "../../../engines/rollout/vocabulary.ts";
import { journalFactUnknown } from "../../../errors/journal.ts";
import type { Fact } from "../../runtime/ports.ts";
import type { ChainedFact } from "./chain.ts";

type Schema = Readonly<Record<string, unknown>>;
/**
 * Gives the value if it has the right shape, else throws with the place that has not. It carries the shape
 * as JSON Schema.
 */
type Reader<Value> = ((given: unknown, at: string) => Value) & { readonly schema: Schema; readonly mayBeAbsent?: true };
type Fields<Shape> = {
  readonly [Key in keyof Shape]-?: Reader<Shape[Key] | (undefined extends Shape[Key] ? undefined : never)>;
};

class Misshapen extends Error {}

const refuse = (at: string, wanted: string): never => {
  throw new Misshapen(`${at} is not ${wanted}`);
};

const reader = <Value>(schema: Schema, read: (given: unknown, at: string) => Value): Reader<Value> =>
  Object.assign(read, { schema });

const text = reader({ type: "string" }, (given, at) => (typeof given === "string" ? given : refuse(at, "a text")));
const number = reader({ type: "number" }, (given, at) => (typeof given === "number" ? given : refuse(at, "a number")));
const flag = reader({ type: "boolean" }, (given, at) =>
  typeof given === "boolean" ? given : refuse(at, "true or false"),
);

const oneOf = <Word extends string>(words: { readonly [Each in Word]: unknown }): Reader<Word> =>
  reader({ type: "string", enum: Object.keys(words) }, (given, at) =>
    typeof given === "string" && Object.hasOwn(words, given)
      ? (given as Word)
      : refuse(at, `one of ${Object.keys(words).join(", ")}`),
  );

const nullable = <Value>(inner: Reader<Value>): Reader<Value | null> =>
  reader({ anyOf: [inner.schema, { type: "null" }] }, (given, at) => (given === null ? null : inner(given, at)));
const optional = <Value>(inner: Reader<Value>): Reader<Value | undefined> =>
  Object.assign(
    reader(inner.schema, (given, at) => (given === undefined ? undefined : inner(given, at))),
    { mayBeAbsent: true as const },
  );

const listOf = <Value>(inner: Reader<Value>): Reader<readonly Value[]> =>
  reader({ type: "array", items: inner.schema }, (given, at) =>
    Array.isArray(given) ? given.map((each, index) => inner(each, `${at}[${index}]`)) : refuse(at, "a list"),
  );

/** Reads the named fields, in this order, and ignores others: a newer version may have written more. */
const record = <Shape>(fields: Fields<Shape>): Reader<Shape> =>
  reader(schemaOf(fields), (given, at) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return refuse(at, "a record");
    const source = given as Record<string, unknown>;
    const found = Object.entries<Reader<unknown>>(fields).map(
      ([key, inner]) => [key, inner(source[key], `${at}.${key}`)] as const,
    );
    return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Shape;
  });

/** Reads a record of an older version too: fields that it did not have yet get their defaults. */
const completed = <Shape extends object>(defaults: Shape, inner: Reader<Shape>): Reader<Shape> =>
  reader(inner.schema, (given, at) =>
    inner(typeof given === "object" && given !== null ? { ...defaults, ...given } : given, at),
  );

/** The shape of a record as it is read: these fields and no others. */
function schemaOf(fields: object): Schema {
  const entries = Object.entries<Reader<unknown>>(fields as Record<string, Reader<unknown>>);
  const properties = Object.fromEntries(entries.map(([key, { schema }]) => [key, schema]));
  return {
    type: "object",
    properties,
    required: entries.filter(([, { mayBeAbsent }]) => !mayBeAbsent).map(([key]) => key),
    additionalProperties: false,
  };
}

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
const result = oneOf<RolloutResult>({
  promoted: true,
  "rolled-back": true,
  rejected: true,
  unchanged: true,
  degraded: true,
});
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

type Kind = RolloutEvent["kind"];
type FieldsOf<Each extends Kind> = Omit<Extract<RolloutEvent, { kind: Each }>, "kind" | "at">;

/** The shape of every fact that was ever written. A field that is added later stays optional here for good. */
const shapes: { readonly [Each in Kind]: Reader<FieldsOf<Each>> } = {
  Planned: record({ intent, steps: listOf(number) }),
  Inspected: record({ view }),
  Activated: record({}),
  Probed: record({ good: flag, detail: text, running: text }),
  TrafficShifted: record<FieldsOf<"TrafficShifted">>({ weights: listOf(weight), mayLand: optional(landing) }),
  TrafficRead: record<FieldsOf<"TrafficRead">>({
    weights: listOf(weight),
    deactivated: optional(listOf(text)),
    lockedUntil: optional(number),
  }),
  Waited: record({}),
  Measured: record({ buckets: listOf(bucket), to: number }),
  Deactivated: record({}),
  AttemptFailed: record<FieldsOf<"AttemptFailed">>({ effect: effectKind, message: text, mayLand: optional(landing) }),
  Signalled: record({ signal: signalName, by: text, message: text }),
  Started: record({ stable: nullable(text), activate: flag }),
  FoundUnchanged: record({ stable: text, untouched: flag, message: text }),
  SmokePassed: record({}),
  StepReached: record({ percent: number }),
  TrafficDrifted: record<FieldsOf<"TrafficDrifted">>({
    percent: number,
    seenPercent: number,
    deactivated: optional(listOf(text)),
  }),
  TrafficMoved: record({ percent: number, seenPercent: number }),
  TrafficAdopted: record({ percent: number }),
  Waiting: record({ reason: waitReason, message: text }),
  DryRunJudged: record<FieldsOf<"DryRunJudged">>({
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

/** The shapes of events, as JSON Schema, for readers of a journal. */
export const eventSchema: Schema = {
  oneOf: Object.entries(shapes).map(([kind, { schema }]) => {
    const { properties, required } = schema as { readonly properties: Schema; readonly required: readonly string[] };
    return {
      ...schema,
      properties: { kind: { const: kind }, at: number.schema, ...properties },
      required: ["kind", "at", ...required],
    };
  }),
};

/** Checks a fact that the store returned. @throws journal-fact-unknown */
export function parseFact(stored: ChainedFact): Fact {
  try {
    const { kind, at } = record<{ kind: Kind; at: number }>({
      kind: oneOf(shapes as unknown as { readonly [Each in Kind]: true }),
      at: number,
    })(stored.event, "fact");
    const event = { kind, at, ...shapes[kind](stored.event, kind) } as RolloutEvent;
    return {
      stream: stored.stream,
      index: stored.index,
      event,
      process: stored.process,
      epoch: stored.epoch,
      hash: stored.hash,
    };
  } catch (error) {
    if (!(error instanceof Misshapen)) throw error;
    throw journalFactUnknown({ stream: stored.stream, index: stored.index, why: error.message });
  }
}

/**
 * Writes events as text that PostgreSQL accepts. Texts from outside may contain lone surrogates or NUL;
 * PostgreSQL rejects both.
 */
export const eventsAsText = (events: readonly RolloutEvent[]): string =>
  JSON.stringify(events, (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : value,
  );

/** Reports whether a stream is finished after these events; undefined if they do not change that. */
export function finishes(events: readonly RolloutEvent[]): boolean | undefined {
  const last = events.findLast(
    (event) => event.kind === "Finished" || (event.kind === "Signalled" && event.signal === "retry"),
  );
  return last && last.kind === "Finished";
}
