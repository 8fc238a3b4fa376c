// What every endpoint of the API receives and how it answers. The endpoints are in the files beside this one, one for
// each call; app.ts routes the calls to them.

import type { Kinds } from "../../engines/kind.ts";
import { type AppTarget, describeTarget, type TargetKey } from "../../engines/targets.ts";
import type { Instant } from "../../engines/time.ts";
import { targetUnknown } from "../../errors/api.ts";
import type { BallastError } from "../../errors/catalogue.ts";
import type { Declarations } from "../runtime/declarations.ts";
import type { Orchestrator } from "../runtime/orchestrate.ts";
import type { Claims, Journal, Pauses, Standing } from "../runtime/ports.ts";
import type { Role } from "./roles.ts";

/** The part of the control loop that the API uses. */
export type Streams = Pick<Orchestrator, "start" | "signal" | "recover">;

/** What a delivery of an alert is worth: a look at the alerts now, or nothing. `refuse` says why it is no alert. */
export type Hint = { readonly says: "look" } | { readonly says: "ignore" | "refuse"; readonly why: string };

/** What a delivery of events is worth. `validate` is a handshake, whose code is given back. */
export type EventHint = Hint | { readonly says: "validate"; readonly code: string };

/** What the endpoints of the API share. */
export interface Parts {
  readonly journal: Journal;
  readonly claims: Pick<Claims, "lock" | "unlock" | "holders">;
  readonly kinds: Kinds;
  readonly streams: Streams;
  /** The managed apps, as the settings spell them. */
  readonly managedApps: readonly AppTarget[];
  /** The keys of all managed targets, those of the apps included. */
  readonly managedTargets: readonly TargetKey[];
  /** What programs declare, by the plural of the things. @default nothing can be declared */
  readonly declarations?: Readonly<Record<string, Declarations>>;
  /** Judges a delivery of an alert, and looks at the alerts now if it is worth that. @default it is ignored */
  readonly hint?: (payload: unknown) => Hint;
  /** Judges a delivery of events, and looks for due credentials now if it is worth that. @default it is ignored */
  readonly eventHint?: (payload: unknown) => Promise<EventHint>;
  /** The pauses of all remediations. @default none can be set or shown */
  readonly pauses?: Pauses;
  /** Tells whether the world is still as a finished stream left it. @default it is */
  readonly standing?: (stream: string) => Promise<Standing>;
  readonly now: () => Instant;
  readonly process: string;
  /** Fires when the service stops, so that streams end. */
  readonly closing: AbortSignal;
}

/** The caller of the API. */
export interface Caller {
  /** The object id of the user or identity in Entra; else the subject or the application. */
  readonly name: string;
  /** The name that the token has for people, if any. It grants nothing: names are neither unique nor permanent. */
  readonly displayName?: string;
  /** The application that asked for the token, by its client id. */
  readonly application?: string;
  /** The app roles that the token grants. */
  readonly roles: readonly Role[];
}

/** One authenticated call. */
export interface Call {
  readonly caller: Caller;
  /** The named parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body; undefined if there is none. */
  readonly body: unknown;
  /** The trace that the caller continues, by W3C's header; undefined if it named none. */
  readonly trace?: string | undefined;
  /** Fires when the caller disconnects. */
  readonly gone: AbortSignal;
}

/** An endpoint: it answers a call. */
export type Answer = (call: Call, parts: Parts) => Promise<Response>;

/** Gives the caller as facts keep them. */
export const senderIn = ({ name, displayName }: Caller): { readonly by: string; readonly byName?: string } => ({
  by: name,
  ...(displayName === undefined ? {} : { byName: displayName }),
});

/** Gives the trace that a call continues, if it names one. */
export const continued = ({ trace }: Call): { readonly trace?: string } => (trace === undefined ? {} : { trace });

/** Names the caller for a person, with the id to which an administrator assigns roles. */
export const describeCaller = ({ name, displayName }: Pick<Caller, "name" | "displayName">): string =>
  displayName === undefined ? name : `${displayName} (${name})`;

/** Answers with JSON. */
export const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });

/** Answers with an error of the catalogue. */
export const refuse = (
  status: number,
  error: BallastError,
  more: object = {},
  headers: Record<string, string> = {},
): Response => answer(status, { error: errorBody(error), ...more }, headers);

/** Gives an error of the catalogue as callers receive it. */
export const errorBody = ({ id, message, fix, left }: BallastError) => ({
  id,
  message,
  fix,
  ...(left === undefined ? {} : { left }),
});

/** Gives the first of these targets that is not managed; the control plane touches no such target. */
export async function unmanagedOf(
  targets: readonly TargetKey[],
  { managedTargets, declarations }: Pick<Parts, "managedTargets" | "declarations">,
): Promise<TargetKey | undefined> {
  const unknown = targets.filter((target) => !managedTargets.includes(target));
  if (unknown.length === 0) return undefined;
  const declared = await declaredTargets(declarations);
  return unknown.find((target) => !declared.includes(target));
}

/** Gives the keys of everything that programs have declared. */
export const declaredTargets = async (declarations: Parts["declarations"] = {}): Promise<readonly TargetKey[]> =>
  (await Promise.all(Object.values(declarations).map(({ targets }) => targets()))).flat();

/** Gives the entry of the managed targets that would name a target; nothing if it is no app. */
const entryOf = (target: TargetKey): { readonly app?: AppTarget } => {
  const [type, resourceGroup, app] = target.split("/");
  return type === "app" && resourceGroup && app ? { app: { resourceGroup, app } } : {};
};

/** Says that a target is not managed. `anyPlace` stands in its key for a part that may be anything. */
export const unmanaged = (target: TargetKey, anyPlace?: string): BallastError => {
  const isExact = anyPlace === undefined || !target.split("/").includes(anyPlace);
  return targetUnknown({ what: describeTarget(target, anyPlace), ...(isExact && entryOf(target)) });
};

/** Refuses a call about a target that is not managed. */
export const refuseTarget = (target: TargetKey): Response => refuse(404, unmanaged(target));
