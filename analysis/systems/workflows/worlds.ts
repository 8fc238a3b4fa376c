// The situations in which a workflow runs: one for each event, branch and choice of inputs that its files allow. A
// rule asks in each of them which jobs run. What the files do not decide is unknown in the situation, and never
// guessed.

import { valueIn } from "../../word-in.ts";
import { type Beginning, type Maybe, someText, unknown } from "./conditions.ts";
import type { Input, JobNode, Trigger, WorkflowNode } from "./nodes.ts";
import { lookupOf } from "./templates.ts";
import type { WorkflowsView } from "./view.ts";

/** One situation. */
export interface World {
  readonly event: string;
  readonly ref: string | Beginning;
  /** The values of inputs; an input that is not here is unknown. */
  readonly inputs: ReadonlyMap<string, Maybe>;
  /** The inputs that are texts, whatever they say. */
  readonly texts: ReadonlySet<string>;
  /** The activity of the event, such as `closed`; undefined if no condition asks for it, or it is not known. */
  readonly action: string | undefined;
  /** The conclusion of the run that a `workflow_run` follows. */
  readonly conclusion: "success" | "failure" | undefined;
  /** How the workflow was called, outermost caller first. */
  readonly via: readonly JobNode[];
  /** In words, for messages. */
  readonly label: string;
}

/** What is tried for a workflow. */
interface Limits {
  /** Combinations of inputs. */
  readonly most: number;
  /** What somebody can start the workflow on: one unknown ref, or a branch and a tag if its jobs ask which it is. */
  readonly refsByHand: readonly Beginning[];
  /** Whether a job asks for the activity of its event, so that each is a situation of its own. */
  readonly asksAction: boolean;
}

/** More combinations of inputs than this are not tried; fewer for workflows with many jobs. */
const combinationsMax = (jobs: number): number => (jobs > 30 ? 8 : 64);
const worldsMax = 200;

const cache = new WeakMap<WorkflowsView, Map<string, readonly World[]>>();

/** Gives the situations of a workflow. A callee has those of its callers. */
export function worldsOf(view: WorkflowsView, workflow: WorkflowNode): readonly World[] {
  const known = cache.get(view) ?? new Map<string, readonly World[]>();
  cache.set(view, known);
  const worlds = known.get(workflow.id) ?? worldsBelow(view, workflow, 0).slice(0, worldsMax);
  known.set(workflow.id, worlds);
  return worlds;
}

function worldsBelow(view: WorkflowsView, workflow: WorkflowNode, depth: number): readonly World[] {
  const most = combinationsMax(view.jobsOf(workflow).length);
  const asksKind = view.jobsOf(workflow).some(({ condition }) => /ref_type|refs\/tags/.test(condition?.text ?? ""));
  const asksAction = view
    .jobsOf(workflow)
    .some(({ templates }) => templates.some(({ text }) => /event\.action\b|\.merged\b/.test(text)));
  const refsByHand = (asksKind ? ["refs/heads/", "refs/tags/"] : ["refs/"]).map((prefix) => ({ prefix }));
  const own = workflow.triggers
    .filter(({ event }) => event !== "workflow_call")
    .flatMap((trigger) => ofTrigger(workflow, trigger, { most, refsByHand, asksAction }));
  if (depth > 4) return own;
  const called = view
    .callersOf(workflow)
    .flatMap((caller) =>
      worldsBelow(view, view.workflowOf(caller), depth + 1).map((world) => passedOn(workflow, caller, world)),
    );
  const isCallable = workflow.triggers.some(({ event }) => event === "workflow_call");
  if (own.length + called.length > 0 || !isCallable) return [...own, ...called];
  return [
    {
      event: "workflow_call",
      ref: { prefix: "refs/" },
      inputs: new Map(),
      texts: new Set(),
      action: undefined,
      conclusion: undefined,
      via: [],
      label: "a call",
    },
  ];
}

function passedOn(workflow: WorkflowNode, caller: JobNode, world: World): World {
  const via = [...world.via, caller];
  const lookup = lookupOf(workflow, undefined, via);
  const inputs = workflow.inputs
    .filter(({ event }) => event === "workflow_call")
    .map(({ name, type }) => [name, typed(type, lookup(["inputs", name]))] as const);
  return { ...world, via, inputs: new Map(inputs), texts: new Set() };
}

