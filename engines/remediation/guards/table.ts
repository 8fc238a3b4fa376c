// The guards in the order in which they decide, and the check of a situation by all of them.
import { type RetryPolicy, restBefore } from "../../retry.ts";
import { after, secondsBetween } from "../../time.ts";
import { changesWorld } from "../runbooks.ts";
import type { GuardName, RemediationState, Situation } from "../vocabulary.ts";
import { fired, flapping, settle } from "./alert.ts";
import { cause, storm } from "./cause.ts";
import { type Finding, type Guard, type Guarded, hold, pass } from "./guard.ts";
import { attempts, blastRadius, breaker, budget, coolDown } from "./history.ts";
import { inFlight, paused, selfCaused } from "./own.ts";

/** `always` guards hold diagnostics too; the others are rails of actions that change the world. */
const guards: readonly { readonly guard: GuardName; readonly check: Guard; readonly always?: true }[] = [
  { guard: "fired", check: fired, always: true },
  { guard: "settle", check: settle, always: true },
  { guard: "cause", check: cause, always: true },
  { guard: "storm", check: storm, always: true },
  { guard: "paused", check: paused },
  { guard: "flapping", check: flapping },
  { guard: "in-flight", check: inFlight },
  { guard: "self-caused", check: selfCaused },
  { guard: "attempts", check: attempts },
  { guard: "cool-down", check: coolDown },
  { guard: "budget", check: budget },
  { guard: "breaker", check: breaker },
  { guard: "precondition", check: fits, always: true },
  { guard: "blast-radius", check: blastRadius },
];

/** How long it is read again whether a runbook fits, before the rung is left. */
const readPolicy: RetryPolicy = { budgetSeconds: 180, firstRestSeconds: 5, restSecondsMax: 60, backoffRate: 2 };

/**
 * A runbook that does not fit now may fit later, but the next rung may help now. One of which that could not be read is
 * held first: what passes by itself is no reason to leave a rung.
 */
function fits({ state: { unread }, situation: { readiness }, now }: Guarded): Finding {
  const { message, retryAfterSeconds = 0 } = readiness;
  if (readiness.fits) return pass(message);
  if (unread === undefined) return { verdict: "leave", message };
  const rest = restBefore(readPolicy, unread.times, secondsBetween(unread.since, now));
  return rest === undefined
    ? { verdict: "leave", message: `${message} (${unread.times} looks)` }
    : hold(after(now, Math.max(rest, retryAfterSeconds)), `whether the runbook fits is not known: ${message}`);
}

/** What each guard found, and the first that does not let the rung pass. */
export interface Checked {
  readonly all: readonly { readonly guard: GuardName; readonly finding: Finding }[];
  readonly first: { readonly guard: GuardName; readonly finding: Finding } | undefined;
}

/** Checks the present rung. Every guard is asked, so that the journal shows what each of them found. */
export function check(state: RemediationState, situation: Situation): Checked {
  const { incident, policy } = state;
  const rung = policy!.ladder[state.rung]!;
  const changes = changesWorld(rung.runbook);
  const guarded: Guarded = {
    state,
    incident: incident!,
    limits: policy!.limits,
    rung,
    changes,
    situation,
    now: state.now,
  };
  const all = guards
    .filter(({ always }) => changes || always)
    .map(({ guard, check: look }) => ({ guard, finding: look(guarded) }));
  return { all, first: all.find(({ finding }) => finding.verdict !== "pass") };
}
