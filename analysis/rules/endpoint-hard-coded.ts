// Addresses of an app of the same stack that are written as text. The domain of a Container Apps environment is made
// by Azure, so the text is wrong as soon as the environment is made again, and Pulumi does not know that one needs the
// other.

import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { hostsIn, isHostOf, variablesOf } from "../systems/pulumi/services.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const generated = /\.azurecontainerapps\.(io|cn|us)$/i;

const judge = (view: StacksView): readonly PulumiDraft[] => {
  const apps = view.ofType("app:ContainerApp");
  return view.ofType("app:ContainerApp", "app:Job").flatMap((node) =>
    isDerived(view, node)
      ? []
      : variablesOf(node).flatMap(({ name, text, path }) => {
          const callee = hostsIn(text)
            .filter((host) => generated.test(host))
            .flatMap((host) =>
              apps.filter((app) => app.stack === node.stack && app !== node && isHostOf(host, nameIn(app))),
            )[0];
          return callee ? [draft(view, node, callee, name, path)] : [];
        }),
  );
};

const nameIn = (app: ResourceNode): string => {
  const [given] = app.inputs.find("containerAppName");
  return typeof given?.value === "string" ? given.value : app.name;
};

/** Whether the template takes anything from an app or an environment; the text may then be computed. */
const isDerived = (view: StacksView, node: ResourceNode): boolean =>
  (node.needs["template"] ?? []).some((urn) => {
    const type = view.byUrn(node, urn)?.type;
    return type === "app:ContainerApp" || type === "app:ManagedEnvironment";
  });

const draft = (
  view: StacksView,
  node: ResourceNode,
  callee: ResourceNode,
  name: string,
  path: string,
): PulumiDraft => ({
  severity: "low",
  known: "structural",
  place: view.placeOf(node, path),
  message: `The variable ${name} of ${called(node)} holds the address of ${called(callee)} as a text.`,
  cost: "If the environment is made again, the address is another one, and the app calls nobody.",
  fix: "compute the address from the other app's output, configuration.ingress.fqdn",
  subject: `${node.urn} ${name}`,
  urn: node.urn,
});

const program = (address: string): string => `name: shop
runtime: yaml
resources:
  stock:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: stock
  shop:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: shop
      template:
        containers:
          - name: shop
            image: shop.azurecr.io/shop@sha256:${"4".repeat(64)}
            env:
              - name: STOCK
                value: ${address}
`;

export const endpointHardCoded = pulumiRule({
  id: "endpoint-hard-coded",
  title: "The address of another app is written as text",
  antiPattern: 8,
  focus: "state",
  why:
    "Azure makes the domain of an environment, with random words in it. An address that is copied into a " +
    "program works " +
    "until the environment is replaced, and Pulumi deploys the caller without waiting for the app that it calls.",
  severity: "Low.",
  fix: "Use the other app's output, or its name alone if both are in one environment.",
  limits:
    "An app whose template takes any value from an app or an environment is left alone: the text may be computed.",
  isLocal: false,
  failing: [{ "Pulumi.yaml": program("https://stock.calmsea-1a2b3c4d.westeurope.azurecontainerapps.io # <- finding") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("https://${stock.configuration.ingress.fqdn}") },
      because: "The address comes from the other app.",
      edit: {
        file: "Pulumi.yaml",
        replace: "${stock.configuration.ingress.fqdn}",
        by: "stock.calmsea-1a2b3c4d.westeurope.azurecontainerapps.io",
      },
    },
  ],
  judge,
});
