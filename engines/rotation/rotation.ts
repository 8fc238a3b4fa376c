// Assembles the rotation engine.
import type { Engine } from "../engine.ts";
import { decide } from "./decide.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { react } from "./react.ts";
import type { RotationEffect, RotationEvent, RotationObservation, RotationState } from "./vocabulary.ts";

/** The rotation engine: a credential's new version, from the request until the old password is void. */
export const rotation: Engine<RotationObservation, RotationEvent, RotationState, RotationEffect> = {
  initial: initialState,
  decide,
  evolve,
  react,
};
