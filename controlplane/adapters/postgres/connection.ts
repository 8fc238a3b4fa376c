// How the control plane reaches its database: address, password, encryption, limits. A password may be a function, asked
// anew for each connection, because a token of the identity lives shorter than the process.
// What is stored there is not known here.
import pg from "pg";
import { databaseTlsDisabled } from "../../../errors/journal.ts";

/** Where the database is and who we are there. */
export interface Database {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string | (() => Promise<string>);
  /** `disable` is accepted for this machine alone. */
  readonly tls: "require" | "disable";
}

/** Tells about trouble that mends itself: a connection that broke and will be made again. */
export type Log = (sentence: string) => void;

/** Says whether a host is this machine, which needs no encryption on the way. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Gives the options of every connection of ours. @throws database-tls-disabled */
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
    idle_in_transaction_session_timeout: 5_000, // A process that was put to sleep must not keep its locks from others.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** Opens the pool that journal, claims and orchestrations share. Idle connections that break are told and replaced. */
export function openPool(database: Database, log: Log): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOptions(database),
    max: 12,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 3600,
  });
  pool.on("error", (error) => log(`an idle connection to the database broke and will be replaced: ${error.message}`));
  return pool;
}
