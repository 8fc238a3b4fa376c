// The control plane's API as typed calls, for the provider and the `ballast` command. A refusal of the control plane is
// thrown as an error with the control plane's own id and message.
import type { RolloutSummary, RolloutSummaryJson } from "../engines/rollout/summary.ts";
import type { PersonalSignal, ReleaseIntent, RolloutEvent, Target } from "../engines/rollout/vocabulary.ts";
import type { BallastError } from "../errors/catalogue.ts";
import { controlPlaneUnclear } from "../errors/provider.ts";
import { type Followed, type FollowOptions, follow } from "./follow.ts";
import { type Access, type Answer, ask, type Call, refusal } from "./requests.ts";

export type { RolloutSummary } from "../engines/rollout/summary.ts";

/** Names a rollout: an app's release of one revision. */
export interface RolloutName extends Target {
  readonly revision: string;
}

/** Selects rollouts for a list. */
export interface ListFilter extends Partial<Target> {
  readonly inFlight?: true;
}

/** One fact of a journal with its message. */
export interface JournalLine {
  readonly stream: string;
  readonly index: number;
  readonly event: RolloutEvent;
  readonly process: string;
  readonly epoch: number;
  /** Covers this fact and all before it. */
  readonly hash?: string;
  readonly message: string;
}

/**
 * Reports whether a rollout ended well. A rollout in flight, or one that was never started, has not.
 *
 * @param result Whatever a Pulumi state holds.
 */
export const succeeded = (result: unknown): result is "promoted" | "unchanged" =>
  result === "promoted" || result === "unchanged";

/** The body of a release: the intent without what the path and the token say. */
export type PutIntent = Omit<ReleaseIntent, "target" | "revision" | "requestedBy"> & {
  readonly whenInFlight?: "refuse" | "supersede";
};

/** The answer to a release. A refusal with `retryAfterSeconds` is temporary. */
export type Put =
  | { readonly rollout: RolloutSummary }
  | { readonly refused: BallastError; readonly retryAfterSeconds: number | undefined };

/** The lock that was taken, or who holds the app's lock. */
export type Locked = { readonly id: string; readonly until: number } | { readonly heldBy: string };

/** The rollouts of a list. Of an unreadable rollout only the id and the error are known. */
export interface Listed {
  readonly rollouts: readonly RolloutSummary[];
  readonly unreadable: readonly { readonly id: string; readonly error: BallastError }[];
}

/** The calls of the control plane. A refusal is thrown as its own error; only the conflict of a put is an answer. */
export interface ControlPlane {
  /** Starts the rollout, or gives its present state if it was started before. */
  readonly put: (name: RolloutName, intent: PutIntent) => Promise<Put>;
  /** Gives the selected rollouts, newest first, and beside them those whose journals cannot be read. */
  readonly list: (filter?: ListFilter) => Promise<Listed>;
  /** Gives one rollout; undefined if it does not exist. */
  readonly show: (name: RolloutName) => Promise<RolloutSummary | undefined>;
  readonly journal: (name: RolloutName) => Promise<readonly JournalLine[]>;
  readonly signal: (name: RolloutName, signal: PersonalSignal, message: string) => Promise<string>;
  /** Locks the app, so that no rollout shifts its traffic until the lock is given back or expires. */
  readonly lock: (target: Target, seconds: number) => Promise<Locked>;
  readonly unlock: (target: Target, id: string) => Promise<void>;
  /**
   * Yields each fact from `from` on as it is written, then the end.
   *
   * After a broken connection it continues at the next fact, so no fact is repeated or lost. It fails as unreachable
   * only when `quietSeconds` pass without a single line.
   */
  readonly follow: (name: RolloutName, options?: FollowOptions) => AsyncGenerator<Followed, void>;
}

/** Gives the calls of the control plane at an address. Nothing is sent yet. */
export function controlPlane(access: Access): ControlPlane {
  return {
    put: async (name, intent) => {
      const answer = await ask(access, { method: "PUT", path: rolloutPath(name), body: intent, repeatable: true });
      if (answer.status === 409)
        return { refused: refusal(access, answer), retryAfterSeconds: answer.retryAfterSeconds };
      if (answer.status >= 400) throw refusal(access, answer);
      return { rollout: summaryIn(answer, access) };
    },
    list: async (filter = {}) => {
      const path = `/rollouts?${new URLSearchParams(filter as Record<string, string>)}`;
      return listIn(await accepted(access, { method: "GET", path, repeatable: true }), access);
    },
    show: async (name) => {
      const answer = await ask(access, { method: "GET", path: rolloutPath(name), repeatable: true });
      if (answer.status === 404) return undefined;
      if (answer.status >= 400) throw refusal(access, answer);
      return summaryIn(answer, access);
    },
    journal: async (name) => {
      const path = rolloutPath(name, "journal");
      const answer = await accepted(access, { method: "GET", path, repeatable: true });
      return field<readonly JournalLine[]>(answer, "facts", access);
    },
    signal: async (name, signal, message) => {
      const path = rolloutPath(name, "signals");
      const answer = await accepted(access, { method: "POST", path, body: { signal, message }, repeatable: false });
      return String(field(answer, "message", access));
    },
    lock: async (target, seconds) => {
      const path = `/locks/${segments(target)}`;
      const answer = await ask(access, { method: "POST", path, body: { seconds }, repeatable: false });
      if (answer.status >= 400 && !(answer.body as { heldBy?: string } | null)?.heldBy) throw refusal(access, answer);
      return answer.body as Locked;
    },
    unlock: async (target, id) =>
      void (await accepted(access, { method: "DELETE", path: `/locks/${segments(target, id)}`, repeatable: true })),
    follow: (name, options) => follow(access, rolloutPath(name, "follow"), options),
  };
}

const segments = ({ resourceGroup, app }: Target, ...rest: readonly string[]): string =>
  [resourceGroup, app, ...rest].map(encodeURIComponent).join("/");
const rolloutPath = (name: RolloutName, ...rest: readonly string[]): string =>
  `/rollouts/${segments(name, name.revision, ...rest)}`;

/** Sends a call and throws the control plane's error if it refuses. */
async function accepted(access: Access, call: Call): Promise<Answer> {
  const answer = await ask(access, call);
  if (answer.status >= 400) throw refusal(access, answer);
  return answer;
}

/** Gives a field of an answer. @throws release-control-plane-unclear if the answer lacks it. */
function field<Value>({ body }: Answer, name: string, access: Access): Value {
  if (typeof body === "object" && body !== null && name in body) return (body as Record<string, Value>)[name]!;
  throw controlPlaneUnclear({ endpoint: access.endpoint, what: `without ${name}` });
}

function listIn(answer: Answer, access: Access): Listed {
  const rollouts = field<readonly RolloutSummaryJson[]>(answer, "rollouts", access);
  const { unreadable = [] } = answer.body as {
    readonly unreadable?: readonly { readonly id: string; readonly error: object }[];
  };
  return {
    rollouts: rollouts.map(flat),
    unreadable: unreadable.map(({ id, error }) => ({
      id,
      error: refusal(access, { status: answer.status, body: { error } }),
    })),
  };
}

function summaryIn(answer: Answer, access: Access): RolloutSummary {
  field(answer, "target", access);
  return flat(answer.body as RolloutSummaryJson);
}

/** Lifts the target, so that a summary is also a rollout's name. */
const flat = ({ target, ...rest }: RolloutSummaryJson): RolloutSummary => ({
  ...rest,
  resourceGroup: target.resourceGroup,
  app: target.app,
});
