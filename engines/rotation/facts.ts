// The facts of a rotation, declared once: the form by which each is read from the journal, of which its type follows. A
// field that is added later stays optional here for good, because journals outlive the code that wrote them.
import { codecOf, type FactOf } from "../codec.ts";
import { flag, list, number, object, oneOf, optional } from "../form.ts";
import { codesOf } from "../rollout/reasons.ts";
import type { Instant } from "../time.ts";
import { slotForm } from "./declaration.ts";
import { intentForm } from "./intent.ts";
import { endReasons, results, waitReasons } from "./reasons.ts";
import { signalNames } from "./signals.ts";
import { credentialViewForm, proofFields, readersFields, versionForm, words } from "./views.ts";

const message = words();
const endReason = oneOf(codesOf(endReasons));
const waitReason = oneOf(codesOf(waitReasons));

/** The names of all effects, for the facts about those that failed. */
const effectNames = [
  "Inspect",
  "MakeVersion",
  "SetVerifier",
  "Prove",
  "RequestRollout",
  "AwaitRollout",
  "Publish",
  "ReadReaders",
  "EndSessions",
  "SetLogin",
  "MoveSecret",
  "Wait",
  "AwaitSignal",
] as const;

/** Facts that hold an observation. */
const observed = {
  Requested: object({ intent: intentForm }),
  Inspected: object({ view: credentialViewForm }),
  VersionMade: object({ slot: slotForm, generation: number(), version: versionForm }),
  VerifierSet: object({ slot: slotForm }),
  Probed: object({ slot: slotForm, ...proofFields }),
  RolloutRequested: object({ stream: words() }),
  RolloutEnded: object({ stream: words(), result: words(), reason: words(), message }),
  Published: object({ slot: slotForm, version: words() }),
  ReadersSeen: object(readersFields),
  SessionsEnded: object({ ended: number() }),
  LoginSet: object({ slot: slotForm, login: flag() }),
  SecretMoved: object({ app: words() }),
  Waited: object({}),
  AttemptFailed: object({
    effect: oneOf(effectNames),
    message,
    retryAfterSeconds: optional(number({ least: 0 })),
  }),
  Signalled: object({
    signal: oneOf(signalNames),
    by: words(),
    byName: optional(words()),
    message,
    /** The release that needs the old role. */
    about: optional(words()),
  }),
};

/** Facts that hold a decision. */
const decided = {
  Started: object({
    live: slotForm,
    old: versionForm,
    published: slotForm,
    /** The slot that each consumer names, in the order of the declaration. */
    consumers: list(slotForm),
    login: flag(),
  }),
  VersionRejected: object({ message }),
  Proven: object({ message }),
  Adopted: object({ app: words(), seconds: number(), message }),
  Waiting: object({ reason: waitReason, message, until: optional(number()) }),
  ReadersQuiet: object({ message }),
  SessionsDrained: object({ message }),
  ReaderFound: object({ who: words(), seenAt: number(), message }),
  GraceOver: object({ message }),
  Disregarded: object({ what: words() }),
  Finished: object({ result: oneOf(codesOf(results)), reason: endReason, message }),
};

export type RotationObserved = FactOf<typeof observed>;
export type RotationDecision = FactOf<typeof decided>;

/** A fact of a rotation. An observation adds one fact that holds it whole, followed by the decisions it led to. */
export type RotationEvent = { readonly at: Instant } & (RotationObserved | RotationDecision);

/** How a rotation ended, and why. */
export type Ending = Omit<Extract<RotationDecision, { kind: "Finished" }>, "kind">;

/** Reads the facts of rotations. */
export const facts = codecOf({ ...observed, ...decided });

/** Reports whether a rotation is finished after these events; undefined if they do not change that. */
export function finishes(events: readonly RotationEvent[]): boolean | undefined {
  const last = events.findLast(
    (event) =>
      event.kind === "Finished" ||
      (event.kind === "Signalled" && (event.signal === "retry" || event.signal === "back")),
  );
  return last && last.kind === "Finished";
}
