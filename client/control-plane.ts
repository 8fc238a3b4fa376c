// The control plane's API as typed calls: what the provider and the `ballast` command know of it. Refusals come as errors
// with the control plane's own ids. Knows nothing of Pulumi, and nothing of how a rollout is decided.
import { setTimeout as sleep } from "node:timers/promises";
import type { Balance } from "../engines/rollout/judge/judge.ts";
import type {
  PersonalSignal,
  ReleaseIntent,
  RolloutEvent,
  RolloutResult,
  Target,
} from "../engines/rollout/vocabulary.ts";
import { BallastError } from "../errors/catalogue.ts";
import { controlPlaneUnclear, controlPlaneUnreachable } from "../errors/provider.ts";
import { type Access, type Answer, ask, type Call, open, reasonOf, refusal } from "./requests.ts";

/** Which rollout: an app's release of one revision. */
export interface RolloutName extends Target {
  readonly revision: string;
}

/** A rollout as the control plane shows it. */
export interface Shown extends RolloutName {
  /** `rollout/<resource group>/<app>/<revision>`, lower-cased. */
  readonly id: string;
  readonly release: string;
  readonly phase: string;
  /** What the canary has of the traffic. */
  readonly percent: number;
  readonly attempt: number;
  /** Null while it is in flight. */
  readonly result: RolloutResult | null;
  readonly sentence: string;
  /** How far it has come towards either verdict; null before its first step. A control plane of an older version gives none. */
  readonly evidence?: Balance | null;
  readonly startedAt: number;
  /** How many facts its journal holds. */
  readonly facts: number;
}

/** Which rollouts a list is to give. */
export interface ListFilter extends Partial<Target> {
  readonly inFlight?: true;
}

/** One fact of a journal with the line that people read. */
export interface JournalLine {
  readonly stream: string;
  readonly index: number;
  readonly event: RolloutEvent;
  readonly process: string;
  readonly epoch: number;
  /** Over this fact and all before it; a control plane before the chain gives none. */
  readonly hash?: string;
  readonly text: string;
}

/** One fact as it is told while it happens. */
export interface Told {
  readonly index: number;
  readonly at: number;
  readonly kind: RolloutEvent["kind"];
  readonly text: string;
  readonly process: string;
  readonly epoch: number;
  /** False for bookkeeping, which only `ballast release explain` shows. */
  readonly isWorthTelling: boolean;
}

/** What following a rollout yields: facts, breaks in the connection that will be mended, and one end. */
export type Followed =
  | { readonly kind: "told"; readonly fact: Told }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "ended"; readonly result: RolloutResult; readonly sentence: string };

/** Tells whether a rollout ended well; what is in flight or was never started has not. It takes what a state of Pulumi holds, whatever that is. */
export const succeeded = (result: unknown): result is "promoted" | "equal" =>
  result === "promoted" || result === "equal";

/** Tells people of a break in the connection, and no more than is known: from here, a restart looks like a cut line. */
export const brokenLine = (reason: string): string =>
  `the connection to the control plane broke and is made again; the rollout goes on meanwhile (${reason})`;

/** What is put: the intent without what the address and the token say. */
export type PutIntent = Omit<ReleaseIntent, "target" | "revision" | "requestedBy"> & {
  readonly whenInFlight?: "refuse" | "supersede";
};

/** What came of a put. A refusal with `retryAfterSeconds` will pass by itself. */
export type Put =
  | { readonly shown: Shown }
  | { readonly refused: BallastError; readonly retryAfterSeconds: number | undefined };

/** What came of asking for a hold. */
export type Held = { readonly id: string; readonly until: number } | { readonly heldBy: string };

/** What there is. Of a rollout that is unreadable no more is known than its id and why; when it began is not. */
export interface Listed {
  readonly rollouts: readonly Shown[];
  readonly unreadable: readonly { readonly id: string; readonly error: BallastError }[];
}

