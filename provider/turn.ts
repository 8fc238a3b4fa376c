// Tells a refresh from an update. The Pulumi CLI asks for a difference in both: in a refresh, it compares a state with
// itself. No program says anything there, so nothing is to be done. The same values may be a reason in an update: a
// state has who served when its release began, and a program that says the same says who serves now.
import type { Properties } from "./resource-type.ts";

/** An input that changes with each run of a program. The Pulumi CLI shows none whose name begins so. */
const turn = "__turn";

/** Marks the inputs of a program as others than those of the state. */
export const withTurn = (inputs: Properties, olds: Properties): Properties => ({
  ...inputs,
  [turn]: olds[turn] !== true,
});

/** Gives inputs without the mark. */
export const withoutTurn = ({ [turn]: _mark, ...inputs }: Properties): Properties => inputs;

/** Reports whether inputs are compared with themselves. */
export const isRefresh = (olds: Properties, news: Properties): boolean =>
  news[turn] !== undefined && news[turn] === olds[turn];
