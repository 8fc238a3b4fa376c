// Which errors of the database pass by themselves: a connection that broke or was refused, a server that starts, ends
// or fails over, and a transaction that another one got in the way of. Whoever calls may call again soon.

/** Codes of Node for a connection that broke or was never made. */
const connectionCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "ECONNABORTED",
  "ENOTCONN",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/**
 * PostgreSQL's codes: connection exceptions (08), lack of connections and other resources that come back (53, without a
 * full disk), an operator's intervention such as a restart, a failover or a cancelled statement (57), a deadlock or a
 * serialization failure (40), a server that is still a read-only standby (25006), the end of a transaction in which this
 * process stood still (25P03, 25P04), and a lock that others held for too long (55P03).
 */
const serverCodes = /^(08...|53[23]00|57014|57P0[1-5]|40001|40P01|25006|25P0[34]|55P03)$/;

/** What the client says without a code. */
const clientMessages = [
  "Connection terminated",
  "Client has encountered a connection error",
  "Client was closed and is not queryable",
  "There was an error establishing an SSL connection",
  "timeout exceeded when trying to connect",
  "Query read timeout",
];

/** No token could be fetched with which to sign in to the database. The identity's endpoint answers again soon. */
export class TokenMissing extends Error {
  override readonly name = "TokenMissing";
}

/** Reports whether an error is one of the database that passes by itself. */
export function isMomentary(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (thrown instanceof TokenMissing) return true;
  const { code } = thrown as { code?: unknown };
  if (thrown instanceof AggregateError) return thrown.errors.length > 0 && thrown.errors.every(isMomentary);
  if (typeof code === "string" && (connectionCodes.has(code) || serverCodes.test(code))) return true;
  return clientMessages.some((message) => thrown.message.startsWith(message));
}
