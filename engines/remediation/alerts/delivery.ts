// What a delivery of the webhook is worth: a reason to look at the alerts now, or none. It is never more than a hint.
// What is fired, and what may be done, is asked of the alerts API, so one that is forged, replayed or late starts
// nothing.
import { after, type Instant } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { type Declared, targetOf } from "../targets.ts";
import { whyUnfit } from "./alert.ts";
import { parseAlert } from "./parse.ts";

/** A delivery, judged. `refused` names what makes it no alert, and repeats no value of it. */
export type Hint =
  | { readonly says: "look" }
  | { readonly says: "ignore"; readonly why: string }
  | { readonly says: "refuse"; readonly why: string };

/** Azure repeats a delivery for two minutes at most. */
const ageSecondsMax = 3600;
const skewSecondsMax = 300;

/** Judges a delivery. An alert that has resolved is a reason to look too: it may stop what has not begun yet. */
export function hintOf(
  payload: unknown,
  { targets, policies }: { readonly targets: readonly Declared[]; readonly policies: readonly Policy[] },
  now: Instant,
): Hint {
  const parsed = parseAlert(payload);
  if ("refused" in parsed) return { says: "refuse", why: parsed.refused };
  const { alert } = parsed;
  const ignore = (why: string): Hint => ({ says: "ignore", why });
  const unfit = whyUnfit(alert.kind);
  if (unfit !== undefined) return ignore(`No action follows from an alert of the kind ${alert.kind}: ${unfit}.`);
  const target = targetOf(alert, targets);
  if (target === undefined) return ignore("The alert names no declared target, or more than one.");
  if (!policies.some((policy) => policy.rule === alert.rule && policy.targets.includes(target)))
    return ignore("No policy is declared for the alert's rule and target.");
  const at = alert.resolvedAt ?? alert.firedAt;
  if (at > after(now, skewSecondsMax)) return ignore("The alert fires in the future.");
  return at < after(now, -ageSecondsMax) ? ignore("The alert is too old.") : { says: "look" };
}
