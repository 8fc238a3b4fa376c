// What every function of the control plane is given and what it answers with. The functions themselves lie beside this
// file, one a call; which call goes to which is in app.ts.

import { targetKey } from "../../engines/rollout/names.ts";
import type { Target } from "../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import { targetUnknown } from "../../errors/api.ts";
import type { BallastError } from "../../errors/catalogue.ts";
import type { Orchestrator } from "../runtime/orchestrate.ts";
import type { Claims, Journal } from "../runtime/ports.ts";

/** So much of the durable loop as the functions need. */
export type Rollouts = Pick<Orchestrator, "start" | "signal" | "sweep">;

/** What the functions work with. */
export interface Parts {
  readonly journal: Journal;
  readonly claims: Pick<Claims, "hold" | "unhold">;
  readonly rollouts: Rollouts;
  readonly inventory: readonly Target[];
  readonly now: () => Instant;
  readonly process: string;
  /** Fires when the service stops, so that streams end. */
  readonly closing: AbortSignal;
}

/** Who calls. */
export interface Caller {
  /** The object id of the user or identity, as Entra knows it; else the subject or the application. */
  readonly name: string;
}

/** One call that has been let in. */
export interface Call {
  readonly caller: Caller;
  /** The named parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body; undefined where there is none. */
  readonly body: unknown;
  /** Fires when the caller has gone. */
  readonly gone: AbortSignal;
}

/** A call carried out. */
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

/** Writes an error of the catalogue as callers get it. */
export const errorBody = ({ id, message, fix, left }: BallastError) => ({
  id,
  message,
  fix,
  ...(left === undefined ? {} : { left }),
});

/** Finds the target of a call in the inventory, as the inventory writes it. */
export function targetOfCall({ path }: Call, { inventory }: Parts): Target | undefined {
  const key = targetKey({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" });
  return inventory.find((target) => targetKey(target) === key);
}

/** Answers a call about an app that is not ours. */
export const refuseTarget = ({ path }: Call): Response =>
  refuse(404, targetUnknown({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" }));
