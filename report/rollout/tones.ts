// What a rollout's facts and results mean to a reader: good news, bad news, or something in between.
import { succeeded } from "../../engines/rollout/summary.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import type { Tone } from "../tone.ts";

/** Gives the tone of a fact. */
export function toneOf(event: RolloutEvent): Tone {
  switch (event.kind) {
    case "Finished":
      return succeeded(event.result) ? "good" : "bad";
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
