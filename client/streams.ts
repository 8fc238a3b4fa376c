// The control plane's calls about the streams of one kind of work: start, list, show, read, signal and follow them. The
// API has the same six calls for every kind; a kind gives the words of its paths and the types of its answers.
import type { AnyEvent, Ended } from "../engines/kind.ts";
import type { BallastError } from "../errors/catalogue.ts";
import { type Followed, type FollowOptions, follow } from "./follow.ts";
import { type Access, type Answer, accepted, acceptedIfThere, ask, fieldOf, refusal } from "./requests.ts";

/** What callers know of any stream, whatever its kind. */
export interface StreamSummary {
  /** The name of the stream, in lower case: `<kind>/<part>/…`. */
  readonly id: string;
  /** Null while the stream is in flight. */
  readonly result: string | null;
  readonly startedAt: number;
}

/** The types of one kind. */
export interface StreamTypes {
  /** The parts of a stream's name. */
  readonly part: string;
  readonly summary: StreamSummary;
  /** The body of a request for a stream. */
  readonly body: object;
  /** The filters of a list. */
  readonly filter: string;
  readonly event: AnyEvent;
  readonly signal: string;
  readonly end: Ended;
}

/** The name of a stream, without its kind. */
export type StreamName<Types extends StreamTypes> = Readonly<Record<Types["part"], string>>;

/** One kind, as its callers address it. */
export interface StreamKind<Types extends StreamTypes> {
  /** The first word of the name of each stream. */
  readonly kind: string;
  /** The first part of the paths, which is also the field of a list that has the summaries. */
  readonly plural: string;
  /** The parts of a name, in the order of the paths. */
  readonly parts: readonly Types["part"][];
  /** A field that every summary has. An answer without it is not the control plane's. @default "id" */
  readonly required?: string;
  /** Gives a summary from the API's JSON. @default the JSON as it is */
  readonly summaryFrom?: (json: object) => Types["summary"];
  /** Gives the name of a stream from its summary. @default the one in the summary's id, in lower case */
  readonly nameOf?: (summary: Types["summary"]) => StreamName<Types>;
}

/** One fact of a journal with its message. */
export interface StreamFact<Event extends AnyEvent> {
  readonly stream: string;
  readonly index: number;
  readonly event: Event;
  readonly process: string;
  readonly epoch: number;
  /** Covers this fact and all before it. */
  readonly hash?: string;
  readonly message: string;
}

/** The answer to a request for a stream. A refusal with `retryAfterSeconds` is temporary. */
export type PutStream<Summary> =
  | { readonly stream: Summary }
  | { readonly refused: BallastError; readonly retryAfterSeconds: number | undefined };

/**
 * The streams of a list. Of an unreadable stream only the id and the error are known; a stuck one is also among the
 * streams.
 */
export interface ListedStreams<Summary> {
  readonly streams: readonly Summary[];
  readonly unreadable: readonly Troubled[];
  readonly stuck: readonly Troubled[];
}

/** A stream that stands still, and why. */
export interface Troubled {
  readonly id: string;
  readonly error: BallastError;
}

/** Selects streams for a list. */
export type StreamFilter<Types extends StreamTypes> = Partial<Readonly<Record<Types["filter"], string>>> & {
  readonly inFlight?: true;
};

/** How a call is made on which something else depends. */
export interface CallOptions {
  /**
   * Tries for as long as a release is put, through the failover of a database. A signal may then arrive twice, so it is
   * for one that changes nothing the second time, such as an abort.
   *
   * @default false
   */
  readonly persistent?: boolean;
}

/** The calls about streams of a kind. A refusal is thrown as its own error; only the conflict of a put is an answer. */
export interface StreamCalls<Types extends StreamTypes> {
  /** Starts the stream, or gives its present state if it was started before. */
  readonly put: (name: StreamName<Types>, body: Types["body"]) => Promise<PutStream<Types["summary"]>>;
  /**
   * Gives the selected streams of all pages, newest first, and beside them those whose journals cannot be read. With
   * the first page alone, an older stream would seem not to exist.
   */
  readonly list: (filter?: StreamFilter<Types>) => Promise<ListedStreams<Types["summary"]>>;
  /** Gives one stream; undefined if it does not exist. */
  readonly show: (name: StreamName<Types>, options?: CallOptions) => Promise<Types["summary"] | undefined>;
  readonly journal: (name: StreamName<Types>) => Promise<readonly StreamFact<Types["event"]>[]>;
  /** Sends a signal, and gives the message with which the control plane accepted it. */
  readonly signal: (
    name: StreamName<Types>,
    signal: Types["signal"],
    message: string,
    options?: CallOptions,
  ) => Promise<string>;
  /**
   * Yields each fact from `from` on as it is written, then the end.
   *
   * After a broken connection it continues at the next fact, so no fact is repeated or lost. It fails as unreachable
   * only when `quietSeconds` pass without a single line.
   */
  readonly follow: (name: StreamName<Types>, options?: FollowOptions) => AsyncGenerator<Followed<Types["end"]>, void>;
}

