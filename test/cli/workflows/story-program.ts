// What the story's team delivers: a service that is released by canary, the alert on it, and what may be done about
// that alert. The platform, with the control plane, is there already.
import { join } from "node:path";
import { bindAudience } from "../../../bind-audience.ts";
import { ruleNameOf } from "../../../components/alerts/log-rule.ts";
import { policyOf } from "../../../components/alerts/remedy.ts";
import { lookBackSecondsOf } from "../../../engines/remediation/rules/look-back.ts";
import type { Policy } from "../../../engines/remediation/vocabulary.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** The application that stands for the control plane in the directory. */
export const audience = "api://ballast";

/** Where the platform is. */
export interface Platform {
  /** The resource group's id. */
  readonly scope: string;
  readonly controlPlane: string;
}

const alertName = "shop-failing";
const rule = { windowMinutes: 5, everyMinutes: 1 };
/** The times of a story. On Azure they are minutes. */
const remedy = {
  ladder: [{ runbook: "return-to-previous" }, { runbook: "collect-diagnostics" }],
  verification: { delaySeconds: 3, windowSeconds: 10, intervalSeconds: 2, samplesMin: 50, badPercentMax: 5 },
  limits: { settleSeconds: 5, correlationSeconds: 1 },
} as const;
/** Quick, since the fault comes after the bake in any case. */
const judged = {
  strategy: { weights: [50], bakeSeconds: 2, warmUpSeconds: 0, intervalSeconds: 1, probeSeconds: 1, smokeSeconds: 60 },
  thresholds: { failurePointsMax: 20, oddsTolerated: 10, slowdownTolerated: 10 },
};

/** Gives the policy of the alert, which the platform's team passes to the control plane. */
export const policyIn = (scope: string): Policy =>
  policyOf(
    "RemediatedAlert",
    alertName,
    {
      rule: ruleNameOf(alertName, "rule", scope),
      owner: "shop team",
      targets: ["app/shop/shop"],
      lookBackSeconds: lookBackSecondsOf(rule),
    },
    remedy,
  );

/** Every release is the same code. The emulator runs its folder whatever the digest is. */
const image = `registry.example/storefront@sha256:${"5e".repeat(32)}`;

/** Requests that a release with the fault answers well before it begins to fail. */
const faultAfter = "900";
const faultPercent = "40";

/** Gives the files of the project. A release with the fault passes its canary and fails a minute later. */
export const filesOf = (platform: Platform, release: number, isFaulty: boolean): Readonly<Record<string, string>> => ({
  "Pulumi.yaml": `name: shop
runtime: { name: nodejs, options: { typescript: false } }
main: index.js
plugins:
  providers:
    - { name: ballast, path: ${join(root, "provider")} }
    - { name: azure-native, path: ${join(root, "test", "support", "emulator")} }
`,
  "index.js": programOf(platform, release, isFaulty),
});

const programOf = ({ scope, controlPlane }: Platform, release: number, isFaulty: boolean): string => {
  const fault = isFaulty ? { FAULT: "errors", FAULT_PERCENT: faultPercent, FAULT_AFTER: faultAfter } : {};
  const written = (value: unknown): string => JSON.stringify(value, undefined, 2).replaceAll("\n", "\n  ");
  return `import { CanaryApp, httpApp, RemediatedAlert } from "ballast";

const scope = "${scope}";

const shop = new CanaryApp("shop", {
  ...httpApp({
    containerAppName: "shop",
    resourceGroupName: "shop",
    location: "westeurope",
    environmentId: \`\${scope}/providers/Microsoft.App/managedEnvironments/shop\`,
    image: "${image}",
    healthPath: "/health/ready",
    variables: ${written({ RELEASE: String(release), ...fault })},
  }),
  controlPlane: { endpoint: "${controlPlane}", audience: "${audience}" },
  strategy: ${written(judged.strategy)},
  thresholds: ${written(judged.thresholds)},
});

new RemediatedAlert("${alertName}", {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  workspaceId: \`\${scope}/providers/Microsoft.OperationalInsights/workspaces/shop-logs\`,
  title: "The shop fails",
  means: "More than one request in twenty fails.",
  query: ${JSON.stringify(query)},
  dimension: "ContainerAppName",
  severity: 1,
  windowMinutes: ${rule.windowMinutes},
  everyMinutes: ${rule.everyMinutes},
  actionGroupIds: [\`\${scope}/providers/Microsoft.Insights/actionGroups/on-call\`],
  owner: "shop team",
  runbook: "https://wiki.example.com/shop-failing",
  trace: shop.trace,
  targets: ["app/shop/shop"],
  remedy: ${written(remedy)},
});

export const { url, revision, result, message, trace } = shop;
export const controlPlaneEndpoint = "${controlPlane}";
export const controlPlaneAudience = "${audience}";
export const controlPlaneBinding = "${bindAudience(controlPlane, audience)}";
`;
};

const query = [
  "ContainerAppHTTPLogs",
  'where TimeGenerated > ago(15s) and ContainerAppName == "shop"',
  "summarize requests = count(), failed = countif(StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode)) " +
    "by ContainerAppName",
  "where requests >= 20 and failed * 100 > requests * 5",
].join(" | ");
