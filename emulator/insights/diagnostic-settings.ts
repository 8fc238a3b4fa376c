// Microsoft.Insights/diagnosticSettings: which logs of a resource go to which workspace. A
// setting must name an existing destination.
import { ArmError, type Body, type ResourceType, type Store } from "../arm/resource.ts";

/** Diagnostic settings, as Resource Manager serves them. */
export const diagnosticSettingType: ResourceType = {
  type: "Microsoft.Insights/diagnosticSettings",
  apiVersions: ["2021-05-01-preview"],
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { workspaceId, storageAccountId, eventHubAuthorizationRuleId, marketplacePartnerId } = properties ?? {};
    if (!workspaceId && !storageAccountId && !eventHubAuthorizationRuleId && !marketplacePartnerId) {
      return new ArmError(400, "BadRequest", "At least one data sink needs to be specified.");
    }
    if (workspaceId && store.get(workspaceId) === undefined)
      return new ArmError(404, "ResourceNotFound", `The Resource '${workspaceId}' was not found.`);
    return undefined;
  },
};
