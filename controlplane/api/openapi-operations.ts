// Every call of the API: its method, path, app role, parameters and answers. app.ts routes exactly these calls, so that
// none is undescribed, and openapi.ts makes the description from them.

import type { Form, Schema } from "../../engines/form.ts";
import type { Role } from "./authenticate.ts";
import { exactly, named } from "./openapi-shapes.ts";
import { filterForm, followForm } from "./read-address.ts";
import { lockForm, releaseForm, signalForm } from "./rollouts/forms.ts";

/** One call. */
export interface Operation {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With its named parts in braces, as in `/locks/{rg}/{app}`. */
  readonly path: string;
  /** The app role that the call requires; undefined if it needs no token. */
  readonly role: Role | undefined;
  readonly summary: string;
  readonly query?: Form<unknown>;
  readonly body?: Form<unknown>;
  /** The answers of a successful call, by status. */
  readonly answers: Readonly<Record<number, Answered>>;
  /** The ids of errors beyond those of every call, by status. */
  readonly refusals?: Readonly<Record<number, readonly string[]>>;
}

/** One answer: its description and the shape of its body. Without a shape there is no body. */
export interface Answered {
  readonly description: string;
  readonly shape?: Schema;
  /** @default application/json */
  readonly mediaType?: string;
}

const rollout = "/rollouts/{rg}/{app}/{revision}";
/** The errors of a call that reads a journal. */
const unreadable = { 500: ["journal-fact-unknown", "journal-chain-broken"] };
const unread = { 404: ["rollout-unknown"], ...unreadable };

/** All calls, by the names of the functions that answer them. */
export const operations = {
  health: {
    method: "GET",
    path: "/health",
    role: undefined,
    summary: "Report whether the control plane works.",
    answers: {
      200: {
        description: "It works.",
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
    summary: "Get this API description.",
    answers: {
      200: {
        description: "The API description in OpenAPI 3.1.",
        shape: { type: "object", properties: { openapi: { const: "3.1.0" } }, required: ["openapi"] },
      },
    },
  },
  putRollout: {
    method: "PUT",
    path: rollout,
    role: "Rollout.Write",
    body: releaseForm,
    summary: "Start a rollout. Repeating the call returns the existing rollout, finished or not, and starts nothing.",
    answers: {
      200: { description: "The rollout already exists; its present state.", shape: named("Rollout") },
      202: { description: "The rollout was started.", shape: named("Rollout") },
    },
    refusals: { 404: ["target-not-managed"], 409: ["rollout-in-flight", "claim-target-held"], ...unreadable },
  },
  listRollouts: {
    method: "GET",
    path: "/rollouts",
    role: "Rollout.Read",
    query: filterForm,
    summary: "List the newest 100 rollouts, of all apps or of one, or only those in flight.",
    answers: {
      200: {
        description: "The rollouts, newest first.",
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
    summary: "Get one rollout.",
    answers: { 200: { description: "The present state of the rollout.", shape: named("Rollout") } },
    refusals: unread,
  },
  showJournal: {
    method: "GET",
    path: `${rollout}/journal`,
    role: "Rollout.Read",
    summary: "Get every fact of a rollout's journal.",
    answers: {
      200: {
        description: "The facts, in the order in which they were written.",
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
    summary: "Follow a rollout: one line for each fact as it is written, until the rollout ends.",
    answers: {
      200: {
        description: "One line of JSON for each fact, an empty object every ten seconds, and the result at the end.",
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
    summary: "Send a signal to a rollout, with a message that says why. The sender is taken from the token.",
    answers: {
      202: {
        description: "The signal is in the journal and takes effect.",
        shape: exactly({ accepted: { const: true }, message: { type: "string" } }),
      },
    },
    refusals: {
      404: ["target-not-managed", "rollout-unknown"],
      409: ["signal-disregarded", "claim-target-held"],
      ...unreadable,
    },
  },
  lockTarget: {
    method: "POST",
    path: "/locks/{rg}/{app}",
    role: "Rollout.Write",
    body: lockForm,
    summary: "Lock an app that the caller is about to write. Rollouts shift none of its traffic until the lock ends.",
    answers: {
      200: {
        description: "The lock, which expires by itself.",
        shape: exactly({ id: { type: "string" }, until: { type: "number" } }),
      },
    },
    refusals: { 404: ["target-not-managed"], 409: ["target-locked"] },
  },
  unlockTarget: {
    method: "DELETE",
    path: "/locks/{rg}/{app}/{id}",
    role: "Rollout.Write",
    summary: "Unlock an app. A lock that has already expired is no error.",
    answers: { 204: { description: "The lock no longer exists." } },
    refusals: { 404: ["target-not-managed"] },
  },
  recover: {
    method: "POST",
    path: "/recover",
    role: "Rollout.Write",
    summary: "Recover the rollouts of dead processes now.",
    answers: {
      200: {
        description: "The rollouts that were recovered.",
        shape: exactly({ recovered: { type: "array", items: { type: "string" } } }),
      },
    },
  },
} as const satisfies Readonly<Record<string, Operation>>;

/** The name of a call. */
export type OperationName = keyof typeof operations;
