// The path of the worst finding, for the picture on the page: what starts the run, the jobs that lead to the place, and
// what the last of them changes. A rule that is about a path gives its own.
import type { Analysis } from "./analyze.ts";
import { type Graph, type Node, nodesOf } from "./graph.ts";
import { type Finding, rankOf } from "./rule.ts";
import type { JobNode } from "./systems/workflows/nodes.ts";

/** Gives the labels of the path, from first to last; nothing if no finding above info has one. */
export function worstPathOf({ graph, findings }: Analysis): readonly string[] {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  for (const finding of findings) {
    if (rankOf(finding.severity) === 0) break;
    const labels = finding.path ? named(byId, finding.path) : leadingTo(graph, byId, finding);
    if (labels.length > 1) return labels;
  }
  return [];
}

const named = (byId: ReadonlyMap<string, Node>, ids: readonly string[]): readonly string[] =>
  ids.flatMap((id) => {
    const node = byId.get(id);
    return node ? [labelOf(node, byId)] : [];
  });

/** A workflow without a name is known by its path, of which the last part is enough. */
const titleOf = (node: Node | undefined): string => (node?.name ?? "").replace(/^\.github\/workflows\//, "");

const labelOf = (node: Node, byId: ReadonlyMap<string, Node>): string =>
  node.kind === "job" ? `${titleOf(byId.get(node.workflow))} / ${node.name}` : titleOf(node);

/** The events of the workflow, the chain of jobs up to the one at the finding's place, and what that one changes. */
function leadingTo(graph: Graph, byId: ReadonlyMap<string, Node>, finding: Finding): readonly string[] {
  const job = [finding.place, ...(finding.related ?? []).map(({ place }) => place)]
    .map((place) => jobAt(graph, place))
    .find((each) => each !== undefined);
  const workflow = job && byId.get(job.workflow);
  if (job === undefined || workflow?.kind !== "workflow") return [];
  const events = [...new Set(workflow.triggers.map(({ event }) => event))].join(", ");
  const chain = chainTo(graph, byId, job).map((each) => labelOf(each, byId));
  return [...(events === "" ? [] : [`on ${events}`]), ...chain, ...changedBy(graph, byId, job)];
}

const jobAt = (graph: Graph, { file, line }: Finding["place"]): JobNode | undefined =>
  nodesOf(graph, "job")
    .filter(({ place }) => place.file === file && place.line <= line)
    .toSorted((one, other) => other.place.line - one.place.line)[0];

/** The longest chain of needs that ends with a job. A circle ends where it closes. */
function chainTo(graph: Graph, byId: ReadonlyMap<string, Node>, job: JobNode): readonly JobNode[] {
  const needs = new Map<string, readonly JobNode[]>();
  for (const { kind, from, to } of graph.edges) {
    const need = byId.get(to);
    if (kind === "needs" && need?.kind === "job") needs.set(from, [...(needs.get(from) ?? []), need]);
  }
  const longest = new Map<string, readonly JobNode[]>();
  const ending = (at: JobNode, open: ReadonlySet<string>): readonly JobNode[] => {
    const known = longest.get(at.id);
    if (known) return known;
    const before = (needs.get(at.id) ?? [])
      .filter(({ id }) => !open.has(id))
      .map((each) => ending(each, new Set([...open, each.id])))
      .reduce<readonly JobNode[]>((best, each) => (each.length > best.length ? each : best), []);
    longest.set(at.id, [...before, at]);
    return [...before, at];
  };
  return ending(job, new Set([job.id]));
}

/** What a job's steps change last. */
function changedBy(graph: Graph, byId: ReadonlyMap<string, Node>, job: JobNode): readonly string[] {
  const writes = graph.edges.filter(({ kind, from, facts }) => {
    const step = kind === "writes" ? byId.get(from) : undefined;
    return step?.kind === "step" && step.job === job.id && facts?.["deploys"] === true;
  });
  const target = byId.get(writes.at(-1)?.to ?? "");
  return target?.kind === "target" ? [`${target.category} ${target.named ?? ""}`.trim()] : [];
}
