// What an evaluation changes: which alerts fire, which resolve, and whose actions are muted. Pure, so that a test can
// compare it with a calculation of its own.
import type { Body } from "../arm/resource.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import type { RuleBook, SeriesState } from "./alert-book.ts";
import type { Series } from "./conditions.ts";
import type { Found } from "./rule-kind.ts";

/** A series that fires or whose alert resolves. */
export interface Change {
  readonly key: string;
  readonly series: Series | undefined;
  readonly change: "fired" | "resolved";
  /** Whether actions are carried out. */
  readonly isTold: boolean;
}

/** Gives the key of a series of a condition. */
export const keyOf = (condition: number, { dimensions }: Series): string =>
  `${condition} ${JSON.stringify(Object.values(dimensions))}`;

const untouched: SeriesState = { alertId: null, clean: 0, mutedUntil: 0 };

/**
 * Compares an evaluation with what the rule remembers. `found` has the series of each condition by key. An alert
 * resolves after `cleanNeeded` evaluations without a violation.
 *
 * A stateful rule (`autoMitigate`) fires a series once until it resolves. A stateless one fires at each evaluation that
 * violates; with `muteActionsDuration` its actions rest that long after the last that was told.
 */
export function step(
  properties: Body,
  { series: before }: RuleBook,
  found: Found,
  at: number,
  cleanNeeded: number,
): { readonly changes: readonly Change[]; readonly series: RuleBook["series"] } {
  const rule: Statefulness = {
    isStateful: properties["autoMitigate"] === true,
    muteMilliseconds: isoMilliseconds(String(properties["muteActionsDuration"])) ?? 0,
    cleanNeeded,
  };
  const changes: Change[] = [];
  const after: Record<string, SeriesState> = {};
  for (const key of new Set([...Object.keys(before), ...found.keys()])) {
    const { series, failing = false } = found.get(key) ?? {};
    const state = before[key] ?? untouched;
    const next = failing ? failed(rule, state, at) : passed(rule, state, at);
    if (next.change !== undefined) changes.push({ key, series, ...next.change });
    if (next.state !== untouched) after[key] = next.state;
  }
  return { changes, series: after };
}

interface Statefulness {
  readonly isStateful: boolean;
  readonly muteMilliseconds: number;
  readonly cleanNeeded: number;
}

interface Next {
  readonly state: SeriesState;
  readonly change?: Pick<Change, "change" | "isTold">;
}

function failed({ isStateful, muteMilliseconds }: Statefulness, state: SeriesState, at: number): Next {
  if (isStateful && state.alertId !== null) return { state: { ...state, clean: 0 } };
  const isTold = state.mutedUntil <= at;
  const mutedUntil = isTold && muteMilliseconds > 0 ? at + muteMilliseconds : state.mutedUntil;
  return { state: { ...state, clean: 0, mutedUntil }, change: { change: "fired", isTold } };
}

function passed({ isStateful, cleanNeeded }: Statefulness, state: SeriesState, at: number): Next {
  if (!isStateful || state.alertId === null) return { state: state.mutedUntil > at ? state : untouched };
  const clean = state.clean + 1;
  return clean < cleanNeeded
    ? { state: { ...state, clean } }
    : { state: untouched, change: { change: "resolved", isTold: true } };
}
