// Actions that say which parts of a repository changed, and the names of the parts that their filters define.
import type { StepNode } from "./nodes.ts";

const filterAction = /^(dorny\/paths-filter|tj-actions\/changed-files|step-security\/(paths-filter|changed-files))@/;

/** Whether a step says which parts of the repository changed. */
export const isPathFilter = ({ uses }: StepNode): boolean => filterAction.test(uses?.text ?? "");

/** Gives the filters that a step defines by name; undefined if they stand in a file, or in an expression. */
export function filterNames({ uses, with: inputs }: StepNode): readonly string[] | undefined {
  const filters = inputs.find(({ key }) => key.text === "filters")?.value.text;
  if (!/\/paths-filter@/.test(uses?.text ?? "") || filters === undefined || filters.includes("${{")) return undefined;
  const names = [...filters.matchAll(/^["']?([\w-]+)["']?:/gm)].map(([, name]) => name!);
  return names.length > 0 ? names : undefined;
}

/** Says why a step that filters paths never has an output of a name; undefined if it may have it. */
export function withoutFilter(step: StepNode, name: string): string | undefined {
  const names = isPathFilter(step) ? filterNames(step) : undefined;
  if (names === undefined || name === "changes" || names.includes(name.replace(/_(count|files)$/, "")))
    return undefined;
  return `step ${step.key} has no filter ${name}, only ${names.join(", ")}`;
}
