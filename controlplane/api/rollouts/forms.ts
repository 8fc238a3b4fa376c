// Body of a call → what it asks for. The forms are also what callers are told (openapi.ts), so that the two cannot part. What
// makes a good plan as a whole is the engine's affair.

import {
  type Form,
  line,
  list,
  number,
  object,
  oneOf,
  optional,
  type Parsed,
  read,
  text,
} from "../../../engines/form.ts";
import { checkIntent, type Range, ranges } from "../../../engines/rollout/plan.ts";
import type {
  Gate,
  Limits,
  OutsideWeights,
  Pace,
  PersonalSignal,
  ReleaseIntent,
} from "../../../engines/rollout/vocabulary.ts";

/** What a release asks for in the body of its call. */
export interface AskedRelease
  extends Pick<ReleaseIntent, "release" | "pace" | "limits" | "probePath" | "outsideWeights"> {
  readonly gate: Gate | undefined;
  readonly shadow: Limits | undefined;
  readonly whenInFlight: "refuse" | "supersede";
}

const numbers = <Key extends string>(among: Readonly<Record<Key, Range>>): Readonly<Record<Key, Form<number>>> =>
  Object.fromEntries(Object.entries<Range>(among).map(([key, range]) => [key, number(range)])) as Record<
    Key,
    Form<number>
  >;

/** What a pace looks like, and what limits do. */
export const paceForm: Form<Pace> = object({
  weights: list(number(ranges.weight), ranges.steps),
  ...numbers(ranges.pace),
});
export const limitsForm: Form<Limits> = object(numbers(ranges.limits));

/** The body of a release. */
export const releaseForm: Form<AskedRelease> = object({
  release: line(200),
  pace: paceForm,
  limits: limitsForm,
  shadow: optional<Limits | undefined>(limitsForm, undefined),
  probePath: text("a path: it begins with / and has no spaces", 1024, "^/[\\x21-\\x7e]*$"),
  outsideWeights: optional(oneOf<OutsideWeights>(["restore", "adopt"]), "restore"),
  gate: optional<Gate | undefined>(object(numbers(ranges.gate)), undefined),
  whenInFlight: optional(oneOf(["refuse", "supersede"]), "refuse"),
});

/** Reads the body of a release. */
export function readRelease(body: unknown): Parsed<AskedRelease> {
  const asked = read(releaseForm, body);
  if ("complaints" in asked) return asked;
  const complaints = checkIntent(asked.value);
  return complaints.length === 0 ? asked : { complaints };
}

/** The body of a signal. Only the next release may supersede, so nobody can send that. */
export const signalForm: Form<{ readonly signal: PersonalSignal; readonly reason: string }> = object({
  signal: oneOf<PersonalSignal>(["pause", "resume", "approve", "promote", "abort", "retry"]),
  reason: line(500),
});

/** Reads the body of a signal. */
export const readSignal = (body: unknown): Parsed<{ readonly signal: PersonalSignal; readonly reason: string }> =>
  read(signalForm, body);

/** The body of a hold: it ends by itself, and soon, since whoever took it may die. */
export const holdForm: Form<{ readonly seconds: number }> = object({ seconds: number({ above: 0, most: 120 }) });

/** Reads the body of a hold. */
export const readHold = (body: unknown): Parsed<{ readonly seconds: number }> => read(holdForm, body);
