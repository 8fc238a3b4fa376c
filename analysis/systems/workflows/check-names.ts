// The names of the checks that GitHub shows for the jobs of a repository: a job's name or key, with the values of its
// matrix behind it, and with the caller's name before it if it is called. Rulesets name checks by these texts.
import type { JobNode, WorkflowNode } from "./nodes.ts";
import type { WorkflowsView } from "./view.ts";

/** A check that some run reports. */
export interface CheckName {
  /** Its name; expressions that the files do not decide stand in it as written. */
  readonly name: string;
  readonly job: JobNode;
  /** The workflow whose event starts the run. */
  readonly root: WorkflowNode;
}

/** More legs of a matrix than GitHub allows are not looked at. */
const legsMax = 256;

/** Gives every check that runs for pull requests report. */
export const checkNamesOf = (view: WorkflowsView): readonly CheckName[] =>
  view.jobs
    .filter(({ uses }) => uses === undefined)
    .flatMap((job) =>
      view.waysTo(job).flatMap(({ via }) => {
        const root = view.workflowOf(via[0] ?? job);
        if (!root.triggers.some(({ event }) => /^(pull_request(_target)?|merge_group)$/.test(event))) return [];
        return namesOf([...via, job]).map((name) => ({ name, job, root }));
      }),
    );

/** Joins the names of the callers and of the job, each in every version of its matrix. */
const namesOf = (path: readonly JobNode[]): readonly string[] =>
  path
    .map(ownNames)
    .reduce((all, names) => all.flatMap((one) => names.map((name) => `${one} / ${name}`)).slice(0, legsMax));

function ownNames(job: JobNode): readonly string[] {
  const title = job.title?.text ?? job.key;
  const { strategy } = job;
  if (strategy === undefined || strategy.isDynamic) return [title];
  const legs = legsOf(job);
  if (legs.length === 0) return [title];
  const isNamed = /\$\{\{[^}]*matrix\./.test(title);
  const names = legs.map((leg) => (isNamed ? filled(title, leg) : `${title} (${[...leg.values()].join(", ")})`));
  return [...new Set(names)];
}

const filled = (title: string, leg: ReadonlyMap<string, string>): string =>
  title.replaceAll(/\$\{\{\s*matrix\.([\w-]+)\s*\}\}/g, (whole, key: string) => leg.get(key) ?? whole);

/**
 * Gives the legs of a matrix: every combination of its axes, with what `include` adds to them or beside them. A matrix
 * that an expression makes has none that are known; `exclude` is not applied.
 */
export function legsOf({ strategy }: JobNode): readonly ReadonlyMap<string, string>[] {
  if (strategy === undefined || strategy.isDynamic) return [];
  const axes = Object.entries(strategy.axes).map(([key, values]) => [key, values ?? []] as const);
  const crossed = axes.reduce<readonly ReadonlyMap<string, string>[]>(
    (all, [key, values]) =>
      all.length * values.length > legsMax
        ? all
        : all.flatMap((leg) => values.map((value) => new Map([...leg, [key, value]]))),
    [new Map()],
  );
  const base = axes.length === 0 ? [] : crossed;
  let legs = base;
  const alone: ReadonlyMap<string, string>[] = [];
  for (const each of strategy.include) {
    const fits = (leg: ReadonlyMap<string, string>): boolean =>
      Object.entries(each).every(([key, value]) => !(key in strategy.axes) || leg.get(key) === value);
    if (!base.some(fits)) alone.push(new Map(Object.entries(each)));
    legs = legs.map((leg) => (fits(leg) ? new Map([...leg, ...Object.entries(each)]) : leg));
  }
  return [...legs, ...alone];
}
