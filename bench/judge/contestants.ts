// Who takes part in the contest of judges. A new judge is a line here.

import { ablations, ballast, byPlan } from "./ballast.ts";
import type { Contestant } from "./contestant.ts";
import { peers } from "./peers/peers.ts";
import { plain } from "./plain.ts";

/** Everybody who takes part, in the order of the tables. */
export const contestants: readonly Contestant[] = [ballast, byPlan, ...peers, plain] as readonly Contestant[];

/** Ours with something left out; they play only when they are named. */
export const others: readonly Contestant[] = ablations as readonly Contestant[];

/** The one of them that is ours. */
export const ours = "ballast";
