// Every field of Microsoft.ManagedIdentity/userAssignedIdentities, and what the emulator does with it.
import { commonFields, type FieldClasses } from "../arm/field-classes.ts";

/** The classes of the fields of a user-assigned identity. */
export const identityFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "never changes",
    tags: "kept and shown",
    properties: "read-only: the ids of its principal, its client and the directory",
  },
  validated: {},
  inert: {},
  unsupported: {},
};
