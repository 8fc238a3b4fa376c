// Images that are named by a tag. A tag can be moved, so the revision that was judged, the one that a restart pulls,
// and the one that a rollback brings back may be three different programs.
import type { Severity } from "../rule.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { shown } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const types = ["app:ContainerApp", "app:Job", "containerinstance:ContainerGroup"];
const paths = ["template.containers[].image", "template.initContainers[].image", "containers[].image"];
/** Tags that are meant to be moved. */
const movingTags = /:(latest|main|master|stable|edge|nightly|dev|prod)$/i;
/** Microsoft's sample, which programs deploy until a pipeline brings the real image. */
const sample = /^mcr\.microsoft\.com\/(k8se\/quickstart|azuredocs\/containerapps-helloworld)\b/i;

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.ofType(...types).flatMap((node) =>
    paths.flatMap((path) =>
      // What the program ignores is set by others, and their image is not in the program.
      view.isIgnored(node, path)
        ? []
        : view.find(node, path).flatMap((hit) => {
            const { value } = hit;
            if (typeof value !== "string" || value === "" || /@sha(256|512):/.test(value) || sample.test(value))
              return [];
            return [draft(view, node, hit.path, value)];
          }),
    ),
  );

function draft(view: StacksView, node: ResourceNode, path: string, image: string): PulumiDraft {
  const hasTag = /:[^/]+$/.test(image);
  const moves = !hasTag || movingTags.test(image);
  const severity: Severity = moves || view.isManaged(node) ? "high" : "medium";
  return {
    severity,
    known: "structural",
    place: view.placeOf(node, path),
    message:
      `The image ${shown(image)} of ${called(node)} is named by ` +
      `${hasTag ? "a tag" : "no tag, which means latest"}.`,
    cost: "A restart or a rollback may pull another program than the one that was tested.",
    fix: "name the image by its digest, as in registry/name@sha256:…",
    subject: `${node.urn} ${path}`,
    urn: node.urn,
  };
}

const program = (image: string): string => `name: shop
runtime: yaml
resources:
  shop:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: shop
      resourceGroupName: shop
      template:
        containers:
          - name: shop
            image: ${image}
`;

export const imageByDigest = pulumiRule({
  id: "image-by-digest",
  title: "An image is named by a tag",
  antiPattern: 7,
  focus: "resilience",
  why:
    "A tag names whatever was pushed last under it. Azure pulls the image again when it starts a replica, so two " +
    "replicas of one revision may run different programs, and an old revision may come back as a new program. Only a " +
    "digest names one image.",
  severity:
    "Medium; high if the tag is one that is meant to move, or none, and if a control plane judges the app's " +
    "revisions, " +
    "because its verdict is then about an image that may change.",
  fix: "Build once, keep the digest, and deploy the digest in every environment.",
  limits:
    "An image that the program ignores (`ignoreChanges`) is not judged. Microsoft's sample images are left alone.",
  isLocal: true,
  failing: [
    { "Pulumi.yaml": program("shop.azurecr.io/shop:1.4.2 # <- finding") },
    { "Pulumi.yaml": program("shop.azurecr.io/shop # <- finding") },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program(`shop.azurecr.io/shop@sha256:${"4".repeat(64)}`) },
      because: "The digest names one image for ever.",
      edit: { file: "Pulumi.yaml", replace: `@sha256:${"4".repeat(64)}`, by: ":1.4.2" },
    },
    {
      files: {
        "Pulumi.yaml": `${program("shop.azurecr.io/shop:initial")}    options:
      ignoreChanges: ["template.containers[*].image"]
`,
      },
      because: "A pipeline sets the image, and the program leaves it alone.",
      edit: { file: "Pulumi.yaml", replace: "template.containers[*].image", by: "template.containers[*].env" },
    },
  ],
  judge,
});
