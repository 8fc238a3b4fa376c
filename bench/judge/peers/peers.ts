// The peers that take part in the contest of judges, in the order of its table. Each file names the source of its rules.
import type { Contestant } from "../contestant.ts";
import { alarm } from "./alarm.ts";
import { argoDocs, argoDocsCanary, argoTuned } from "./argo.ts";
import { flagger } from "./flagger.ts";
import { kayenta } from "./kayenta.ts";

/** Gives every peer, each with the ramp that its own documentation has. The state that one keeps is its own: who holds it hands it back unread. */
export const peers = [
  flagger(10),
  flagger(5),
  argoDocs,
  argoDocsCanary,
  argoTuned,
  kayenta("Kayenta 1 h", 60, 20),
  kayenta("Kayenta 4 h", 240, 60),
  alarm(2, 2, false),
  alarm(2, 2, true),
  alarm(3, 3, false),
  alarm(3, 3, true),
] as readonly Contestant[];
