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
]);

/**
 * PostgreSQL's codes: connection exceptions (08), lack of connections and other resources that come back (53, without a
 * full disk), an operator's intervention such as a restart, a failover or a cancelled statement (57), a deadlock or a
 * serialization failure (40), and a server that is still a read-only standby (25006).
 */
const serverCodes = /^(08...|53[23]00|57014|57P0[1-5]|40001|40P01|25006)$/;

/** What the client says without a code. */
const clientMessages = [
  "Connection terminated",
  "Client has encountered a connection error",
  "timeout exceeded when trying to connect",
  "Query read timeout",
];

/** Reports whether an error is one of the database that passes by itself. */
export function isMomentary(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as { code?: unknown };
  if (thrown instanceof AggregateError) return thrown.errors.length > 0 && thrown.errors.every(isMomentary);
  if (typeof code === "string" && (connectionCodes.has(code) || serverCodes.test(code))) return true;
  return clientMessages.some((message) => thrown.message.startsWith(message));
}
