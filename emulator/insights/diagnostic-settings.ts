// Microsoft.Insights/diagnosticSettings: which logs of a resource go to which workspace. Which categories a resource
// has depends on its type. The errors of this provider are flat: `{"code", "message"}`.
import { firstTwice } from "../arm/bodies.ts";
import { flatError } from "../arm/refusals.ts";
import type { ArmError, Body, PutContext, Resource, ResourceType, Store } from "../arm/resource.ts";
import { diagnosticSettingFields } from "./fields.ts";

const type = "Microsoft.Insights/diagnosticSettings";

/** The log categories of the served types that have diagnostic settings, as Azure Monitor's reference lists them. */
const categories: { readonly [resourceType: string]: readonly string[] } = {
  "Microsoft.App/managedEnvironments": [
    "ContainerAppConsoleLogs",
    "ContainerAppSystemLogs",
    "ContainerAppHTTPLogs",
    "AppEnvSpringAppConsoleLogs",
    "AppEnvSessionConsoleLogs",
    "AppEnvSessionPoolEventLogs",
    "AppEnvSessionLifecycleLogs",
  ],
  "Microsoft.App/containerApps": [],
  "Microsoft.ContainerRegistry/registries": ["ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"],
  "Microsoft.DBforPostgreSQL/flexibleServers": [
    "PostgreSQLLogs",
    "PostgreSQLFlexSessions",
    "PostgreSQLFlexQueryStoreRuntime",
    "PostgreSQLFlexQueryStoreWaitStats",
    "PostgreSQLFlexTableStats",
    "PostgreSQLFlexDatabaseXacts",
    "PostgreSQLFlexPGBouncer",
  ],
  "Microsoft.Insights/components": [
    "AppAvailabilityResults",
    "AppBrowserTimings",
    "AppDependencies",
    "AppEvents",
    "AppExceptions",
    "AppMetrics",
    "AppPageViews",
    "AppPerformanceCounters",
    "AppRequests",
    "AppSystemEvents",
    "AppTraces",
  ],
  "Microsoft.KeyVault/vaults": ["AuditEvent", "AzurePolicyEvaluationDetails"],
  "Microsoft.Network/virtualNetworks": ["VMProtectionAlerts"],
  "Microsoft.OperationalInsights/workspaces": ["Audit", "Jobs", "SummaryLogs"],
  "Microsoft.Storage/storageAccounts": [],
  "Microsoft.Storage/storageAccounts/blobServices": ["StorageRead", "StorageWrite", "StorageDelete"],
};
// Learn: "Diagnostic settings in Azure Monitor".
const settingsMax = 5;
const categoryGroups = ["alllogs", "audit"];

const refuse = (message: string, code = "BadRequest"): ArmError => flatError(400, code, message);

/** Diagnostic settings, as Resource Manager serves them. */
export const diagnosticSettingType: ResourceType = {
  type,
  isExtension: true,
  apiVersions: ["2021-05-01-preview"],
  fields: diagnosticSettingFields,
  created: 200,
  noPatch: true,
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { workspaceId } = properties ?? {};
    if (!workspaceId) return refuse("At least one data sink needs to be specified.");
    if (store.get(workspaceId)?.type !== "Microsoft.OperationalInsights/workspaces")
      return flatError(404, "ResourceNotFound", `The Resource '${workspaceId}' was not found.`);
    return undefined;
  },
  onPut: async (context) => {
    const { id, cloud, wanted } = context;
    const extended = id.slice(0, id.toLowerCase().lastIndexOf("/providers/microsoft.insights/"));
    const extendedType = typeOf(cloud.store, extended);
    const known = categories[extendedType];
    if (!known)
      throw refuse(
        `The resource type '${extendedType.toLowerCase()}' does not support diagnostic settings.`,
        "ResourceTypeNotSupported",
      );
    const { logs = [], metrics = [], logAnalyticsDestinationType: destination } = wanted["properties"];
    for (const log of logs as Body[]) checkLog(log, known);
    const twice = firstTwice(
      [...logs, ...metrics].map(({ category, categoryGroup }: Body) => category ?? categoryGroup),
    );
    if (twice) throw refuse(`The category '${twice}' is there twice.`);
    for (const { category } of metrics as Body[])
      if (category !== "AllMetrics")
        throw refuse(`Metric category '${category}' is not supported, supported categories are: 'AllMetrics'`);
    if ([...logs, ...metrics].some(({ retentionPolicy }: Body) => retentionPolicy?.days > 0))
      throw refuse("Diagnostic settings does not support retention for new diagnostic settings.");
    if (destination != null && !["Dedicated", "AzureDiagnostics"].includes(destination))
      throw refuse(`The log analytics destination type '${destination}' is not supported.`);
    const others = cloud.store
      .list(`${extended}/providers/Microsoft.Insights/diagnosticSettings`)
      .filter((each) => each.id !== id.toLowerCase());
    if (others.length >= settingsMax)
      throw refuse(`A resource has at most ${settingsMax} diagnostic settings, and this one has as many.`);
    refuseSharedSink(others, context);
  },
};

/** Gives the type of what a setting extends: a stored resource, or the blob service that every storage account has. */
function typeOf(store: Store, extended: string): string {
  const [, account] = /^(.*)\/blobservices\/default$/i.exec(extended) ?? [];
  return account === undefined ? (store.get(extended)?.type ?? "") : `${store.get(account)?.type}/blobServices`;
}

function checkLog({ category, categoryGroup }: Body, known: readonly string[]): void {
  if ((category == null) === (categoryGroup == null))
    throw refuse("Each log needs either a category or a categoryGroup.");
  if (category != null && !known.some((each) => each.toLowerCase() === String(category).toLowerCase()))
    throw refuse(`Category '${category}' is not supported.`);
  const isGroup = known.length > 0 && categoryGroups.includes(String(categoryGroup).toLowerCase());
  if (categoryGroup != null && !isGroup) throw refuse(`Category group '${categoryGroup}' is not supported.`);
}

/** Gives the enabled categories of a setting, in lower case. A group counts as itself. */
const enabledIn = ({ logs = [], metrics = [] }: Body): readonly string[] =>
  [...(logs as Body[]), ...(metrics as Body[])]
    .filter(({ enabled }) => enabled !== false)
    .map(({ category, categoryGroup }) => String(category ?? categoryGroup).toLowerCase());

/** Refuses a second setting that sends a category to the same workspace. @throws ArmError 409 */
function refuseSharedSink(others: readonly Resource[], { wanted }: PutContext): void {
  const { workspaceId } = wanted["properties"];
  const own = enabledIn(wanted["properties"]);
  for (const { body } of others) {
    const { properties, name } = body;
    if (properties.workspaceId.toLowerCase() !== workspaceId.toLowerCase()) continue;
    const shared = enabledIn(properties).find((each) => own.includes(each));
    if (shared === undefined) continue;
    const category = [...(properties.logs ?? []), ...(properties.metrics ?? [])]
      .map((each: Body) => String(each["category"] ?? each["categoryGroup"]))
      .find((each) => each.toLowerCase() === shared);
    throw flatError(
      409,
      "Conflict",
      `Data sink '${workspaceId}' is already used in diagnostic setting '${name}' for category '${category}'. ` +
        "Data sinks can't be reused in different settings on the same category for the same resource.",
    );
  }
}
