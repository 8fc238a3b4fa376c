// Apps that keep no inactive revision. After a release there is then nothing to go back to.
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const path = "configuration.maxInactiveRevisions";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.ofType("app:ContainerApp").flatMap((node) => {
    const [kept] = view.isIgnored(node, path) ? [] : view.find(node, path);
    if (kept?.value !== 0) return [];
    return [
      {
        severity: "high",
        known: "structural",
        place: view.placeOf(node, path),
        message: `The app ${called(node)} keeps no inactive revision.`,
        cost: "A bad release cannot be taken back by traffic; the old version must be built and deployed again.",
        fix: "set maxInactiveRevisions to the number of releases that you may want to go back",
        subject: `${node.urn} revisions`,
        urn: node.urn,
      },
    ];
  });

const program = (kept: number): string => `name: shop
runtime: yaml
resources:
  shop:
    type: azure-native:app:ContainerApp
    properties:
      containerAppName: shop
      configuration:
        activeRevisionsMode: Multiple
        maxInactiveRevisions: ${kept}
`;

export const rollbackNoRevisionKept = pulumiRule({
  id: "rollback-no-revision-kept",
  title: "No earlier revision is kept",
  antiPattern: 7,
  focus: "resilience",
  why:
    "Going back to the last revision takes seconds, because it still exists. With maxInactiveRevisions at 0 " +
    "Azure deletes " +
    "it as soon as it is inactive, and the way back is a build and a deployment.",
  severity: "High.",
  fix: "Keep some revisions; inactive ones cost nothing.",
  limits: "Azure's default keeps 100 revisions, so an app that does not set the number is quiet.",
  isLocal: true,
  failing: [{ "Pulumi.yaml": program(0).replace(": 0\n", ": 0 # <- finding\n") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program(10) },
      because: "Ten revisions are kept.",
      edit: { file: "Pulumi.yaml", replace: "maxInactiveRevisions: 10", by: "maxInactiveRevisions: 0" },
    },
  ],
  judge,
});
