// The form of a rule: a pure function over the graph, with everything that its page says. A rule is written once and
// is used by the policy pack, by `ballast analyze` and by its page. Its examples are fixtures: a test runs every rule
// on them, with the rule switched on, switched off, and with the near miss's one edit.
import type { Graph, SystemName } from "./graph.ts";
import type { Known, Place } from "./place.ts";

/** From harmless to an outage. `info` is shown last and never fails a run. */
export const severities = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];
export const rankOf = (severity: Severity): number => severities.indexOf(severity);

/** The eight anti-patterns of orchestration, by the numbers that reports print. */
export const antiPatterns = {
  1: "work runs one after another although nothing requires it",
  2: "parts wait for each other in a circle",
  3: "shared state is changed without a lock",
  4: "a timeout, a retry or a failure is missing",
  5: "parts are coupled tightly",
  6: "context is not passed on",
  7: "there is no sound way back",
  8: "a choice is hard-coded",
} as const;
export type AntiPattern = keyof typeof antiPatterns;

export const focuses = ["performance", "resilience", "conflicts", "state"] as const;
export type Focus = (typeof focuses)[number];

/** Another place that a finding is about, and its part in it. */
export interface Related {
  readonly place: Place;
  readonly message: string;
}

/** A replacement of a range of a file. An empty range inserts. */
export interface Edit {
  readonly place: Place;
  readonly text: string;
}

/** A change that removes the finding. It is proven before it is offered. */
export interface Repair {
  readonly title: string;
  readonly edits: readonly Edit[];
}

/** What a rule reports for one place. */
export interface Draft {
  readonly severity: Severity;
  /** How the rule knows. A finding that was inferred from names or prose is `high` at most, and `low` below 0.7. */
  readonly known: Known;
  readonly place: Place;
  /** What is wrong, with the names of the case at hand, in one or two full sentences. */
  readonly message: string;
  /** What it costs when it happens, in one full sentence. Numbers only if they were measured. */
  readonly cost: string;
  /** Advice for this case in the imperative, starting lower-case, without a full stop at its end. */
  readonly fix: string;
  /** What the finding is about, independent of lines: baselines and fingerprints are made of it. */
  readonly subject: string;
  readonly related?: readonly Related[];
  readonly repair?: Repair | undefined;
  /** Ids of the nodes of the worst path, for the picture. */
  readonly path?: readonly string[];
}

/** A draft with the id of its rule. */
export interface Finding extends Draft {
  readonly rule: string;
}

/** A small repository, by path. A line that contains `<- finding` is where the rule reports. */
export type Files = Readonly<Record<string, string>>;

/** A case that must be quiet, and the smallest edit that makes it a finding. */
export interface NearMiss {
  readonly files: Files;
  /** Why it is quiet, as a full sentence. */
  readonly because: string;
  readonly edit: { readonly file: string; readonly replace: string; readonly by: string };
}

export interface Rule {
  /** Permanent, kebab-case. Its file and its page have this name. */
  readonly id: string;
  /** A heading without a full stop. */
  readonly title: string;
  readonly systems: readonly SystemName[];
  readonly antiPattern: AntiPattern;
  readonly focus: Focus;
  /** Why it matters, in two to four full sentences. */
  readonly why: string;
  /** Which severity it reports when, in full sentences. */
  readonly severity: string;
  /** The general advice, in full sentences. */
  readonly fix: string;
  /** Whether the rule is right by construction, or what it cannot see. */
  readonly limits: string;
  readonly failing: readonly Files[];
  readonly nearMisses: readonly NearMiss[];
  readonly check: (graph: Graph) => readonly Draft[];
}

/** Caps a severity by how sure the rule is. */
export function capped(severity: Severity, known: Known): Severity {
  if (typeof known === "string") return severity;
  const most: Severity = known.inferred < 0.7 ? "low" : "high";
  return rankOf(severity) > rankOf(most) ? most : severity;
}
