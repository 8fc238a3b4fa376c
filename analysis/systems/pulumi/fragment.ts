// Turns a declared stack into its part of the graph: the stack, its resources, the services behind them, and the edges
// that rules walk: what a resource waits for, which service calls which, which alert starts which action group. Every
// source of resources goes through here, so that rules see one form.
import type { Edge, Fragment, Node } from "../../graph.ts";
import { compareText } from "../../place.ts";
import { nameOf, typeOf } from "./names.ts";
import type { Declared, DeclaredStack, ResourceNode, ServiceNode, StackNode } from "./nodes.ts";
import { callsOf } from "./services.ts";
import { Inputs } from "./value.ts";

/** Types of resources that run code and call others. */
const serviceTypes: ReadonlySet<string> = new Set(["app:ContainerApp", "app:Job", "web:WebApp"]);

/** Gives the part of the graph that a stack makes. */
export function fragmentOf(stack: DeclaredStack): Fragment {
  const stackId = `stack:${stack.file}#${stack.name}`;
  const stackNode: StackNode = {
    kind: "stack",
    system: "pulumi",
    id: stackId,
    name: stack.name,
    project: stack.project,
    file: stack.file,
    origin: stack.origin,
    settings: stack.settings ?? [],
    evidence: stack.evidence,
  };
  const resources = stack.resources.map((each) => resourceOf(stackId, stack, each));
  const byUrn = new Map(resources.map((node) => [node.urn, node]));
  const services = resources
    .filter(({ type }) => serviceTypes.has(type))
    .map(
      (node): ServiceNode => ({
        kind: "service",
        system: "pulumi",
        id: node.id.replace("resource:", "service:"),
        name: serviceName(node),
        stack: stackId,
        resource: node.id,
        evidence: node.evidence,
      }),
    );
  const nodes: readonly Node[] = [stackNode, ...resources, ...services];
  return {
    nodes,
    edges: [...needsEdges(resources, byUrn), ...callsOf(services, resources)],
    judged: [stack.file],
    notJudged: [],
  };
}

function resourceOf(stack: string, { file }: DeclaredStack, declared: Declared): ResourceNode {
  const { urn, token, isCustom, physicalId, parent, ignoreChanges, inputs, evidence, places = {}, seconds } = declared;
  return {
    kind: "resource",
    system: "pulumi",
    id: `resource:${file}#${urn}`,
    name: nameOf(urn),
    stack,
    urn,
    token,
    type: typeOf(token),
    isCustom,
    physicalId,
    parent,
    needs: needsOf(declared),
    ignoreChanges,
    inputs: new Inputs(inputs),
    places,
    seconds,
    evidence,
  };
}

/** Sorts what a resource waits for by property; the rest comes from `dependsOn` and stands under the empty key. */
function needsOf({ dependencies, propertyDependencies }: Declared): Readonly<Record<string, readonly string[]>> {
  const byProperty = Object.entries(propertyDependencies).filter(([, urns]) => urns.length > 0);
  const named = new Set(byProperty.flatMap(([, urns]) => urns));
  const rest = dependencies.filter((urn) => !named.has(urn));
  return Object.fromEntries(rest.length > 0 ? [...byProperty, ["", rest]] : byProperty);
}

/** The name under which others call a service: the one in Azure if it is known, else the one in the program. */
function serviceName({ inputs, name }: ResourceNode): string {
  const given = ["containerAppName", "jobName", "name"].flatMap((path) => inputs.find(path))[0]?.value;
  return typeof given === "string" ? given : name;
}

function needsEdges(resources: readonly ResourceNode[], byUrn: ReadonlyMap<string, ResourceNode>): readonly Edge[] {
  return resources.flatMap((node) => {
    const targets = new Map<string, string>();
    for (const [property, urns] of Object.entries(node.needs))
      for (const urn of urns) targets.set(urn, targets.get(urn) ?? property);
    return [...targets]
      .toSorted(([one], [other]) => compareText(one, other))
      .flatMap(([urn, property]): readonly Edge[] => {
        const to = byUrn.get(urn);
        if (to === undefined) return [];
        return [
          { kind: "needs", from: node.id, to: to.id, label: property || "dependsOn", evidence: { ...node.evidence } },
        ];
      });
  });
}
