// The baseline of policies: findings that stacks had when the pack was introduced. They stay visible and stop nothing.
// The file may only shrink: what is no longer found must leave it, and nothing is ever added to an existing one.
import { compareText } from "../analysis/place.ts";
import type { PulumiFinding } from "../analysis/systems/pulumi/view.ts";

export const baselineName = "ballast.policies.baseline.json";

export interface BaselineEntry {
  readonly stack: string;
  readonly rule: string;
  readonly subject: string;
}

/** Gives the entry that stands for a finding. Lines and files may move, so it holds none. */
export const entryOf = (stack: string, { rule, subject }: PulumiFinding): BaselineEntry => ({ stack, rule, subject });

export const isSame = (one: BaselineEntry, other: BaselineEntry): boolean =>
  one.stack === other.stack && one.rule === other.rule && one.subject === other.subject;

/** Writes entries in a fixed order. */
export function baselineText(entries: readonly BaselineEntry[]): string {
  const sorted = entries.toSorted(
    (one, other) =>
      compareText(one.stack, other.stack) ||
      compareText(one.rule, other.rule) ||
      compareText(one.subject, other.subject),
  );
  return `${JSON.stringify({ version: 1, findings: sorted }, null, 2)}\n`;
}

/** Reads a baseline. @returns undefined if the text is none */
export function readBaseline(text: string): readonly BaselineEntry[] | undefined {
  try {
    const { version, findings } = JSON.parse(text) as { readonly version?: unknown; readonly findings?: unknown };
    return version === 1 && Array.isArray(findings) && findings.every(isEntry) ? findings : undefined;
  } catch {
    return undefined;
  }
}

const isEntry = (value: unknown): value is BaselineEntry =>
  typeof value === "object" &&
  value !== null &&
  ["stack", "rule", "subject"].every((key) => typeof (value as Record<string, unknown>)[key] === "string");

/** Leaves out what a stack no longer has. Entries of other stacks stay, and those that may still be there. */
export const shrunk = (
  entries: readonly BaselineEntry[],
  stack: string,
  found: readonly BaselineEntry[],
  isUnsure: (rule: string) => boolean,
): readonly BaselineEntry[] =>
  entries.filter((entry) => entry.stack !== stack || isUnsure(entry.rule) || found.some((each) => isSame(each, entry)));
