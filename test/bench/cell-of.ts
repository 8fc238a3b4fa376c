// Makes cells for the tests of the contest.
import { type Cell, centre } from "../../bench/judge/cells.ts";

/** Gives a bad cell with the defaults, except for what is given. */
export const cellOf = (rest: Partial<Cell>): Cell => ({ ...centre, name: "a cell", truth: "bad", ...rest });
