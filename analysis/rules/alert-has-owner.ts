// Alerts that reach somebody and do not say whose they are, or what to do.
import { missingAnswer } from "../../engines/remediation/rules/answered.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import { isRecord, type Value } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

/** Where each type of alert rule has properties of its own. */
const propertyPaths: Readonly<Record<string, readonly string[]>> = {
  "monitor:MetricAlert": ["actions[].webHookProperties", "tags"],
  "monitor:ScheduledQueryRule": ["actions.customProperties", "tags"],
};
const groupPaths: Readonly<Record<string, string>> = {
  "monitor:MetricAlert": "actions[]",
  "monitor:ScheduledQueryRule": "actions.actionGroups[]",
};

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view.ofType(...Object.keys(propertyPaths)).flatMap((node) => judgeOne(view, node));

function judgeOne(view: StacksView, node: ResourceNode): readonly PulumiDraft[] {
  const paths = propertyPaths[node.type]!;
  const said = [...paths, "description"];
  const isOff = view.find(node, "enabled").some(({ value }) => value === false);
  // One that notifies nobody is reported by a rule of its own.
  const notifies = view.exists(node, groupPaths[node.type]!);
  if (isOff || !notifies || said.some((path) => view.isIgnored(node, path))) return [];
  const properties = paths.flatMap((path) => view.find(node, path));
  const isHidden = properties.some(({ value }) => !isRecord(value)) || said.some((path) => view.isUnknown(node, path));
  const missing = missingAnswer({
    properties: properties.flatMap(({ value }) => (isRecord(value) ? Object.entries(value).map(named) : [])),
    description: view.texts(node, "description").join(" "),
  });
  if (isHidden || missing.length === 0) return [];
  return [
    {
      severity: "low",
      known: "structural",
      place: view.placeOf(node, "actions"),
      message: `The alert ${called(node)} names no ${missing.join(" and no ")}.`,
      cost: "Whoever is woken first finds out whose alert it is, and then what to do.",
      fix: "name both in the alert's custom properties, or link the runbook in its description",
      subject: `${node.urn} answer`,
      urn: node.urn,
    },
  ];
}

/** A value that cannot be seen is there all the same. */
const named = ([name, value]: readonly [string, Value]): readonly [string, string] => [
  name,
  typeof value === "string" ? value : "given",
];

const program = (properties: string, description = "Requests fail"): string => `name: shop
runtime: yaml
resources:
  errors:
    type: azure-native:monitor:MetricAlert
    properties:
      severity: 1
      enabled: true
      description: ${description}
      actions: # <- finding
        - actionGroupId: /subscriptions/s/group
${properties}`;
const both = "          webHookProperties: { owner: shop team, runbook: failing-app }\n";
const clean = (text: string): string => text.replace(" # <- finding", "");

export const alertHasOwner = pulumiRule({
  id: "alert-has-owner",
  title: "An alert does not say who answers it, and how",
  antiPattern: 4,
  focus: "resilience",
  why:
    "The message of an alert is all that whoever is woken has at first. Without an owner it is passed on, and " +
    "without a runbook everybody starts from nothing, each time.",
  severity: "Low: the alert arrives, and time is lost.",
  fix: "Put owner and runbook into the properties of the alert, where every receiver gets them.",
  limits:
    "Known names in an alert's own properties and tags are read, and links in its description. What an action " +
    "group's receiver adds by itself is not known.",
  isLocal: true,
  failing: [
    { "Pulumi.yaml": program("") },
    { "Pulumi.yaml": program("          webHookProperties: { owner: shop team }\n") },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": clean(program(both)) },
      because: "The alert names both.",
      edit: { file: "Pulumi.yaml", replace: "{ owner: shop team, runbook: failing-app }", by: "{ kind: red }" },
    },
    {
      files: { "Pulumi.yaml": clean(program("      tags: { Owner: shop team, Runbook: failing-app }\n")) },
      because: "Its tags name both, and Azure ignores the letter case of a tag's name.",
      edit: { file: "Pulumi.yaml", replace: "Owner: shop team", by: "Owner: ''" },
    },
    {
      files: {
        "Pulumi.yaml": clean(
          program("          webHookProperties: { team: shop }\n", "See https://wiki.example.com/failing"),
        ),
      },
      because: "The description links the runbook.",
      edit: { file: "Pulumi.yaml", replace: "See https://wiki.example.com/failing", by: "Requests fail" },
    },
  ],
  judge,
});
