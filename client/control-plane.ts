// The control plane's API about rollouts and locks as typed calls, for the provider and the `ballast` command. If the
// control plane refuses, its error is thrown with the control plane's own id and message.
import { randomUUID } from "node:crypto";
import type { Target } from "../engines/rollout/vocabulary.ts";
import type { BallastError } from "../errors/catalogue.ts";
import { type Access, accepted, ask, refusal } from "./requests.ts";
import {
  type ListFilter,
  type PutIntent,
  type RolloutCalls,
  type RolloutName,
  type RolloutSummary,
  rollouts,
} from "./rollouts.ts";
import { type ListedStreams, streamCalls } from "./streams.ts";

/** The answer to a release. A refusal with `retryAfterSeconds` is temporary. */
export type Put =
  | { readonly rollout: RolloutSummary }
  | { readonly refused: BallastError; readonly retryAfterSeconds: number | undefined };

/** The lock that was taken, or who holds the app's lock. */
export type Locked = { readonly id: string; readonly until: number } | { readonly heldBy: string };

/** The rollouts of a list. Of an unreadable rollout only the id and the error are known. */
export interface Listed extends Omit<ListedStreams<RolloutSummary>, "streams"> {
  readonly rollouts: readonly RolloutSummary[];
}

/** The calls of the control plane. A refusal is thrown as its own error; only the conflict of a put is an answer. */
export interface ControlPlane extends Omit<RolloutCalls, "put" | "list"> {
  /** Starts the rollout, or gives its present state if it was started before. */
  readonly put: (name: RolloutName, intent: PutIntent) => Promise<Put>;
  /** Gives the selected rollouts, newest first, and beside them those whose journals cannot be read. */
  readonly list: (filter?: ListFilter) => Promise<Listed>;
  /**
   * Locks the app, so that no rollout shifts its traffic until the lock is given back or expires. `next` is the rollout
   * that will be put then: if it would be refused as malformed, so is the lock, and the control plane is waited for as
   * long as by a put. Who names the lock can also remove one whose answer got lost.
   */
  readonly lock: (target: Target, seconds: number, next?: PutIntent, id?: string) => Promise<Locked>;
  readonly unlock: (target: Target, id: string) => Promise<void>;
}

/** Gives the calls of the control plane at an address. Nothing is sent yet. */
export function controlPlane(access: Access): ControlPlane {
  const calls = streamCalls(access, rollouts);
  return {
    ...calls,
    put: async (name, intent) => {
      const put = await calls.put(name, intent);
      return "stream" in put ? { rollout: put.stream } : put;
    },
    list: async (filter) => {
      const { streams, ...troubled } = await calls.list(filter);
      return { rollouts: streams, ...troubled };
    },
    lock: async (target, seconds, next, id = randomUUID()) => {
      const answer = await ask(access, {
        method: "POST",
        path: lockPath(target),
        // sent again, it is the same lock
        body: { seconds, id, ...(next && { next: { kind: "rollout", body: next } }) },
        repeatable: true,
        persistent: next === undefined ? "answered" : true,
      });
      if (answer.status >= 400 && !(answer.body as { heldBy?: string } | null)?.heldBy) throw refusal(access, answer);
      return answer.body as Locked;
    },
    unlock: async (target, id) =>
      void (await accepted(access, { method: "DELETE", path: lockPath(target, id), repeatable: true })),
  };
}

const lockPath = ({ resourceGroup, app }: Target, ...rest: readonly string[]): string =>
  `/locks/${[resourceGroup, app, ...rest].map(encodeURIComponent).join("/")}`;
