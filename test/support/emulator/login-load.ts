// Clients that log in to a database again and again, each with what it knows: the replicas that serve an app, and
// readers of a published secret.
import pg from "pg";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";

/** What came of the logins so far. */
export interface Load {
  attempts: number;
  readonly failed: string[];
  readonly users: Set<string>;
  readonly passwords: Set<string>;
  readonly stop: () => Promise<void>;
}

/** Logs in again and again, with what the serving replicas have and with what readers of the published secret have. */
export function startLoad(
  credential: Credential,
  serving: () => Promise<string | undefined>,
  published: () => Promise<string | undefined>,
): Load {
  let isOver = false;
  const load = { attempts: 0, failed: [] as string[], users: new Set<string>(), passwords: new Set<string>() };
  const login = async (who: string, url: string | undefined): Promise<void> => {
    if (url === undefined) return;
    const { username: user, password } = new URL(url);
    const { server: host, port, database } = credential;
    const client = new pg.Client({ host, port, database, user, password, application_name: who });
    client.on("error", () => undefined);
    load.attempts += 1;
    load.users.add(`${who} ${user}`);
    load.passwords.add(password);
    try {
      await client.connect();
      await client.query("select count(*) from orders");
    } catch (error) {
      load.failed.push(`${who} as ${user}: ${(error as Error).message}`);
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const forever = async (act: () => Promise<void>, pause: number): Promise<void> => {
    while (!isOver) {
      await act();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  let known: string | undefined;
  const workers = [
    ...[1, 2].map(() => forever(async () => login("web", await serving()), 20)),
    forever(async () => {
      known = (await published()) ?? known;
    }, 1_000),
    ...["reports", "exports"].map((who) => forever(() => login(who, known), 50)),
  ];
  return Object.assign(load, {
    stop: async () => {
      isOver = true;
      await Promise.all(workers);
    },
  });
}
