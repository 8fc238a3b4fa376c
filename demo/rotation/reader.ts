// A client of the database that reads its password from the published secret: how it reads again, how it connects, and
// what it counts. Several share one process (readers.ts).
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { eventually } from "./eventually.ts";

/** When a reader reads the secret again. */
export type Rereading =
  | { readonly kind: "every"; readonly milliseconds: number; readonly firstAfterMilliseconds?: number }
  /** Only after a login was refused. */
  | { readonly kind: "refused" }
  | { readonly kind: "never" };

/** A reader, as readers.ts is told of it. */
export interface ReaderOptions {
  readonly who: string;
  /** A pooled reader keeps its connection for a while and asks over it; another one connects each time. */
  readonly pooled: boolean;
  readonly everyMilliseconds: number;
  readonly rereads: Rereading;
}

/** What a reader reports. */
export type ReaderLine =
  /** Since the last line: logins and queries, and the role at the last login. */
  | { readonly kind: "count"; readonly who: string; readonly logins: number; readonly queries: number }
  | {
      readonly kind: "failed";
      readonly who: string;
      readonly at: number;
      /** A cut query is one whose session was ended by the server. */
      readonly what: "login" | "query" | "cut";
      readonly user: string;
      readonly code: string;
    }
  /** The first login with another role or password than before. */
  | { readonly kind: "adopted"; readonly who: string; readonly at: number; readonly user: string };

/** How long a pooled connection is kept. It must be shorter than the drain of a rotation. */
const poolSeconds = 1;
const longestMilliseconds = 10_000;
const cutCodes = new Set(["57P01", "ECONNRESET"]);

/** Reads and connects until it is stopped. */
export async function run(
  { who, pooled, everyMilliseconds, rereads }: ReaderOptions,
  fetchUrl: () => Promise<string>,
  report: (line: ReaderLine) => void,
  stop: AbortSignal,
): Promise<void> {
  const notes = notesOf(who, report);
  let url = await firstRead(fetchUrl);
  // The vault may be slow. A reader then goes on with what it has.
  const reread = async (): Promise<void> => {
    url = await fetchUrl().catch(() => url);
  };
  const { ask, close } = pooled ? pooledClient(who, notes) : freshClient(who, notes);
  const rereading =
    rereads.kind === "every"
      ? pause(rereads.firstAfterMilliseconds ?? 0).then(() => forever(rereads.milliseconds, stop, reread))
      : undefined;
  const counting = forever(500, stop, async () => notes.count());
  await forever(everyMilliseconds, stop, async () => {
    const isIn = await ask(url);
    if (!isIn && rereads.kind === "refused") await reread();
  });
  await Promise.all([rereading, counting]);
  notes.count();
  await close();
}

/** A machine that is busy with other work starts everything late. */
const firstReadSeconds = 300;

/** Reads the secret for the first time, whatever goes wrong meanwhile. @throws the latest reason why it was in vain */
async function firstRead(fetchUrl: () => Promise<string>): Promise<string> {
  let cause: unknown;
  const read = (): Promise<string | undefined> =>
    fetchUrl().catch((error: unknown) => {
      cause = error;
      return undefined;
    });
  return eventually(read, "the published secret", firstReadSeconds).catch((error: Error) => {
    throw new Error(error.message, { cause });
  });
}

/** What a reader notes on its way. */
interface Notes {
  readonly login: (url: string) => void;
  readonly query: () => void;
  readonly failed: (what: "login" | "query", url: string, error: unknown) => void;
  /** Reports what was counted since the last time. */
  readonly count: () => void;
}

function notesOf(who: string, report: (line: ReaderLine) => void): Notes {
  const counts = { logins: 0, queries: 0 };
  let proven = "";
  return {
    login: (url) => {
      counts.logins += 1;
      if (url === proven) return;
      proven = url;
      report({ kind: "adopted", who, at: Date.now(), user: new URL(url).username });
    },
    query: () => {
      counts.queries += 1;
    },
    failed: (what, url, error) => {
      if (what === "login") counts.logins += 1;
      const { code = (error as Error).message } = error as { readonly code?: string };
      const kind = what === "query" && cutCodes.has(code) ? "cut" : what;
      report({ kind: "failed", who, at: Date.now(), what: kind, user: new URL(url).username, code });
    },
    count: () => {
      report({ kind: "count", who, ...counts });
      Object.assign(counts, { logins: 0, queries: 0 });
    },
  };
}

/** A client of the database: asks once, and says whether it was let in. */
interface Client {
  readonly ask: (url: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

const question = "select count(*) from orders";

/** Connects anew each time. */
const freshClient = (who: string, notes: Notes): Client => ({
  ask: async (url) => {
    const client = new pg.Client(configOf(url, who));
    let broken: unknown;
    client.on("error", (error) => {
      broken = error;
    });
    try {
      await client.connect();
    } catch (error) {
      notes.failed("login", url, error);
      return false;
    }
    notes.login(url);
    notes.query();
    try {
      await client.query(question);
    } catch (error) {
      notes.failed("query", url, broken ?? error);
    } finally {
      await client.end().catch(() => undefined);
    }
    return true;
  },
  close: async () => undefined,
});

/** Asks over a connection that it keeps for a while, and over a new pool once it knows another version. */
function pooledClient(who: string, notes: Notes): Client {
  let kept: { readonly url: string; readonly pool: pg.Pool } | undefined;
  return {
    ask: async (url) => {
      if (kept?.url !== url) {
        void kept?.pool.end();
        kept = { url, pool: poolFor(url, who, () => notes.login(url)) };
      }
      const client = await kept.pool.connect().catch((error: unknown) => {
        notes.failed("login", url, error);
        return undefined;
      });
      if (client === undefined) return false;
      let broken: Error | undefined;
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on("error", onError);
      notes.query();
      try {
        await client.query(question);
      } catch (error) {
        broken ??= error as Error;
        notes.failed("query", url, error);
      } finally {
        client.off("error", onError);
        client.release(broken);
      }
      return true;
    },
    close: async () => kept?.pool.end(),
  };
}

/** Acts again and again, each time that long after it began, and never twice at once. */
async function forever(milliseconds: number, stop: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!stop.aborted) {
    const rest = pause(milliseconds, undefined, { signal: stop }).catch(() => undefined);
    await act();
    await rest;
  }
}

function poolFor(url: string, who: string, connected: () => void): pg.Pool {
  const pool = new pg.Pool({ ...configOf(url, who), max: 1, maxLifetimeSeconds: poolSeconds });
  pool.on("error", () => undefined); // An idle connection that breaks is replaced at the next query.
  pool.on("connect", connected);
  return pool;
}

function configOf(url: string, who: string): pg.ClientConfig {
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    host: hostname,
    port: Number(port),
    database: decodeURIComponent(pathname.slice(1)),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    application_name: who,
    connectionTimeoutMillis: longestMilliseconds,
  };
}
