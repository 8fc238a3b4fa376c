// Effects, signals and requests as words, for messages about facts.
import { failuresOf } from "./judge/wording.ts";
import { personalSignals, type SignalName } from "./signals.ts";
import type { Count, RolloutEffect } from "./vocabulary.ts";

/** What each effect does. */
export const effectWords: { readonly [Kind in RolloutEffect["kind"]]: string } = {
  Repoint: "making the revision",
  Inspect: "reading the app",
  OpenRole: "asking for the canary's role",
  Activate: "activating the canary",
  Probe: "probing the canary",
  ShiftTraffic: "setting the weights",
  VerifyTraffic: "reading the weights back",
  Wait: "waiting",
  AwaitSignal: "waiting for a person",
  Measure: "measuring the requests",
  Deactivate: "deactivating the losing revision",
};

/** What a signal asks for, as its sender did it. */
export const signalWords = (signal: SignalName): string => {
  if (signal === "supersede") return "superseded";
  return signal === "compare" ? "another release" : personalSignals[signal].sent;
};

/** Describes the requests of an arm: `failed none of 1 request`. */
export const describeRequests = (sum: Count): string =>
  sum.requests === 0 ? "got no requests" : `failed ${failuresOf(sum)}`;

/** What a phase is called where people read it. */
export const phaseWords = (phase: string): string => (phase === "smoking" ? "smoke test" : phase);
