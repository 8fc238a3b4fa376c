// Every field of Microsoft.ManagedIdentity/userAssignedIdentities and of its federated credentials, and what the
// emulator does with it.
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

/** The classes of the fields of a federated credential. */
export const federatedCredentialFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.issuer": "whose tokens are trusted; with the subject once in an identity",
    "properties.subject": "compared with the token's, letter by letter",
    "properties.audiences": "exactly one; compared with the token's",
  },
  validated: {},
  inert: {},
  unsupported: {},
};
