// The alerts of a cloud and what their rules remember between evaluations. A rule's part of it is one document, so that
// a killed emulator neither forgets that an alert is fired nor fires it twice.
import type { Cloud } from "../arm/resource.ts";

/** How an alert changed, as its history shows it. */
export interface Modification {
  readonly event: "AlertCreated" | "MonitorConditionChange" | "StateChange";
  readonly at: number;
  readonly oldValue: string;
  readonly newValue: string;
  readonly comments?: string;
}

/** One alert. */
export interface Alert {
  readonly id: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: number;
  readonly targetResource: string;
  readonly firedAt: number;
  readonly resolvedAt: number | null;
  readonly state: "New" | "Acknowledged" | "Closed";
  readonly lastModifiedAt: number;
  readonly lastModifiedBy: string;
  /** The context of its payload, as it was when it fired. */
  readonly context: object;
  readonly history: readonly Modification[];
}

/** What a rule remembers of one series. */
export interface SeriesState {
  /** The fired alert; null while there is none. */
  readonly alertId: string | null;
  /** How many evaluations in a row did not violate, since the alert fired. */
  readonly clean: number;
  /** Until when actions are muted. */
  readonly mutedUntil: number;
}

/** One rule's part of the book. */
export interface RuleBook {
  readonly series: Readonly<Record<string, SeriesState>>;
  readonly alerts: readonly Alert[];
}

/** Alerts by rule. */
export interface AlertBook {
  readonly of: (ruleId: string) => RuleBook;
  readonly write: (ruleId: string, book: RuleBook) => void;
  /** Gives all alerts, the newest first. */
  readonly alerts: () => readonly Alert[];
  readonly ruleIds: () => readonly string[];
}

/** Azure keeps alerts for 30 days; a book keeps the newest thousand of a rule. */
const alertsMax = 1000;
const empty: RuleBook = { series: {}, alerts: [] };
const books = new WeakMap<Cloud, AlertBook>();

/** The word by which the documents of a kept cloud name a rule's part. */
export const alertWord = "alerts";

/** Gives the book of a cloud; the first call opens it. */
export function alertBookOf(cloud: Cloud): AlertBook {
  const known = books.get(cloud);
  if (known) return known;
  const byRule = new Map<string, RuleBook>();
  const made: AlertBook = {
    of: (ruleId) => byRule.get(ruleId.toLowerCase()) ?? empty,
    write: (ruleId, { series, alerts }) => {
      byRule.set(ruleId.toLowerCase(), { series, alerts: alerts.slice(-alertsMax) });
      cloud.changed?.(alertWord, ruleId.toLowerCase());
    },
    alerts: () =>
      [...byRule.values()].flatMap(({ alerts }) => alerts).toSorted((one, other) => other.firedAt - one.firedAt),
    ruleIds: () => [...byRule.keys()],
  };
  books.set(cloud, made);
  return made;
}
