// Microsoft.OperationalInsights/workspaces: their defaults, the customer id by which
// they are queried, and their shared keys.
import { createHash, randomUUID } from "node:crypto";
import { keep } from "../arm/bodies.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import type { Body, ResourceType } from "../arm/resource.ts";
import { workspaceFields } from "./fields.ts";

// Learn: "Azure Monitor Logs cost calculations and options": commitment tiers, and the tiers that new workspaces cannot
// have. A workspace that has one of those keeps it on Azure; here there is none.
const commitments = [100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 25000, 50000];
const retired = ["free", "standard", "premium", "pernode", "standalone"];

/** Checks the pricing tier of a workspace. @throws ArmError 400 */
function checkTier({ name = "PerGB2018", capacityReservationLevel: level }: Body): void {
  const tier = String(name).toLowerCase();
  if (retired.includes(tier)) throw refusedToo(`New workspaces cannot have the pricing tier '${name}'.`);
  if (tier === "lacluster") throw unsupported("dedicated clusters (properties.sku.name)");
  const isCommitted = tier === "capacityreservation";
  if (isCommitted !== (level !== undefined))
    throw refusedToo("The tier CapacityReservation has a capacityReservationLevel, and no other tier has one.");
  if (isCommitted && !commitments.includes(level))
    throw refusedToo(`capacityReservationLevel must be one of ${commitments.join(", ")}, not ${level}.`);
}

/** Checks the numbers of a workspace. @throws ArmError 400 */
function checkLimits(properties: Body): void {
  const { retentionInDays: days, workspaceCapping } = properties;
  const isKept = days === undefined || (days >= 30 && days <= 730);
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
    checkTier(properties.sku ?? {});
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
