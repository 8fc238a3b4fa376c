// Deployments from several named branches to one place. A lock by branch keeps runs apart only within each branch.
// What a job does may depend on its branch in ways that no condition shows, so a job that reads its branch anywhere is
// left out, and so is one whose environment or target something else chooses.
import type { Deployment } from "./deployments.ts";
import { sharedLocks } from "./deployments.ts";
import type { Effect } from "./effects.ts";
import { expressionsIn, pathsIn } from "./expressions.ts";
import { isRefPath } from "./locks.ts";
import { stepRuns } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";

const readsBranch = /github\.(ref|ref_name|head_ref|base_ref)\b|GITHUB_(REF|HEAD_REF|BASE_REF)|git (branch|rev-parse)/;
const chosenElsewhere = /\$\{\{\s*(needs|steps|env|vars|inputs|matrix|fromJSON)\b/i;

/** Gives the deployments of a job from named branches that its locks do not keep apart, if there are at least two. */
export function fromFixedBranches(view: WorkflowsView, all: readonly Deployment[]): readonly Deployment[] {
  const [first] = all;
  if (first === undefined || dependsOnBranch(view, first)) return [];
  const pushed = all.filter(
    ({ world }) => world.event === "push" && world.via.length === 0 && typeof world.ref === "string",
  );
  const byBranch = pushed.filter((each) => sharedLocks(each).length > 0 && sharedLocks(each).every(namesRef));
  const [one] = byBranch;
  const other = byBranch.find((each) => each !== one && common(one!, each) !== undefined);
  return one && other ? [one, other] : [];
}

function dependsOnBranch(view: WorkflowsView, { job, workflow }: Deployment): boolean {
  const texts = [
    ...job.templates.map(({ text }) => text),
    ...view.stepsOf(job).map(({ run }) => run?.text ?? ""),
    ...[...workflow.env, ...job.env].map(({ value }) => value.text),
  ];
  const lock = job.concurrency?.group.text;
  return (
    texts.some((text) => text !== lock && readsBranch.test(text)) || chosenElsewhere.test(job.environment?.text ?? "")
  );
}

const namesRef = ({ concurrency }: Deployment["locks"][number]): boolean =>
  expressionsIn(concurrency.group.text)
    .flatMap(pathsIn)
    .some((path) => isRefPath(path.join(".")));

/** An effect with a fixed target that runs on both branches. A script may ask for the branch itself. */
const common = (one: Deployment, other: Deployment): Effect | undefined =>
  one.effects.find(
    ({ named, step, category }) =>
      named !== undefined &&
      category !== "script" &&
      !named.includes("$") &&
      [one, other].every(({ world }) => stepRuns(step, world, false) === true),
  );
