// Which service calls which, as the inputs of a stack say: a URL in a variable whose host is another app of the stack,
// or a value that comes from another app's outputs. A URL in a variable is no proof of a call, so these edges are
// inferred.
import type { Edge } from "../../graph.ts";
import { inferred } from "../../place.ts";
import type { ResourceNode, ServiceNode } from "./nodes.ts";

/** A text of a variable of a service, with its path. */
export interface Variable {
  readonly name: string;
  readonly text: string;
  readonly path: string;
}

/** Paths of the environment variables of each type. */
const variablePaths = [
  "template.containers[].env[]",
  "template.initContainers[].env[]",
  "siteConfig.appSettings[]",
] as const;

/** Gives the variables of a service whose values are plain texts. */
export const variablesOf = ({ inputs }: ResourceNode): readonly Variable[] =>
  variablePaths.flatMap((base) =>
    inputs.find(base).flatMap(({ path, value }) => {
      if (typeof value !== "object" || value === null || !("name" in value)) return [];
      const { name, value: text } = value as { readonly name?: unknown; readonly value?: unknown };
      return typeof name === "string" && typeof text === "string" ? [{ name, text, path: `${path}.value` }] : [];
    }),
  );

/** Gives the hosts of the URLs in a text. */
export const hostsIn = (text: string): readonly string[] => (text.includes("://") ? hosts(text) : []);

const hosts = (text: string): readonly string[] =>
  [...text.matchAll(/\b[a-z][a-z0-9+]*:\/\/(?:[^/@\s,;]+@)?([A-Za-z0-9.-]+)/gi)].map(([, host]) => host!.toLowerCase());

/** Whether a host is an app's name, or a name under its environment's domain. */
export function isHostOf(host: string, app: string): boolean {
  const name = app.toLowerCase();
  if (host === name) return true;
  return host.startsWith(`${name}.`) && /\.azurecontainerapps\.(io|cn|us)$/.test(host);
}

/** A call that something in a service's inputs suggests. */
interface Call {
  readonly to: ServiceNode;
  readonly label: string;
  readonly confidence: number;
  readonly path: string;
}

/** Gives the calls between the services of a stack. */
export function callsOf(services: readonly ServiceNode[], resources: readonly ResourceNode[]): readonly Edge[] {
  if (services.length < 2) return [];
  const byId = new Map(resources.map((node) => [node.id, node]));
  const byUrn = new Map(resources.map((node) => [node.urn, node]));
  const serviceOf = new Map(services.map((node) => [node.resource, node]));
  const outputOf = (urn: string): ServiceNode | undefined => serviceOf.get(byUrn.get(urn)?.id ?? "");
  return services.flatMap((service) => {
    const node = byId.get(service.resource)!;
    const calls = new Map<string, Edge>();
    for (const { to, label, confidence, path } of [...byUrl(node, services), ...byOutput(node, outputOf)])
      if (to.id !== service.id && !calls.has(to.id)) {
        const evidence = inferred(placeAt(node, path), confidence);
        calls.set(to.id, { kind: "calls", from: service.id, to: to.id, label, evidence });
      }
    return [...calls.values()];
  });
}

const byUrl = (node: ResourceNode, services: readonly ServiceNode[]): readonly Call[] =>
  variablesOf(node).flatMap(({ name, text, path }) =>
    hostsIn(text).flatMap((host) =>
      services.filter((to) => isHostOf(host, to.name)).map((to) => ({ to, label: name, confidence: 0.8, path })),
    ),
  );

const byOutput = (node: ResourceNode, outputOf: (urn: string) => ServiceNode | undefined): readonly Call[] =>
  ["template", "siteConfig"].flatMap((path) =>
    (node.needs[path] ?? []).flatMap((urn) => {
      const to = outputOf(urn);
      return to ? [{ to, label: path, confidence: 0.7, path }] : [];
    }),
  );

/** Gives the place of a property: its own, that of the nearest one around it, or the resource's. */
export function placeAt({ places, evidence }: ResourceNode, path: string): ResourceNode["evidence"]["place"] {
  for (let at = path; at !== ""; at = at.replace(/(\.[^.[]+|\[\d+\]|^[^.[]+)$/, "")) {
    const place = places[at];
    if (place) return place;
  }
  return evidence.place;
}
