// Microsoft.OperationalInsights/workspaces: their defaults, the customer id by which
// they are queried, and their shared keys.
import { createHash, randomUUID } from "node:crypto";
import { keep } from "../arm/bodies.ts";
import { refusedToo } from "../arm/refusals.ts";
import type { Body, ResourceType } from "../arm/resource.ts";
import { workspaceFields } from "./fields.ts";

const isFree = ({ sku }: Body): boolean => String(sku?.name).toLowerCase() === "free";

/** Checks the numbers of a workspace. @throws ArmError 400 */
function checkLimits(properties: Body): void {
  const { retentionInDays: days, workspaceCapping } = properties;
  const isKept = days === undefined || (days >= 30 && days <= 730) || (days === 7 && isFree(properties));
  if (!isKept) throw refusedToo(`retentionInDays must be 30 to 730, not ${days}.`);
  const quota: unknown = workspaceCapping?.dailyQuotaGb;
  if (quota !== undefined && !(Number(quota) > 0 || quota === -1))
    throw refusedToo(`dailyQuotaGb must be more than 0, or -1 for no quota, not ${String(quota)}.`);
}

/** Workspaces, as Resource Manager serves them. */
export const workspaceType: ResourceType = {
  type: "Microsoft.OperationalInsights/workspaces",
  apiVersions: ["2023-09-01"],
  fields: workspaceFields,
  onPut: async (context) => {
    const now = new Date(context.cloud.clock.now()).toISOString();
    keep(context, () => ({ customerId: randomUUID(), createdDate: now }));
    const { properties } = context.wanted;
    checkLimits(properties);
    context.wanted["properties"] = {
      publicNetworkAccessForIngestion: "Enabled",
      publicNetworkAccessForQuery: "Enabled",
      ...properties,
      retentionInDays: properties.retentionInDays ?? 30,
      sku: { name: "PerGB2018", ...properties.sku },
      features: { enableLogAccessUsingOnlyResourcePermissions: true, ...properties.features },
      modifiedDate: now,
    };
  },
  actions: {
    sharedkeys: async (resource, cloud) => {
      const key = (name: string) =>
        createHash("sha512").update(`${cloud.port} ${resource.body["properties"].customerId} ${name}`).digest("base64");
      return { status: 200, body: { primarySharedKey: key("primary"), secondarySharedKey: key("secondary") } };
    },
  },
};
