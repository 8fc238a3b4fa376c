// A signal → the reason why it cannot be followed now, if there is one.
import { whyNotOpened } from "../old-role.ts";
import { isLeaked } from "../progress.ts";
import type { RotationState, SignalName } from "../vocabulary.ts";

/** Gives the reason why a signal is refused; undefined if it is followed. */
export function refusal(state: RotationState, signal: SignalName): string | undefined {
  const { phase, paused, ending } = state;
  const over =
    phase === "finished" ? `${signal} came too late: the rotation has ended as ${ending?.result}` : undefined;
  switch (signal) {
    case "pause":
      return over ?? (paused ? "the rotation is already paused" : undefined);
    case "resume":
      return over ?? (paused ? undefined : "the rotation is not paused");
    case "retry":
      return refusalOfRetry(state);
    case "back":
      return refusalOfReturn(state);
    case "open":
      return over ?? whyNotOpened(state);
  }
}

const retried: readonly string[] = ["rejected", "stopped", "degraded"];

function refusalOfRetry({ phase, ending }: RotationState): string | undefined {
  const needed = "retry needs a rotation that was rejected, stopped or degraded";
  if (phase !== "finished") return `${needed}; this one is still in progress`;
  return retried.includes(ending?.result ?? "") ? undefined : `${needed}; this one is ${ending?.result}`;
}

/** The old version can serve again until its slot gets another password, and never if others know it. */
function refusalOfReturn(state: RotationState): string | undefined {
  const { phase, ending, direction, renewing, old } = state;
  if (isLeaked(state))
    return "back is refused: others know the old version; go on with this rotation, or rotate once more afterwards";
  if (renewing || ending?.result === "rotated")
    return "back is refused: the old version is no longer valid; rotate once more instead";
  if (phase === "finished" && ending?.result !== "stopped" && ending?.result !== "degraded")
    return `back needs a rotation in progress or one that was stopped; this one is ${ending?.result}`;
  if (direction === "back" && phase !== "finished") return "the rotation already returns";
  return old.version === "" ? "back needs a rotation that has begun; nothing was changed yet" : undefined;
}
