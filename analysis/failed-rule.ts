// A rule that stops with an error costs its own findings, and no others. It is named where a report says what was not
// judged, since silence would look like approval.
import { basename } from "node:path";
import type { Rule } from "./rule.ts";

/** A rule that stopped with an error, and where. */
export interface FailedRule {
  readonly rule: string;
  /** Fits behind "was not judged: ". */
  readonly because: string;
}

/** The results of rules, and the rules that have none. */
export interface Applied<Result> {
  readonly results: readonly Result[];
  readonly failed: readonly FailedRule[];
}

/** Applies rules one by one. What a rule that fails had found before is left out. */
export function applyRules<Each extends Rule, Result>(
  rules: readonly Each[],
  apply: (rule: Each) => readonly Result[],
): Applied<Result> {
  const results: Result[] = [];
  const failed: FailedRule[] = [];
  for (const rule of rules)
    try {
      results.push(...apply(rule));
    } catch (error) {
      failed.push({ rule: rule.id, because: reasonOf(error) });
    }
  return { results, failed };
}

const reasonOf = (error: unknown): string =>
  `the rule itself stopped with ${errorAt(error)}, which is a defect of Ballast; the other rules judged`;

/** Names the kind of an error and its line. The error's message is left out, because it may quote a secret. */
export function errorAt(error: unknown): string {
  const { name, stack = "" } = error instanceof Error ? error : { name: typeof error };
  const [, file, line] = /^ +at .*?([^\s(]+):(\d+):\d+\)?$/m.exec(stack) ?? [];
  const where = file === undefined ? "" : ` at ${basename(file)}:${line}`;
  return `a ${name}${where}`;
}

/** Describes rules that failed in one sentence. */
export const describeFailed = (failed: readonly FailedRule[]): string =>
  failed.map(({ rule, because }) => `${rule}: ${because}`).join("; ");
