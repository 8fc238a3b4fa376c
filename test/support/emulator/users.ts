// People who use an app while a test acts: each asks, reads the answer for a moment, and asks again. Without that
// moment, a few of them would take a whole core from what the test waits for.
import { setTimeout as pause } from "node:timers/promises";

/** How long a person reads an answer. */
const readingMilliseconds = 50;

/** People who ask until they are told to stop. */
export interface Users {
  /** What they got so far: the status of each answer, or the error of a request without one. */
  readonly answers: readonly (number | string)[];
  /** Sends them away, and returns after the last answer. */
  readonly end: () => Promise<void>;
}

/** Starts people, each of whom visits in one way of their own. */
export function startUsers(visits: readonly (() => Promise<number>)[]): Users {
  const answers: (number | string)[] = [];
  const stop = new AbortController();
  const asking = visits.map(async (visit) => {
    while (!stop.signal.aborted) {
      answers.push(await visit().catch(String));
      await pause(readingMilliseconds, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  });
  return {
    answers,
    end: async () => {
      stop.abort();
      await Promise.all(asking);
    },
  };
}

/** Does something while people use an app, and gives its result with what they got. */
export async function underUsers<Value>(
  visits: readonly (() => Promise<number>)[],
  act: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly answers: Users["answers"] }> {
  const users = startUsers(visits);
  const value = await act().finally(users.end);
  return { value, answers: users.answers };
}
