// A baseline: the findings that a repository already had, so that only new ones are shown. Findings are named by
// fingerprints, which survive moved lines. An entry that no longer occurs is reported, so that the file can shrink.
import type { Analysis } from "./analyze.ts";
import { compareText } from "./place.ts";
import type { Finding } from "./rule.ts";
import { fingerprintOf } from "./summary.ts";

interface Entry {
  readonly fingerprint: string;
  readonly rule: string;
  readonly file: string;
}

/** Writes a baseline of findings. */
export const baselineOf = (findings: readonly Finding[]): string => {
  const entries: readonly Entry[] = findings.map((finding) => ({
    fingerprint: fingerprintOf(finding),
    rule: finding.rule,
    file: finding.place.file,
  }));
  const sorted = entries.toSorted(
    (one, other) =>
      compareText(one.file, other.file) ||
      compareText(one.rule, other.rule) ||
      compareText(one.fingerprint, other.fingerprint),
  );
  return `${JSON.stringify({ version: 1, findings: sorted }, null, 2)}\n`;
};

export interface Compared {
  readonly added: readonly Finding[];
  readonly kept: number;
  /** Entries that no longer occur. */
  readonly gone: readonly Entry[];
}

/**
 * Compares an analysis with a baseline. What a rule that failed had found may still be there, so it is not gone.
 *
 * @returns undefined if the text is no baseline
 */
export function compareWithBaseline(
  { findings, failed }: Pick<Analysis, "findings" | "failed">,
  text: string,
): Compared | undefined {
  const entries = entriesIn(text);
  if (entries === undefined) return undefined;
  const known = new Set(entries.map(({ fingerprint }) => fingerprint));
  const now = new Set(findings.map(fingerprintOf));
  const added = findings.filter((finding) => !known.has(fingerprintOf(finding)));
  return {
    added,
    kept: findings.length - added.length,
    gone: entries.filter(
      ({ fingerprint, rule }) => !now.has(fingerprint) && !failed.some((each) => each.rule === rule),
    ),
  };
}

function entriesIn(text: string): readonly Entry[] | undefined {
  try {
    const value = JSON.parse(text) as { readonly version?: unknown; readonly findings?: unknown } | null;
    if (value?.version !== 1 || !Array.isArray(value.findings)) return undefined;
    const isEntry = (each: unknown): each is Entry =>
      typeof each === "object" && each !== null && typeof (each as Entry).fingerprint === "string";
    return value.findings.every(isEntry) ? value.findings : undefined;
  } catch {
    return undefined;
  }
}
