// One connection that listens, made again when it breaks. Notices are hints: whoever gets one looks for himself, and
// after each new connection everybody is told to look, since notices of the time between are lost.
import { setTimeout as nap } from "node:timers/promises";
import pg from "pg";
import type { Log } from "./connection.ts";

const restMilliseconds = 1000;

/** Listens on a channel until closed; `noticed` gets each payload, or undefined when any number may have been missed. */
export function listen(
  options: pg.ClientConfig,
  channel: string,
  log: Log,
  noticed: (payload: string | undefined) => void,
): { readonly close: () => Promise<void> } {
  const closing = new AbortController();

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
      noticed(undefined);
      await broken;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function forever(): Promise<void> {
    while (!closing.signal.aborted) {
      await connection().catch((error: unknown) =>
        log(`the listening connection to the database broke: ${String(error)}`),
      );
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

/** Tells whoever listens. */
export interface Telling {
  /** Has a notice on its way soon; nobody waits for it. A later one about the same takes its place until then. */
  readonly tell: (about: string, payload: string) => void;
  /** Ends with the last notice. */
  readonly close: () => Promise<void>;
}

/** At most so often a lot of notices is sent. */
const lotMilliseconds = 20;

/** Gives what sends notices: the first at once, and what comes soon after it as one lot. A lot that cannot be sent is lost, as notices may be. */
export function openTelling(send: (payloads: readonly string[]) => Promise<unknown>): Telling {
  const closing = new AbortController();
  let waiting = new Map<string, string>();
  let telling: Promise<void> | undefined;
  async function untilTold(): Promise<void> {
    while (waiting.size > 0) {
      const lot = [...waiting.values()];
      waiting = new Map();
      await send(lot).catch(() => undefined);
      await nap(lotMilliseconds, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    telling = undefined;
  }
  return {
    tell: (about, payload) => {
      waiting.set(about, payload);
      telling ??= untilTold();
    },
    close: async () => {
      closing.abort();
      await telling;
    },
  };
}
