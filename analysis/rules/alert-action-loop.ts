// Alerts that the action which answers them trips again.
import type { Remediations } from "../../engines/remediation/declaration.ts";
import { loopOf } from "../../engines/remediation/rules/loop.ts";
import type { ResourceNode } from "../systems/pulumi/nodes.ts";
import type { DeclaredThere } from "../systems/pulumi/plane-settings.ts";
import { exampleRemediations, remediationsIn } from "../systems/pulumi/remediations.ts";
import { called, type PulumiDraft, pulumiRule, type StacksView } from "../systems/pulumi/view.ts";

const judge = (view: StacksView): readonly PulumiDraft[] =>
  remediationsIn(view).flatMap((there) =>
    view
      .ofType("monitor:MetricAlert", "monitor:ScheduledQueryRule")
      .filter((alert) => alert.stack === there.node.stack)
      .flatMap((alert) => judgeOne(view, alert, there)),
  );

function judgeOne(
  view: StacksView,
  alert: ResourceNode,
  { node, declared }: DeclaredThere<Remediations>,
): readonly PulumiDraft[] {
  const names = view.texts(alert, "ruleName").map((name) => name.toLowerCase());
  const watched = {
    metrics: view.texts(alert, "criteria.allOf[].metricName"),
    queries: view.texts(alert, "criteria.allOf[].query"),
  };
  const policy = declared.policies.find(({ rule }) => names.includes(rule.toLowerCase()));
  const loops = policy?.ladder.flatMap(({ runbook }) => loopOf(watched, runbook) ?? []) ?? [];
  const loop = loops.find(({ isGuess }) => !isGuess) ?? loops[0];
  if (loop === undefined) return [];
  return [
    {
      severity: "high",
      known: loop.isGuess ? { inferred: 0.75 } : "structural",
      place: view.placeOf(alert, "criteria"),
      message: `The alert ${called(alert)} is tripped by its own action: ${loop.why}.`,
      cost: "The action is repeated until its attempts are used up, and the alert says nothing about the cause.",
      fix: "watch what users notice, such as failed requests, or take this runbook out of the ladder",
      subject: `${alert.urn} loop`,
      urn: alert.urn,
      related: [{ place: view.placeOf(node, "template"), message: "the policy is declared here" }],
    },
  ];
}

const promise = { target: "app/shop/web", measures: "availability", goodPercent: 99.9 };
const program = (metric: string, runbook: string): string => `${exampleRemediations("restarts", runbook, [promise])}
  alert:
    type: azure-native:monitor:MetricAlert
    properties:
      ruleName: restarts
      actions:
        - actionGroupId: /subscriptions/s/group
          webHookProperties: { owner: shop team, runbook: restarts }
      criteria: # <- finding
        allOf:
          - metricName: ${metric}
`;
const clean = (text: string): string => text.replace(" # <- finding", "");

export const alertActionLoop = pulumiRule({
  id: "alert-action-loop",
  title: "An alert is tripped by its own action",
  antiPattern: 4,
  focus: "resilience",
  why:
    "A restart raises the count of restarts, and a rotation ends the sessions of the old role. An alert on that, " +
    "answered by that action, is a loop: alert, action, alert. " +
    "Ballast limits it, but the limit is then all that ends it.",
  severity: "High: the action is repeated, and the cause is never looked for.",
  fix: "Alert on what users notice, and verify the action against that.",
  limits:
    "Only the traces that Ballast's own runbooks are known to leave are judged, not what a job of yours does. Of a " +
    "query only the words are read, so such a finding is inferred: a query that leaves these rows out looks the same.",
  isLocal: false,
  failing: [{ "Pulumi.yaml": program("RestartCount", "restart-revision") }],
  nearMisses: [
    {
      files: { "Pulumi.yaml": clean(program("Requests", "restart-revision")) },
      because: "A restart does not make requests fail.",
      edit: { file: "Pulumi.yaml", replace: "metricName: Requests", by: "metricName: RestartCount" },
    },
    {
      files: { "Pulumi.yaml": clean(program("RestartCount", "collect-diagnostics")) },
      because: "Diagnostics restart nothing.",
      edit: { file: "Pulumi.yaml", replace: "collect-diagnostics", by: "restart-revision" },
    },
  ],
  judge,
});
