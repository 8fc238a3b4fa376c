// What a plan can detect → one sentence for the owner of the service: what the judge sees at this traffic, what it does
// not, and what to do about it.
import { duration } from "../../time.ts";
import type { Strategy } from "../vocabulary.ts";
import type { Power, Traffic } from "./power.ts";

/** The time to promotion is a median: beyond this part of the maximum, many healthy canaries run out of time. */
const tightFrom = 0.6;

/** Says in one sentence what a plan sees at some traffic, what it cannot see, and what to do. */
export function adviceOn(
  { strategy }: { readonly strategy: Strategy },
  { requestsPerMinute }: Traffic,
  { healthy, faults }: Power,
): string {
  const named = (isSeen: boolean): string =>
    faults
      .filter(({ course }) => (course.ending === "rolled-back") === isSeen)
      .map(({ name }) => name)
      .join(", ");
  const within = duration(strategy.maximumSeconds);
  const sees = named(true) === "" ? "sees none of these faults" : `sees ${named(true)}`;
  const isBlind = named(false) !== "";
  const misses = isBlind
    ? `does not see ${named(false)} within ${within}`
    : "cannot tell a much smaller fault from chance, nor from failures that stay high or low for as long as a rollout";
  const isTight = healthy.ending !== "promoted" || healthy.seconds > tightFrom * strategy.maximumSeconds;
  const lateness = isTight ? `, and many healthy canaries are not promoted within ${within}` : "";
  const remedy =
    isBlind || isTight
      ? "raise maximumSeconds or failurePointsMax, or send requests of your own while a canary is watched"
      : "nothing has to be changed";
  const rate = `${Math.round(requestsPerMinute)} requests a minute`;
  return `At ${rate} this plan ${sees}, and ${misses}${lateness}; ${remedy}.`;
}
