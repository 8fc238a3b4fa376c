// Every field of the resource types of Microsoft.Authorization, and what the emulator does with it.
import { alike, commonFields, type FieldClasses, neverShown } from "../arm/field-classes.ts";

const permissions = "properties.permissions[]";
const { apiVersion, id, name, type } = commonFields;

/** The classes of the fields of a custom role. */
export const roleDefinitionFields: FieldClasses = {
  modelled: {
    apiVersion,
    id,
    name,
    type,
    "properties.roleName": "unique in the directory",
    ...alike("decides what its holders may do", `${permissions}.actions`, `${permissions}.notActions`),
    ...alike("decides about contents", `${permissions}.dataActions`, `${permissions}.notDataActions`),
    "properties.assignableScopes": "the role may be assigned there and below",
    ...alike("read-only", ...["createdOn", "updatedOn", "createdBy", "updatedBy"].map((each) => `properties.${each}`)),
  },
  validated: { "properties.type": "CustomRole" },
  inert: { "properties.description": "kept and shown" },
  unsupported: alike(neverShown, `${permissions}.condition`, `${permissions}.conditionVersion`),
};

/** The classes of the fields of a role assignment. */
export const roleAssignmentFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.scope": "read-only",
    "properties.roleDefinitionId": "a built-in or custom role that may be assigned there",
    "properties.principalId": "a managed identity of this cloud, or the emulator's own client",
    ...alike("read-only", ...["createdOn", "updatedOn", "createdBy", "updatedBy"].map((each) => `properties.${each}`)),
  },
  validated: { "properties.principalType": "must be the principal's" },
  inert: { "properties.description": "kept and shown" },
  unsupported: {
    "properties.condition": { why: "conditions of role assignments" },
    "properties.conditionVersion": { why: "conditions of role assignments" },
    "properties.delegatedManagedIdentityResourceId": { why: "delegated identities" },
  },
};
