// Effects, signals and readers as words, for messages about facts.
import { duration, secondsBetween } from "../time.ts";
import { personalSignals, type SignalName } from "./signals.ts";
import type { Login, RotationEffect, RotationState, Slot } from "./vocabulary.ts";

/** What each effect does. */
export const effectWords: { readonly [Kind in RotationEffect["kind"]]: string } = {
  Inspect: "reading the credential",
  MakeVersion: "making a version",
  SetVerifier: "setting the role's password",
  Prove: "logging in with the version",
  RequestRollout: "asking for the cut-over",
  AwaitRollout: "waiting for the cut-over",
  Publish: "publishing the version",
  ReadReaders: "reading the logins",
  EndSessions: "ending the sessions",
  SetLogin: "changing the role's login",
  MoveSecret: "moving a consumer's secret",
  Wait: "waiting",
  AwaitSignal: "waiting for a person",
};

/** What a signal asks for, as its sender did it. */
export const signalWords = (signal: SignalName): string =>
  signal === "open" ? "the old role is kept open" : personalSignals[signal].sent;

/** Gives a number of things in words. */
export const many = (n: number, word: string): string => `${n === 0 ? "no" : n} ${word}${n === 1 ? "" : "s"}`;

/** Says which slot an app's serving revision names; null stands for none or both. */
export const slotServed = (app: string, slot: Slot | null): string =>
  `the serving revision of ${app} names ${slot === null ? "neither slot, or both" : `slot ${slot}`}`;

/** Describes when a reader logged in last. */
export const lastLoginOf = ({ who, at, inFlight }: Login, { now }: Pick<RotationState, "now">): string =>
  inFlight ? `${who} is in flight` : `${who} logged in ${duration(Math.max(0, secondsBetween(at, now)))} ago`;

/** Names the readers of a list, each once. */
export const readersIn = (logins: readonly Login[]): string => [...new Set(logins.map(({ who }) => who))].join(", ");
