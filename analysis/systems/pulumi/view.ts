// What rules ask about stacks: resources by type, the values at a path, the place of a value, what a program leaves to
// others by `ignoreChanges`, and what a managed rollout owns. A value that is unknown until the update is counted for
// the rule that asked, so that a report can say what could not be judged.
import { applyRules, type FailedRule } from "../../failed-rule.ts";
import { type Graph, nodesOf } from "../../graph.ts";
import type { Place } from "../../place.ts";
import type { Draft, Finding, Rule } from "../../rule.ts";
import { capped } from "../../rule.ts";
import { nameOf } from "./names.ts";
import type { ResourceNode, StackNode } from "./nodes.ts";
import { placeAt } from "./services.ts";
import { type Hit, Sealed, Unknown } from "./value.ts";

/** A draft about a resource. */
export interface PulumiDraft extends Draft {
  /** The URN of the resource at fault; absent if the finding is about a stack's file. */
  readonly urn?: string;
}

/** A value that a rule needed and that is known only after the update. */
export interface Unjudged {
  readonly urn: string;
  readonly path: string;
}

/** A rule about stacks. */
export interface PulumiRule extends Rule {
  readonly judge: (view: StacksView) => readonly PulumiDraft[];
  /** Whether the rule looks at one resource at a time, so that it can judge it before it is created. */
  readonly isLocal: boolean;
}

/** Makes a rule of the common form from one about stacks. */
export const pulumiRule = (rule: Omit<PulumiRule, "check" | "systems">): PulumiRule => ({
  ...rule,
  systems: ["pulumi"],
  check: (graph) => rule.judge(new StacksView(graph)),
});

export const isPulumiRule = (rule: Rule): rule is PulumiRule => "judge" in rule;

/** The stacks of a graph, as one rule looks at them. */
export class StacksView {
  readonly graph: Graph;
  readonly #index: Index;
  readonly #unjudged: Unjudged[] = [];

  constructor(graph: Graph) {
    this.graph = graph;
    this.#index = indexOf(graph);
  }

  get stacks(): readonly StackNode[] {
    return this.#index.stacks;
  }

  get resources(): readonly ResourceNode[] {
    return this.#index.resources;
  }

  get unjudged(): readonly Unjudged[] {
    return this.#unjudged;
  }

  stackOf(node: ResourceNode): StackNode {
    return this.#index.stackById.get(node.stack)!;
  }

