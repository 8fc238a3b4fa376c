// What a service promises its users: the share of good requests within a period. What is left over is the error budget,
// and how fast it is used up says whether a person must be woken.
import { number, type ObjectOf, object, oneOf, optional, text } from "../../form.ts";

export const objectiveFields = {
  target: text("an app's key", {
    pattern: "^app/[^/]+/[^/]+$",
    description: "The app, such as `app/shop/web`.",
  }),
  measures: oneOf(["availability", "latency"], {
    otherwise: "availability",
    description: "What is a good request: one that does not fail, or one that is answered in time.",
  }),
  goodPercent: number({
    least: 50,
    most: 99.999,
    description: "The share of requests that must be good. The rest is the error budget.",
  }),
  withinMilliseconds: optional(
    number({ least: 1, most: 600_000, whole: true, description: "How long a good request may take, for latency." }),
  ),
  periodDays: optional(
    number({
      least: 1,
      most: 30,
      whole: true,
      description: "The period of the promise. A workspace keeps request rows for 30 days.",
    }),
    28,
  ),
  failuresMin: optional(
    number({
      least: 1,
      most: 1_000_000,
      whole: true,
      description: "With fewer bad requests than this in the long window no alert fires, whatever their share.",
    }),
    10,
  ),
  ticket: optional(
    text("an alert's name", {
      most: 260,
      description:
        "The name of the alert over three days, which the control plane computes: a rule of Azure Monitor looks back " +
        "two days at most. Without a name it is not computed.",
    }),
  ),
};
export const objectiveForm = object(objectiveFields, { check: objectionsToObjective });

/** A promise of one app to its users. */
export interface Objective extends ObjectOf<typeof objectiveFields> {}

export function objectionsToObjective({
  measures,
  withinMilliseconds: within,
}: Pick<Objective, "measures" | "withinMilliseconds">): readonly string[] {
  if (measures === "latency") return within === undefined ? ["A latency objective needs withinMilliseconds."] : [];
  return within === undefined ? [] : ["withinMilliseconds is for latency objectives; this one is about availability."];
}

/** Gives the share of requests that may be bad. */
export const budgetOf = ({ goodPercent }: Pick<Objective, "goodPercent">): number =>
  Math.round((100 - goodPercent) * 1e6) / 1e8;

/**
 * Gives the share of the error budget that is left, in percent; null if nothing was measured.
 *
 * A period without requests says nothing about the service, so its budget is unknown and not whole.
 */
export function budgetLeft(objective: Objective, { samples, bad }: { readonly samples: number; readonly bad: number }) {
  if (samples === 0) return null;
  const used = bad / samples / budgetOf(objective);
  return Math.round(Math.max(-1000, 100 * (1 - used)) * 10) / 10;
}

/** Writes the condition of a bad request, in KQL. */
export const badRequest = ({
  measures,
  withinMilliseconds,
}: Pick<Objective, "measures" | "withinMilliseconds">): string =>
  measures === "latency"
    ? `RequestDuration > ${withinMilliseconds}`
    : "(StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode))";
