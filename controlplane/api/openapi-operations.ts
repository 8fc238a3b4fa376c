// Every call of the API: its method, path, app role, parameters and answers. app.ts routes exactly these calls, so that
// none is undescribed, and openapi.ts makes the description from them. Each kind of work has the same calls.
import type { AnyKind, DeclaredThings, Kinds } from "../../engines/kind.ts";
import { exactly } from "../../engines/schema.ts";
import { appForms } from "../../engines/targets.ts";
import { deliveryBytesMax, deliveryForm } from "./deliver-alert.ts";
import { eventsBytesMax, eventsForm, eventsMediaTypes } from "./deliver-events.ts";
import { lockForm } from "./lock-target.ts";
import { pauseOperations } from "./openapi-pause.ts";
import { named } from "./openapi-shapes.ts";
import type { Operation } from "./operation.ts";
import { filterForm, followForm, listedMax, lockNames } from "./read-address.ts";
import { approvalRoleOf, signalForm } from "./streams/signal.ts";

/** The errors of a call that reads a journal. */
const unreadable = { 500: ["journal-fact-unknown", "journal-chain-broken", "journal-engine-failed"] };
const unread = { 404: ["stream-unknown"], ...unreadable };

/** Gives all calls by their names: those of the control plane, and the same for each kind of work. */
export const operationsOf = (kinds: Kinds): Readonly<Record<string, Operation>> =>
  Object.assign({}, open, ...kinds.all.map(callsOfKind), guarded);

/** Gives the calls of a kind. */
const callsOfKind = (kind: AnyKind): Readonly<Record<string, Operation>> => ({
  ...startingCall(kind),
  ...readingCalls(kind),
  ...(kind.calls.signals.length === 0 ? {} : signallingCall(kind)),
  ...(kind.calls.declared === undefined ? {} : declaringCalls(kind.calls.declared)),
});

/** The calls about what programs declare of a kind. */
function declaringCalls({ noun, plural, parts, form, refusals }: DeclaredThings): Readonly<Record<string, Operation>> {
  const word = noun.toLowerCase();
  const path = `/${plural}${Object.keys(parts)
    .map((part) => `/{${part}}`)
    .join("")}`;
  const shown = { description: `The ${word} as it is declared, and what is there of it.`, shape: named(noun) };
  return {
    [`put${noun}`]: {
      method: "PUT",
      path,
      names: parts,
      role: "Rollout.Write",
      body: form,
      summary: `Declare a ${word}, or change its declaration. A new one gets its first versions.`,
      answers: { 200: shown },
      refusals: { 404: ["target-not-declared"], 409: refusals, ...unreadable },
    },
    [`list${capitalized(plural)}`]: {
      method: "GET",
      path: `/${plural}`,
      role: "Rollout.Read",
      summary: `List the declared ${plural}.`,
      answers: {
        200: {
          description: "The declarations, by name.",
          shape: exactly({ [plural]: { type: "array", items: { type: "object" } } }),
        },
      },
    },
    [`show${noun}`]: {
      method: "GET",
      path,
      names: parts,
      role: "Rollout.Read",
      summary: `Get a declared ${word}, what is there of it, and what a rotation would do now.`,
      answers: { 200: shown },
      refusals: { 404: ["target-not-declared"] },
    },
    [`remove${noun}`]: {
      method: "DELETE",
      path,
      names: parts,
      role: "Rollout.Write",
      summary: `Remove the declaration of a ${word}. Its secrets and roles stay.`,
      answers: { 204: { description: "The declaration no longer exists." } },
      refusals: { 404: ["target-not-declared"] },
    },
  };
}

/** Gives the name of the path of a kind's streams, with the parts in braces. */
const pathOf = ({ calls }: AnyKind): string =>
  `/${calls.plural}${Object.keys(calls.parts)
    .map((part) => `/{${part}}`)
    .join("")}`;

