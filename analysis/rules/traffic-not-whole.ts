// Traffic weights of an app that Azure refuses or does not apply: they do not add up to 100, or several revisions have
// weights in the mode that serves only one.

import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { isRecord } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const path = "configuration.ingress.traffic";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.ofType("app:ContainerApp").flatMap((node) => {
    if (view.isIgnored(node, path) || view.isManaged(node)) return [];
    const entries = view.find(node, `${path}[]`).map(({ value }) => (isRecord(value) ? value["weight"] : undefined));
    if (entries.length === 0 || view.isUnknown(node, `${path}[]`)) return [];
    const weights = entries.map((weight) => weight ?? 0);
    if (!weights.every((weight) => typeof weight === "number")) {
      view.countUnknown(node, path);
      return [];
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (sum !== 100) return [draft(view, node, `The traffic weights of ${called(node)} add up to ${sum}, not 100.`)];
    const [mode] = view.find(node, "configuration.activeRevisionsMode");
    const isSplit = weights.filter((weight) => weight > 0).length > 1;
    if (mode?.value !== "Single" || !isSplit) return [];
    return [draft(view, node, `The app ${called(node)} splits traffic, but its mode Single serves one revision.`)];
  });

const draft = (view: StacksView, node: ResourceNode, message: string): PulumiDraft => ({
  severity: "high",
  known: "structural",
  place: view.placeOf(node, path),
  message,
  cost: "Azure refuses the update, or users get another revision than the program says.",
  fix: "give the weights a sum of 100, and use the mode Multiple to split traffic",
  subject: `${node.urn} traffic`,
  urn: node.urn,
});

const program = (mode: string, canary: number): string => `name: shop
runtime: yaml
resources:
  shop:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: shop
      configuration:
        activeRevisionsMode: ${mode}
        ingress:
          external: true
          targetPort: 8080
          transport: tcp
          traffic:
            - { revisionName: shop--1, weight: 90 }
            - { latestRevision: true, weight: ${canary} }
`;
const marked = (text: string): string => text.replace("traffic:", "traffic: # <- finding");

export const trafficNotWhole = pulumiRule({
  id: "traffic-not-whole",
  title: "Traffic weights do not work",
  antiPattern: 7,
  focus: "state",
  why:
    "Azure accepts traffic weights only if they add up to 100, and applies a split only in the mode " +
    "Multiple. Found at the " +
    "update, this stops a deployment that may have changed other resources already.",
  severity: "High: the update fails or the split has no effect.",
  fix: "Let the weights add up to 100, in the mode Multiple, or leave traffic to what manages the rollout.",
  limits: "Traffic that the program ignores, or that a control plane moves, is left alone.",
  isLocal: true,
  failing: [{ "Pulumi.yaml": marked(program("Multiple", 20)) }, { "Pulumi.yaml": marked(program("Single", 10)) }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("Multiple", 10) },
      because: "The weights add up to 100.",
      edit: { file: "Pulumi.yaml", replace: "weight: 10", by: "weight: 5" },
    },
  ],
  judge,
});
