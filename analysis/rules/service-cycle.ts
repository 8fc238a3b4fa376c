// Services that call one another in a circle. Each waits for the next, so one slow service makes all of them slow, and
// none can be started or released alone.
import type { Edge } from "../graph.ts";
import { compareText, weaker } from "../place.ts";
import { type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

function judge(view: StacksView): readonly PulumiDraft[] {
  const calls = view.graph.edges.filter(({ kind, from }) => kind === "calls" && from.startsWith("service:"));
  const outgoing = new Map<string, readonly Edge[]>();
  for (const edge of calls) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge]);
  const seen = new Set<string>();
  return calls.flatMap((edge) => {
    const back = pathBetween(outgoing, edge.to, edge.from);
    if (back === undefined) return [];
    const circle = [edge, ...back];
    const key = circle
      .map(({ from }) => from)
      .toSorted(compareText)
      .join(" ");
    if (seen.has(key)) return [];
    seen.add(key);
    return [draft(view, circle)];
  });
}

/** The shortest way between two services. */
function pathBetween(
  outgoing: ReadonlyMap<string, readonly Edge[]>,
  from: string,
  to: string,
): readonly Edge[] | undefined {
  const ways = new Map<string, readonly Edge[]>([[from, []]]);
  for (const [at, way] of ways) {
    if (at === to) return way;
    for (const edge of outgoing.get(at) ?? []) if (!ways.has(edge.to)) ways.set(edge.to, [...way, edge]);
  }
  return undefined;
}

function draft(view: StacksView, circle: readonly Edge[]): PulumiDraft {
  const nameOf = (id: string): string => view.graph.nodes.find((node) => node.id === id)?.name ?? id;
  const [first] = circle;
  const names = [...circle.map(({ from }) => nameOf(from)), nameOf(first!.from)];
  const resource = view.resources.find(({ id }) => id === first!.from.replace("service:", "resource:"));
  return {
    severity: "medium",
    known: circle.map(({ evidence }) => evidence.known).reduce(weaker),
    place: first!.evidence.place,
    message: `The services call one another in a circle: ${names.join(" → ")}.`,
    cost: "One slow service makes all of them slow, and none of them can be released alone.",
    fix: "replace one of the calls by a message, or move what both need into a third service",
    subject: circle
      .map(({ from }) => from)
      .toSorted(compareText)
      .join(" "),
    related: circle.slice(1).map(({ evidence, from, to }) => ({
      place: evidence.place,
      message: `${nameOf(from)} calls ${nameOf(to)}`,
    })),
    path: [...circle.map(({ from }) => from), first!.from],
    ...(resource && { urn: resource.urn }),
  };
}

const service = (name: string, variable: string, address: string): string => `  ${name}:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: ${name}
      template:
        containers:
          - name: ${name}
            image: shop.azurecr.io/${name}@sha256:${"4".repeat(64)}
            env:
              - name: ${variable}
                value: ${address}
`;
const program = (back: string): string => `name: shop
runtime: yaml
resources:
${service("orders", "STOCK", "http://stock/items")}${service("stock", "ORDERS", back)}`;

export const serviceCycle = pulumiRule({
  id: "service-cycle",
  title: "Services call one another in a circle",
  antiPattern: 2,
  focus: "resilience",
  why:
    "In a circle of calls every service waits for itself in the end. A slow one exhausts the connections of " +
    "all, retries " +
    "multiply around the circle, and a release of one needs the others to be compatible in both directions.",
  severity: "Medium, and inferred: an address in a variable is no proof of a call.",
  fix: "Let one of them send a message instead of waiting for an answer.",
  limits: "Calls are known from addresses in variables and from outputs that a template uses, not from code.",
  isLocal: false,
  failing: [
    {
      "Pulumi.yaml": program("http://orders/open").replace(
        "value: http://stock/items",
        "value: http://stock/items # <- finding",
      ),
    },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("https://orders.example.com/open") },
      because: "The address is not the other app's.",
      edit: { file: "Pulumi.yaml", replace: "https://orders.example.com/open", by: "http://orders/open" },
    },
  ],
  judge,
});
