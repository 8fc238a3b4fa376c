// Troubles that last, in the log. The loop meets the same trouble again at every try: a database that is away, or a
// stream that is stuck until a newer version comes. A line for each try would bury every other line.
import type { Time } from "./ports.ts";

/** How often a trouble that lasts is repeated, as long as nothing else is logged about its subject. */
const repeatMilliseconds = 3_600_000;

/** What is logged about subjects in trouble. */
export interface LastingTroubles {
  /** Logs a trouble when it begins or changes, and then once an hour with the number of tries. */
  readonly met: (subject: string, message: string) => void;
  /** Logs that the trouble of a subject is over, if it had one. */
  readonly over: (subject: string) => void;
}

/** Opens the log of lasting troubles. No subject has one yet. */
export function logTroubles(log: (message: string) => void, time: Pick<Time, "steady">): LastingTroubles {
  const lasting = new Map<string, { readonly message: string; tries: number; loggedAt: number }>();
  return {
    met: (subject, message) => {
      const known = lasting.get(subject);
      const now = time.steady();
      if (known?.message === message) {
        known.tries++;
        if (now - known.loggedAt < repeatMilliseconds) return;
        known.loggedAt = now;
        return log(`${subject} ${message} (${known.tries} tries so far)`);
      }
      lasting.set(subject, { message, tries: 1, loggedAt: now });
      log(`${subject} ${message}`);
    },
    over: (subject) => {
      const known = lasting.get(subject);
      if (known === undefined) return;
      lasting.delete(subject);
      log(`${subject} goes on after ${known.tries} ${known.tries === 1 ? "try" : "tries"} in vain`);
    },
  };
}
