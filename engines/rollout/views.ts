// What the platform shows: the app with its revisions and traffic, answers to probes, and the requests of both arms.
// Facts hold these views whole, so each is declared once, as the form by which a stored fact is read.
import { flag, list, number, type ObjectOf, object, oneOf, optional, text } from "../form.ts";
import { countFields, durationsForm } from "./judge/counts.ts";

/** Any text, also an empty one. */
export const words = (description?: string) =>
  text("a text", { least: 0, ...(description === undefined ? {} : { description }) });

/** A moment, in milliseconds since 1970-01-01 UTC. */
const instant = (description: string) => number({ description });

const weightFields = { revision: words(), percent: number() };
export const weightForm = object(weightFields);

/** A revision's share of the traffic. The weights of an app add up to 100. */
export interface Weight extends ObjectOf<typeof weightFields> {}

const labelFields = { stable: optional(words()), canary: optional(words()) };

/**
 * Which revisions have our labels. During a rollout `stable` is on the revision that served before, after a promotion
 * on the one that serves now, so that the dead man's switch can see where traffic is safe.
 */
export interface Labels extends ObjectOf<typeof labelFields> {}

const revisionFields = {
  name: words(),
  active: flag(),
  running: words("`Running`, `Processing`, `Stopped`, `Degraded`, `Failed`, `Unknown`, or a string of the future."),
  health: words("`Healthy`, `Unhealthy`, `None`, or a string of the future."),
  templateHash: words("The same for two revisions with the same template, whatever their names."),
  images: optional(list(words(), { description: "The images of its containers, in their order; absent if unknown." })),
  madeAt: optional(instant("When Azure made the revision; absent if it does not say.")),
  secrets: optional(
    list(words(), { description: "The app's secrets that its variables name; absent if it names none." }),
  ),
  minReplicas: optional(
    number({ description: "0 if the platform may remove its last replica; absent if it does not say." }),
  ),
  startupSeconds: optional(
    number({ description: "How long its own startup probes allow a replica to take; absent if it has none." }),
  ),
};

/** One revision as the platform shows it. Unknown states are valid and never mean healthy. */
export interface RevisionView extends ObjectOf<typeof revisionFields> {}

const retiredFields = {
  secret: words(),
  rotation: words("The stream of the rotation."),
};

/** A secret of the app that a rotation in flight retires: its role may be closed at present. */
export interface RetiredSecret extends ObjectOf<typeof retiredFields> {}

const appFields = {
  weights: list(weightForm),
  revisions: list(object(revisionFields)),
  labels: optional(object(labelFields)),
  mode: optional(
    words("`Multiple`, `Single`, `Labels`, or a string of the future; weights take effect only in `Multiple`."),
  ),
  ingress: optional(oneOf(["http", "tcp", "none"])),
  sticky: optional(
    flag({ description: "Whether a user stays with the revision that answered first, whatever the weights." }),
  ),
  retired: optional(
    list(object(retiredFields), { description: "Secrets that rotations in flight retire; absent if there are none." }),
  ),
};
export const appForm = object(appFields);

/** The app as the platform shows it: its revisions and their traffic. */
export interface AppView extends ObjectOf<typeof appFields> {}

/** The fields of the traffic as read back. */
export const trafficFields = {
  weights: list(weightForm),
  deactivated: optional(
    list(words(), {
      description:
        "Revisions that have weight although they are deactivated or gone, so that their users get errors; absent if " +
        "there are none.",
    }),
  ),
  lockedUntil: optional(
    instant(
      "Until when another client (a `pulumi up` in its last seconds) may still write the app; absent without a lock.",
    ),
  ),
};

/** The traffic as read back; a write returns only the weights. */
export interface TrafficView extends ObjectOf<typeof trafficFields> {}

const landingFields = { weights: list(weightForm), until: instant("When it can no longer come into force.") };
export const landingForm = object(landingFields);

/** A write that was sent without a known answer: these weights may still come into force until then. */
export interface Landing extends ObjectOf<typeof landingFields> {}

const restartFields = {
  replica: words(),
  times: number({ description: "How often its containers have restarted, since the replica exists." }),
};

/** A replica whose containers have restarted. */
export interface Restart extends ObjectOf<typeof restartFields> {}

/** The most replicas of which a probe keeps the restarts, so that a fact stays small. */
export const restartsMax = 20;

export const admissionFields = {
  standing: oneOf(["open", "soon", "never"]),
  message: words(),
};

/** Whether the role by which the canary logs in is open: the answer of the rotation that retires it. */
export interface AdmissionView extends ObjectOf<typeof admissionFields> {}

/** The fields of an answer of the canary's own address. */
export const probeFields = {
  good: flag(),
  detail: words("The answer for people: `answered 200`, `no answer in 2 s`."),
  running: words("The platform's own word for the revision at that moment."),
  restarts: optional(
    list(object(restartFields), {
      description: "The replicas that have restarted, the most restarts first; absent if the platform did not say.",
    }),
  ),
};

/** The answer of the canary's own address. */
export interface ProbeView extends ObjectOf<typeof probeFields> {}

const tallyFields = {
  ...countFields,
  refused: optional(number({ description: "Answered 4xx." })),
  durations: optional(durationsForm),
};

/** The requests of one arm in one bucket. A field that is not in the rows is absent, and is not judged. */
export interface Tally extends ObjectOf<typeof tallyFields> {}

const bucketFields = { at: number(), canary: object(tallyFields), stable: object(tallyFields) };

/** The requests of both arms in the same interval. */
export interface Bucket extends ObjectOf<typeof bucketFields> {}

const badAnswerFields = {
  arm: oneOf(["canary", "stable"]),
  code: number({ description: "The status code; 0 if the request got no answer." }),
  path: words("The path, with `*` for each part that may name a person or hold a secret; empty for all other paths."),
  requests: number(),
};

/** Requests of one arm that were answered alike, with 4xx, 5xx or not at all. */
export interface BadAnswer extends ObjectOf<typeof badAnswerFields> {}

/** The most paths of a measurement, so that a fact stays small; other paths are added up by their code. */
export const badAnswersMax = 20;

/** The fields of a measurement. */
export const measurementFields = {
  buckets: list(object(bucketFields)),
  answers: optional(
    list(object(badAnswerFields), {
      description:
        "The bad answers by status code and path, the most frequent first, from the canary's first request on; " +
        "absent if there were none, or if they could not be read. The judge does not use them.",
    }),
  ),
  to: instant("The watermark: all requests up to here are in the buckets."),
};

/** The complete buckets from the last measurement to the watermark, `to`. */
export interface Measurement extends ObjectOf<typeof measurementFields> {}
