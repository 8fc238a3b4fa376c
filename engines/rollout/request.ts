// What a request for a rollout and its signals look like. The API reads bodies by these forms and describes itself from
// them, so that the two cannot differ.

import { checked, type Form, line, list, number, object, oneOf, optional, type Range, text } from "../form.ts";
import type { Asked } from "../kind.ts";
import { appKey } from "../targets.ts";
import { checkIntent, ranges } from "./plan.ts";
import type {
  Gate,
  OutsideWeights,
  PersonalSignal,
  ReleaseIntent,
  Strategy,
  Target,
  Thresholds,
} from "./vocabulary.ts";

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

/** The body of a request for a rollout. The engine's own check says whether the plan makes sense as a whole. */
export const releaseForm: Form<AskedRelease> = checked(
  object({
    release: line(200),
    strategy: strategyForm,
    thresholds: thresholdsForm,
    dryRun: optional<Thresholds | undefined>(thresholdsForm, undefined),
    probePath: text("a path: it begins with / and has no spaces", 1024, "^/[\\x21-\\x7e]*$"),
    outsideWeights: optional(oneOf<OutsideWeights>(["restore", "adopt"]), "restore"),
    gate: optional<Gate | undefined>(object(numbers(ranges.gate)), undefined),
    whenInFlight: optional(oneOf(["refuse", "supersede"]), "refuse"),
  }),
  checkIntent,
);

/** The signals that a person may send. Only the next release can supersede, so `supersede` is not among them. */
export const personalSignals: readonly PersonalSignal[] = ["pause", "resume", "approve", "promote", "abort", "retry"];

/** Gives the intent of a request. The app is spelled as the control plane's settings spell it, if they name it. */
export function intentOf({ name, body, by, apps }: Asked<AskedRelease>): ReleaseIntent {
  const asked: Target = { resourceGroup: name["rg"] ?? "", app: name["app"] ?? "" };
  const { whenInFlight: _notStored, dryRun, gate, ...intent } = body;
  return {
    ...intent,
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(gate === undefined ? {} : { gate }),
    target: apps.find((app) => appKey(app) === appKey(asked)) ?? asked,
    revision: (name["revision"] ?? "").toLowerCase(),
    requestedBy: by,
  };
}
