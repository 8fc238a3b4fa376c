// The kinds of resource that the stand-in serves, each with what it does beyond being stored.
// Container apps have files of their own; everything here is small enough to be read at one go.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { containerAppKind, environmentIdOf } from "./app/container-apps.ts";
import { jobKind } from "./app/jobs.ts";
import { ArmError, type Body, type PutContext, type ResourceKind, type Store } from "./arm/resource.ts";
import { groupIdOf } from "./arm/resource-path.ts";
import { isWithin, roleDefinitionOf } from "./authorization/roles.ts";
import { tenant } from "./authorization/tokens.ts";
import { registryKind } from "./containerregistry/registries.ts";
import { flexibleServerKinds } from "./dbforpostgresql/flexible-servers.ts";
import { insightsKinds } from "./insights/insights.ts";
import { mustSuit, networkKinds } from "./network/networks.ts";

/** The one region of the stand-in. */
const region = "westeurope";
const regionOf = (location: unknown): string => String(location).toLowerCase().replaceAll(" ", "");

/** Sets properties that are made once and then kept, whatever later requests say. */
const keep = ({ wanted, previous }: PutContext, made: () => Body): void => {
  const before = previous?.body["properties"];
  const properties = made();
  wanted["properties"] = {
    ...wanted["properties"],
    ...Object.fromEntries(Object.keys(properties).map((name) => [name, before?.[name] ?? properties[name]])),
  };
};

const resourceGroups: ResourceKind = { type: "Microsoft.Resources/resourceGroups", apiVersions: ["2024-03-01"] };

const workspaces: ResourceKind = {
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
      const key = (which: string) =>
        createHash("sha512")
          .update(`${cloud.port} ${resource.body["properties"].customerId} ${which}`)
          .digest("base64");
      return { status: 200, body: { primarySharedKey: key("primary"), secondarySharedKey: key("secondary") } };
    },
  },
};

/** Holds an environment to a network that it may live in, and to the one in which it was made. */
function keepNetwork({ id, wanted, previous, cloud }: PutContext): void {
  const { internal = false, infrastructureSubnetId } = wanted["properties"].vnetConfiguration ?? {};
  if (internal && !infrastructureSubnetId)
    throw new ArmError(400, "VnetConfigurationInvalid", "An internal environment needs an infrastructureSubnetId.");
  if (infrastructureSubnetId) mustSuit(cloud, infrastructureSubnetId, "Microsoft.App/environments", id);
  const before = previous?.body["properties"].vnetConfiguration ?? {};
  if (
    previous &&
    !(
      sameText(before.infrastructureSubnetId ?? "", infrastructureSubnetId ?? "") &&
      Boolean(before.internal) === internal
    )
  ) {
    throw new ArmError(
      400,
      "VnetConfigurationCannotBeChanged",
      `The network of the environment '${wanted["name"]}' cannot be changed after it was created.`,
    );
  }
}

const managedEnvironments: ResourceKind = {
  type: "Microsoft.App/managedEnvironments",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  put: "async-operation",
  onPut: async (context) => {
    const { wanted, cloud } = context;
    if (regionOf(wanted["location"]) !== region) {
      throw new ArmError(
        400,
        "LocationNotAvailableForResourceType",
        `The provided location '${wanted["location"]}' is not available for resource type 'Microsoft.App/managedEnvironments'. List of available regions for the resource type is '${region}'.`,
      );
    }
    const name = wanted["name"].toLowerCase();
    const namesake = cloud.store
      .list()
      .find(
        (each) =>
          each.type === "Microsoft.App/managedEnvironments" &&
          each.id !== context.id.toLowerCase() &&
          each.body["name"].toLowerCase() === name,
      );
    // Azure puts random letters into the domain; ours is the name alone, so that people can type it.
    if (namesake)
      throw new ArmError(
        409,
        "EnvironmentNameTaken",
        `The stand-in has an environment '${name}' already (${namesake.id}), and an environment's domain is its name.`,
      );
    keepNetwork(context);
    keep(context, () => ({
      defaultDomain: `${name}.${region}.${cloud.suffix}`,
      staticIp: "127.0.0.1",
      customDomainVerificationId: randomBytes(32).toString("hex").toUpperCase(),
    }));
    const { customDomainVerificationId, ...properties } = wanted["properties"];
    wanted["properties"] = {
      zoneRedundant: false,
      publicNetworkAccess: "Enabled",
      ...properties,
      customDomainConfiguration: { ...properties.customDomainConfiguration, customDomainVerificationId },
    };
  },
  onDelete: async (resource, cloud) => {
    const inside = cloud.store
      .list()
      .filter(
        (each) =>
          [containerAppKind.type, jobKind.type].includes(each.type) &&
          environmentIdOf(each.body).toLowerCase() === resource.id,
      );
    if (inside.length > 0)
      throw new ArmError(
        409,
        "ManagedEnvironmentNotEmpty",
        `The environment has ${inside.length} container apps and jobs, which must be deleted first.`,
      );
  },
  present: ({ body }) => {
    const shown = structuredClone(body);
    delete shown["properties"].appLogsConfiguration?.logAnalyticsConfiguration?.sharedKey;
    return shown;
  },
};

