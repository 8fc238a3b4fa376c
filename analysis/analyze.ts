// Analyses a folder: every system reads its part of the graph, and every rule judges the whole. The result depends on
// the files only: not on the folder's place, the order of files, the locale or the time.
import { applyRules, errorAt, type FailedRule } from "./failed-rule.ts";
import { emptyFragment, type Fragment, type Graph, joinFragments, type SystemName } from "./graph.ts";
import { byPlace, compareText } from "./place.ts";
import { capped, type Finding, type Focus, type Rule, rankOf } from "./rule.ts";
import { rulebook } from "./rulebook.ts";
import type { Folder, ReadOptions, System } from "./systems/system.ts";
import { systems } from "./systems.ts";

export interface AnalyzeOptions extends ReadOptions {
  /** The systems to read. @default all */
  readonly scope?: readonly SystemName[];
  /** Only rules with this focus. @default all */
  readonly focus?: Focus;
  /** The rules to apply. @default the rulebook */
  readonly rules?: readonly Rule[];
}

export interface Analysis {
  readonly graph: Graph;
  /** By severity, then by place. */
  readonly findings: readonly Finding[];
  /** The rules that stopped with an error: their findings are missing. */
  readonly failed: readonly FailedRule[];
  /** The rules that were applied, by id. */
  readonly rules: readonly Rule[];
  /** The systems that were read. */
  readonly systems: readonly SystemName[];
}

/** Reads a folder's graph. */
export async function readGraph(
  folder: Folder,
  { scope, ...options }: ReadOptions & { readonly scope?: readonly SystemName[] | undefined } = {},
): Promise<Graph> {
  const chosen = systems.filter(({ name }) => scope === undefined || scope.includes(name));
  return joinFragments(await Promise.all(chosen.map((system) => fragmentOf(system, folder, options))));
}

/** Reads one system. A reader that stops with an error costs its own files, and no other system. */
async function fragmentOf(system: System, folder: Folder, options: ReadOptions): Promise<Fragment> {
  try {
    return await system.read(folder, options);
  } catch (error) {
    const because = `the reader of ${system.name} stopped with ${errorAt(error)}, which is a defect of Ballast`;
    return { ...emptyFragment, notJudged: folder.files.filter(system.claims).map((file) => ({ file, because })) };
  }
}

/** Analyses a folder. */
export async function analyze(folder: Folder, options: AnalyzeOptions = {}): Promise<Analysis> {
  const { scope, focus, rules = rulebook, ...reading } = options;
  const graph = await readGraph(folder, { ...reading, scope });
  const read = systems.map(({ name }) => name).filter((name) => scope === undefined || scope.includes(name));
  const judging = rules.filter((rule) => focus === undefined || rule.focus === focus);
  return { graph, ...judge(graph, judging), rules: judging, systems: read };
}

/** Applies rules to a graph. */
export function judge(graph: Graph, rules: readonly Rule[]): Pick<Analysis, "findings" | "failed"> {
  const { results, failed } = applyRules(rules, (rule) =>
    rule
      .check(graph)
      .map((draft): Finding => ({ ...draft, rule: rule.id, severity: capped(draft.severity, draft.known) })),
  );
  const findings = results.toSorted(
    (one, other) =>
      rankOf(other.severity) - rankOf(one.severity) ||
      byPlace(one.place, other.place) ||
      compareText(one.rule, other.rule) ||
      compareText(one.subject, other.subject),
  );
  return { findings, failed };
}
