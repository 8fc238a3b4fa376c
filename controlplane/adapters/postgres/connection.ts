// How the control plane connects to its database: address, password, encryption, limits. The password may be a function
// that is called for each connection, because a token of the identity expires before the process ends.
import pg from "pg";
import { databaseTlsDisabled } from "../../../errors/journal.ts";

/** The database's address and the role that we sign in as. */
export interface Database {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string | (() => Promise<string>);
  /** `disable` is accepted for this machine only. */
  readonly tls: "require" | "disable";
}

/** Receives messages about trouble that will be retried, such as a broken connection. */
export type Log = (message: string) => void;

/** Reports whether a host is this machine, to which the connection needs no encryption. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Gives the options of every connection that we open. @throws database-tls-disabled */
export function connectionOptions(database: Database): pg.ClientConfig {
  if (database.tls === "disable" && !isLoopback(database.host)) throw databaseTlsDisabled({ host: database.host });
  return {
    host: database.host,
    port: database.port,
    database: database.name,
    user: database.user,
    password: database.password,
    ssl: database.tls === "require" ? { rejectUnauthorized: true } : false,
    application_name: "ballast",
    connectionTimeoutMillis: 10_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 5_000, // A suspended process must not block others with its row locks.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** The connections of the pool that the journal and DBOS share, and of the one for claims and the heartbeat alone. */
export const poolSizes = { shared: 10, claims: 3 } as const;

/**
 * Opens a pool. A broken idle connection is logged and replaced.
 *
 * Claims and the heartbeat have a pool of their own, so that no number of readers makes the renewal of a lease, or the
 * dead man's switch, wait for a connection.
 */
export function openPool(database: Database, log: Log, max: number = poolSizes.shared): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOptions(database),
    max,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 3600,
  });
  pool.on("error", (error) => log(`an idle connection to the database broke and will be replaced: ${error.message}`));
  return pool;
}
