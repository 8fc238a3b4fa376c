// Microsoft.OperationalInsights/workspaces: their defaults, the customer id by which
// they are queried, and their shared keys.
import { createHash, randomUUID } from "node:crypto";
import { keep } from "../arm/bodies.ts";
import type { ResourceType } from "../arm/resource.ts";

/** Workspaces, as Resource Manager serves them. */
export const workspaceType: ResourceType = {
  type: "Microsoft.OperationalInsights/workspaces",
  apiVersions: ["2023-09-01"],
  onPut: async (context) => {
    const now = new Date(context.cloud.clock.now()).toISOString();
    keep(context, () => ({ customerId: randomUUID(), createdDate: now }));
    const { properties } = context.wanted;
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
