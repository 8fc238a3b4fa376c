// Alerts that can never fire: a static threshold on a metric that no value of it crosses.
import { whyNeverFires } from "../../engines/remediation/rules/reach.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import type { Hit } from "../systems/pulumi/value.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const conditions = "criteria.allOf[]";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  view
    .ofType("monitor:MetricAlert")
    .filter((node) => !view.isIgnored(node, conditions))
    .flatMap((node) => view.find(node, `${conditions}.threshold`).flatMap((hit) => judgeOne(view, node, hit)));

function judgeOne(view: StacksView, node: ResourceNode, { path, value }: Hit): readonly PulumiDraft[] {
  if (typeof value !== "number") return [];
  const beside = (field: string): string => {
    const sibling = path.replace(/threshold$/, field);
    return String(view.find(node, `${conditions}.${field}`).find((hit) => hit.path === sibling)?.value);
  };
  const why = whyNeverFires({
    namespace: beside("metricNamespace"),
    metric: beside("metricName"),
    aggregation: beside("timeAggregation"),
    operator: beside("operator"),
    threshold: value,
  });
  if (why === undefined) return [];
  return [
    {
      severity: "high",
      known: "structural",
      place: view.placeOf(node, path),
      message: `The alert ${called(node)} can never fire: ${why}.`,
      cost: "It looks like protection, and nobody is notified.",
      fix: "lower the threshold below what the metric can be, or take the alert away",
      subject: `${node.urn} ${path}`,
      urn: node.urn,
    },
  ];
}

const program = (metric: string, threshold: string): string => `name: shop
runtime: yaml
resources:
  alert:
    type: azure-native:monitor:MetricAlert
    properties:
      severity: 0
      enabled: true
      actions:
        - actionGroupId: /subscriptions/s/group
          webHookProperties: { owner: shop team, runbook: database }
      criteria:
        odataType: Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria
        allOf:
          - metricNamespace: Microsoft.DBforPostgreSQL/flexibleServers
            metricName: ${metric}
            timeAggregation: Maximum
            operator: GreaterThan
            threshold: ${threshold}
`;

export const alertCanFire = pulumiRule({
  id: "alert-can-fire",
  title: "An alert can never fire",
  antiPattern: 4,
  focus: "resilience",
  why:
    "A threshold that a metric cannot cross looks like protection and is none. A published baseline warns at " +
    "10,737,418,240 used transaction ids, of which PostgreSQL has no more than 2,147,483,648.",
  severity: "High: the failure that the alert was written for is found by users.",
  fix: "Choose a threshold within the range of the metric.",
  limits:
    "Only static thresholds on metrics of PostgreSQL, Key Vault and Container Apps whose range is known are judged; " +
    "a total has no limit.",
  isLocal: true,
  failing: [
    {
      "Pulumi.yaml": program("maximum_used_transactionIDs", "10737418240 # <- finding"),
    },
    { "Pulumi.yaml": program("cpu_percent", "100 # <- finding") },
  ],
  nearMisses: [
    {
      files: { "Pulumi.yaml": program("maximum_used_transactionIDs", "1200000000") },
      because: "The server can use that many transaction ids.",
      edit: { file: "Pulumi.yaml", replace: "1200000000", by: "2147483648" },
    },
    {
      files: { "Pulumi.yaml": program("cpu_percent", "90") },
      because: "The metric can be more than 90 percent.",
      edit: { file: "Pulumi.yaml", replace: "threshold: 90", by: "threshold: 100" },
    },
  ],
  judge,
});
