// Reads from PostgreSQL over a fresh connection each time, as an app without a pool does. It is loaded only if the
// platform sets DATABASE_URL, which it reads once: a replica keeps the password that it started with. The role and its
// password may stand apart from the URL, in PGUSER and PGPASSWORD.
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

/** The database, as the shop sees it. */
export interface Database {
  /** Reports whether the last read failed. The shop is out of order then. */
  readonly isDown: () => boolean;
  readonly close: () => Promise<void>;
}

const countMilliseconds = 1000;
const longestMilliseconds = 5_000;

/** Where the database is, and who logs in. */
export interface DatabaseAccess {
  readonly url: string;
  /** The role, if the URL names none. */
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Begins to read. Each failure is logged at once, and once a second how many logins there were. */
export function openDatabase(access: DatabaseAccess, everyMilliseconds: number, log: (line: object) => void): Database {
  const { hostname, port, pathname, username, password } = new URL(access.url);
  const user = decodeURIComponent(username) || access.user;
  const config: pg.ClientConfig = {
    host: hostname,
    port: Number(port || 5432),
    database: decodeURIComponent(pathname.slice(1)),
    user,
    password: decodeURIComponent(password) || access.password,
    application_name: "storefront",
    connectionTimeoutMillis: longestMilliseconds,
    query_timeout: longestMilliseconds,
    // A server on this machine has no certificate. Every other one must have a valid one.
    ssl: hostname === "127.0.0.1" ? false : {},
  };
  let isDown = false;
  let attempts = 0;
  let isOver = false;
  const count = setInterval(() => {
    if (attempts > 0) log({ logins: attempts, user });
    attempts = 0;
  }, countMilliseconds).unref();
  const read = async (): Promise<void> => {
    const client = new pg.Client(config);
    client.on("error", () => undefined); // A connection that breaks fails the query under way.
    attempts += 1;
    let step = "login";
    try {
      await client.connect();
      step = "query";
      await client.query("select 1 from orders limit 1");
      isDown = false;
    } catch (error) {
      isDown = true;
      const { code, message } = error as { readonly code?: string; readonly message: string };
      log({ failed: step, user, code: code ?? message });
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const reading = (async () => {
    while (!isOver) await Promise.all([read(), pause(everyMilliseconds)]);
  })();
  return {
    isDown: () => isDown,
    close: async () => {
      isOver = true;
      await reading;
      clearInterval(count);
      if (attempts > 0) log({ logins: attempts, user });
    },
  };
}
