// A rollout's journal → its report: the result, the charts and steps of each attempt, and every fact. This file says
// what the head of the page shows; attempt-section.ts makes the sections.

import { fold } from "../../engines/engine.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import { endOf, succeeded } from "../../engines/rollout/summary.ts";
import { isNoteworthy } from "../../engines/rollout/tell.ts";
import { percentOf } from "../../engines/rollout/weights.ts";
import { phaseWords } from "../../engines/rollout/wording.ts";
import { page } from "../page.ts";
import { attemptSection } from "./attempt-section.ts";
import { attemptsOf, type RolloutFact } from "./attempts.ts";
import { rolloutStyle } from "./charts.ts";
import { imagesOf } from "./images.ts";
import { nextOf } from "./next.ts";
import { planSection } from "./plan-section.ts";
import { toneOf } from "./tones.ts";

/** Gives a rollout's journal as one HTML page. @throws Error if it does not begin with a plan */
export function rolloutReport(facts: readonly RolloutFact[]): string {
  const events = facts.map(({ event }) => event);
  const [planned] = events;
  if (planned?.kind !== "Planned") throw new Error("The journal does not begin with a Planned fact.");
  const state = fold(rollout, events);
  // A release that began again was asked for anew, perhaps by someone else and with other thresholds.
  const { intent = planned.intent } = state;
  const { target, revision, release, requestedBy, requestedByName } = intent;
  const end = endOf(state);
  const attempts = attemptsOf(facts);
  return page(facts, {
    title: `${target.app}: ${revision}`,
    subject: `${target.resourceGroup} / ${target.app}`,
    end: end && { result: end.result, message: end.message, tone: succeeded(end.result) ? "good" : "bad" },
    progress: `${phaseWords(state.phase)} at ${percentOf(state)} percent`,
    details: [
      ["Canary", revision],
      ["Stable", state.stable ?? "nothing served before"],
      ["Release", release],
      ["Requested by", requestedByName ?? requestedBy],
      ...(requestedByName === undefined ? [] : [["Requester's id", requestedBy] as const]),
      ...imagesOf(events, revision, state.stable),
    ],
    next: nextOf(state),
    sections: [
      ...attempts.toReversed().map((attempt) => attemptSection(attempt, attempts.length)),
      planSection(intent),
    ],
    marks: attempts.flatMap(({ marks }) => marks),
    isNoteworthy,
    toneOf,
    style: rolloutStyle,
  });
}
