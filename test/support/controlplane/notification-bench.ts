// What the tests of notifications work with: a journal and the store of notifications in a fresh PostgreSQL database,
// and the loop that sends notifications, started with the notifiers and the time that a test chooses.

import { expect } from "vitest";
import type { PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { openNotifications } from "../../../controlplane/adapters/postgres/notifications.ts";
import { startNotifying } from "../../../controlplane/runtime/notify.ts";
import type { Journal, Notifications, Notifier } from "../../../controlplane/runtime/ports.ts";
import { kinds } from "../../../engines/kinds.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { eventually, type PostgresForTests } from "../postgres/postgres.ts";

import { appendAtEnd, journalInPostgres } from "./journals.ts";

/** A journal, the store of notifications, and the loop that sends them. */
export interface NotificationBench {
  readonly journal: PostgresJournal<RolloutEvent>;
  readonly notifications: Notifications;
  readonly logged: string[];
  readonly append: (to: string, events: readonly RolloutEvent[]) => Promise<void>;
  readonly start: (notifiers: readonly Notifier[], now?: number) => Promise<{ readonly close: () => Promise<void> }>;
}

/** Opens a bench on a fresh database. What it opens is added to `open`, which the test closes. */
export async function openBench(
  postgres: PostgresForTests,
  open: { readonly close: () => Promise<void> }[],
  then: number,
): Promise<NotificationBench> {
  const { journal, pool } = await journalInPostgres(postgres);
  const logged: string[] = [];
  const notifications = openNotifications(pool);
  open.push(journal);
  return {
    journal,
    notifications,
    logged,
    append: async (to, events) => {
      expect(await appendAtEnd(journal, to, events, { process: "p1" })).toBe("appended");
    },
    start: async (notifiers, now = then) => {
      const notifier = startNotifying({
        journal: journal as Pick<Journal, "read" | "after">,
        kinds,
        notifications,
        notifiers,
        now: () => now,
        log: (message) => logged.push(message),
        lookSeconds: 0.05,
      });
      open.push(notifier);
      // Facts written before a notifier is registered are not sent to it.
      await eventually(
        async () =>
          (
            await pool.query("select 1 from ballast.notifications where stream = '' and notifier = any($1)", [
              notifiers.map(({ name }) => name),
            ])
          ).rowCount === notifiers.length,
        "the notifiers to be known",
      );
      return notifier;
    },
  };
}