/** Everything that can be asked of the control plane. What it refuses is thrown as its own error; a put's conflict is an answer. */
export interface ControlPlane {
  /** Starts the rollout, or finds it where it has been started before. */
  readonly put: (name: RolloutName, intent: PutIntent) => Promise<Put>;
  /** Gives the rollouts that fit, or all, newest first, and beside them those whose journals cannot be read. */
  readonly list: (filter?: ListFilter) => Promise<Listed>;
  /** Gives one rollout; undefined where there never was one. */
  readonly show: (name: RolloutName) => Promise<Shown | undefined>;
  readonly journal: (name: RolloutName) => Promise<readonly JournalLine[]>;
  readonly signal: (name: RolloutName, signal: PersonalSignal, reason: string) => Promise<string>;
  readonly hold: (target: Target, seconds: number) => Promise<Held>;
  readonly unhold: (target: Target, id: string) => Promise<void>;
  /**
   * Tells each fact from `from` on as it is written, then the end.
   *
   * A connection that breaks is taken up again at the next fact, so no fact is told twice and none is left out; only
   * `quietSeconds` without a single line end it, as unreachable.
   */
  readonly follow: (name: RolloutName, options?: FollowOptions) => AsyncGenerator<Followed, void>;
}

/** From which fact on, for how long nothing may be heard, and who else may end it. */
export interface FollowOptions {
  /** @default 0 */
  readonly from?: number;
  /** @default 60 */
  readonly quietSeconds?: number;
  readonly cancel?: AbortSignal;
}

/** Gives the control plane at that address. Nothing is sent yet. */
export function controlPlane(access: Access): ControlPlane {
  const at = ({ resourceGroup, app }: Target, ...rest: readonly string[]): string =>
    [resourceGroup, app, ...rest].map(encodeURIComponent).join("/");
  const rollout = (name: RolloutName, ...rest: readonly string[]): string =>
    `/rollouts/${at(name, name.revision, ...rest)}`;
  const asked = async (call: Call): Promise<Answer> => {
    const answer = await ask(access, call);
    if (answer.status >= 400) throw refusal(access, answer);
    return answer;
  };
  const expected = <Key extends string>({ body }: Answer, key: Key): Record<Key, any> => {
    if (typeof body === "object" && body !== null && key in body) return body as Record<Key, any>;
    throw controlPlaneUnclear({ endpoint: access.endpoint, what: `without ${key}` });
  };
  const shownFrom = (answer: Answer): Shown => flat(expected(answer, "target") as OnTheWire);
  return {
    put: async (name, intent) => {
      const answer = await ask(access, { method: "PUT", path: rollout(name), body: intent, repeatable: true });
      if (answer.status === 409)
        return { refused: refusal(access, answer), retryAfterSeconds: answer.retryAfterSeconds };
      if (answer.status >= 400) throw refusal(access, answer);
      return { shown: shownFrom(answer) };
    },
    list: async (filter = {}) => {
      const answer = await asked({
        method: "GET",
        path: `/rollouts?${new URLSearchParams(filter as Record<string, string>)}`,
        repeatable: true,
      });
      const { rollouts, unreadable = [] } = expected(answer, "rollouts") as {
        readonly rollouts: readonly OnTheWire[];
        readonly unreadable?: readonly { readonly id: string; readonly error: object }[];
      };
      return {
        rollouts: rollouts.map(flat),
        unreadable: unreadable.map(({ id, error }) => ({
          id,
          error: refusal(access, { status: answer.status, body: { error } }),
        })),
      };
    },
    show: async (name) => {
      const answer = await ask(access, { method: "GET", path: rollout(name), repeatable: true });
      if (answer.status === 404) return undefined;
      if (answer.status >= 400) throw refusal(access, answer);
      return shownFrom(answer);
    },
    journal: async (name) =>
      expected(await asked({ method: "GET", path: rollout(name, "journal"), repeatable: true }), "facts")
        .facts as readonly JournalLine[],
    signal: async (name, signal, reason) => {
      const answer = await asked({
        method: "POST",
        path: rollout(name, "signals"),
        body: { signal, reason },
        repeatable: false,
      });
      return String(expected(answer, "text").text);
    },
    hold: async (target, seconds) => {
      const answer = await ask(access, {
        method: "POST",
        path: `/holds/${at(target)}`,
        body: { seconds },
        repeatable: false,
      });
      if (answer.status >= 400 && !(answer.body as { heldBy?: string } | null)?.heldBy) throw refusal(access, answer);
      return answer.body as Held;
    },
    unhold: async (target, id) =>
      void (await asked({ method: "DELETE", path: `/holds/${at(target, id)}`, repeatable: true })),
    follow: (name, { from = 0, quietSeconds = 60, cancel } = {}) => {
      const cancels = [access.cancel, cancel].filter((signal) => signal !== undefined);
      return follow({ ...access, cancel: AbortSignal.any(cancels) }, rollout(name, "follow"), from, quietSeconds);
    },
  };
}

