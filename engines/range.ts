// Ranges of numbers: what is within one, and how a person reads it.

/** The bounds of a number, and whether it must be a whole one. */
export interface Range {
  readonly least?: number;
  /** An exclusive lower bound, for numbers of which zero makes no sense. */
  readonly above?: number;
  readonly most?: number;
  readonly whole?: true;
}

/** Reports whether a value is a number in a range. */
export const isWithin = (
  value: unknown,
  { least = -Infinity, above = -Infinity, most = Infinity, whole }: Range,
): value is number =>
  typeof value === "number" &&
  value >= least &&
  value > above &&
  value <= most &&
  (Number.isInteger(value) || (!whole && Number.isFinite(value)));

/** Describes a range for people: `a whole number from 1 to 20`, `a number above 0 and at most 50`. */
export function describeRange({ least, above, most, whole }: Range): string {
  const what = `a ${whole ? "whole " : ""}number`;
  if (least !== undefined && most !== undefined) return `${what} from ${least} to ${most}`;
  const bounds = [
    ...(least === undefined ? [] : [`of at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
  ];
  return bounds.length === 0 ? what : `${what} ${bounds.join(" and ")}`;
}
