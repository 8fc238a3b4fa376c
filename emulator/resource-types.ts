// The table of the resource types that the emulator serves. Each is defined in the folder of its Azure product.
import { certificateType } from "./app/certificates.ts";
import { containerAppType } from "./app/container-apps.ts";
import { environmentType } from "./app/environments.ts";
import { jobType } from "./app/jobs.ts";
import { storageType } from "./app/storages.ts";
import { commonFields } from "./arm/field-classes.ts";
import type { ResourceType } from "./arm/resource.ts";
import { roleAssignmentType, roleDefinitionType } from "./authorization/resource-types.ts";
import { registryType } from "./containerregistry/registries.ts";
import { flexibleServerTypes } from "./dbforpostgresql/flexible-servers.ts";
import { eventGridTypes } from "./eventgrid/system-topics.ts";
import { diagnosticSettingType } from "./insights/diagnostic-settings.ts";
import { insightsTypes } from "./insights/insights.ts";
import { vaultType } from "./keyvault/vaults.ts";
import { identityType } from "./managedidentity/identities.ts";
import { networkTypes } from "./network/networks.ts";
import { workspaceType } from "./operationalinsights/workspaces.ts";
import { storageAccountType } from "./storage/accounts.ts";

const { apiVersion: _, ...groupFields } = commonFields;

const resourceGroupType: ResourceType = {
  type: "Microsoft.Resources/resourceGroups",
  apiVersions: ["2024-03-01"],
  fields: {
    modelled: {
      ...groupFields,
      "properties.provisioningState": "read-only",
      location: "never changes",
      tags: "kept and shown",
    },
    validated: {},
    inert: { managedBy: "kept and shown" },
    unsupported: {},
  },
};

/** Every served resource type. Resource groups come first; the rest is in the order in which a program creates them. */
export const resourceTypes: readonly ResourceType[] = [
  resourceGroupType,
  workspaceType,
  environmentType,
  storageType,
  certificateType,
  containerAppType,
  jobType,
  diagnosticSettingType,
  ...insightsTypes,
  identityType,
  vaultType,
  storageAccountType,
  ...eventGridTypes,
  roleDefinitionType,
  roleAssignmentType,
  registryType,
  ...networkTypes,
  ...flexibleServerTypes,
];
