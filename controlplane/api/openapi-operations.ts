// Every call of the API: its method, its path, who may make it, what it takes, what it answers. app.ts puts the functions behind
// these, so that no call is there which is not described here; openapi.ts makes the description that callers read.

import type { Form, Schema } from "../../engines/form.ts";
import type { Role } from "./authenticate.ts";
import { exactly, named } from "./openapi-shapes.ts";
import { filterForm, followForm } from "./read-address.ts";
import { holdForm, releaseForm, signalForm } from "./rollouts/forms.ts";

/** One call. */
export interface Operation {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With its named parts in braces, as in `/holds/{rg}/{app}`. */
  readonly path: string;
  /** The app role that it needs; undefined where it is open to all. */
  readonly role: Role | undefined;
  readonly summary: string;
  readonly query?: Form<unknown>;
  readonly body?: Form<unknown>;
  /** What it answers where it is carried out, by status. */
  readonly answers: Readonly<Record<number, Answered>>;
  /** The ids of the errors with which it may be refused beyond those of every call, by status. */
  readonly refusals?: Readonly<Record<number, readonly string[]>>;
}

/** One answer: in words, and what its body looks like; no shape, no body. */
export interface Answered {
  readonly description: string;
  readonly shape?: Schema;
  /** @default application/json */
  readonly mediaType?: string;
}

const rollout = "/rollouts/{rg}/{app}/{revision}";
/** What a call may come to that reads a journal. */
const unreadable = { 500: ["journal-fact-unknown", "journal-chain-broken"] };
const unread = { 404: ["rollout-unknown"], ...unreadable };

/** All calls, by the names of the functions that carry them out. */
export const operations = {
  health: {
    method: "GET",
    path: "/health",
    role: undefined,
    summary: "Says whether the control plane can do its work.",
    answers: {
      200: {
        description: "It can.",
        shape: {
          type: "object",
          properties: {
            status: { const: "ok" },
            process: { type: "string" },
            inFlight: { type: "integer", minimum: 0 },
            lastWriteAt: { type: ["number", "null"] },
            lastWriteSecondsAgo: { type: ["number", "null"] },
          },
          required: ["status", "process", "inFlight", "lastWriteAt", "lastWriteSecondsAgo"],
        },
      },
    },
    refusals: { 503: ["journal-unreachable"] },
  },
  showApi: {
    method: "GET",
    path: "/openapi.json",
    role: undefined,
    summary: "Gives this description.",
    answers: {
      200: {
        description: "OpenAPI 3.1.",
        shape: { type: "object", properties: { openapi: { const: "3.1.0" } }, required: ["openapi"] },
      },
    },
  },
  putRollout: {
    method: "PUT",
    path: rollout,
    role: "Rollout.Write",
    body: releaseForm,
    summary: "Asks for a release. Putting it again finds it where it stands, finished ones too, and starts nothing.",
    answers: {
      200: { description: "There is such a rollout, and here it stands.", shape: named("Rollout") },
      202: { description: "It has been started.", shape: named("Rollout") },
    },
    refusals: { 404: ["target-not-in-inventory"], 409: ["rollout-in-flight", "claim-target-held"], ...unreadable },
  },
  listRollouts: {
    method: "GET",
    path: "/rollouts",
    role: "Rollout.Read",
    query: filterForm,
    summary: "Lists rollouts, the newest 100, of all apps or of one, or only those in flight.",
    answers: {
      200: {
        description: "Newest first.",
        shape: exactly({
          rollouts: { type: "array", items: named("Rollout"), maxItems: 100 },
          unreadable: { type: "array", items: named("Unreadable"), maxItems: 100 },
        }),
      },
    },
  },
  showRollout: {
    method: "GET",
    path: rollout,
    role: "Rollout.Read",
    summary: "Shows one rollout.",
    answers: { 200: { description: "Where it stands.", shape: named("Rollout") } },
    refusals: unread,
  },
  showJournal: {
    method: "GET",
    path: `${rollout}/journal`,
    role: "Rollout.Read",
    summary: "Gives every fact of a rollout with its numbers.",
    answers: {
      200: {
        description: "In the order in which they were written.",
        shape: exactly({ facts: { type: "array", items: named("Fact") } }),
      },
    },
    refusals: unread,
  },
  followRollout: {
    method: "GET",
    path: `${rollout}/follow`,
    role: "Rollout.Read",
    query: followForm,
    summary: "Tells each fact as it is written, a line each, and ends with the rollout.",
    answers: {
      200: {
        description: "A line of JSON a fact, an empty object every ten seconds, and the result at the end.",
        shape: named("FollowLine"),
        mediaType: "application/x-ndjson",
      },
    },
    refusals: unread,
  },
  signalRollout: {
    method: "POST",
    path: `${rollout}/signals`,
    role: "Rollout.Write",
    body: signalForm,
    summary: "Interferes with a rollout, with a reason; who it is comes from the token.",
    answers: {
      202: {
        description: "It is in the journal, and will be followed.",
        shape: exactly({ accepted: { const: true }, text: { type: "string" } }),
      },
    },
    refusals: {
      404: ["target-not-in-inventory", "rollout-unknown"],
      409: ["signal-disregarded", "claim-target-held"],
      ...unreadable,
    },
  },
  holdTarget: {
    method: "POST",
    path: "/holds/{rg}/{app}",
    role: "Rollout.Write",
    body: holdForm,
    summary: "Keeps rollouts from writing an app for a moment, since the caller is about to write it.",
    answers: {
      200: {
        description: "The hold, which ends by itself.",
        shape: exactly({ id: { type: "string" }, until: { type: "number" } }),
      },
    },
    refusals: { 404: ["target-not-in-inventory"], 409: ["target-held"] },
  },
  unholdTarget: {
    method: "DELETE",
    path: "/holds/{rg}/{app}/{id}",
    role: "Rollout.Write",
    summary: "Gives a hold back. One that has ended already is given back as well.",
    answers: { 204: { description: "There is no such hold any more." } },
    refusals: { 404: ["target-not-in-inventory"] },
  },
  sweep: {
    method: "POST",
    path: "/sweep",
    role: "Rollout.Write",
    summary: "Takes over at once what dead processes left.",
    answers: {
      200: {
        description: "The rollouts that were taken over.",
        shape: exactly({ takenOver: { type: "array", items: { type: "string" } } }),
      },
    },
  },
} as const satisfies Readonly<Record<string, Operation>>;

/** The name of a call. */
export type OperationName = keyof typeof operations;