/** Gives a word with a capital letter, for the names of calls. */
export const capitalized = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/** The call that starts a stream of a kind. */
function startingCall(kind: AnyKind): Readonly<Record<string, Operation>> {
  const { noun, request } = kind.calls;
  const word = kind.kind;
  const path = pathOf(kind);
  return {
    [`put${noun}`]: {
      method: "PUT",
      path,
      names: kind.calls.parts,
      role: "Rollout.Write",
      body: request,
      summary:
        `Start a ${word}. Repeating the call returns the existing ${word}, finished or not, and starts nothing, ` +
        "unless the world is no longer as a finished one left it.",
      answers: {
        200: { description: `The ${word} that existed already.`, shape: named(noun) },
        202: { description: `The ${word} has started.`, shape: named(noun) },
      },
      refusals: {
        404: ["target-not-managed"],
        409: ["stream-in-flight", "stream-overtaken", "claim-target-held"],
        ...unreadable,
      },
    },
  };
}

/** The calls that read streams of a kind. */
function readingCalls(kind: AnyKind): Readonly<Record<string, Operation>> {
  const { noun, plural } = kind.calls;
  const word = kind.kind;
  const path = pathOf(kind);
  return {
    [`list${capitalized(plural)}`]: {
      method: "GET",
      path: `/${plural}`,
      role: "Rollout.Read",
      query: filterForm(kind),
      summary: `List ${plural}, newest first, in pages: all or those of one place, or only those in flight.`,
      answers: {
        200: {
          description: `The ${plural}, newest first.`,
          shape: exactly({
            [plural]: { type: "array", items: named(noun), maxItems: listedMax },
            unreadable: { type: "array", items: named("Unreadable"), maxItems: listedMax },
            next: {
              type: ["string", "null"],
              description: "The `cursor` of the next page; null after the last one.",
            },
          }),
        },
      },
      refusals: { 404: ["target-not-managed"] },
    },
    [`show${noun}`]: {
      method: "GET",
      path,
      names: kind.calls.parts,
      role: "Rollout.Read",
      summary: `Get one ${word}.`,
      answers: { 200: { description: `The present state of the ${word}.`, shape: named(noun) } },
      refusals: unread,
    },
    [`show${noun}Journal`]: {
      method: "GET",
      path: `${path}/journal`,
      names: kind.calls.parts,
      role: "Rollout.Read",
      summary: `Get every fact of a ${word}'s journal.`,
      answers: {
        200: {
          description: "The facts, in the order in which they were written.",
          shape: exactly({ facts: { type: "array", items: named(`${noun}Fact`) } }),
        },
      },
      refusals: unread,
    },
    [`follow${noun}`]: {
      method: "GET",
      path: `${path}/follow`,
      names: kind.calls.parts,
      role: "Rollout.Read",
      query: followForm,
      summary: `Follow a ${word}: one line for each fact as it is written, until the ${word} ends.`,
      answers: {
        200: {
          description: "One line of JSON for each fact, an empty object every ten seconds, and the result at the end.",
          shape: named(`${noun}FollowLine`),
          mediaType: "application/x-ndjson",
        },
      },
      refusals: unread,
    },
  };
}

/** The call that signals a stream of a kind. */
function signallingCall(kind: AnyKind): Readonly<Record<string, Operation>> {
  const { noun } = kind.calls;
  const word = kind.kind;
  return {
    [`signal${noun}`]: {
      method: "POST",
      path: `${pathOf(kind)}/signals`,
      names: kind.calls.parts,
      role: "Rollout.Write",
      partRole: approvalRoleOf(kind),
      body: signalForm(kind),
      summary:
        `Send a signal to a ${word}, with a message that says why. The sender is taken from the token. ` +
        kind.calls.approvals
          .map((signal) => `\`${signal}\` requires the role ${approvalRoleOf(kind)} instead.`)
          .join(" "),
      answers: {
        202: {
          description: "The signal is in the journal and takes effect.",
          shape: exactly({ accepted: { const: true }, message: { type: "string" } }),
        },
      },
      refusals: {
        404: ["target-not-managed", "stream-unknown"],
        409: ["signal-disregarded", "claim-target-held"],
        ...unreadable,
      },
    },
  };
}