const diagnosticSettings: ResourceKind = {
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

const userAssignedIdentities: ResourceKind = {
  type: "Microsoft.ManagedIdentity/userAssignedIdentities",
  apiVersions: ["2023-01-31"],
  onPut: async (context) =>
    keep(context, () => ({ tenantId: tenant, principalId: randomUUID(), clientId: randomUUID() })),
};

const sameText = (one: unknown, other: unknown): boolean => String(one).toLowerCase() === String(other).toLowerCase();

const roleDefinitions: ResourceKind = {
  type: "Microsoft.Authorization/roleDefinitions",
  apiVersions: ["2022-04-01", "2022-05-01-preview"],
  parentMustExist: ({ name, properties }: Body, store: Store) => {
    const { roleName, assignableScopes = [] } = properties ?? {};
    const lost = (assignableScopes as string[])
      .map(groupIdOf)
      .find((group) => group !== undefined && store.get(group) === undefined);
    if (lost)
      return new ArmError(
        404,
        "ResourceGroupNotFound",
        `Resource group '${lost.split("/").at(-1)}' could not be found.`,
      );
    const namesake = store
      .list()
      .find(
        (each) =>
          each.type === roleDefinitions.type &&
          sameText(each.body["properties"].roleName, roleName) &&
          !sameText(each.body["name"], name),
      );
    return (
      namesake &&
      new ArmError(
        409,
        "RoleDefinitionWithSameNameExists",
        `A custom role with the same name already exists in this directory: '${roleName}'.`,
      )
    );
  },
  onPut: async (context) => {
    const now = new Date(context.cloud.clock.now()).toISOString();
    keep(context, () => ({ createdOn: now, createdBy: "" }));
    const { properties } = context.wanted;
    const permissions = ((properties.permissions ?? []) as Body[]).map((permission) => ({
      actions: [],
      notActions: [],
      dataActions: [],
      notDataActions: [],
      ...permission,
    }));
    context.wanted["properties"] = {
      type: "CustomRole",
      assignableScopes: [],
      ...properties,
      permissions,
      updatedOn: now,
      updatedBy: "",
    };
  },
  onDelete: async ({ id }, { store }) => {
    const isAssigned = store
      .list()
      .some(
        ({ type, body }) =>
          type === roleAssignments.type &&
          sameText(body["properties"].roleDefinitionId.split("/").at(-1), id.split("/").at(-1)),
      );
    if (isAssigned)
      throw new ArmError(
        409,
        "RoleDefinitionHasAssignments",
        `There are existing role assignments referencing role '${id.split("/").at(-1)}'.`,
      );
  },
};

const roleAssignments: ResourceKind = {
  type: "Microsoft.Authorization/roleAssignments",
  apiVersions: ["2022-04-01"],
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { principalId, principalType, roleDefinitionId } = properties ?? {};
    if (roleDefinitionOf(String(roleDefinitionId), store) === undefined) {
      return new ArmError(
        400,
        "RoleDefinitionDoesNotExist",
        `The specified role definition with ID '${String(roleDefinitionId).split("/").at(-1)}' does not exist.`,
      );
    }
    const isIdentity = store
      .list()
      .some((each) => each.type === userAssignedIdentities.type && each.body["properties"].principalId === principalId);
    if (!isIdentity)
      return new ArmError(
        400,
        "PrincipalNotFound",
        `Principal ${String(principalId)} does not exist in the directory ${tenant}.`,
      );
    if (principalType && principalType !== "ServicePrincipal") {
      return new ArmError(
        400,
        "UnmatchedPrincipalType",
        `The PrincipalId '${principalId}' has type 'ServicePrincipal', which is different from specified PrincipalType '${principalType}'.`,
      );
    }
    return undefined;
  },
  onPut: async (context) => {
    const { id, wanted, previous, cloud } = context;
    const scope = id.slice(0, id.toLowerCase().lastIndexOf("/providers/microsoft.authorization/"));
    const wantedProperties = wanted["properties"];
    const isAssignable = roleDefinitionOf(wantedProperties.roleDefinitionId, cloud.store)!.assignableScopes.some(
      (each) => isWithin(scope, each),
    );
    if (!isAssignable)
      throw new ArmError(
        400,
        "RoleAssignmentScopeNotAssignableToRoleDefinition",
        `The role assignment scope '${scope}' must match the scopes present in role definition '${wantedProperties.roleDefinitionId}'.`,
      );
    const alike = (properties: Body): boolean =>
      sameText(properties["principalId"], wantedProperties.principalId) &&
      sameText(properties["roleDefinitionId"], wantedProperties.roleDefinitionId) &&
      sameText(properties["scope"], scope);
    if (previous && !alike(previous.body["properties"]))
      throw new ArmError(
        400,
        "RoleAssignmentUpdateNotPermitted",
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
      );
    const twin = cloud.store
      .list()
      .find(
        (each) => each.type === roleAssignments.type && each.id !== id.toLowerCase() && alike(each.body["properties"]),
      );
    if (twin)
      throw new ArmError(
        409,
        "RoleAssignmentExists",
        `The role assignment already exists. The ID of the existing role assignment is ${String(twin.body["name"]).replaceAll("-", "")}.`,
      );
    const now = new Date(cloud.clock.now()).toISOString();
    keep(context, () => ({ scope, createdOn: now, createdBy: "" }));
    wanted["properties"] = {
      principalType: "ServicePrincipal",
      ...wanted["properties"],
      updatedOn: now,
      updatedBy: "",
    };
  },
};

/** Every kind, in the order in which people meet them. */
export const resourceKinds: readonly ResourceKind[] = [
  resourceGroups,
  workspaces,
  managedEnvironments,
  containerAppKind,
  jobKind,
  diagnosticSettings,
  ...insightsKinds,
  userAssignedIdentities,
  roleDefinitions,
  roleAssignments,
  registryKind,
  ...networkKinds,
  ...flexibleServerKinds,
];
