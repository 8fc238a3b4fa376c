// A short connection of its own to the server of a credential. Trouble of the server is a result, without the details
// of the error, which may hold values of rows.
import pg from "pg";
import type { Result } from "../../../engines/engine.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { connectionOptions, type Database } from "../postgres/connection.ts";
import { isMomentary } from "../postgres/momentary.ts";

/** How to reach the servers of credentials. */
export interface CredentialAccess extends Pick<Database, "password" | "tls"> {}

export const optionsOf = (
  { server, port, database }: Credential,
  { tls }: CredentialAccess,
  user: string,
  password: Database["password"],
): pg.ClientConfig => connectionOptions({ host: server, port, name: database, user, password, tls });

/** What came of a connection. `refused` tells a login that the server did not accept from any other trouble. */
type Connected<Value> = Result<Value> | { readonly ok: false; readonly reason: string; readonly refused: true };

/** Acts on a connection of its own. Trouble of the server is a result. */
export async function connected<Value>(
  options: pg.ClientConfig,
  act: (client: pg.Client) => Promise<Result<Value>>,
): Promise<Connected<Value>> {
  const client = new pg.Client(options);
  client.on("error", () => undefined); // A connection that breaks fails the query under way.
  try {
    await client.connect();
  } catch (thrown) {
    const { code } = thrown as { readonly code?: string };
    const failed = troubleOf(thrown);
    return code === "28P01" || code === "28000" ? { ...failed, refused: true } : failed;
  }
  try {
    return await act(client);
  } catch (thrown) {
    return troubleOf(thrown);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** When to ask a server again that starts, ends or fails over. */
const againSeconds = 5;

/** Gives trouble of the server as a result. What passes by itself says when to ask again. */
const troubleOf = (thrown: unknown) => ({
  ok: false as const,
  reason: describe(thrown),
  ...(isMomentary(thrown) && { retryAfterSeconds: againSeconds }),
});

/** Describes an error of the server without its details, which may hold values of rows. */
export const describe = (thrown: unknown): string => {
  const { message, code } = thrown as { readonly message?: string; readonly code?: string };
  return `${code === undefined ? "" : `${code}: `}${message ?? "the server could not be asked"}`;
};
