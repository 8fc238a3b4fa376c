// Alerts that nobody hears: a rule without an action group, or an action group without a receiver.
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** Where each type of alert rule names its action groups. */
const actionPaths: Readonly<Record<string, string>> = {
  "monitor:MetricAlert": "actions[]",
  "monitor:ScheduledQueryRule": "actions.actionGroups[]",
  "monitor:ActivityLogAlert": "actions.actionGroups[]",
  "alertsmanagement:SmartDetectorAlertRule": "actionGroups.groupIds[]",
};
const groupType = "monitor:ActionGroup";
const processing = ["alertsmanagement:AlertProcessingRuleByName", "alertsmanagement:AlertProcessingRule"];

const judge = (view: StacksView): readonly PulumiDraft[] => [
  ...view.ofType(...Object.keys(actionPaths)).flatMap((node) => silentAlert(view, node)),
  ...view.ofType(groupType).flatMap((node) => emptyGroup(view, node)),
];

function silentAlert(view: StacksView, node: ResourceNode): readonly PulumiDraft[] {
  const path = actionPaths[node.type]!;
  const isOff = view.find(node, "enabled").some(({ value }) => value === false);
  if (isOff || view.isIgnored(node, path) || addsGroups(view, node)) return [];
  if (view.exists(node, path)) return [];
  return [
    draft(view, node, "actions", `The alert ${called(node)} has no action group.`, "give the alert an action group"),
  ];
}

/** A processing rule may add action groups to alerts of a whole scope. */
const addsGroups = (view: StacksView, node: ResourceNode): boolean =>
  view
    .ofType(...processing)
    .some(
      (rule) =>
        rule.stack === node.stack &&
        view.find(rule, "properties.actions[].actionType").some(({ value }) => value === "AddActionGroups"),
    );

function emptyGroup(view: StacksView, node: ResourceNode): readonly PulumiDraft[] {
  const lists = Object.keys(node.inputs.root).filter((key) => key.endsWith("Receivers"));
  if (lists.some((key) => view.isIgnored(node, key))) return [];
  const isOff = view.find(node, "enabled").some(({ value }) => value === false);
  if (isOff)
    return [draft(view, node, "enabled", `The action group ${called(node)} is disabled.`, "enable the action group")];
  if (lists.some((key) => view.exists(node, `${key}[]`))) return [];
  const message = `The action group ${called(node)} has no receiver.`;
  return [draft(view, node, "emailReceivers", message, "add a receiver, such as the team's e-mail address or webhook")];
}

const draft = (view: StacksView, node: ResourceNode, path: string, message: string, fix: string): PulumiDraft => ({
  severity: "high",
  known: "structural",
  place: view.placeOf(node, path),
  message,
  cost: "The alert fires, and nobody is notified.",
  fix,
  subject: `${node.urn} action`,
  urn: node.urn,
});

const program = (actions: string): string => `name: shop
runtime: yaml
resources:
  on-call:
    type: azure-native:monitor:ActionGroup
    properties:
      groupShortName: on-call
      enabled: true
      emailReceivers:
        - { name: team, emailAddress: on-call@example.com }
  errors:
    type: azure-native:monitor:MetricAlert
    properties:
      severity: 1
      enabled: true
${actions}`;
const withAction = program(
  '      actions: [{ actionGroupId: "${on-call.id}", webHookProperties: { owner: shop, runbook: failing } }]\n',
);

export const alertHasAction = pulumiRule({
  id: "alert-has-action",
  title: "An alert notifies nobody",
  antiPattern: 4,
  focus: "resilience",
  why:
    "An alert without an action group fires in the portal, where nobody looks at night. An action group without a " +
    "receiver, or one that is disabled, is the same: everything looks connected, and no message is sent.",
  severity: "High: the failure that the alert was written for is found by users.",
  fix: "Connect each alert to an action group with at least one receiver.",
  limits:
    "A processing rule of the stack that adds action groups makes all its alerts quiet, because its scope is not " +
    "computed. Action groups of other stacks are not read.",
  isLocal: false,
  failing: [
    { "Pulumi.yaml": program("").replace("  errors:", "  errors: # <- finding") },
    {
      "Pulumi.yaml": withAction
        .replace("  on-call:\n", "  on-call: # <- finding\n")
        .replace(/ {6}emailReceivers:\n.*\n/, ""),
    },
    { "Pulumi.yaml": withAction.replace("enabled: true\n      emailR", "enabled: false # <- finding\n      emailR") },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": withAction },
      because: "The alert has an action group with a receiver.",
      edit: { file: "Pulumi.yaml", replace: "- { name: team, emailAddress: on-call@example.com }", by: "[]" },
    },
    {
      files: {
        "Pulumi.yaml": program("").replace("severity: 1\n      enabled: true", "severity: 1\n      enabled: false"),
      },
      because: "The alert is switched off.",
      edit: { file: "Pulumi.yaml", replace: "enabled: false", by: "enabled: true" },
    },
  ],
  judge,
});
