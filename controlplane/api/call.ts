// What every function of the API receives and how it answers. The functions are in the files beside this one, one for
// each call; app.ts routes the calls to them.

import { targetKey } from "../../engines/rollout/names.ts";
import type { Target } from "../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import { targetUnknown } from "../../errors/api.ts";
import type { BallastError } from "../../errors/catalogue.ts";
import type { Orchestrator } from "../runtime/orchestrate.ts";
import type { Claims, Journal } from "../runtime/ports.ts";

/** The part of the control loop that the API uses. */
export type Rollouts = Pick<Orchestrator, "start" | "signal" | "recover">;

/** What the functions of the API share. */
export interface Parts {
  readonly journal: Journal;
  readonly claims: Pick<Claims, "lock" | "unlock">;
  readonly rollouts: Rollouts;
  readonly managedTargets: readonly Target[];
  readonly now: () => Instant;
  readonly process: string;
  /** Fires when the service stops, so that streams end. */
  readonly closing: AbortSignal;
}

/** The caller of the API. */
export interface Caller {
  /** The object id of the user or identity in Entra; else the subject or the application. */
  readonly name: string;
}

/** One authenticated call. */
export interface Call {
  readonly caller: Caller;
  /** The named parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body; undefined if there is none. */
  readonly body: unknown;
  /** Fires when the caller disconnects. */
  readonly gone: AbortSignal;
}

/** A function that answers a call. */
export type Answer = (call: Call, parts: Parts) => Promise<Response>;

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

/** Finds the target of a call among the managed targets, spelled as the managed targets spell it. */
export function targetOfCall({ path }: Call, { managedTargets }: Parts): Target | undefined {
  const key = targetKey({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" });
  return managedTargets.find((target) => targetKey(target) === key);
}

/** Refuses a call about an app that is not managed. */
export const refuseTarget = ({ path }: Call): Response =>
  refuse(404, targetUnknown({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" }));
