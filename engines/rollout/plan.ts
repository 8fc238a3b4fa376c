// Release intent → the steps of the canary, and what is wrong with a plan. The engine uses it when a rollout begins,
// the components at preview, so that a plan that cannot work fails before anything is deployed, with the same message.
import { defaultsOf, type Fields, type Form, read } from "../form.ts";
import { complaintWithValue } from "../problem.ts";
import {
  type Gate,
  gateForm,
  type LimitForm,
  objectionsToGate,
  type ReleaseIntent,
  type Strategy,
  strategyForm,
  type Thresholds,
  thresholdsForm,
} from "./intent.ts";

/** A strategy for Azure, where request rows arrive minutes late and an interval is a minute. */
export const defaultStrategy: Strategy = defaultsOf(strategyForm);

/** Safe thresholds. */
export const defaultThresholds: Thresholds = defaultsOf(thresholdsForm);

/** Gives the canary's percentage at each step; every plan ends with 100. */
export const plan = (strategy: Strategy): readonly number[] => [...strategy.weights, 100];

/**
 * Lists every problem of a strategy, its thresholds, its dry-run thresholds and its gate; an empty list means a valid
 * plan.
 */
export function checkIntent({
  strategy,
  thresholds,
  dryRun,
  gate,
}: {
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  readonly dryRun?: Thresholds | undefined;
  readonly gate?: Gate | undefined;
}): readonly string[] {
  const inDryRun = dryRun === undefined ? [] : complaintsOf(thresholdsForm, dryRun);
  const ofStrategy = complaintsOf(strategyForm, strategy);
  const ofGate = gate === undefined ? [] : complaintsOf(gateForm, gate);
  return [
    ...ofStrategy,
    ...complaintsOf(thresholdsForm, thresholds),
    ...inDryRun.map((complaint) => `In the dry-run thresholds, ${complaint}`),
    ...ofGate,
    // Two values are compared only if each is one.
    ...(ofStrategy.length + ofGate.length === 0 ? objectionsToGate(gate, strategy) : []),
  ];
}

function complaintsOf(form: Form<unknown>, given: object): readonly string[] {
  const parsed = read(form, given);
  return "problems" in parsed ? parsed.problems.map(complaintWithValue) : [];
}

/**
 * Lists the safety that a valid plan gives up, as warnings; empty for the defaults.
 *
 * Such a plan is carried out all the same: there may be reasons for it, and this is its price.
 */
export function cautions({ strategy, thresholds }: Pick<ReleaseIntent, "strategy" | "thresholds">): readonly string[] {
  const { weights, ...times } = strategy;
  const values: Readonly<Record<string, number>> = { ...times, ...thresholds };
  const limits: Readonly<Record<string, LimitForm | Fields[string]>> = {
    ...thresholdsForm.fields,
    ...strategyForm.fields,
  };
  const last = weights.at(-1) ?? 0;
  return [
    ...Object.entries(limits).flatMap(([name, form]) => {
      const value = values[name] ?? 0;
      const cost = "caution" in form ? form.caution?.(value, values) : undefined;
      return cost === undefined ? [] : [`${name} is ${value}: ${cost}`];
    }),
    ...(last < 20
      ? [
          `The last weight is ${last}: ` +
            "the step to 100 percent gives the canary more than five times the tested traffic.",
        ]
      : []),
  ];
}
