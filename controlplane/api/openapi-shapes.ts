// The shapes of the API's answers as JSON Schema, shared by several calls. Each is checked against its TypeScript type
// here, and the tests check every answer that they receive against it.

import type { Schema } from "../../engines/form.ts";
import type { Balance } from "../../engines/rollout/judge/judge.ts";
import { endReasons, waitReasons } from "../../engines/rollout/reasons.ts";
import type { RolloutSummaryJson } from "../../engines/rollout/summary.ts";
import type { RolloutResult } from "../../engines/rollout/vocabulary.ts";
import { eventSchema } from "../adapters/postgres/facts.ts";

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const index: Schema = { type: "integer", minimum: 0 };
const instant: Schema = { type: "number", description: "Milliseconds since 1970-01-01 UTC." };
const results = {
  promoted: true,
  "rolled-back": true,
  rejected: true,
  unchanged: true,
  degraded: true,
} satisfies Record<RolloutResult, true>;
const result: Schema = { type: "string", enum: Object.keys(results) };

const meaningsOf = (reasons: Readonly<Record<string, string>>): string =>
  Object.entries(reasons)
    .map(([code, meaning]) => `\`${code}\` (${meaning})`)
    .join(", ");

/** An object with exactly these fields. */
export const exactly = (properties: Schema): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** Refers to a named shape of the description. */
export const named = (name: keyof typeof shapes): Schema => ({ $ref: `#/components/schemas/${name}` });

const times: Schema = { type: "number", minimum: 0, maximum: 1e9 };
const balance = exactly({
  against: {
    ...times,
    description: "How many times likelier the observed requests are with a bad canary than with a good one.",
  },
  againstMax: { ...times, description: "The canary is rolled back when `against` reaches this value." },
  favour: {
    ...times,
    type: ["number", "null"],
    description:
      "How many times likelier the observed requests of this step are with a good canary than with a bad one; " +
      "null at 100 percent.",
  },
  favourMin: { ...times, description: "The step passes when `favour` reaches this value." },
} satisfies Record<keyof Balance, Schema>);

const error: Schema = {
  type: "object",
  required: ["id", "message", "fix"],
  additionalProperties: false,
  properties: {
    id: { ...text, pattern: "^[a-z]+(-[a-z0-9]+)+$", description: "Permanent. Programs and searches can rely on it." },
    message: { ...text, description: "What happened and why." },
    fix: { ...text, description: "What to do about it." },
    left: { ...text, description: "What was left running or changed." },
  },
};

/** The named shapes. */
export const shapes = {
  Rollout: exactly({
    id: { ...text, description: "`rollout/<resource group>/<app>/<revision>`, in lower case." },
    target: exactly({ resourceGroup: text, app: text }),
    revision: text,
    release: text,
    phase: text,
    percent: { type: "number", description: "The canary's share of the traffic when it was last read." },
    attempt: { type: "integer", minimum: 1 },
    result: { anyOf: [result, { type: "null" }], description: "Null while the rollout is in flight." },
    reason: {
      anyOf: [{ type: "string", enum: [...Object.keys(endReasons), ...Object.keys(waitReasons)] }, { type: "null" }],
      description:
        "Why it ended or, while it is in flight, why it waits; null if it goes on. " +
        `Ends: ${meaningsOf(endReasons)}. Waits: ${meaningsOf(waitReasons)}.`,
    },
    message: { ...text, description: "The reason for people, with the numbers of the case." },
    evidence: {
      anyOf: [balance, { type: "null" }],
      description: "Null before the first step, and if no revision served before the canary.",
    },
    startedAt: instant,
    facts: { ...index, description: "The number of facts in its journal." },
  } satisfies Record<keyof RolloutSummaryJson, Schema>),
  Unreadable: {
    ...exactly({ id: { ...text, description: "The id of the rollout." }, error }),
    description: "A rollout whose journal cannot be read, with the error.",
  },
  Event: { ...eventSchema, description: "One fact: an observation or a decision." },
  Fact: exactly({
    stream: text,
    index,
    event: { $ref: "#/components/schemas/Event" },
    process: { ...text, description: "The process that wrote it." },
    epoch: { ...index, description: "The epoch of the claim under which it was written; 0 for requests and signals." },
    hash: {
      ...text,
      description: "Covers this fact and the hash of the one before it. The last hash stands for the whole journal.",
    },
    message: { ...text, description: "The fact in one line, for people." },
  }),
  FollowLine: {
    description: "A line of the answer: a fact, the end, or an empty object that only keeps the connection open.",
    oneOf: [
      exactly({
        index,
        at: instant,
        kind: text,
        message: text,
        isNoteworthy: { ...flag, description: "False for bookkeeping." },
        process: text,
        epoch: index,
      }),
      exactly({ result, reason: { type: "string", enum: Object.keys(endReasons) }, message: text }),
      exactly({}),
    ],
  },
  Error: {
    type: "object",
    required: ["error"],
    properties: { error },
  },
} satisfies Readonly<Record<string, Schema>>;