const typed = (type: string, text: string | undefined): Maybe => {
  if (text === undefined) return type === "string" ? someText : unknown;
  if (type === "boolean") return text === "true";
  return type === "number" ? Number(text) : text;
};

function ofTrigger(workflow: WorkflowNode, trigger: Trigger, limits: Limits): readonly World[] {
  const types = limits.asksAction ? activitiesOf(trigger) : [];
  const worlds = ofActivity(workflow, trigger, limits);
  return types.length === 0
    ? worlds
    : types.flatMap((action) => worlds.map((world) => ({ ...world, action, label: `${world.label} (${action})` })));
}

/** The activities of an event that start the workflow, as far as the file says. */
function activitiesOf({ event, filters }: Trigger): readonly string[] {
  const named = filters["types"]?.map(({ text }) => text);
  if (named !== undefined) return named.some((type) => type.includes("${{")) ? [] : named;
  return event === "pull_request" || event === "pull_request_target" ? ["opened", "synchronize", "reopened"] : [];
}

function ofActivity(workflow: WorkflowNode, trigger: Trigger, { most, refsByHand }: Limits): readonly World[] {
  const { event } = trigger;
  const base: Omit<World, "ref"> = {
    event,
    inputs: new Map(),
    texts: new Set(),
    action: undefined,
    conclusion: undefined,
    via: [],
    label: event,
  };
  if (event === "push") return refsOf(trigger).map((ref) => ({ ...base, ref, label: `push to ${nameOf(ref)}` }));
  if (event.startsWith("pull_request")) return [{ ...base, ref: { prefix: "refs/pull/" } }];
  if (event === "release") return [{ ...base, ref: { prefix: "refs/tags/" } }];
  if (event === "workflow_run") {
    const ref = { prefix: "refs/heads/" };
    return (["success", "failure"] as const).map((conclusion) => ({
      ...base,
      ref,
      conclusion,
      label: `workflow_run after ${conclusion}`,
    }));
  }
  if (event !== "workflow_dispatch") return [{ ...base, ref: { prefix: "refs/" } }];
  const all = workflow.inputs.filter((input) => input.event === "workflow_dispatch");
  const sets = choices(all, most);
  const texts = new Set(all.filter(({ type }) => type === "string").map(({ name }) => name));
  return refsByHand.flatMap((ref) =>
    sets.map((inputs) => ({
      ...base,
      ref,
      inputs,
      texts,
      label: inputs.size === 0 ? event : `workflow_dispatch with ${said(inputs)}`,
    })),
  );
}