type OnTheWire = Omit<Shown, keyof Target> & { readonly target: Target };

/** Lifts the target, which the wire nests, so that a shown rollout is also a rollout's name. */
const flat = ({ target, ...rest }: OnTheWire): Shown => ({
  ...rest,
  resourceGroup: target.resourceGroup,
  app: target.app,
});

async function* follow(
  access: Access & { readonly cancel: AbortSignal },
  path: string,
  from: number,
  quietSeconds: number,
): AsyncGenerator<Followed, void> {
  let next = from;
  let heardAt = Date.now();
  let misses = 0;
  let reason = "";
  for (;;) {
    try {
      for await (const line of lines(access, `${path}?from=${next}`)) {
        heardAt = Date.now();
        misses = 0;
        if ("result" in line && line.result)
          return yield { kind: "ended", result: line.result, sentence: line.sentence };
        if (!("index" in line) || line.index === undefined || line.index < next) continue;
        next = line.index + 1;
        yield { kind: "told", fact: line };
      }
      reason = "the answer ended before the rollout did";
    } catch (error) {
      access.cancel.throwIfAborted();
      if (error instanceof BallastError) throw error;
      reason = reasonOf(error);
    }
    if (Date.now() - heardAt > quietSeconds * 1000)
      throw controlPlaneUnreachable({ endpoint: access.endpoint, reason });
    misses += 1; // one miss is an ingress that ends long answers, as Azure's does after four minutes; two in a row are news
    if (misses === 2) yield { kind: "broken", reason };
    if (misses > 1) await sleep(500, undefined, { signal: access.cancel });
  }
}

/** A fact, the end, or a heartbeat, which is empty. */
type FollowLine =
  | Told
  | { readonly result: RolloutResult; readonly sentence: string }
  | { readonly result?: never; readonly index?: never };

/** A heartbeat comes every ten seconds, so a longer silence is a dead connection. */
const silenceSeconds = 25;

async function* lines(
  access: Access & { readonly cancel: AbortSignal },
  path: string,
): AsyncGenerator<FollowLine, void> {
  const silent = new AbortController();
  const silence = setTimeout(
    () => silent.abort(new Error(`nothing was heard for ${silenceSeconds} s`)),
    silenceSeconds * 1000,
  );
  try {
    const response = await open(access, path, AbortSignal.any([access.cancel, silent.signal]));
    if (response.status >= 500) throw new Error(`it answered ${response.status}`);
    if (response.status >= 400)
      throw refusal(access, { status: response.status, body: await response.json().catch(() => undefined) });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of response.body ?? []) {
      silence.refresh();
      const parts = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) if (part.trim()) yield JSON.parse(part) as FollowLine;
    }
  } finally {
    clearTimeout(silence);
    silent.abort();
  }
}
