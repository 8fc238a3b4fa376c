// Joins the delegations of all prompts to the agents that they name. A name is looked for among the agents of the
// project and of the plugins in the repository, then among the built-in ones; what remains becomes a node of its own,
// so that a rule can say that nobody answers to it.
import type { Edge } from "../../graph.ts";
import { inferred, structural } from "../../place.ts";
import { type Delegation, delegationsIn } from "./delegation.ts";
import { fieldOf } from "./frontmatter.ts";
import type { AgentNameNode, AgentNode, PromptNode } from "./nodes.ts";
import type { MarkdownFile } from "./read-markdown.ts";
import { builtInAgents } from "./runtime-facts.ts";

/** Below this a delegation is a mention: it has no effect. */
const mentionBelow = 0.65;

export function delegationEdges(
  agents: readonly MarkdownFile<AgentNode>[],
  prompts: readonly MarkdownFile<PromptNode>[],
): { readonly names: readonly AgentNameNode[]; readonly edges: readonly Edge[] } {
  const registry = new Registry(agents.map(({ node }) => node));
  const names = new Map<string, AgentNameNode>();
  const edges: Edge[] = [];
  for (const { node, prose } of [...agents, ...prompts]) {
    for (const found of [...forkOf(node), ...delegationsIn(node.file, prose(), registry.knows)]) {
      const target = registry.find(found.name, node.plugin) ?? registry.nameNode(found);
      if (target.id === node.id || (target.kind === "agent" && target.file === node.file)) continue;
      if (target.kind === "agent-name" && !names.has(target.id)) names.set(target.id, target);
      edges.push(edge(node.id, target.id, found));
    }
  }
  return { names: [...names.values()], edges };
}

/** A skill that runs in an agent of its own waits for it, and says so in its frontmatter. */
function forkOf(node: AgentNode | PromptNode): readonly Delegation[] {
  if (node.kind !== "prompt" || fieldOf(node.fields, "context")?.value?.text !== "fork") return [];
  const agent = fieldOf(node.fields, "agent")?.value;
  if (agent === undefined) return [];
  const quiet = { isConditional: false, isParallel: false, usesEarlier: false, isReading: false };
  return [{ ...quiet, name: agent.text, place: agent.place, confidence: 1, cue: "agent", list: undefined, index: 0 }];
}

const edge = (from: string, to: string, found: Delegation): Edge => ({
  kind: found.confidence < mentionBelow ? "mentions" : "delegates",
  from,
  to,
  label: found.cue,
  evidence: found.confidence === 1 ? structural(found.place) : inferred(found.place, found.confidence),
  facts: {
    isConditional: found.isConditional,
    isParallel: found.isParallel,
    usesEarlier: found.usesEarlier,
    isReading: found.isReading,
    index: found.index,
    ...(found.list === undefined ? {} : { list: found.list }),
  },
});

/** The agents of the repository by every name under which they may be called. */
class Registry {
  readonly #agents: readonly AgentNode[];
  readonly #byName = new Map<string, AgentNode[]>();
  readonly #plugins: ReadonlySet<string>;

  constructor(agents: readonly AgentNode[]) {
    this.#agents = agents;
    this.#plugins = new Set(agents.flatMap(({ plugin }) => plugin ?? []));
    for (const agent of agents) {
      const short = agent.name.replace(/^.*:/, "");
      for (const name of new Set([agent.name.toLowerCase(), short.toLowerCase()]))
        this.#byName.set(name, [...(this.#byName.get(name) ?? []), agent]);
    }
  }

  knows = (name: string): boolean => this.#byName.has(name.toLowerCase()) || builtInAgents.has(name.toLowerCase());

  /** Finds an agent: one of the same plugin first, then one of a project, then any. Loaded ones are preferred. */
  find(name: string, plugin: string | undefined): AgentNode | undefined {
    const rank = (agent: AgentNode): number =>
      (agent.notLoaded === undefined ? 0 : 4) +
      (agent.plugin === plugin ? 0 : 2) +
      (agent.plugin === undefined ? 0 : 1);
    const [first] = (this.#byName.get(name.toLowerCase()) ?? []).toSorted((one, other) => rank(one) - rank(other));
    return first;
  }

  nameNode({ name, place, confidence }: Delegation): AgentNameNode {
    const prefix = /^(.+?):/.exec(name)?.[1];
    const isExternal = prefix !== undefined && !this.#plugins.has(prefix);
    const unknown = isExternal ? "external" : "unknown";
    return {
      kind: "agent-name",
      system: "claude-code",
      id: `agent-name:${name}`,
      name,
      evidence: inferred(place, confidence),
      file: place.file,
      origin: builtInAgents.has(name.toLowerCase()) ? "built-in" : unknown,
      near: this.#near(name),
    };
  }

  /** Finds the agent whose file has that name, or whose name differs by a letter or two. */
  #near(name: string): AgentNameNode["near"] {
    const found =
      this.#agents.find(({ file }) => file.endsWith(`/${name}.md`)) ??
      this.#agents.find((agent) => distance(agent.name.replace(/^.*:/, ""), name) <= 2);
    return found === undefined ? undefined : { file: found.file, name: found.name };
  }
}

/** Counts the letters to insert, remove or replace; names of very different length are far. */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2 || one.length > 64) return 3;
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const replaced = row[to - 1]! + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[to]! + 1, next[to - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