const nameOf = (ref: string | Beginning): string => {
  const text = typeof ref === "string" ? ref : `${ref.prefix}*`;
  return text.replace(/^refs\/(heads|tags)\//, "");
};

const said = (inputs: ReadonlyMap<string, Maybe>): string =>
  [...inputs].map(([name, value]) => `${name}: ${String(value)}`).join(", ");

/** The refs that a push trigger lets through. A pattern is known by how it begins. */
function refsOf({ filters }: Trigger): readonly (string | Beginning)[] {
  const of = (kind: "heads" | "tags", key: string): readonly (string | Beginning)[] | undefined =>
    filters[key]
      ?.filter(({ text }) => !text.startsWith("!"))
      .map(({ text }) => {
        const at = text.search(/[*?+[\]!]/);
        return at === -1 ? `refs/${kind}/${text}` : { prefix: `refs/${kind}/${text.slice(0, at)}` };
      });
  const branches = of("heads", "branches");
  const tags = of("tags", "tags");
  if (branches || tags) return [...(branches ?? []), ...(tags ?? [])];
  const anyBranch = { prefix: "refs/heads/" };
  if (filters["branches-ignore"]) return [anyBranch];
  return filters["tags-ignore"] ? [{ prefix: "refs/tags/" }] : [anyBranch, { prefix: "refs/tags/" }];
}

/** Every combination of inputs that have a fixed set of values; only the first values if there are too many. */
function choices(inputs: readonly Input[], most: number): readonly ReadonlyMap<string, Maybe>[] {
  const sets = inputs.flatMap((input): readonly (readonly [string, readonly Maybe[]])[] => {
    if (input.type === "boolean") return [[input.name, [true, false]]];
    return input.options.length > 0 ? [[input.name, input.options]] : [];
  });
  return sets.reduce<readonly ReadonlyMap<string, Maybe>[]>(
    (all, [name, values]) =>
      all.length * values.length > most
        ? all
        : all.flatMap((each) => values.map((value) => new Map([...each, [name, value]]))),
    [new Map()],
  );
}

/** Looks up what a situation decides of `github` and `inputs`. */
export function inWorld(world: World, path: readonly string[]): Maybe {
  const [context, ...rest] = path;
  const name = rest.join(".");
  if (context === "inputs") return inputIn(world, rest);
  if (context === "vars" || context === "env" || context === "secrets") return someText;
  if ((context === "needs" || context === "steps") && rest[1] === "outputs") return someText;
  if (context !== "github") return unknown;
  if (name === "event_name") return world.event;
  if (name === "ref") return world.ref;
  if (name === "ref_name") return refName(world.ref);
  if (name === "ref_type") return refType(world.ref);
  if (name === "head_ref" || name === "base_ref") return world.event.startsWith("pull_request") ? unknown : "";
  if (name === "event.workflow_run.conclusion") return world.conclusion ?? null;
  return rest[0] === "event" ? ofPayload(world, rest) : unknown;
}

/** Looks up a field of the event's payload. */
function ofPayload(world: World, rest: readonly string[]): Maybe {
  const name = rest.join(".");
  if (name === "event.action") return actionIn(world);
  if (name === "event.pull_request.merged" && world.action !== undefined && world.action !== "closed") return false;
  if (rest[1] === "inputs") return asText(inputIn(world, rest.slice(1)));
  return foreignPayload(world, rest[1]) ? null : unknown;
}

/** Some events have no activities; what the others have is known if the file names it. */
const actionIn = ({ event, action }: World): Maybe =>
  action ?? (/^(push|schedule|workflow_dispatch)$/.test(event) ? null : unknown);

function inputIn(world: World, rest: readonly string[]): Maybe {
  const name = rest.at(-1) ?? "";
  if (world.inputs.has(name)) return world.inputs.get(name)!;
  const hasInputs = world.event === "workflow_dispatch" || world.event === "workflow_call" || world.via.length > 0;
  if (!hasInputs) return null;
  return world.texts.has(name) ? someText : unknown;
}

const asText = (value: Maybe): Maybe =>
  typeof value === "boolean" || typeof value === "number" ? String(value) : value;

const payloads: Readonly<Record<string, RegExp>> = {
  pull_request: /^pull_request/,
  release: /^release$/,
  workflow_run: /^workflow_run$/,
  head_commit: /^(push|workflow_run)$/,
  commits: /^push$/,
  before: /^(push|pull_request.*)$/,
  after: /^(push|pull_request.*)$/,
  compare: /^push$/,
  pusher: /^push$/,
  issue: /^issue/,
  comment: /comment/,
  client_payload: /^repository_dispatch$/,
  deployment: /^deployment/,
  deployment_status: /^deployment_status$/,
  check_run: /^check_run$/,
  check_suite: /^check_(suite|run)$/,
  merge_group: /^merge_group$/,
  schedule: /^schedule$/,
  review: /^pull_request_review/,
  number: /^(pull_request|issues)/,
  label: /^(pull_request|issues|label|discussion)/,
};
const foreignPayload = (world: World, part: string | undefined): boolean => {
  // A called workflow whose callers are elsewhere has the event of whoever calls it.
  const events = world.event === "workflow_call" ? undefined : valueIn(payloads, part ?? "");
  return events !== undefined && !events.test(world.event);
};

function refName(ref: World["ref"]): Maybe {
  if (typeof ref === "string") return ref.replace(/^refs\/(heads|tags)\//, "");
  const match = /^refs\/(?:heads|tags)\/(.+)$/.exec(ref.prefix);
  return match ? { prefix: match[1]! } : unknown;
}

function refType(ref: World["ref"]): Maybe {
  const text = typeof ref === "string" ? ref : ref.prefix;
  if (text.startsWith("refs/tags/")) return "tag";
  return text.startsWith("refs/heads/") || text.startsWith("refs/pull/") ? "branch" : unknown;
}

/** Whether a pull request started the run. */
export const isPullRequest = ({ event }: World): boolean => event.startsWith("pull_request");
