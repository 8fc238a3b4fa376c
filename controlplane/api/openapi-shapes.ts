// The shapes of the API's answers as JSON Schema, shared by several calls: a few for every kind of work, and the error.
// The tests check every answer that they receive against them.
import type { AnyKind, Kinds } from "../../engines/kind.ts";
import { exactly, type Schema } from "../../engines/schema.ts";

const text: Schema = { type: "string" };
const index: Schema = { type: "integer", minimum: 0 };

/** Refers to a named shape of the description. */
export const named = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

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

/** Gives the named shapes. */
export const shapesOf = (kinds: Kinds): Readonly<Record<string, Schema>> =>
  Object.assign({}, ...kinds.all.map(shapesOfKind), {
    Unreadable: {
      ...exactly({ id: { ...text, description: "The name of the stream." }, error }),
      description:
        "A stream whose journal cannot be read, or one of the list that the loop cannot go on with, with the error.",
    },
    Error: { type: "object", required: ["error"], properties: { error } },
  });

const shapesOfKind = ({
  facts,
  calls: { noun, summary, ends, declared },
}: AnyKind): Readonly<Record<string, Schema>> => ({
  ...(declared === undefined ? {} : { [declared.noun]: declared.shape }),
  [noun]: summary,
  [`${noun}Event`]: { ...facts.schema, description: "One fact: an observation or a decision." },
  [`${noun}Fact`]: exactly({
    stream: text,
    index,
    event: named(`${noun}Event`),
    process: { ...text, description: "The process that wrote it." },
    epoch: {
      ...index,
      description: "The epoch of the claim under which it was written; 0 for signals to a stream in flight.",
    },
    hash: {
      ...text,
      description: "Covers this fact and the hash of the one before it. The last hash stands for the whole journal.",
    },
    message: { ...text, description: "The fact in one line, for people." },
  }),
  [`${noun}FollowLine`]: {
    description: "A line of the answer: a fact, the end, or an empty object that only keeps the connection open.",
    oneOf: [
      exactly({
        index,
        at: { type: "number", description: "Milliseconds since 1970-01-01 UTC." },
        kind: text,
        message: text,
        isNoteworthy: { type: "boolean", description: "False for bookkeeping." },
        process: text,
        epoch: index,
      }),
      exactly({ result: { ...text, enum: ends.results }, reason: { ...text, enum: ends.reasons }, message: text }),
      exactly({}),
    ],
  },
});
