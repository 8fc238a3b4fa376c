// Whether somebody answers an alert, and whether what is acted on has promised anything. Both are known before anything
// is deployed.
import type { TargetKey } from "../../targets.ts";
import type { Remediations } from "../declaration.ts";
import { changesWorld } from "../runbooks.ts";

/** What an alert rule says to whoever is called: the names and values of its properties and tags, and its text. */
export interface Told {
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly description: string;
}

const owners = /^(owner|team|on-?call|responsible|contact)/i;
const runbooks = /^(run-?book|play-?book|docs|documentation|instructions)/i;

/** Gives what an alert does not say: who answers it, and what they do then. A link in its text is a runbook. */
export function missingAnswer({ properties, description }: Told): readonly ("owner" | "runbook")[] {
  const has = (pattern: RegExp): boolean =>
    properties.some(([name, value]) => pattern.test(name) && value.trim() !== "");
  return [
    ...(has(owners) ? [] : (["owner"] as const)),
    ...(has(runbooks) || /https:\/\/\S/.test(description) ? [] : (["runbook"] as const)),
  ];
}

/** Gives the apps on which a policy acts although they promise nothing: nobody can say what an action is worth. */
export const unpromisedIn = ({ policies, objectives }: Remediations): readonly TargetKey[] =>
  [
    ...new Set(
      policies
        .filter(({ ladder }) => ladder.some(({ runbook }) => changesWorld(runbook)))
        .flatMap(({ targets }) => targets)
        .filter((target) => target.startsWith("app/") && objectives.every((each) => each.target !== target)),
    ),
  ].toSorted();
