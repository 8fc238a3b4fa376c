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

/**
 * Types that may need anything: a template or a script does what it says, a lock forbids what comes after it, and so
 * does a policy. A resource of another provider, such as a command or a release, may ask about the alert.
 */
const mayNeedAny = /^authorization:(ManagementLock|Policy)|^resources:(Deployment|.*Script)/;
const isOfAzure = (token: string): boolean => token.startsWith("azure-native");

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.resources
    .filter(
      ({ type, token }) =>
        isOfAzure(token) &&
        !mayNeedAny.test(type) &&
        !looking.has(type) &&
        type !== "alertsmanagement:AlertProcessingRuleByName",
    )
    .flatMap((node) => {
      const needed = node.needs[""] ?? [];
      return needed.flatMap((urn) => {
        const target = view.byUrn(node, urn);
        const isNeedless = target !== undefined && looking.has(target.type) && !isOfComponent(view, target, needed);
        return isNeedless ? [draft(view, node, target)] : [];
      });
    });

/**
 * Whether a resource may have been named by its component. Pulumi writes `dependsOn` a component as all that is in it,
 * and nobody can take one alert out of that.
 */
function isOfComponent(view: StacksView, target: ResourceNode, needed: readonly string[]): boolean {
  const parent = target.parent === undefined ? undefined : view.byUrn(target, target.parent);
  if (parent === undefined || parent.type === "pulumi:pulumi:Stack") return false;
  if (needed.includes(parent.urn)) return true;
  const children = view.resources.filter(({ stack, parent: of }) => stack === target.stack && of === parent.urn);
  return children.length > 1 && children.every(({ urn, isCustom }) => !isCustom || needed.includes(urn));
}

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
    "Only types that are known to have no effect on others are reported, and only where a resource of Azure waits. " +
    "An order for the sake of people is lost. A wait for a whole component is none for one alert in it.",
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
