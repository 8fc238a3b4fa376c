// The contestants of the contest of judges. A new judge is one line here.
import { ablations } from "./ablations.ts";
import { ballast, byPlan } from "./ballast.ts";
import type { Contestant } from "./contestant.ts";
import { alarms, peers } from "./peers/peers.ts";
import { plain } from "./plain.ts";

/** The contestants of the default run, in the order of the tables. */
export const contestants: readonly Contestant[] = [ballast, byPlan, ...peers, plain] as readonly Contestant[];

/** Contestants that take part only if `--contestant` names them: alarms, and our judge with one thing left out. */
export const others: readonly Contestant[] = [...alarms, ...ablations] as readonly Contestant[];

/** The name of our judge under the contest's ramp, and of our default plan, whose promises are checked. */
export const ours = "ballast";
export const ourPlan = byPlan.name;
