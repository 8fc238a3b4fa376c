// What changes between two versions of reusable workflows, and whether a caller of the older one would still work with
// the newer one. Whatever would stop it is breaking: a removed input is an error of GitHub's before the first job runs.
import { type Contract, type InputContract, levels, type NamedContract } from "./contract.ts";

/** One difference. */
export interface Difference {
  readonly workflow: string;
  readonly kind:
    | "workflow-removed"
    | "workflow-added"
    | "input-removed"
    | "input-required"
    | "input-type"
    | "input-default"
    | "input-added"
    | "secret-removed"
    | "secret-required"
    | "secret-added"
    | "output-removed"
    | "output-renamed"
    | "output-added"
    | "permission-raised"
    | "permission-lowered";
  readonly subject: string;
  readonly isBreaking: boolean;
  readonly message: string;
}

type Draft = Omit<Difference, "workflow">;

const draft = (kind: Difference["kind"], subject: string, isBreaking: boolean, message: string): Draft => ({
  kind,
  subject,
  isBreaking,
  message,
});

/** Compares all workflows of two versions, by the names of their files. */
export function compareAll(
  before: ReadonlyMap<string, Contract>,
  after: ReadonlyMap<string, Contract>,
): readonly Difference[] {
  const files = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return files.flatMap((workflow) => {
    const drafts = compareOne(workflow, before.get(workflow), after.get(workflow));
    return drafts.map((each) => ({ workflow, ...each }));
  });
}

function compareOne(workflow: string, before: Contract | undefined, after: Contract | undefined): readonly Draft[] {
  if (before === undefined) return [draft("workflow-added", workflow, false, "can be called now")];
  if (after === undefined) return [draft("workflow-removed", workflow, true, "can no longer be called")];
  return [
    ...inputs(before.inputs, after.inputs),
    ...secrets(before.secrets, after.secrets),
    ...outputs(before.outputs, after.outputs),
    ...permissions(before.permissions, after.permissions),
  ];
}

/** GitHub takes an input with a default as given, required or not. */
const mustBeGiven = ({ isRequired, fallback }: InputContract): boolean => isRequired && fallback === undefined;

function inputs(before: Contract["inputs"], after: Contract["inputs"]): readonly Draft[] {
  const removed = [...before.keys()]
    .filter((name) => !after.has(name))
    .map((name) => draft("input-removed", name, true, `the input ${name} was removed`));
  return [...removed, ...[...after].flatMap(([name, now]) => inputDrafts(name, before.get(name), now))];
}

function inputDrafts(name: string, old: InputContract | undefined, now: InputContract): readonly Draft[] {
  if (old === undefined && mustBeGiven(now))
    return [draft("input-required", name, true, `the input ${name} was added, and every caller must give it`)];
  if (old === undefined) return [draft("input-added", name, false, `the input ${name} was added`)];
  const drafts: Draft[] = [];
  if (old.type !== now.type)
    drafts.push(draft("input-type", name, true, `the input ${name} was a ${old.type} and is a ${now.type}`));
  if (!mustBeGiven(old) && mustBeGiven(now))
    drafts.push(draft("input-required", name, true, `every caller must give the input ${name} now`));
  else if (old.fallback !== now.fallback)
    drafts.push(draft("input-default", name, false, `the default of ${name} was ${shown(old)} and is ${shown(now)}`));
  return drafts;
}

const shown = ({ fallback }: InputContract): string => (fallback === undefined ? "absent" : JSON.stringify(fallback));

function secrets(before: Contract["secrets"], after: Contract["secrets"]): readonly Draft[] {
  const removed = [...before.keys()]
    .filter((name) => !after.has(name))
    .map((name) => draft("secret-removed", name, true, `the secret ${name} was removed`));
  const others = [...after].flatMap(([name, now]): readonly Draft[] => {
    const old = before.get(name);
    if (now.isRequired && !old?.isRequired)
      return [draft("secret-required", name, true, `every caller must give the secret ${name} now`)];
    return old === undefined ? [draft("secret-added", name, false, `the secret ${name} was added`)] : [];
  });
  return [...removed, ...others];
}

/** An output that is gone was renamed if another one has its value now. */
function outputs(before: Contract["outputs"], after: Contract["outputs"]): readonly Draft[] {
  const added = [...after].filter(([name]) => !before.has(name));
  const renamed = new Map<string, string>();
  for (const [name, { value }] of gone(before, after)) {
    const [heir] = added.find(([other, each]) => each.value === value && ![...renamed.values()].includes(other)) ?? [];
    if (heir !== undefined) renamed.set(name, heir);
  }
  return [
    ...gone(before, after).map(([name]) => {
      const heir = renamed.get(name);
      return heir === undefined
        ? draft("output-removed", name, true, `the output ${name} was removed`)
        : draft("output-renamed", name, true, `the output ${name} was renamed to ${heir}`);
    }),
    ...added
      .filter(([name]) => ![...renamed.values()].includes(name))
      .map(([name]) => draft("output-added", name, false, `the output ${name} was added`)),
  ];
}

const gone = (before: Contract["outputs"], after: Contract["outputs"]): readonly (readonly [string, NamedContract])[] =>
  [...before].filter(([name]) => !after.has(name));

/** A caller that grants less than a job asks for does not start at all. */
function permissions(before: Contract["permissions"], after: Contract["permissions"]): readonly Draft[] {
  if (before === undefined || after === undefined) return [];
  const scopes = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return scopes.flatMap((scope) => {
    const [old, now] = [before, after].map((each) => each.get(scope) ?? each.get("all") ?? "none");
    const step = levels.indexOf(now!) - levels.indexOf(old!);
    if (step === 0) return [];
    const message = `the permission ${scope} was ${old} and is ${now}`;
    return [draft(step > 0 ? "permission-raised" : "permission-lowered", scope, step > 0, message)];
  });
}

/** Whether the step from one version to the next allows breaking changes. Before 1.0 the second number says so. */
export function allowsBreaking(from: string, to: string): boolean {
  const [old, now] = [from, to].map((text) => text.replace(/^v/, "").split(/[.+-]/).map(Number));
  const at = old![0] === 0 && now![0] === 0 ? 1 : 0;
  return (now![at] ?? 0) > (old![at] ?? 0);
}
