// What every report says about an analysis: the verdict, the counts, what was not judged and why, and the worst path.
// The reports beside this file only choose the form.
import { createHash } from "node:crypto";
import type { Analysis } from "./analyze.ts";
import { nodesOf } from "./graph.ts";
import { compareText, confidenceOf, type Known } from "./place.ts";
import { type Finding, rankOf, type Severity, severities } from "./rule.ts";
import { worstPathOf } from "./worst-path.ts";

/** Something that was not judged, and why. */
export interface Gap {
  readonly what: string;
  readonly because: string;
}

export interface Summary {
  readonly verdict: string;
  readonly counts: Readonly<Record<Severity, number>>;
  readonly filesJudged: number;
  readonly gaps: readonly Gap[];
  /** What no repository holds, as a sentence. */
  readonly outside: string;
  /** Labels of the nodes of the worst path, from first to last. */
  readonly worstPath: readonly string[];
  /** Whether nothing above info was found, and everything that was asked for was judged. */
  readonly isClean: boolean;
}

/** Summarises an analysis. `unread` names what the chosen scope asks for and nothing reads yet. */
export function summarize(analysis: Analysis, unread: readonly Gap[] = []): Summary {
  const { findings, graph, failed } = analysis;
  const counts = Object.fromEntries(
    severities.map((severity) => [severity, findings.filter((each) => each.severity === severity).length]),
  ) as Record<Severity, number>;
  const above = findings.filter(({ severity }) => rankOf(severity) > 0);
  return {
    verdict: verdictOf(analysis, counts, above, unread),
    counts,
    filesJudged: graph.judged.length,
    gaps: [
      ...unread,
      ...failed.map(({ rule, because }) => ({ what: rule, because })),
      ...graph.notJudged.map(({ file, because }) => ({ what: file, because })),
      ...remoteCallees(analysis),
    ],
    outside: nodesOf(graph, "job").some(({ measured }) => measured !== undefined)
      ? "Branch rules and environment protection are not in the repository, so they were not judged."
      : "Branch rules, environment protection and run times are not in the repository, so they were not judged.",
    worstPath: worstPathOf(analysis),
    isClean: above.length === 0 && unread.length === 0 && failed.length === 0,
  };
}

function verdictOf(
  { graph, rules, failed }: Analysis,
  counts: Record<Severity, number>,
  above: readonly Finding[],
  unread: readonly Gap[],
): string {
  const files = `${graph.judged.length} ${graph.judged.length === 1 ? "file" : "files"}`;
  if (graph.judged.length === 0)
    return unread.length > 0
      ? `Nothing was judged: ${unread[0]!.because}.`
      : "Nothing to judge: no file of a known system was found.";
  if (above.length === 0)
    return (
      `No finding above info in ${files}, by ${rules.length - failed.length} ` +
      `rules${unread.length + failed.length > 0 ? "; not everything was judged" : ""}.`
    );
  const parts = severities
    .toReversed()
    .filter((severity) => severity !== "info" && counts[severity] > 0)
    .map((severity) => `${counts[severity]} ${severity}`);
  return `${above.length} ${above.length === 1 ? "finding" : "findings"} in ${files}: ${parts.join(", ")}.`;
}

/** Workflows of other repositories are called, and not read. */
function remoteCallees({ graph }: Analysis): readonly Gap[] {
  const names = nodesOf(graph, "job").flatMap(({ uses }) =>
    uses && /^[\w.-]+\/[^@\s]+@./.test(uses.text) ? [uses.text] : [],
  );
  return [...new Set(names)]
    .toSorted(compareText)
    .map((what) => ({ what, because: "it is a workflow of another repository, and nothing is fetched" }));
}

/** A name for a finding that survives moved lines: baselines and SARIF use it. */
export const fingerprintOf = ({ rule, place, subject }: Finding): string =>
  createHash("sha256")
    .update(JSON.stringify([rule, place.file, subject]))
    .digest("hex")
    .slice(0, 32);

/** How sure a finding is, in words. */
export function sureness(known: Known): string {
  if (known === "structural") return "follows from the files";
  return known === "measured" ? "measured" : `inferred, ${Math.round(confidenceOf(known) * 100)} %`;
}
