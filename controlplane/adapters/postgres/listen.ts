// LISTEN and NOTIFY of PostgreSQL: one connection that listens and reconnects, and one sender that collects messages. A
// message is only a hint. After each reconnect the listener must look for itself, because messages in between are lost.
import { setTimeout as nap } from "node:timers/promises";
import pg from "pg";
import type { Log } from "./connection.ts";

const restMilliseconds = 1000;

/**
 * Listens on a channel until closed. `noticed` receives each payload, or undefined when messages may have been missed.
 */
export function listen(
  options: pg.ClientConfig,
  channel: string,
  log: Log,
  noticed: (payload: string | undefined) => void,
): { readonly close: () => Promise<void> } {
  const closing = new AbortController();
  let trouble = "";

  async function connection(): Promise<void> {
    const client = new pg.Client(options);
    const broken = new Promise<void>((resolve) => {
      client.on("error", () => resolve()).on("end", () => resolve());
      closing.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      client.on("notification", (notice) => noticed(notice.payload));
      await client.connect();
      await client.query(`listen ${channel}`);
      if (trouble !== "") log("the listening connection to the database is back");
      trouble = "";
      noticed(undefined);
      await broken;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function forever(): Promise<void> {
    while (!closing.signal.aborted) {
      await connection().catch((error: unknown) => {
        // It is tried every second: an outage is logged when it begins and whenever it changes.
        if (String(error) !== trouble) log(`the listening connection to the database broke: ${String(error)}`);
        trouble = String(error);
      });
      await nap(restMilliseconds, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const ended = forever();
  return {
    close: async () => {
      closing.abort();
      await ended;
    },
  };
}

/** Sends messages to all listeners. */
export interface Announcer {
  /** Queues a message; nothing waits for it. A later one about the same subject replaces it while it is queued. */
  readonly announce: (about: string, payload: string) => void;
  /** Resolves after the last message. */
  readonly close: () => Promise<void>;
}

/** The shortest time between two batches. */
const batchMilliseconds = 20;

/**
 * Opens an announcer. It sends the first message at once, and the ones that follow soon after as one batch. A batch
 * that cannot be sent is lost, as hints may be.
 */
export function openAnnouncer(send: (payloads: readonly string[]) => Promise<unknown>): Announcer {
  const closing = new AbortController();
  let waiting = new Map<string, string>();
  let sending: Promise<void> | undefined;
  async function sendAll(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.values()];
      waiting = new Map();
      await send(batch).catch(() => undefined);
      await nap(batchMilliseconds, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    sending = undefined;
  }
  return {
    announce: (about, payload) => {
      waiting.set(about, payload);
      sending ??= sendAll();
    },
    close: async () => {
      closing.abort();
      await sending;
    },
  };
}
