// The principals of managed identities: those of user-assigned identities, which are resources, and the system-assigned
// ones of container apps and jobs, which are a part of their resource. Role assignments and tokens take both.
import type { Store } from "../arm/resource.ts";

/** One managed identity. */
export interface ManagedIdentity {
  /** The lower-cased id of the user-assigned identity, or of the resource that has it. */
  readonly id: string;
  /** That id as the client spelled it. */
  readonly resourceId: string;
  readonly principalId: string;
  readonly clientId: string;
  readonly isSystem: boolean;
}

/** Gives every managed identity of a cloud. */
export const managedIdentities = (store: Store): readonly ManagedIdentity[] =>
  store.list().flatMap(({ id, type, body }): ManagedIdentity[] => {
    const own = { id: id.toLowerCase(), resourceId: String(body["id"] ?? id) };
    if (type.toLowerCase() === "microsoft.managedidentity/userassignedidentities") {
      const { principalId, clientId } = body["properties"];
      return [{ ...own, principalId, clientId, isSystem: false }];
    }
    const principalId: unknown = body["identity"]?.principalId;
    return typeof principalId === "string" ? [{ ...own, principalId, clientId: principalId, isSystem: true }] : [];
  });
