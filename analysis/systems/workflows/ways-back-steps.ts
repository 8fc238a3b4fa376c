// Steps that go back and are never reached: every failure that they should answer is tried, as the runner carries a
// failure from step to step. Without a status function a step is skipped as soon as one before it fails, a step with
// continue-on-error concludes with success, and what stands behind a step says nothing about it yet.
import { holds, type Maybe, unknown } from "./conditions.ts";
import { type Expression, hasStatusFunction, parseCondition, pathsIn } from "./expressions.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { deploymentsOf, isUndoStep } from "./roles.ts";
import { isSetup } from "./setup-steps.ts";
import { isTestStep } from "./tests.ts";
import type { WorkflowsView } from "./view.ts";
import type { Obstacle } from "./ways-back.ts";
import { inWorld, type World, worldsOf } from "./worlds.ts";

/** Gives what keeps a step that goes back from being reached when something fails. */
export function neverReached(view: WorkflowsView, job: JobNode, step: StepNode): readonly Obstacle[] {
  const effects = view.ownEffectsOf(job);
  const expression = step.condition && parseCondition(step.condition.text);
  if (expression === undefined || step.via !== undefined || !isUndoStep(step, effects)) return [];
  if (!isReaction(expression, step.condition!.text)) return [];
  const steps = view.stepsOf(job).filter(({ via }) => via === undefined);
  const at = steps.indexOf(step);
  const deploys = deploymentsOf(view, job).map((effect) => steps.findIndex(({ id }) => id === effect.step.id));
  const from = deploys.filter((index) => index >= 0 && index < at).toSorted((one, other) => one - other)[0];
  const behind = deploys.find((index) => index > at);
  const isFirst = from === undefined && view.ancestorsOf(job).length === 0 && steps.slice(0, at).every(prepares);
  if (isFirst && behind !== undefined)
    return [obstacle(step, `it stands before "${steps[behind]!.name}", which deploys, and steps run in their order`)];
  const heard = steps.slice(from ?? 0, at).filter((each) => !isSetup(each));
  const worlds = worldsOf(view, view.workflowOf(job));
  if (heard.length === 0 || worlds.length === 0) return [];
  const isReached = heard.some((failed) =>
    worlds.some((world) => runsAfter(expression, { steps, at, failed, world }) !== false),
  );
  return isReached ? [] : [obstacle(step, reasonFor(expression, steps.slice(0, at)))];
}

/** Whether a step changes nothing that could be taken back. */
const prepares = (step: StepNode): boolean =>
  isSetup(step) || isTestStep(step) || preparing.test(`${step.name} ${step.run?.text ?? ""}`);

const preparing = /build|install|\bci\b|lint|set ?up|checkout|log ?in|config|download/i;

/** A condition that asks for a failure, and not one that a person's choice decides. */
const isReaction = (expression: Expression, text: string): boolean =>
  /failure\(\)|'failure'|'success'/.test(text) &&
  (hasStatusFunction(expression) || asked(expression).length > 0) &&
  !pathsIn(expression).some(([context]) => context === "inputs" || context === "needs");

/** The steps whose outcome or conclusion a condition asks for. */
const asked = (expression: Expression): readonly (readonly string[])[] =>
  pathsIn(expression).filter(
    ([context, , field]) => context === "steps" && (field === "outcome" || field === "conclusion"),
  );

interface Failure {
  readonly steps: readonly StepNode[];
  /** Where the step stands that should answer. */
  readonly at: number;
  readonly failed: StepNode;
  readonly world: World;
}

const goesOn = ({ continueOnError }: StepNode): boolean => continueOnError?.text === "true";

/** Whether a step runs after an earlier one failed. */
function runsAfter(expression: Expression, failure: Failure): boolean | typeof unknown {
  const { failed, world } = failure;
  const isFailed = !goesOn(failed);
  const own = holds(expression, {
    status: (name) => name === "always" || (name === "failure" ? isFailed : name === "success" && !isFailed),
    lookup: (path) => (path[0] === "steps" ? ofStep(failure, path) : inWorld(world, path)),
  });
  return hasStatusFunction(expression) || !isFailed ? own : false;
}

/** What is known of an earlier step when a certain one failed. */
function ofStep({ steps, at, failed }: Failure, [, key = "", field]: readonly string[]): Maybe {
  const index = steps.findIndex((each) => each.key === key);
  if (key === "*") return unknown;
  if (index === -1 || index >= at) return null;
  const step = steps[index]!;
  if (field !== "outcome" && field !== "conclusion") return unknown;
  const where = steps.indexOf(failed);
  if (index === where) return field === "conclusion" && goesOn(step) ? "success" : "failure";
  return step.condition === undefined && (index < where || goesOn(failed)) ? "success" : unknown;
}

function reasonFor(expression: Expression, earlier: readonly StepNode[]): string {
  const missing = asked(expression).find(([, key]) => !earlier.some((step) => step.key === key));
  if (missing) return `no earlier step of the job has the id ${missing[1]}`;
  const concluded = asked(expression).find(
    ([, key, field]) => field === "conclusion" && earlier.some((step) => step.key === key && goesOn(step)),
  );
  if (concluded) return `${concluded[1]} has continue-on-error, so that its conclusion is success whatever its outcome`;
  if (!hasStatusFunction(expression)) return "without a status function it is skipped as soon as an earlier step fails";
  return "its condition is false whenever the deployment or a step behind it fails";
}

const obstacle = (step: StepNode, why: string): Obstacle => ({
  severity: "critical",
  subject: `${step.id} never reached`,
  place: step.condition!.place,
  message: `The way back "${step.name}" never runs after a failure: ${why}.`,
  fix: "let the condition begin with failure() or always(), and ask for the outcome of an earlier step",
});
