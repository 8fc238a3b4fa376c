// Microsoft.ManagedIdentity/userAssignedIdentities: identities with the ids that they keep for life. Their
// tokens come from authorization/tokens.ts.
import { randomUUID } from "node:crypto";
import { keep } from "../arm/bodies.ts";
import { refusedToo } from "../arm/refusals.ts";
import type { ResourceType } from "../arm/resource.ts";
import { tenant } from "../authorization/tokens.ts";
import { identityFields } from "./fields.ts";

/** User-assigned identities, as Resource Manager serves them. */
export const identityType: ResourceType = {
  type: "Microsoft.ManagedIdentity/userAssignedIdentities",
  apiVersions: ["2023-01-31"],
  patches: ["location", "tags"],
  fields: identityFields,
  onPut: async (context) => {
    if (!/^[a-z0-9][-_a-z0-9]{2,127}$/i.test(context.wanted["name"]))
      throw refusedToo(
        `The identity name '${context.wanted["name"]}' is invalid: 3 to 128 letters, digits, '-' or '_', and not '-' ` +
          "or '_' first.",
      );
    keep(context, () => ({ tenantId: tenant, principalId: randomUUID(), clientId: randomUUID() }));
  },
};
