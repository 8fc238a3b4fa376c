// A resource that waits for one that nothing can need while it is made: an alert, a dashboard, a budget, a diagnostic
// setting. The order costs time in every update and says that there is a dependency where there is none.
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** Types that only look at others. No resource needs them to be there first, except others that look at them. */
const looking: ReadonlySet<string> = new Set([
  "monitor:MetricAlert",
  "monitor:ScheduledQueryRule",
  "monitor:ActivityLogAlert",
  "monitor:DiagnosticSetting",
  "monitor:AutoscaleSetting",
  "alertsmanagement:SmartDetectorAlertRule",
  "portal:Dashboard",
  "monitor:Workbook",
  "applicationinsights:Workbook",
  "consumption:Budget",
]);

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.resources
    .filter(
      ({ type, isCustom }) => isCustom && !looking.has(type) && type !== "alertsmanagement:AlertProcessingRuleByName",
    )
    .flatMap((node) =>
      (node.needs[""] ?? []).flatMap((urn) => {
        const target = view.byUrn(node, urn);
        return target && looking.has(target.type) ? [draft(view, node, target)] : [];
      }),
    );

const draft = (view: StacksView, node: ResourceNode, target: ResourceNode): PulumiDraft => ({
  severity: "low",
  known: "structural",
  place: view.placeOf(node, ""),
  message:
    `${called(node)} waits for ${called(target)} by dependsOn, but nothing can need a ${target.type.split(":")[1]} ` +
    "to be there first.",
  cost:
    target.seconds === undefined
      ? "Every update takes longer by the time of the other resource, and a failure of it stops this one."
      : `The other resource took ${target.seconds} s last time (measured), and a failure of it stops this one.`,
  fix: "remove it from dependsOn",
  subject: `${node.urn} ${target.urn}`,
  urn: node.urn,
});

const program = (depends: string): string => `name: shop
runtime: yaml
resources:
  budget:
    type: azure-native:consumption:Budget
    properties:
      budgetName: shop
      amount: 100
  network:
    type: azure-native:network:VirtualNetwork
    properties:
      virtualNetworkName: shop
  environment:
    type: azure-native:app:ManagedEnvironment
    properties:
      environmentName: shop
    options:
      dependsOn: ["\${${depends}}"]
`;

export const dependsOnNeedless = pulumiRule({
  id: "depends-on-needless",
  title: "A resource waits for one that nothing needs",
  antiPattern: 1,
  focus: "performance",
  why:
    "dependsOn makes an update wait, and makes the failure of one resource the failure of another. Where nothing of " +
    "the other resource is used, it should stand for an effect in the cloud that the program cannot see. Alerts, " +
    "dashboards and budgets have none.",
  severity: "Low.",
  fix: "Remove the entry from dependsOn.",
  limits:
    "Only types that are known to have no effect on others are reported. An order for the sake of people is lost.",
  isLocal: false,
  failing: [{ "Pulumi.yaml": program("budget").replace("  environment:", "  environment: # <- finding") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("network") },
      because: "A network may have to be there first, although no property says so.",
      edit: { file: "Pulumi.yaml", replace: '"${network}"', by: '"${budget}"' },
    },
  ],
  judge,
});
