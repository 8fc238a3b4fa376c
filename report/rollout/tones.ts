// What a rollout's facts and results mean to a reader: good news, bad news, or something in between.
import type { RolloutEvent, RolloutResult } from "../../engines/rollout/vocabulary.ts";
import type { Tone } from "../tone.ts";

/** Gives the tone of a fact. */
export function toneOf(event: RolloutEvent): Tone {
  switch (event.kind) {
    case "Finished":
      return isGood(event.result) ? "good" : "bad";
    case "StepPassed":
    case "SmokePassed":
    case "Reverted":
    case "FoundUnchanged":
      return "good";
    case "Aborted":
    case "AttemptFailed":
      return "bad";
    case "Waiting":
    case "TrafficDrifted":
    case "TrafficAdopted":
      return "warn";
    case "Signalled":
      return "person";
    default:
      return "plain";
  }
}

/** Reports whether the release serves, or served already. */
export const isGood = (result: RolloutResult): boolean => result === "promoted" || result === "unchanged";
