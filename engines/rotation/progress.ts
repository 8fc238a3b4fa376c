// State → what is still missing. The phases of a rotation follow from what was seen and done, so that a retry continues
// where the world is, and a return undoes exactly what was done.
import { otherSlot } from "./declaration.ts";
import { traitsOf } from "./systems.ts";
import type { Consumer, Phase, RotationState, Slot, Version } from "./vocabulary.ts";

/** Gives the slot that every consumer shall name in the end. */
export const goal = ({ direction, live }: RotationState): Slot => (direction === "forward" ? otherSlot(live) : live);

/** Gives the slot of which a version is made, set, proven or moved at present. */
export const slotAtWork = (state: RotationState): Slot => (state.renewing ? state.live : goal(state));

/** Gives the version of the slot at work; undefined until it is made. */
export function versionAtWork({ direction, renewing, renewed, made, old }: RotationState): Version | undefined {
  if (direction === "back") return old;
  return renewing ? renewed : made;
}

/** Gives the consumer that is cut over next, by its index; -1 if none is left. A return begins with the last one. */
export function nextConsumer(state: RotationState): number {
  const isMissing = (slot: Slot): boolean => slot !== goal(state);
  return state.direction === "forward"
    ? state.consumers.findIndex(isMissing)
    : state.consumers.findLastIndex(isMissing);
}

/** Gives a consumer of the declaration. */
export const consumerAt = ({ declaration }: RotationState, index: number): Consumer | undefined =>
  declaration?.consumers[index];

/** Reports whether a consumer or a reader may have got the new version. */
export const isTouched = ({ consumers, published, live }: RotationState): boolean =>
  published !== live || consumers.some((slot) => slot !== live);

/** Reports whether the old password is known to others, so that nothing may restore it. */
export const isLeaked = ({ intent }: RotationState): boolean => intent?.cause === "leaked";

/** Reports whether the credential is new: nobody reads it, so nobody is waited for. */
export const isFirst = ({ intent }: RotationState): boolean => intent?.cause === "first";

/** Reports whether the old half can be closed before its slot is renewed. */
export const canClose = ({ declaration }: RotationState): boolean =>
  declaration === undefined || traitsOf(declaration).closes;

/** Reports whether the credential is new, and its system goes on with the values that it has. */
export const keepsValues = (state: RotationState): boolean =>
  isFirst(state) && state.declaration !== undefined && traitsOf(state.declaration).keepsFirst;

/** Names the role of a slot. */
export const roleOf = ({ declaration }: RotationState, slot: Slot): string => declaration?.roles[slot] ?? slot;

/** Gives the phase in which the next thing is missing. */
export function missingPhase(state: RotationState): Phase {
  const { direction, login, proven, renewing, made, published } = state;
  if (direction === "back") return missingInReturn(state);
  if (renewing) return state.renewed === undefined ? "making" : "setting";
  if (made === undefined) return "making";
  if (!proven) return isTouched(state) ? "proving" : "setting";
  if (nextConsumer(state) !== -1) return "cutting";
  if (published === state.live) return "publishing";
  if (isLeaked(state)) return login && canClose(state) ? "closing" : "draining";
  return login ? "quieting" : "gracing";
}

function missingInReturn(state: RotationState): Phase {
  if (!state.login) return "opening";
  if (!isTouched(state)) return "returned";
  if (!state.proven) return "proving";
  return nextConsumer(state) === -1 ? "publishing" : "cutting";
}
