// The graph as rules about Claude Code ask for it: who delegates to whom and how surely, which tools an agent has,
// where a person would write a field. It reads the graph only, so a rule that uses it stays pure.
import { type Edge, type Graph, nodesOf } from "../../graph.ts";
import { confidenceOf } from "../../place.ts";
import type { AgentNameNode, AgentNode, HookNode, PromptNode, UnloadedNode } from "./nodes.ts";

/** An edge of a delegation with both of its ends. */
export interface Delegated {
  readonly edge: Edge;
  readonly from: AgentNode | PromptNode;
  readonly to: AgentNode | AgentNameNode;
  readonly confidence: number;
}

export class ClaudeCodeView {
  readonly agents: readonly AgentNode[];
  readonly prompts: readonly PromptNode[];
  readonly hooks: readonly HookNode[];
  readonly unloaded: readonly UnloadedNode[];
  readonly delegations: readonly Delegated[];

  constructor(graph: Graph) {
    this.agents = nodesOf(graph, "agent");
    this.prompts = nodesOf(graph, "prompt");
    this.hooks = nodesOf(graph, "hook");
    this.unloaded = nodesOf(graph, "unloaded-file");
    const sources = new Map([...this.agents, ...this.prompts].map((node) => [node.id, node]));
    const targets = new Map([...this.agents, ...nodesOf(graph, "agent-name")].map((node) => [node.id, node]));
    this.delegations = graph.edges
      .filter(({ kind }) => kind === "delegates")
      .flatMap((edge) => {
        const from = sources.get(edge.from);
        const to = targets.get(edge.to);
        return from === undefined || to === undefined
          ? []
          : [{ edge, from, to, confidence: confidenceOf(edge.evidence.known) }];
      });
  }

  /** Gives the surest delegation to a node; undefined if nobody delegates to it. */
  surestTo(id: string): Delegated | undefined {
    return this.delegations
      .filter(({ to }) => to.id === id)
      .toSorted((one, other) => other.confidence - one.confidence)[0];
  }
}

const views = new WeakMap<Graph, ClaudeCodeView>();

/** Gives the view of a graph. It is made once. */
export function claudeCodeViewOf(graph: Graph): ClaudeCodeView {
  const known = views.get(graph) ?? new ClaudeCodeView(graph);
  views.set(graph, known);
  return known;
}

const isAgentTool = (text: string): boolean => /^(Agent|Task)\b/.test(text) || text === "*";

/** Whether an agent has the tool that starts other agents. */
export const mayDelegate = ({ tools, forbidden }: AgentNode): boolean =>
  (tools === undefined || tools.some(({ text }) => isAgentTool(text))) &&
  !forbidden.some(({ text }) => isAgentTool(text));
