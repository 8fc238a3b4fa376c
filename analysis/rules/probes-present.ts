// Apps with an ingress and no readiness probe. Azure then sends users to a replica as soon as its port is open, which
// most programs do long before they can answer.
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { isRecord, type Value } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view
    .ofType("app:ContainerApp")
    .flatMap((node) => (isServing(view, node) && lacksProbe(view, node) ? [draft(view, node)] : []));

/** Whether users reach the app by HTTP. Azure's own probe of the port is right for TCP and for functions. */
function isServing(view: StacksView, node: ResourceNode): boolean {
  if (view.find(node, "configuration.ingress").length === 0) return false;
  const [transport] = view.find(node, "configuration.ingress.transport");
  const [kind] = view.find(node, "kind");
  return !is(transport?.value, "tcp") && !is(kind?.value, "functionapp");
}

const is = (value: Value | undefined, word: string): boolean =>
  typeof value === "string" && value.toLowerCase() === word;

function lacksProbe(view: StacksView, node: ResourceNode): boolean {
  if (view.isIgnored(node, "template.containers[].probes")) return false;
  const containers = view.find(node, "template.containers[]").filter(({ value }) => isRecord(value));
  if (containers.length === 0) return false;
  const types = ["template.containers[].probes[].type"].flatMap((path) => view.find(node, path));
  if (view.isUnknown(node, "template.containers[].probes[].type")) return false;
  return !types.some(({ value }) => is(value, "readiness"));
}

const draft = (view: StacksView, node: ResourceNode): PulumiDraft => ({
  severity: "medium",
  known: "structural",
  place: view.placeOf(node, "template.containers[0]"),
  message: `The app ${called(node)} serves requests and has no readiness probe.`,
  cost: "Users get a new replica as soon as its port is open, although the program may not answer yet.",
  fix: "add a probe of type Readiness that requests a path which answers only when the program can serve",
  subject: `${node.urn} readiness`,
  urn: node.urn,
});

const program = `name: shop
runtime: yaml
resources:
  shop:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: shop
      configuration:
        ingress: { external: true, targetPort: 8080 }
      template:
        containers:
          - name: shop
            image: shop.azurecr.io/shop@sha256:${"4".repeat(64)}
`;
const probe = `            probes:
              - type: Readiness
                httpGet: { path: /ready, port: 8080 }
`;

export const probesPresent = pulumiRule({
  id: "probes-present",
  title: "An app serves requests without a readiness probe",
  antiPattern: 4,
  focus: "resilience",
  why:
    "Without a readiness probe Azure checks only that the port is open. Every start, every scale-out and " +
    "every release " +
    "then sends users to replicas that cannot answer yet, and a revision that never becomes able to serve still gets " +
    "its share of traffic.",
  severity: "Medium: it costs errors at each start.",
  fix: "Give each app with an ingress a readiness probe on a path that fails until the program can serve.",
  limits: "Azure's own probe of the port is right for TCP ingress and for functions; these are left alone.",
  isLocal: true,
  failing: [{ "Pulumi.yaml": program.replace("- name: shop", "- name: shop # <- finding") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program + probe },
      because: "The readiness probe requests a path.",
      edit: { file: "Pulumi.yaml", replace: "type: Readiness", by: "type: Liveness" },
    },
    {
      files: { "Pulumi.yaml": program.replace("external: true,", "external: true, transport: tcp,") },
      because: "A TCP service has no path to request.",
      edit: { file: "Pulumi.yaml", replace: "transport: tcp", by: "transport: http" },
    },
  ],
  judge,
});