  /** Gives the resources of some types. */
  ofType(...types: readonly string[]): readonly ResourceNode[] {
    return types.flatMap((type) => this.#index.byType.get(type) ?? []);
  }

  /** Gives a resource of the same stack by its URN. */
  byUrn(near: ResourceNode, urn: string): ResourceNode | undefined {
    return this.#index.byStackAndUrn.get(`${near.stack} ${urn}`);
  }

  /**
   * Gives the values at a path. What cannot be seen is counted as not judged and left out: values that are known only
   * after the update, and objects of a state that are encrypted as a whole.
   */
  find(node: ResourceNode, path: string): readonly Hit[] {
    const hits = node.inputs.find(path);
    const isHidden = (hit: Hit): boolean =>
      hit.value instanceof Unknown || (hit.value instanceof Sealed && !isWhole(hit, path));
    for (const hit of hits) if (isHidden(hit)) this.countUnknown(node, hit.path);
    return hits.filter((hit) => !isHidden(hit));
  }

  /** Gives the texts among the values at a path. */
  texts(node: ResourceNode, path: string): readonly string[] {
    return this.find(node, path).flatMap(({ value }) => (typeof value === "string" ? [value] : []));
  }

  /** Whether something at a path cannot be seen. */
  isUnknown(node: ResourceNode, path: string): boolean {
    return node.inputs
      .find(path)
      .some((hit) => hit.value instanceof Unknown || (hit.value instanceof Sealed && !isWhole(hit, path)));
  }

  /**
   * Whether there is something at a path, known or not: an item whose value is unknown is an item. If something around
   * it is unknown, that is counted as not judged, and the answer is yes.
   */
  exists(node: ResourceNode, path: string): boolean {
    const hits = node.inputs.find(path);
    const there = hits.some((hit) => isWhole(hit, path));
    if (!there && hits[0] !== undefined) this.countUnknown(node, hits[0].path);
    return hits.length > 0;
  }

  /** Counts a value as not judged. */
  countUnknown({ urn }: ResourceNode, path: string): void {
    if (!this.#unjudged.some((each) => each.urn === urn && each.path === path)) this.#unjudged.push({ urn, path });
  }

  /** Whether the program leaves a property to others. */
  isIgnored({ ignoreChanges }: ResourceNode, path: string): boolean {
    const plain = normal(path);
    return ignoreChanges.some((ignored) => {
      const given = normal(ignored);
      return given === "*" || plain === given || plain.startsWith(`${given}.`);
    });
  }

  /** Whether a control plane moves the traffic of an app: it belongs to a `CanaryApp`, or a `Release` names it. */
  isManaged(node: ResourceNode): boolean {
    if (node.parent?.split("::")[2]?.endsWith("ballast:index:CanaryApp")) return true;
    const [name] = node.inputs.find("containerAppName");
    return this.ofType("ballast:index:Release").some(({ stack, inputs, needs }) => {
      const [app] = inputs.find("app");
      const isNamed = app === undefined || name === undefined || app.value === name.value;
      return stack === node.stack && isNamed && (needs["revision"] ?? []).includes(node.urn);
    });
  }

  placeOf(node: ResourceNode, path: string): Place {
    return placeAt(node, path);
  }
}

/** Whether a value stands at the path itself, and not at something around it. */
const isWhole = (hit: Hit, path: string): boolean => hit.path.replaceAll(/\[\d+\]/g, "[]") === path;

/** Writes items as `[]`, so that `containers[0]`, `containers[*]` and `containers[]` are one. */
const normal = (path: string): string => path.replaceAll(/\[[^\]]*\]/g, ".[]").replace(/^\./, "");

interface Index {
  readonly stacks: readonly StackNode[];
  readonly resources: readonly ResourceNode[];
  readonly stackById: ReadonlyMap<string, StackNode>;
  readonly byType: ReadonlyMap<string, readonly ResourceNode[]>;
  readonly byStackAndUrn: ReadonlyMap<string, ResourceNode>;
}

/** One graph is looked at by many rules. */
const indexes = new WeakMap<Graph, Index>();

function indexOf(graph: Graph): Index {
  const known = indexes.get(graph);
  if (known) return known;
  const stacks = nodesOf(graph, "stack");
  const resources = nodesOf(graph, "resource");
  const byType = new Map<string, ResourceNode[]>();
  for (const node of resources) {
    const same = byType.get(node.type);
    if (same) same.push(node);
    else byType.set(node.type, [node]);
  }
  const index: Index = {
    stacks,
    resources,
    stackById: new Map(stacks.map((node) => [node.id, node])),
    byType,
    byStackAndUrn: new Map(resources.map((node) => [`${node.stack} ${node.urn}`, node])),
  };
  indexes.set(graph, index);
  return index;
}

/** A finding about a resource, as the policy pack reports it. */
export type PulumiFinding = Finding & PulumiDraft;

/** What rules say about a graph, and what each could not judge. */
export interface Judged {
  readonly findings: readonly PulumiFinding[];
  readonly unjudged: ReadonlyMap<string, readonly Unjudged[]>;
  /** The rules that stopped with an error: their findings are missing. */
  readonly failed: readonly FailedRule[];
}

/** Applies rules about stacks. */
export function judgeStacks(graph: Graph, rules: readonly PulumiRule[]): Judged {
  const unjudged = new Map<string, readonly Unjudged[]>();
  const { results, failed } = applyRules(rules, (rule) => {
    const view = new StacksView(graph);
    const drafts = rule.judge(view);
    if (view.unjudged.length > 0) unjudged.set(rule.id, view.unjudged);
    return drafts.map((draft) => ({ ...draft, rule: rule.id, severity: capped(draft.severity, draft.known) }));
  });
  return { findings: results, unjudged, failed };
}

/** Words for a resource in messages: its name in the program. */
export const called = ({ urn }: ResourceNode): string => nameOf(urn);
