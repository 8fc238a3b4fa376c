// A toy engine with words of its own, which shows what a new kind of work costs. A ferry carries a load between two
// docks: it takes the load, crosses, and puts it down; at the end it may ask for a rollout and wait for its result.
// It turns back on a signal, and gives up after three failures in a row.
import type { Engine, Outcome, Request, Signal } from "../../../engines/engine.ts";
import type { Ended } from "../../../engines/kind.ts";
import type { ReleaseIntent } from "../../../engines/rollout/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import type { Crossing, FerryEvent } from "./facts.ts";

export type { Crossing, FerryEvent };

export type FerrySignal = "turn-back";

export type FerryObservation =
  | Request<Crossing>
  | Outcome<"TakeLoad", null>
  | Outcome<"Cross", null>
  | Outcome<"PutDown", null>
  | Outcome<"AskForRelease", null>
  | Outcome<"AwaitRelease", Ended>
  | Signal<FerrySignal>;

export type FerryEffect =
  | { readonly kind: "TakeLoad"; readonly dock: string; readonly load: string }
  | { readonly kind: "Cross"; readonly until: Instant }
  | { readonly kind: "PutDown"; readonly dock: string; readonly load: string }
  | { readonly kind: "AskForRelease"; readonly stream: string; readonly intent: ReleaseIntent }
  | { readonly kind: "AwaitRelease"; readonly stream: string; readonly until: Instant };

export interface FerryState {
  readonly crossing: Crossing | undefined;
  readonly place: "booked" | "loaded" | "over" | "unloaded" | "asked" | "moored";
  readonly since: Instant;
  readonly returning: boolean;
  readonly stumbles: number;
  readonly end: Ended | undefined;
}

const stumblesMax = 3;

const initial: FerryState = {
  crossing: undefined,
  place: "moored",
  since: 0,
  returning: false,
  stumbles: 0,
  end: undefined,
};

function evolve(state: FerryState, event: FerryEvent): FerryState {
  const at = (place: FerryState["place"]): FerryState => ({ ...state, place, since: event.at, stumbles: 0 });
  switch (event.kind) {
    case "Booked":
      return { ...initial, crossing: event.crossing, place: "booked", since: event.at };
    case "Loaded":
      return at(state.returning ? "over" : "loaded");
    case "Crossed":
      return at("over");
    case "Unloaded":
      return at("unloaded");
    case "ReleaseAsked":
      return at("asked");
    case "Stumbled":
      return { ...state, stumbles: state.stumbles + 1 };
    case "TurnedBack":
      return { ...state, returning: true, place: state.place === "loaded" ? "over" : state.place };
    case "Moored":
      return { ...at("moored"), end: { result: event.result, reason: event.result, message: event.message } };
    default:
      return state;
  }
}

function react({ crossing, place, since, returning }: FerryState): FerryEffect | undefined {
  if (crossing === undefined || place === "moored") return undefined;
  const { from, to, load, crossingSeconds, release } = crossing;
  if (place === "booked") return { kind: "TakeLoad", dock: from, load };
  if (place === "loaded") return { kind: "Cross", until: after(since, crossingSeconds) };
  if (place === "over") return { kind: "PutDown", dock: returning ? from : to, load };
  if (release === null) return undefined;
  if (place === "unloaded") return { kind: "AskForRelease", stream: release.stream, intent: release.intent };
  return { kind: "AwaitRelease", stream: release.stream, until: after(since, release.waitSeconds) };
}

function decide(state: FerryState, observation: FerryObservation): readonly FerryEvent[] {
  const { at } = observation;
  const moored = (result: "arrived" | "returned" | "sunk", message: string): FerryEvent => ({
    kind: "Moored",
    at,
    result,
    message,
  });
  if (observation.kind === "Request") return [{ kind: "Booked", at, crossing: observation.intent }];
  if (observation.kind === "Signal") {
    const { by, message } = observation;
    if (state.returning || !["booked", "loaded"].includes(state.place))
      return [{ kind: "Ignored", at, why: "the ferry has left the water between the docks" }];
    return [{ kind: "TurnedBack", at, by, message }];
  }
  if (!observation.found.ok) {
    const { reason } = observation.found;
    const stumbled: FerryEvent = { kind: "Stumbled", at, over: observation.of, message: reason };
    return state.stumbles + 1 < stumblesMax ? [stumbled] : [stumbled, moored("sunk", reason)];
  }
  return carryOn(state, observation, moored);
}

function carryOn(
  state: FerryState,
  observation: Exclude<FerryObservation, Request<Crossing> | Signal<FerrySignal>>,
  moored: (result: "arrived" | "returned", message: string) => FerryEvent,
): readonly FerryEvent[] {
  const { at, of, found } = observation;
  const { crossing, returning } = state;
  switch (of) {
    case "TakeLoad":
      return [{ kind: "Loaded", at }];
    case "Cross":
      return [{ kind: "Crossed", at }];
    case "PutDown": {
      const unloaded: FerryEvent = { kind: "Unloaded", at, dock: returning ? crossing!.from : crossing!.to };
      if (returning) return [unloaded, moored("returned", `the load is at ${crossing!.from} again`)];
      return crossing!.release === null ? [unloaded, moored("arrived", `the load is at ${crossing!.to}`)] : [unloaded];
    }
    case "AskForRelease":
      return [{ kind: "ReleaseAsked", at }];
    default: {
      const result = found.ok ? (found.value as Ended).result : "";
      return [{ kind: "ReleaseEnded", at, result }, moored("arrived", `the release was ${result}`)];
    }
  }
}

export const ferryEngine: Engine<FerryObservation, FerryEvent, FerryState, FerryEffect> = {
  initial,
  decide,
  evolve,
  react,
};