/** The calls that need no token. */
const open = {
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
            overdueSeconds: {
              type: "number",
              minimum: 0,
              description: "For how long the control loop has left alone a stream that is due; the longest of all.",
            },
            stuck: {
              type: "integer",
              minimum: 0,
              description: "The streams in flight whose engines fail, or whose journals cannot be read.",
            },
            lastWriteAt: { type: ["number", "null"] },
            lastWriteSecondsAgo: { type: ["number", "null"] },
          },
          required: ["status", "process", "inFlight", "overdueSeconds", "stuck", "lastWriteAt", "lastWriteSecondsAgo"],
        },
      },
    },
    refusals: { 503: ["journal-unreachable"] },
    refusedWith: {
      503: {
        status: { const: "unwell", description: "It does not work." },
        process: { type: "string", description: "The process that answers." },
      },
    },
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
  allowEvents: {
    method: "OPTIONS",
    path: "/events",
    role: undefined,
    summary: "Answer the handshake of CloudEvents: Event Grid may deliver events here, with a token each.",
    answers: { 200: { description: "The header WebHook-Allowed-Origin names Event Grid." } },
  },
} as const satisfies Readonly<Record<string, Operation>>;

/** The calls that belong to no kind of work. */
export const guarded = {
  ...pauseOperations,
  lockTarget: {
    method: "POST",
    path: "/locks/{rg}/{app}",
    names: appForms,
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
    refusedWith: { 409: { heldBy: { type: "string", description: "Who has locked the app." } } },
  },
  unlockTarget: {
    method: "DELETE",
    path: "/locks/{rg}/{app}/{id}",
    names: lockNames,
    role: "Rollout.Write",
    summary: "Unlock an app. A lock that has already expired is no error.",
    answers: { 204: { description: "The lock no longer exists." } },
    refusals: { 404: ["target-not-managed"] },
  },
  deliverAlert: {
    method: "POST",
    path: "/alerts",
    role: "ActionGroupsSecureWebhook",
    body: deliveryForm,
    bodyBytesMax: deliveryBytesMax,
    failureStatus: 503,
    summary:
      "Receive an alert from an action group's secure webhook. It is a hint: the alerts are looked at now instead of " +
      "at the next poll. Only Azure Monitor may deliver one.",
    answers: {
      202: {
        description: "It was read. Whether the alerts are looked at now, and why not.",
        shape: exactly({ looks: { type: "boolean" }, message: { type: "string" } }),
      },
    },
    refusals: { 400: ["alert-malformed"], 403: ["alert-sender-unknown"] },
  },
  deliverEvents: {
    method: "POST",
    path: "/events",
    role: "AzureEventGridSecureWebhookSubscriber",
    body: eventsForm,
    mediaTypes: eventsMediaTypes,
    bodyBytesMax: eventsBytesMax,
    failureStatus: 503,
    summary:
      "Receive events of vaults from Event Grid, and its handshake. They are hints: which credentials are due is " +
      "looked at now instead of within the hour. Only Event Grid may deliver them.",
    answers: {
      200: {
        description: "They were read. Whether the credentials are looked at now, and why not; or the handshake's code.",
        shape: {
          oneOf: [
            exactly({ looks: { type: "boolean" }, message: { type: "string" } }),
            exactly({ validationResponse: { type: "string" } }),
          ],
        },
      },
    },
    refusals: { 400: ["event-malformed"], 403: ["event-sender-unknown"] },
  },
  recover: {
    method: "POST",
    path: "/recover",
    role: "Rollout.Write",
    summary: "Recover the streams of dead processes now.",
    answers: {
      200: {
        description: "The streams that were recovered.",
        shape: exactly({ recovered: { type: "array", items: { type: "string" } } }),
      },
    },
  },
} as const satisfies Readonly<Record<string, Operation>>;
