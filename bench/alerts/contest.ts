// Plays drawn weeks with one contestant, and gives the means of its scores.
import type { Detector } from "./contestants.ts";
import { type Actor, play } from "./play.ts";
import { type Scores, scoresOf } from "./scores.ts";
import { drawWeek } from "./week.ts";

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Plays the weeks of the seeds 1 to `weeks`. */
export function contest(detector: Detector, actor: Actor, weeks: number): Scores {
  const all = Array.from({ length: weeks }, (_, seed) => {
    const week = drawWeek(seed + 1);
    return scoresOf(week, play(week, detector, actor));
  });
  const meanOf = (name: keyof Scores): number => mean(all.map((scores) => scores[name]));
  return {
    precision: meanOf("precision"),
    recall: meanOf("recall"),
    detectionMinutes: meanOf("detectionMinutes"),
    resetMinutes: meanOf("resetMinutes"),
    pagesPerIncident: meanOf("pagesPerIncident"),
    actions: meanOf("actions"),
    wrongActions: meanOf("wrongActions"),
    failedRequests: meanOf("failedRequests"),
  };
}
