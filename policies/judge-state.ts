// Judges a stack from its state or from a preview's JSON, with the same rules, settings and baseline as the pack.
// Places come from the program's file if it is YAML, from the source position in the state, or from the program's
// sources.
import { joinFragments } from "../analysis/graph.ts";
import type { Place } from "../analysis/place.ts";
import { stackRules } from "../analysis/stack-rules.ts";
import { fragmentOf } from "../analysis/systems/pulumi/fragment.ts";
import { nameOf } from "../analysis/systems/pulumi/names.ts";
import type { Declared, DeclaredStack } from "../analysis/systems/pulumi/nodes.ts";
import { judgeStacks, type PulumiFinding, type PulumiRule } from "../analysis/systems/pulumi/view.ts";
import { type Judgement, judgementOf, ownPolicies } from "./judgement.ts";
import type { Profile } from "./profiles.ts";
import { baselineIn, type ProgramFolder, settingsIn, stackSettings, writtenResources } from "./program-folder.ts";
import { sourcePlaces } from "./source-places.ts";

/** Names that waivers may use. */
const names: ReadonlySet<string> = new Set([...stackRules.map(({ id }) => id), ...Object.keys(ownPolicies)]);

export interface JudgeOptions {
  /** Today, in days since 1970. */
  readonly today: number;
  /** @default the profile of the stack's tier */
  readonly profile?: Profile | undefined;
  /** Where a resource stands if neither state nor program says it. */
  readonly otherwise: Place;
  /** @default all rules about stacks */
  readonly rules?: readonly PulumiRule[];
}

/** Judges a stack. @throws policy-settings-refused, policy-baseline-unreadable */
export function judgeState(program: ProgramFolder, stack: DeclaredStack, options: JudgeOptions): Judgement {
  const { today, profile, otherwise, rules = stackRules } = options;
  const written = writtenResources(program);
  const resources = stack.resources.map((each): Declared => {
    const found = written.get(`${each.token} ${nameOf(each.urn)}`);
    return found ? { ...each, evidence: found.evidence, places: found.places } : each;
  });
  const settings = stackSettings(program, stack.name);
  const judged = judgeStacks(joinFragments([fragmentOf({ ...stack, settings, resources })]), rules);
  const sought = new Map(resources.map(({ urn, token, parent }) => [urn, { urn, token, name: nameOf(urn), parent }]));
  const placeOf = sourcePlaces(program.folder, sought, otherwise);
  const placed = (finding: PulumiFinding): PulumiFinding => {
    const { urn, place } = finding;
    if (urn === undefined || place.file !== stack.file) return finding;
    const found = placeOf(urn);
    return { ...finding, place: found === otherwise && otherwise.file === stack.file ? place : found };
  };
  return judgementOf({
    stack: stack.name,
    judged: { ...judged, findings: judged.findings.map(placed) },
    settings: settingsIn(program.root, names),
    baseline: baselineIn(program.root),
    today,
    profile,
  });
}