/** Gives the name of the stream that a summary is about. */
export function nameIn<Types extends StreamTypes>(
  { parts, nameOf }: StreamKind<Types>,
  summary: Types["summary"],
): StreamName<Types> {
  if (nameOf !== undefined) return nameOf(summary);
  const [, ...values] = summary.id.split("/");
  return Object.fromEntries(parts.map((part, index) => [part, values[index] ?? ""])) as StreamName<Types>;
}

/** Gives the calls about streams of a kind. Nothing is sent yet. */
export function streamCalls<Types extends StreamTypes>(access: Access, kind: StreamKind<Types>): StreamCalls<Types> {
  const { plural, parts } = kind;
  const pathOf = (name: StreamName<Types>, ...rest: readonly string[]): string =>
    `/${[plural, ...parts.map((part) => encodeURIComponent(name[part])), ...rest].join("/")}`;
  return {
    put: async (name, body) => {
      const answer = await ask(access, { method: "PUT", path: pathOf(name), body, repeatable: true, persistent: true });
      if (answer.status === 409)
        return { refused: refusal(access, answer), retryAfterSeconds: answer.retryAfterSeconds };
      if (answer.status >= 400) throw refusal(access, answer);
      return { stream: summaryIn(answer, access, kind) };
    },
    list: async (filter) => {
      const query = new URLSearchParams(filter as Readonly<Record<string, string>> | undefined);
      const pages: ListedStreams<Types["summary"]>[] = [];
      for (let next: string | null | undefined; next !== null; ) {
        if (next !== undefined) query.set("cursor", next);
        const answer = await accepted(access, { method: "GET", path: `/${plural}?${query}`, repeatable: true });
        pages.push(listIn(answer, access, kind));
        next = (answer.body as { readonly next?: string | null }).next ?? null;
      }
      return {
        streams: pages.flatMap(({ streams }) => streams),
        unreadable: pages.flatMap(({ unreadable }) => unreadable),
        stuck: pages.flatMap(({ stuck }) => stuck),
      };
    },
    show: async (name, { persistent = false } = {}) => {
      const answer = await acceptedIfThere(access, { method: "GET", path: pathOf(name), repeatable: true, persistent });
      return answer && summaryIn(answer, access, kind);
    },
    journal: async (name) => {
      const answer = await accepted(access, { method: "GET", path: pathOf(name, "journal"), repeatable: true });
      return fieldOf<readonly StreamFact<Types["event"]>[]>(answer, "facts", access);
    },
    signal: async (name, signal, message, { persistent = false } = {}) => {
      const [path, body] = [pathOf(name, "signals"), { signal, message }];
      const answer = await accepted(access, { method: "POST", path, body, repeatable: persistent, persistent });
      return String(fieldOf(answer, "message", access));
    },
    follow: (name, options) => follow<Types["end"]>(access, { kind: kind.kind, path: pathOf(name, "follow") }, options),
  };
}

function listIn<Types extends StreamTypes>(
  answer: Answer,
  access: Access,
  { plural, summaryFrom = asItIs }: StreamKind<Types>,
): ListedStreams<Types["summary"]> {
  const streams = fieldOf<readonly object[]>(answer, plural, access).map(summaryFrom);
  const { unreadable = [] } = answer.body as {
    readonly unreadable?: readonly { readonly id: string; readonly error: object }[];
  };
  const troubled = unreadable.map(({ id, error }) => ({
    id,
    error: refusal(access, { status: answer.status, body: { error } }),
  }));
  const known = new Set(streams.map(({ id }) => id));
  return {
    streams,
    unreadable: troubled.filter(({ id }) => !known.has(id)),
    stuck: troubled.filter(({ id }) => known.has(id)),
  };
}

function summaryIn<Types extends StreamTypes>(
  answer: Answer,
  access: Access,
  { required = "id", summaryFrom = asItIs }: StreamKind<Types>,
): Types["summary"] {
  fieldOf(answer, required, access);
  return summaryFrom(answer.body as object);
}

const asItIs = <Summary extends StreamSummary>(json: object): Summary => json as Summary;
