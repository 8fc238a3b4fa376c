// Reads the bodies of calls. The API description is made from the same forms (openapi.ts), so that the two cannot
// differ. The engine checks whether a release plan makes sense as a whole.

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
  OutsideWeights,
  PersonalSignal,
  ReleaseIntent,
  Strategy,
  Thresholds,
} from "../../../engines/rollout/vocabulary.ts";

/** The body of a release, as read. */
export interface AskedRelease
  extends Pick<ReleaseIntent, "release" | "strategy" | "thresholds" | "probePath" | "outsideWeights"> {
  readonly gate: Gate | undefined;
  readonly dryRun: Thresholds | undefined;
  readonly whenInFlight: "refuse" | "supersede";
}

const numbers = <Key extends string>(among: Readonly<Record<Key, Range>>): Readonly<Record<Key, Form<number>>> =>
  Object.fromEntries(Object.entries<Range>(among).map(([key, range]) => [key, number(range)])) as Record<
    Key,
    Form<number>
  >;

/** The forms of a strategy and of thresholds. */
export const strategyForm: Form<Strategy> = object({
  weights: list(number(ranges.weight), ranges.steps),
  ...numbers(ranges.strategy),
});
export const thresholdsForm: Form<Thresholds> = object(numbers(ranges.thresholds));

/** The form of a release's body. */
export const releaseForm: Form<AskedRelease> = object({
  release: line(200),
  strategy: strategyForm,
  thresholds: thresholdsForm,
  dryRun: optional<Thresholds | undefined>(thresholdsForm, undefined),
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

/** The form of a signal's body. Only the next release can supersede, so `supersede` is not among them. */
export const signalForm: Form<{ readonly signal: PersonalSignal; readonly message: string }> = object({
  signal: oneOf<PersonalSignal>(["pause", "resume", "approve", "promote", "abort", "retry"]),
  message: line(500),
});

/** Reads the body of a signal. */
export const readSignal = (body: unknown): Parsed<{ readonly signal: PersonalSignal; readonly message: string }> =>
  read(signalForm, body);

/** The form of a lock's body. A lock expires by itself, and soon, because its holder may die. */
export const lockForm: Form<{ readonly seconds: number }> = object({ seconds: number({ above: 0, most: 120 }) });

/** Reads the body of a lock. */
export const readLockBody = (body: unknown): Parsed<{ readonly seconds: number }> => read(lockForm, body);
