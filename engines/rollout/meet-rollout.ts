// A request for a release while another rollout of the app is in flight → what becomes of both. Each signal is sent
// once: the caller repeats the request until it is answered, and every disregarded signal would add a fact.
import type { Met } from "../kind.ts";
import { answerTo } from "./contenders.ts";
import type { AskedRelease } from "./request.ts";
import type { RolloutState } from "./vocabulary.ts";

/** Gives what a request does to the rollout in flight. */
export function meetRollout(
  { name, body }: { readonly name: Readonly<Record<string, string>>; readonly body: AskedRelease },
  other: RolloutState,
): Met {
  // It ends by itself, and then the request is accepted.
  if (other.ending !== undefined) return { answer: "ending" };
  if (body.whenInFlight === "supersede")
    return { answer: "ending", signal: { signal: "supersede", message: `release ${body.release} replaces it` } };
  const about = (name["revision"] ?? "").toLowerCase();
  const answer = answerTo(other, about);
  if (answer !== undefined) return { answer };
  return { answer: "pending", signal: { signal: "compare", about, message: `release ${body.release} is requested` } };
}
