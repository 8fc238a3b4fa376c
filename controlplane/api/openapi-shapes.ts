// What the control plane answers with, as JSON Schema: the parts of the API's description that several calls share. Each stands
// beside the type that it tells of; the tests hold every answer that they get to it.

import type { Schema } from "../../engines/form.ts";
import type { Balance } from "../../engines/rollout/judge/judge.ts";
import type { RolloutResult } from "../../engines/rollout/vocabulary.ts";
import { eventSchema } from "../adapters/postgres/facts.ts";
import type { Shown } from "./rollouts/summary.ts";

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const index: Schema = { type: "integer", minimum: 0 };
const instant: Schema = { type: "number", description: "Milliseconds since 1970-01-01 UTC." };
const results = { promoted: true, "rolled-back": true, rejected: true, equal: true, stranded: true } satisfies Record<
  RolloutResult,
  true
>;
const result: Schema = { type: "string", enum: Object.keys(results) };

/** An object with exactly these fields. */
export const exactly = (properties: Schema): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** Refers to a shape that has a name in the description. */
export const named = (name: keyof typeof shapes): Schema => ({ $ref: `#/components/schemas/${name}` });

const times: Schema = { type: "number", minimum: 0, maximum: 1e9 };
const balance = exactly({
  against: { ...times, description: "How much likelier what was seen is with a bad canary than with a good one." },
  againstMax: { ...times, description: "From so much on it is rolled back." },
  favour: {
    ...times,
    type: ["number", "null"],
    description:
      "How much likelier what was seen in this step is with a good canary than with a bad one; null at 100 percent.",
  },
  favourMin: { ...times, description: "So much promotes it." },
} satisfies Record<keyof Balance, Schema>);

const error: Schema = {
  type: "object",
  required: ["id", "message", "fix"],
  additionalProperties: false,
  properties: {
    id: { ...text, pattern: "^[a-z]+(-[a-z0-9]+)+$", description: "Permanent; what programs and searches hold on to." },
    message: { ...text, description: "What happened and why." },
    fix: { ...text, description: "What to do about it." },
    left: { ...text, description: "What was left running or changed." },
  },
};

/** The shapes that have names. */
export const shapes = {
  Rollout: exactly({
    id: { ...text, description: "`rollout/<resource group>/<app>/<revision>`, in lower case." },
    target: exactly({ resourceGroup: text, app: text }),
    revision: text,
    release: text,
    phase: text,
    percent: { type: "number", description: "What the canary was last seen to have of the traffic." },
    attempt: { type: "integer", minimum: 1 },
    result: { anyOf: [result, { type: "null" }], description: "Null while the rollout is in flight." },
    sentence: text,
    evidence: {
      anyOf: [balance, { type: "null" }],
      description: "Null before the first step, and where nothing served before.",
    },
    startedAt: instant,
    facts: { ...index, description: "How many facts its journal holds." },
  } satisfies Record<keyof Shown, Schema>),
  Unreadable: {
    ...exactly({ id: { ...text, description: "As that of a rollout." }, error }),
    description: "A rollout whose journal cannot be read, and why.",
  },
  Event: { ...eventSchema, description: "One fact: what was observed, or what was decided." },
  Fact: exactly({
    stream: text,
    index,
    event: { $ref: "#/components/schemas/Event" },
    process: { ...text, description: "Who wrote it." },
    epoch: { ...index, description: "The claim's epoch under which it was written; 0 for requests and signals." },
    hash: {
      ...text,
      description: "Over this fact and the hash of the one before it; the last one stands for the whole journal.",
    },
    text: { ...text, description: "The line that people read." },
  }),
  FollowLine: {
    description: "A line of the stream: a fact, the end, or an empty object that only keeps the connection open.",
    oneOf: [
      exactly({
        index,
        at: instant,
        kind: text,
        text,
        isWorthTelling: { ...flag, description: "False for bookkeeping." },
        process: text,
        epoch: index,
      }),
      exactly({ result, sentence: text }),
      exactly({}),
    ],
  },
  Error: {
    type: "object",
    required: ["error"],
    properties: { error },
  },
} satisfies Readonly<Record<string, Schema>>;
