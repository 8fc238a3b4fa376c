// The graph that every rule judges and every report renders: nodes of all systems, edges between them, and the files
// that were read or could not be judged. A system adds its nodes in `systems/<system>/nodes.ts` and one line here. The
// graph is plain JSON; `reports/analysis.schema.json` is its published schema.
import { compareText, type Evidence } from "./place.ts";
import type { ClaudeCodeNode } from "./systems/claude-code/nodes.ts";
import type { PulumiNode } from "./systems/pulumi/nodes.ts";
import type { WorkflowsNode } from "./systems/workflows/nodes.ts";

/** The systems that are read. Each has a folder in `systems/`. */
export type SystemName = "github" | "claude-code" | "pulumi";

/** Every node. Its `kind` decides what it holds; ids are unique and stable across runs. */
export type Node = ClaudeCodeNode | PulumiNode | WorkflowsNode;
export type NodeKind = Node["kind"];
export type NodeOf<Kind extends NodeKind> = Extract<Node, { kind: Kind }>;

/**
 * What an edge means. `needs`, `calls` and `delegates` wait for their target; `triggers` starts it and goes on;
 * `reads` carries data from the target's result; `writes` changes something outside; `mentions` has no effect.
 */
export type EdgeKind = "needs" | "calls" | "delegates" | "triggers" | "reads" | "writes" | "mentions";

/** A relation between two nodes, from the one that has it written in its file. */
export interface Edge {
  readonly kind: EdgeKind;
  readonly from: string;
  readonly to: string;
  readonly evidence: Evidence;
  /** How: the event, the output, the artifact, the verb of an effect. */
  readonly label?: string;
  /** Facts about the edge that rules of its system read, such as whether an effect reaches production. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** A file that belongs to a system but could not be judged, and why. */
export interface NotJudged {
  readonly file: string;
  readonly because: string;
}

/** What one system reads from a folder. */
export interface Fragment {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  /** The files that were read and judged. */
  readonly judged: readonly string[];
  readonly notJudged: readonly NotJudged[];
}

export interface Graph extends Fragment {
  readonly version: 1;
}

export const emptyFragment: Fragment = { nodes: [], edges: [], judged: [], notJudged: [] };

/** Joins what the systems read. Everything is sorted, so the order in which they ran does not show. */
export function joinFragments(fragments: readonly Fragment[]): Graph {
  return {
    version: 1,
    nodes: fragments.flatMap(({ nodes }) => nodes).toSorted((one, other) => compareText(one.id, other.id)),
    edges: fragments.flatMap(({ edges }) => edges).toSorted(byEnds),
    judged: [...new Set(fragments.flatMap(({ judged }) => judged))].toSorted(compareText),
    notJudged: fragments
      .flatMap(({ notJudged }) => notJudged)
      .toSorted((one, other) => compareText(one.file, other.file)),
  };
}

const byEnds = (one: Edge, other: Edge): number =>
  compareText(one.from, other.from) ||
  compareText(one.kind, other.kind) ||
  compareText(one.to, other.to) ||
  one.evidence.place.line - other.evidence.place.line ||
  one.evidence.place.column - other.evidence.place.column;

/** Gives the nodes of one kind, in the order of the graph. */
export const nodesOf = <Kind extends NodeKind>(graph: Fragment, kind: Kind): readonly NodeOf<Kind>[] =>
  graph.nodes.filter((node): node is NodeOf<Kind> => node.kind === kind);
