// Waits for streams to grow. PostgreSQL's NOTIFY is only a hint, which may be late or lost, so the lengths are
// also read when a wait begins, every few seconds, and after hints may have been missed. One query at a time
// serves all waiters.

/** Waits for streams to grow. */
export interface Growth {
  /** Resolves when the stream is longer than `length`, or at once when cancelled. */
  readonly grown: (stream: string, length: number, cancel: AbortSignal) => Promise<void>;
  /** Wakes the waiters of a stream that is known to have this length. */
  readonly knows: (stream: string, length: number) => void;
  /** Reads the length of a stream, if a waiter waits for this length. */
  readonly noticed: (stream: string, length: number) => void;
  /** Reads the lengths of all awaited streams, because hints may have been missed. */
  readonly lookAtAll: () => void;
  readonly close: () => void;
}

interface Waiter {
  readonly length: number;
  readonly wake: () => void;
}

/** Begins to read lengths every `pollSeconds`. An unreachable store is tried again then. */
export function openGrowth(
  lengthsOf: (streams: readonly string[]) => Promise<ReadonlyMap<string, number>>,
  pollSeconds: number,
): Growth {
  const waiting = new Map<string, Set<Waiter>>();
  const unasked = new Set<string>();
  let asking = false;

  function knows(stream: string, length: number): void {
    for (const waiter of waiting.get(stream) ?? []) if (length > waiter.length) waiter.wake();
  }

  function noticed(stream: string, length: number): void {
    if (![...(waiting.get(stream) ?? [])].some((waiter) => length > waiter.length)) return;
    unasked.add(stream);
    void ask();
  }

  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    while (unasked.size > 0) {
      const streams = [...unasked];
      unasked.clear();
      for (const [stream, length] of await lengthsOf(streams).catch(() => new Map<string, number>()))
        knows(stream, length);
    }
    asking = false;
  }

  function lookAtAll(): void {
    for (const stream of waiting.keys()) unasked.add(stream);
    void ask();
  }

  const polling = setInterval(lookAtAll, pollSeconds * 1000).unref();
  return {
    knows,
    noticed,
    lookAtAll,
    grown: (stream, length, cancel) =>
      new Promise((resolve) => {
        if (cancel.aborted) return resolve();
        const own = waiting.get(stream) ?? new Set();
        const waiter: Waiter = {
          length,
          wake: () => {
            cancel.removeEventListener("abort", waiter.wake);
            own.delete(waiter);
            if (own.size === 0 && waiting.get(stream) === own) waiting.delete(stream);
            resolve();
          },
        };
        cancel.addEventListener("abort", waiter.wake, { once: true });
        waiting.set(stream, own.add(waiter));
        unasked.add(stream);
        void ask();
      }),
    close: () => clearInterval(polling),
  };
}
