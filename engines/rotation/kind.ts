// The rotation as a kind of work: where everything that the control plane must know of it is put together.
import type { Kind } from "../kind.ts";
import { secretKey } from "./declaration.ts";
import { declaredCredentials } from "./declared.ts";
import { facts, finishes } from "./facts.ts";
import { glance, type SeenRotation } from "./glance.ts";
import { type AskedRotation, intentOf, parts, rotationForm } from "./intent.ts";
import { notificationOf } from "./notifications.ts";
import { dueAt } from "./react.ts";
import { endReasons, results } from "./reasons.ts";
import { rotation } from "./rotation.ts";
import { personalSignalNames } from "./signals.ts";
import { endOf, summaryOf, summarySchema } from "./summary.ts";
import { telemetry } from "./telemetry.ts";
import { isNoteworthy, messageOf } from "./tell.ts";
import type { RotationEffect, RotationEvent, RotationObservation, RotationState } from "./vocabulary.ts";

/** Rotations of a credential whose consumers are cut over by canary. */
export const rotationKind: Kind<
  RotationObservation,
  RotationEvent,
  RotationState,
  RotationEffect,
  AskedRotation,
  SeenRotation
> = {
  kind: "rotation",
  engine: rotation,
  facts,
  finishes,
  targetsOf: (first) => (first.kind === "Requested" ? [secretKey(first.intent)] : []),
  dueAt,
  glance,
  calls: {
    noun: "Rotation",
    plural: "rotations",
    parts,
    targetsNamed: ({ vault = "", credential = "" }) => [secretKey({ vault, credential })],
    filters: { vault: "vault", credential: "credential" },
    request: rotationForm,
    intentOf,
    // It ends by itself or waits for a person. Two rotations of one credential would give one role two passwords.
    meets: (_asked, { phase }) => ({ answer: phase === "moving" ? "ending" : "refused" }),
    signals: personalSignalNames,
    approvals: [],
    whyDisregarded: (events) => events.find((event) => event.kind === "Disregarded")?.what,
    summaryOf,
    summary: summarySchema,
    ended: endOf,
    declared: declaredCredentials,
    ends: { results: Object.keys(results), reasons: Object.keys(endReasons) },
  },
  messages: { messageOf, isNoteworthy, notificationOf },
  telemetry,
};
