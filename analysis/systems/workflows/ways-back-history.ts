// What a way back asks of the repository's history, and does not get: actions/checkout brings one commit and no tags
// unless it is told otherwise, so the commit before it, an older tag or the commit that somebody chose is not there.
import { lineOf } from "../../place.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { isOnOwnMachine, isUndoJob, isUndoStep } from "./roles.ts";
import { answersIn, charactersMax, commandsIn, type ShellCommand } from "./shell.ts";
import type { WorkflowsView } from "./view.ts";
import type { Obstacle } from "./ways-back.ts";

/** Gives the first command of a way back that needs commits or tags which its checkout leaves out. */
export function withoutHistory(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  if (isOnOwnMachine(job)) return [];
  const effects = view.ownEffectsOf(job);
  let checkout: Checkout | undefined;
  for (const step of view.stepsOf(job)) {
    if (/^actions\/checkout@/.test(step.uses?.text ?? "")) checkout = checkoutOf(step);
    const script = step.run?.text ?? "";
    if (step.uses?.text.startsWith("./") || script.length > charactersMax) return [];
    const commands = [...commandsIn(script), ...answersIn(script)].toSorted((one, other) => one.line - other.line);
    const isWayBack = isUndoJob(view, job) || isUndoStep(step, effects);
    for (const command of commands) {
      const line = command.words.join(" ");
      if (/^git (-\S+ )*(fetch|pull|clone|init|worktree|remote)\b|^cd |^gh repo clone\b/.test(line)) return [];
      const lacks = isWayBack && checkout && lacking(line, checkout);
      if (lacks) return [obstacle(job, step, command, lacks)];
    }
  }
  return [];
}

interface Checkout {
  /** How many commits it brings; every commit and tag if that is 0. */
  readonly depth: number;
  readonly hasTags: boolean;
}

/** What a checkout brings; undefined if an expression decides, or if it lies in a folder of its own. */
function checkoutOf(step: StepNode): Checkout | undefined {
  const inputs = new Map(step.with.map(({ key, value }) => [key.text, value.text]));
  const depth = Number(inputs.get("fetch-depth") ?? "1");
  if (Number.isNaN(depth) || depth === 0 || inputs.has("path") || inputs.has("repository")) return undefined;
  return { depth, hasTags: inputs.get("fetch-tags") === "true" };
}

const back = /\bHEAD(?:~(\d*)|(\^+)|@\{(\d+)\})/;
const named = /^git (?:-\S+ )*(?:checkout|switch --detach|reset --hard|revert|cherry-pick)(?: -\S+)* (\S*\$.*)$/;
const newBranch = / (-b|-B|-c|-C|--orphan|--)( |$)/;

/** Says what a command asks for that is not there. */
function lacking(line: string, { depth, hasTags }: Checkout): string | undefined {
  if (!line.startsWith("git ")) return undefined;
  const [, tilde, carets, reflog] = back.exec(line) ?? [];
  const steps = carets?.length ?? (tilde === undefined ? Number(reflog ?? 0) : Number(tilde || "1"));
  const isRevert = /^git (-\S+ )*revert\b/.test(line) ? 1 : 0;
  if (steps + isRevert >= depth && steps + isRevert > 0) return `the ${depth === 1 ? "commit" : "commits"} before it`;
  if (!hasTags && /^git (-\S+ )*(describe(?!.*--always)|tag( (-l|--list|--sort\S*|-n\d*|--merged)|$))/.test(line))
    return "tags";
  // A list of commits that is only shown is as long as it is.
  const skipped = /^git (?:-\S+ )*log .*--skip[= ](\d+)/.exec(line)?.[1];
  if (skipped !== undefined && Number(skipped) >= depth) return "earlier commits";
  const target = newBranch.test(line) ? undefined : named.exec(line)?.[1];
  return target !== undefined && !/github\.(sha|ref)|GITHUB_(SHA|REF)/.test(target) ? "any other commit" : undefined;
}

const obstacle = (job: JobNode, step: StepNode, command: ShellCommand, lacks: string): Obstacle => ({
  severity: "critical",
  subject: `${step.id} history`,
  place: lineOf(step.run!, command.line),
  message:
    `"${command.words.join(" ")}" in the way back of job ${job.key} does not find ${lacks}: actions/checkout brings ` +
    "only the newest commit and no tags.",
  fix: "give actions/checkout fetch-depth: 0, or fetch what is needed before",
});
