// Application Insights components, and the list of the types of Microsoft.Insights that are resources of their own.
// What a component's telemetry becomes is in telemetry-rows.ts.
import { randomUUID } from "node:crypto";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type ResourceType, type Store } from "../arm/resource.ts";
import { subscription } from "../arm/subscription-id.ts";
import { actionGroups } from "./action-groups.ts";
import { componentFields } from "./fields.ts";
import { metricAlerts } from "./metric-alerts.ts";
import { scheduledQueryRules } from "./scheduled-query-rules.ts";
import { workbooks } from "./workbooks.ts";

/**
 * The ingestion host, below the cloud's suffix. Connection strings name 127.0.0.1 instead, which any SDK can resolve.
 */
export const ingestionHost = "westeurope-0.in.applicationinsights";

const retentionDays = [30, 60, 90, 120, 180, 270, 365, 550, 730];

const components: ResourceType = {
  type: "Microsoft.Insights/components",
  apiVersions: ["2020-02-02"],
  patches: ["tags"],
  fields: componentFields,
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { WorkspaceResourceId: workspace } = properties ?? {};
    // Azure no longer creates classic components, which have no workspace.
    if (!workspace)
      return new ArmError(
        400,
        "BadRequest",
        "WorkspaceResourceId is required: classic Application Insights components are retired.",
      );
    return store.get(workspace)?.type !== "Microsoft.OperationalInsights/workspaces"
      ? new ArmError(400, "BadRequest", `The workspace '${workspace}' was not found.`)
      : undefined;
  },
  onPut: async ({ wanted, previous, cloud }) => {
    const before = previous?.body["properties"];
    const { RetentionInDays: days = 90, SamplingPercentage: sampled = 100 } = wanted["properties"];
    if (!retentionDays.includes(days)) throw refusedToo(`RetentionInDays must be one of ${retentionDays.join(", ")}.`);
    if (!(sampled > 0 && sampled <= 100)) throw refusedToo("SamplingPercentage must be more than 0 and at most 100.");
    const key = before?.InstrumentationKey ?? randomUUID();
    const appId = before?.AppId ?? randomUUID();
    wanted["properties"] = {
      Flow_Type: "Bluefield",
      Request_Source: "rest",
      RetentionInDays: 90,
      IngestionMode: "LogAnalytics",
      publicNetworkAccessForIngestion: "Enabled",
      publicNetworkAccessForQuery: "Enabled",
      DisableIpMasking: false,
      DisableLocalAuth: false,
      ...wanted["properties"],
      ApplicationId: wanted["name"],
      Name: wanted["name"],
      TenantId: subscription,
      AppId: appId,
      InstrumentationKey: key,
      CreationDate: before?.CreationDate ?? new Date(cloud.clock.now()).toISOString(),
      ConnectionString: [
        `InstrumentationKey=${key}`,
        `IngestionEndpoint=https://127.0.0.1:${cloud.port}/`,
        `ApplicationId=${appId}`,
      ].join(";"),
    };
  },
};

/** Components, action groups, rules and workbooks, as Resource Manager serves them. */
export const insightsTypes: readonly ResourceType[] = [
  components,
  actionGroups,
  metricAlerts,
  scheduledQueryRules,
  workbooks,
];
