// The pauses of all remediations in memory.
import type { Pauses } from "../../../controlplane/runtime/ports.ts";
import type { PauseOfAll } from "../../../engines/pause.ts";
import type { Instant } from "../../../engines/time.ts";

/** Opens the store. */
export function memoryPauses(now: () => Instant): Pauses {
  let last: PauseOfAll | null = null;
  return {
    current: async () => last,
    begin: async ({ by, message, seconds }) => {
      last = { by, message, until: now() + seconds * 1000 };
      return last;
    },
    end: async () => {
      const was = last !== null;
      last = null;
      return was;
    },
  };
}
