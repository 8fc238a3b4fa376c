// What a played week is worth: precision, recall, times, pages and wrong actions, against the labels.
import type { Done, Fired, Played } from "./play.ts";
import type { Labelled, Week } from "./week.ts";

/** The scores of one contestant. */
export interface Scores {
  /** The share of alerts that are about an incident. */
  readonly precision: number;
  /** The share of incidents that fired an alert. */
  readonly recall: number;
  readonly detectionMinutes: number;
  /** From the end of an incident, by itself or by a cure, until its alert resolved. */
  readonly resetMinutes: number;
  readonly pagesPerIncident: number;
  readonly actions: number;
  /** Actions on what they do not cure. */
  readonly wrongActions: number;
  readonly failedRequests: number;
}

const real = ({ kind }: Labelled): boolean => !kind.isNoise;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Scores a week. */
export function scoresOf({ incidents }: Week, { alerts, done, pages, failed }: Played): Scores {
  const incidentOf = ({ service, from }: Fired): Labelled | undefined =>
    incidents.find((each) => each.services.includes(service) && each.from <= from && from <= each.to + 60);
  const about = alerts.filter((alert) => {
    const incident = incidentOf(alert);
    return incident !== undefined && real(incident);
  });
  const wanted = incidents.filter(real);
  const found = wanted.filter((incident) => about.some((alert) => incidentOf(alert) === incident));
  const detections = found.map(
    (incident) =>
      Math.min(...about.filter((alert) => incidentOf(alert) === incident).map(({ from }) => from)) - incident.from,
  );
  const resets = about.flatMap((alert) =>
    alert.to === null ? [] : [alert.to - endOf(incidentOf(alert)!, alert, done)],
  );
  return {
    precision: alerts.length === 0 ? 1 : about.length / alerts.length,
    recall: found.length / wanted.length,
    detectionMinutes: median(detections),
    resetMinutes: median(resets),
    pagesPerIncident: pages.length / wanted.length,
    actions: done.length,
    wrongActions: done.filter((each) => !isCure(incidents, each)).length,
    failedRequests: failed,
  };
}

/** Gives when the symptom of an alert ended: by a cure, or by itself. */
function endOf({ to, kind }: Labelled, { service, from }: Fired, done: readonly Done[]): number {
  const cure = done.find((each) => each.service === service && each.minute >= from && each.runbook === kind.cure);
  return Math.min(to, cure?.minute ?? to);
}

const isCure = (incidents: readonly Labelled[], { service, minute, runbook }: Done): boolean =>
  incidents.some(
    ({ kind, services, from, to }) =>
      services.includes(service) && from <= minute && minute <= to && kind.cure === runbook,
  );
