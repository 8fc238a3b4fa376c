// What the performers of all kinds do with trouble. Trouble with the world is an outcome. Trouble with the journal's
// database is thrown, because then nothing can be concluded, not even that the effect failed; adapters meet it in the
// fence, and may take it for trouble with the world.
import type { Result } from "../../engines/engine.ts";
import type { Fence } from "../runtime/ports.ts";

/** A fence, and the trouble that it met. */
export interface WatchedFence {
  readonly fence: Fence;
  /** Throws what the fence has thrown first, whatever the adapter made of it. */
  readonly rethrow: () => void;
}

/** Keeps what a fence throws. */
export function watched(fence: Fence): WatchedFence {
  const lost: unknown[] = [];
  return {
    fence: () =>
      fence().catch((error: unknown) => {
        lost.push(error);
        throw error;
      }),
    rethrow: () => {
      if (lost.length > 0) throw lost[0];
    },
  };
}

/** Gives what an adapter threw as the failure of its effect. */
export const failure = (error: unknown): Extract<Result<never>, { readonly ok: false }> => ({
  ok: false,
  reason: error instanceof Error ? error.message : String(error),
});
