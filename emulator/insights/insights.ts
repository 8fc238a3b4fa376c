// Application Insights components, action groups and scheduled query rules of Microsoft.Insights. A rule is
// stored and its query is parsed, but the emulator never evaluates it: a client that wants the result sends
// the rule's query to the log query service.
import { randomUUID } from "node:crypto";
import { ArmError, type Body, type ResourceType, type Store } from "../arm/resource.ts";
import { KqlError, parseQuery } from "../kql/syntax.ts";

/**
 * The ingestion host, below the cloud's suffix. Connection strings name 127.0.0.1 instead, which any SDK can resolve.
 */
export const ingestionHost = "westeurope-0.in.applicationinsights";

const components: ResourceType = {
  type: "Microsoft.Insights/components",
  apiVersions: ["2020-02-02"],
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { WorkspaceResourceId: workspace } = properties ?? {};
    // Azure no longer creates classic components, which have no workspace.
    if (!workspace)
      return new ArmError(
        400,
        "BadRequest",
        "WorkspaceResourceId is required: classic Application Insights components are retired.",
      );
    return store.get(workspace) === undefined
      ? new ArmError(400, "BadRequest", `The workspace '${workspace}' was not found.`)
      : undefined;
  },
  onPut: async ({ wanted, previous, cloud }) => {
    const before = previous?.body["properties"];
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

const actionGroups: ResourceType = { type: "Microsoft.Insights/actionGroups", apiVersions: ["2024-10-01-preview"] };

const scheduledQueryRules: ResourceType = {
  type: "Microsoft.Insights/scheduledQueryRules",
  apiVersions: ["2025-01-01-preview"],
  parentMustExist: ({ properties }: Body, store: Store) => {
    const named = [...(properties?.scopes ?? []), ...(properties?.actions?.actionGroups ?? [])] as string[];
    const missing = named.find((id) => store.get(id) === undefined);
    if (missing !== undefined)
      return new ArmError(400, "BadRequest", `The resource '${missing}', which the rule names, was not found.`);
    return ((properties?.criteria?.allOf ?? []) as Body[])
      .map(({ query }) => problemOf(String(query)))
      .find((problem) => problem !== undefined);
  },
};

function problemOf(query: string): ArmError | undefined {
  try {
    parseQuery(query);
    return undefined;
  } catch (error) {
    if (error instanceof KqlError) return new ArmError(400, "BadRequest", `The query has an error: ${error.message}`);
    throw error;
  }
}

/** Components, action groups and rules, as Resource Manager serves them. */
export const insightsTypes: readonly ResourceType[] = [components, actionGroups, scheduledQueryRules];
