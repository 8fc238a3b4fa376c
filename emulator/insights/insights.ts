// The kinds of Microsoft.Insights that describe and alert: Application Insights components, action groups, scheduled query rules.
// Rules are kept and their queries parsed, and nobody evaluates them here: whoever wants to know asks the query door with a rule's own text.
import { randomUUID } from "node:crypto";
import { ArmError, type Body, type ResourceKind, type Store } from "../arm/resource.ts";
import { KqlError, parseQuery } from "../kql/syntax.ts";

/** Where telemetry is taken, below the cloud's suffix. Connection strings say the address instead, so that any SDK finds it whose trust has the CA. */
export const ingestionHost = "westeurope-0.in.applicationinsights";

const components: ResourceKind = {
  type: "Microsoft.Insights/components",
  apiVersions: ["2020-02-02"],
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { WorkspaceResourceId: workspace } = properties ?? {};
    // Classic ones, without a workspace, can no longer be made.
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
      ConnectionString: `InstrumentationKey=${key};IngestionEndpoint=https://127.0.0.1:${cloud.port}/;ApplicationId=${appId}`,
    };
  },
};

const actionGroups: ResourceKind = { type: "Microsoft.Insights/actionGroups", apiVersions: ["2024-10-01-preview"] };

const scheduledQueryRules: ResourceKind = {
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

/** The kinds, in the order in which one needs the other. */
export const insightsKinds: readonly ResourceKind[] = [components, actionGroups, scheduledQueryRules];
