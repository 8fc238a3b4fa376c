// An objective → its alerts. Each compares how fast the error budget is used up over a long window, which says that it
// matters, and over a short one, which says that it still goes on. The windows and shares are those of the SRE workbook
// (chapter 5, table 5-8).
import { duration } from "../../time.ts";
import { resolveMinutesOf } from "../rules/look-back.ts";
import { kql, requestsOfApp } from "./kql.ts";
import { badRequest, budgetOf, type Objective } from "./objective.ts";

/** How late request rows may be. The short window begins that much earlier, or it would hold no whole minute. */
const ingestionMinutes = 2;

/** One pair of windows. */
export interface BurnWindow {
  readonly id: "fast" | "slow" | "ticket";
  readonly severity: 1 | 2 | 3;
  readonly longMinutes: number;
  readonly shortMinutes: number;
  /** The share of the budget of a whole period that is gone when the alert fires. */
  readonly budgetPercent: number;
}

const windows: readonly BurnWindow[] = [
  { id: "fast", severity: 1, longMinutes: 60, shortMinutes: 5, budgetPercent: 2 },
  { id: "slow", severity: 2, longMinutes: 360, shortMinutes: 30, budgetPercent: 5 },
];

/** The pair that no rule can evaluate: one of Azure Monitor looks back two days at most. ticket.ts computes it. */
export const ticketWindow: BurnWindow = {
  id: "ticket",
  severity: 3,
  longMinutes: 4320,
  shortMinutes: 360,
  budgetPercent: 10,
};

/** For how long the alert over three days may stay fired after its cause is gone. */
export const ticketLookBackSeconds = ticketWindow.shortMinutes * 60;

const everyMinutes = 5;

/** An alert that a rule of Azure Monitor evaluates. */
export interface BurnAlert {
  readonly id: BurnWindow["id"] | "unmeasured";
  readonly severity: BurnWindow["severity"];
  readonly title: string;
  readonly means: string;
  readonly windowMinutes: number;
  readonly everyMinutes: number;
  readonly query: string;
  /** For how long it may stay fired after its cause is gone. */
  readonly lookBackSeconds: number;
}

/** Gives how many times faster than allowed the budget is used up when an alert fires. */
export const burnOf = ({ budgetPercent, longMinutes }: BurnWindow, { periodDays }: Objective): number =>
  Math.round(((budgetPercent / 100) * periodDays * 1440 * 1000) / longMinutes) / 1000;

/**
 * Gives the alerts of an objective that rules of Azure Monitor evaluate.
 *
 * @param silentMinutes After this long without a request the objective counts as not measured.
 */
export const burnAlertsOf = (objective: Objective, silentMinutes: number): readonly BurnAlert[] => [
  ...windows.map((window) => burnAlert(objective, window)),
  ...(silentMinutes > 0 ? [unmeasured(objective, silentMinutes)] : []),
];

/**
 * Says which alerts of an objective could never fire: a loose objective has so large a budget that not even an outage
 * uses it up that fast.
 */
export const objectionsToReach = (objective: Objective): readonly string[] =>
  [...windows, ticketWindow].flatMap((window) => {
    const percent = Math.round(burnOf(window, objective) * budgetOf(objective) * 10_000) / 100;
    return percent < 100
      ? []
      : [
          `The ${window.id} alert could never fire: it needs more than ${percent} percent of bad requests. ` +
            `Raise goodPercent (${objective.goodPercent}) or shorten periodDays (${objective.periodDays}).`,
        ];
  });

const nameOf = ({ target }: Objective): string => target.split("/").at(-1) ?? "";

function burnAlert(objective: Objective, window: BurnWindow): BurnAlert {
  const { id, severity, longMinutes, shortMinutes, budgetPercent } = window;
  const burn = burnOf(window, objective);
  const bad = badRequest(objective);
  const recent = `TimeGenerated > ago(${shortMinutes + ingestionMinutes}m)`;
  const rate = (count: string, of: string): string => `todouble(${count}) / ${of} / ${budgetOf(objective)}`;
  return {
    id,
    severity,
    title: `${nameOf(objective)} uses up its error budget (${id})`,
    means:
      `${budgetPercent} percent of the error budget of ${objective.periodDays} days (${objective.goodPercent} ` +
      `percent of good requests) are used up within ${duration(longMinutes * 60)}, and it goes on.`,
    windowMinutes: longMinutes,
    everyMinutes,
    query: kql(
      ...requestsOfApp(nameOf(objective)),
      `summarize requests = count(), bad = countif(${bad}), recent = countif(${recent}), ` +
        `recentBad = countif(${recent} and ${bad}) by ContainerAppName`,
      // Without recent rows nothing is known to have changed, so what is fired stays fired.
      `extend burn = ${rate("bad", "requests")}, ` +
        `recentBurn = iff(recent == 0, ${burn + 1}, ${rate("recentBad", "recent")})`,
      `where bad >= ${objective.failuresMin} and burn > ${burn} and recentBurn > ${burn}`,
    ),
    lookBackSeconds: (shortMinutes + ingestionMinutes + resolveMinutesOf(everyMinutes)) * 60,
  };
}

/** Without rows no burn rate is known, which is neither good nor bad: it is an alert of its own. */
function unmeasured(objective: Objective, silentMinutes: number): BurnAlert {
  const app = nameOf(objective);
  return {
    id: "unmeasured",
    severity: 3,
    title: `The objective of ${app} is not measured`,
    means: `No request of ${app} was logged for ${duration(silentMinutes * 60)}, so its objective is unknown.`,
    windowMinutes: silentMinutes,
    everyMinutes,
    query: kql(
      ...requestsOfApp(app),
      "summarize requests = count()",
      "where requests == 0",
      `extend ContainerAppName = ${JSON.stringify(app)}`,
    ),
    lookBackSeconds: (ingestionMinutes + resolveMinutesOf(everyMinutes)) * 60,
  };
}
