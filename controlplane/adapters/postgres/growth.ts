// Waiting for streams to grow. A notice is a hint, which may be late, lost or anybody's: it has lengths asked for, as they are when a wait begins, every few
// seconds after that, and when notices may have been missed. However many wait, it is one question at a time for all of them.

/** Those who wait. */
export interface Growth {
  /** Resolves when the stream is longer than `length`, or at once when cancelled. */
  readonly grown: (stream: string, length: number, cancel: AbortSignal) => Promise<void>;
  /** Wakes whoever waits for a stream to be as long as this, which it is. */
  readonly knows: (stream: string, length: number) => void;
  /** Asks for a stream, where somebody waits for it to be as long as this. */
  readonly noticed: (stream: string, length: number) => void;
  /** Asks for all, since notices may have been missed. */
  readonly lookAtAll: () => void;
  readonly close: () => void;
}

interface Waiter {
  readonly length: number;
  readonly wake: () => void;
}

/** Begins to look each `pollSeconds`. A store that is away is asked again then. */
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
