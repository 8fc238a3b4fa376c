// The rotation as the control plane's callers see it: how it is named, requested, listed and signalled.
import type { Ending } from "../engines/rotation/facts.ts";
import type { AskedRotation } from "../engines/rotation/intent.ts";
import type { RotationSummary } from "../engines/rotation/summary.ts";
import type { RotationEvent, SignalName } from "../engines/rotation/vocabulary.ts";
import type { StreamKind } from "./streams.ts";

export type { RotationSummary } from "../engines/rotation/summary.ts";

/** The types of rotations. */
export interface RotationTypes {
  readonly part: "vault" | "credential" | "rotation";
  readonly summary: RotationSummary;
  readonly body: AskedRotation;
  readonly filter: "vault" | "credential";
  readonly event: RotationEvent;
  readonly signal: SignalName;
  readonly end: Ending;
}

/** Rotations, as callers address them. */
export const rotations: StreamKind<RotationTypes> = {
  kind: "rotation",
  plural: "rotations",
  parts: ["vault", "credential", "rotation"],
};
