// The peers of our judge in the contest, in the order of its tables. The file of
// each peer names the source of its rules.
import type { Contestant } from "../contestant.ts";
import { alarm } from "./alarm.ts";
import { argoDocs, argoDocsCanary, argoTuned } from "./argo.ts";
import { flagger } from "./flagger.ts";
import { kayenta } from "./kayenta.ts";
import { countTest, twoByTwo } from "./sequential.ts";

/** The peers of the default run, each with the ramp of its own documentation. */
export const peers = [
  flagger(10),
  flagger(5),
  argoDocs,
  argoDocsCanary,
  argoTuned,
  kayenta("Kayenta 1 h", 60, 20),
  kayenta("Kayenta 4 h", 240, 60),
  twoByTwo,
  countTest,
] as readonly Contestant[];

/** Alarms that guard a deployment without a baseline. They take part only if they are named. */
export const alarms = [
  alarm(2, 2, false),
  alarm(2, 2, true),
  alarm(3, 3, false),
  alarm(3, 3, true),
] as readonly Contestant[];
