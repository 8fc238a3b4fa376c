// Microsoft.Authorization: custom role definitions and role assignments, with the rules by which Azure refuses them.
// Which actions a role permits is in roles.ts.

import { keep, sameText } from "../arm/bodies.ts";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type ResourceType, type Store } from "../arm/resource.ts";
import { groupIdOf } from "../arm/resource-path.ts";
import { managedIdentities } from "../managedidentity/principals.ts";
import { roleAssignmentFields, roleDefinitionFields } from "./fields.ts";
import { refusalOfRole } from "./role-rules.ts";
import { builtInRole, builtInRoles, isWithin, roleDefinitionOf } from "./roles.ts";
import { clientObjectId, tenant } from "./tokens.ts";

/** Custom role definitions, as Resource Manager serves them. */
export const roleDefinitionType: ResourceType = {
  type: "Microsoft.Authorization/roleDefinitions",
  isExtension: true,
  apiVersions: ["2022-04-01", "2022-05-01-preview"],
  fields: roleDefinitionFields,
  noPatch: true,
  refuseName: (_, name, method) => {
    if (method === "DELETE" && builtInRole(name)) throw refusedToo(`The role '${name}' is built in.`);
  },
  listed: {
    others: builtInRoles,
    filters: { roleName: ({ properties }) => properties.roleName, type: ({ properties }) => properties.type },
    // Every role may be assigned at this subscription or below it.
    functions: { atScope: () => true, atScopeAndBelow: () => true },
  },
  parentMustExist: ({ name, properties }: Body, store: Store) => {
    const { roleName, assignableScopes = [] } = properties ?? {};
    const refusal = refusalOfRole(String(name), properties ?? {});
    if (refusal) return refusal;
    const missing = (assignableScopes as string[])
      .map(groupIdOf)
      .find((group) => group !== undefined && store.get(group) === undefined);
    if (missing)
      return new ArmError(
        404,
        "ResourceGroupNotFound",
        `Resource group '${missing.split("/").at(-1)}' could not be found.`,
      );
    const isNamesake = (other: Body): boolean =>
      sameText(other["properties"].roleName, roleName) && !sameText(other["name"], name);
    const custom = store.list().filter(({ type }) => type === roleDefinitionType.type);
    const namesake = [...builtInRoles(), ...custom.map(({ body }) => body)].find(isNamesake);
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
          type === roleAssignmentType.type &&
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

/** Role assignments, as Resource Manager serves them. */
export const roleAssignmentType: ResourceType = {
  type: "Microsoft.Authorization/roleAssignments",
  isExtension: true,
  apiVersions: ["2022-04-01"],
  fields: roleAssignmentFields,
  noPatch: true,
  listed: {
    others: () => [],
    filters: { principalId: ({ properties }) => properties.principalId },
    functions: { assignedTo: ({ properties }, principalId) => sameText(properties.principalId, principalId) },
  },
  parentMustExist: ({ properties }: Body, store: Store) => {
    const { principalId, principalType, roleDefinitionId } = properties ?? {};
    if (roleDefinitionOf(String(roleDefinitionId), store) === undefined) {
      return new ArmError(
        400,
        "RoleDefinitionDoesNotExist",
        `The specified role definition with ID '${String(roleDefinitionId).split("/").at(-1)}' does not exist.`,
      );
    }
    const isKnown =
      principalId === clientObjectId || managedIdentities(store).some((each) => each.principalId === principalId);
    if (!isKnown)
      return new ArmError(
        400,
        "PrincipalNotFound",
        `Principal ${String(principalId)} does not exist in the directory ${tenant}.`,
      );
    if (principalType && principalType !== "ServicePrincipal") {
      return new ArmError(
        400,
        "UnmatchedPrincipalType",
        `The PrincipalId '${principalId}' has type 'ServicePrincipal', ` +
          `which is different from specified PrincipalType '${principalType}'.`,
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
        `The role assignment scope '${scope}' must match the scopes present in role definition ` +
          `'${wantedProperties.roleDefinitionId}'.`,
      );
    // The name of an assignment is its own in the whole directory.
    const elsewhere = cloud.store
      .list()
      .some(
        (each) =>
          each.type === roleAssignmentType.type &&
          each.id !== id.toLowerCase() &&
          sameText(each.body["name"], wanted["name"]),
      );
    const alike = (properties: Body): boolean =>
      sameText(properties["principalId"], wantedProperties.principalId) &&
      sameText(properties["roleDefinitionId"], wantedProperties.roleDefinitionId) &&
      sameText(properties["scope"], scope);
    if (elsewhere || (previous && !alike(previous.body["properties"])))
      throw new ArmError(
        400,
        "RoleAssignmentUpdateNotPermitted",
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
      );
    const twin = cloud.store
      .list()
      .find(
        (each) =>
          each.type === roleAssignmentType.type && each.id !== id.toLowerCase() && alike(each.body["properties"]),
      );
    if (twin)
      throw new ArmError(
        409,
        "RoleAssignmentExists",
        "The role assignment already exists. The ID of the existing role assignment is " +
          `${String(twin.body["name"]).replaceAll("-", "")}.`,
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
