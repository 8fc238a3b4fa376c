// One rotation at a glance. The control plane builds it from a journal and answers with it; the command line reads it.
// The shape is declared here once, so that both sides agree.
import { exactly, type Schema } from "../schema.ts";
import { nullableTrace } from "../trace.ts";
import { slots } from "./declaration.ts";
import type { Pause, SeenRotation } from "./glance.ts";
import { causes } from "./intent.ts";
import { isFirst } from "./progress.ts";
import { endReasons, results, waitReasons } from "./reasons.ts";
import { messageOf } from "./tell.ts";
import type { EndReason, RotationResult, RotationState, Slot, WaitReason } from "./vocabulary.ts";

/** One rotation at a glance. It is also the rotation's name: vault, credential and rotation. */
export interface RotationSummary {
  /** `rotation/<vault>/<credential>/<rotation>`, in lower case. */
  readonly id: string;
  readonly vault: string;
  readonly credential: string;
  readonly rotation: string;
  readonly cause: keyof typeof causes;
  readonly phase: string;
  /** The slot that is published; null before the credential was seen. */
  readonly published: Slot | null;
  /** The slot that each consumer names. */
  readonly consumers: readonly { readonly resourceGroup: string; readonly app: string; readonly slot: Slot }[];
  readonly attempt: number;
  /** The trace that it continues; null if whoever asked for it named none. */
  readonly trace: string | null;
  /** Null unless a person has paused the rotation and it is still paused. */
  readonly paused: Pause | null;
  /** Null while the rotation is in flight. */
  readonly result: RotationResult | null;
  /** Why it ended or, while it is in flight, why it waits; null if it goes on. */
  readonly reason: EndReason | WaitReason | null;
  readonly message: string;
  readonly startedAt: number;
  /** The number of facts in its journal. */
  readonly facts: number;
}

/** Gives the summary of a rotation; undefined if its journal does not begin with a request. */
export function summaryOf(stream: string, seen: SeenRotation): RotationSummary | undefined {
  const { state, requested, facts } = seen;
  if (requested === undefined) return undefined;
  const { vault, credential, rotation, cause } = requested.intent;
  const end = endOf(state);
  const paused = state.paused ? (seen.paused ?? null) : null;
  const isSeen = isFirst(state) ? state.published !== state.live : state.old.version !== "";
  return {
    id: stream,
    vault,
    credential,
    rotation,
    cause,
    phase: state.phase,
    published: isSeen ? state.published : null,
    consumers: isSeen ? consumersOf(state) : [],
    attempt: state.attempt,
    trace: requested.intent.trace ?? null,
    paused,
    result: end?.result ?? null,
    reason: end?.reason ?? state.waiting ?? null,
    message: end?.message ?? (paused ? `paused by ${paused.by}: ${paused.message}` : messageOf(seen.last ?? requested)),
    startedAt: requested.at,
    facts,
  };
}

const consumersOf = ({ declaration, consumers }: RotationState): RotationSummary["consumers"] =>
  (declaration?.consumers ?? []).flatMap(({ resourceGroup, app }, index) => {
    const slot = consumers[index];
    return slot === undefined ? [] : [{ resourceGroup, app, slot }];
  });

/** Gives how a rotation ended; undefined while it is in flight, a retry included. */
export const endOf = ({ phase, ending }: RotationState): RotationState["ending"] =>
  phase === "finished" ? ending : undefined;

const text: Schema = { type: "string" };
const slot: Schema = { type: "string", enum: slots };

const meaningsOf = (codes: Readonly<Record<string, string>>): string =>
  Object.entries(codes)
    .map(([code, meaning]) => `\`${code}\` (${meaning})`)
    .join(", ");

/** A summary as JSON Schema. */
export const summarySchema: Schema = exactly({
  id: { ...text, description: "`rotation/<vault>/<credential>/<rotation>`, in lower case." },
  vault: text,
  credential: text,
  rotation: text,
  cause: { ...text, enum: Object.keys(causes), description: `Why: ${meaningsOf(causes)}.` },
  phase: text,
  published: {
    anyOf: [slot, { type: "null" }],
    description: "The slot that is published; null before the credential was seen.",
  },
  consumers: {
    type: "array",
    items: exactly({ resourceGroup: text, app: text, slot }),
    description: "The slot that each consumer names.",
  },
  attempt: { type: "integer", minimum: 1 },
  trace: nullableTrace,
  paused: {
    anyOf: [exactly({ by: text, message: text } satisfies Record<keyof Pause, Schema>), { type: "null" }],
    description: "Who paused it and why; null unless it is paused.",
  },
  result: {
    anyOf: [{ ...text, enum: Object.keys(results) }, { type: "null" }],
    description: `Null while the rotation is in flight. Results: ${meaningsOf(results)}.`,
  },
  reason: {
    anyOf: [
      { type: "string", enum: [...new Set([...Object.keys(endReasons), ...Object.keys(waitReasons)])] },
      { type: "null" },
    ],
    description:
      "Why it ended or, while it is in flight, why it waits; null if it goes on. " +
      `Ends: ${meaningsOf(endReasons)}. Waits: ${meaningsOf(waitReasons)}.`,
  },
  message: { ...text, description: "The reason for people, with the numbers of the case." },
  startedAt: { type: "number", description: "Milliseconds since 1970-01-01 UTC." },
  facts: { type: "integer", minimum: 0, description: "The number of facts in its journal." },
} satisfies Record<keyof RotationSummary, Schema>);
