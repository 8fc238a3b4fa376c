// The app roles of principals. On Azure an application's owner assigns them in Microsoft Graph, which the emulator does
// not serve; here `POST /_emulator/app-roles` says who has which. A token for the application names them.
import type { Store } from "../arm/resource.ts";

/** What a principal may do at an application. */
export interface AppRoles {
  readonly principalId: string;
  /** The application, as the audience of its tokens, such as `api://ballast`. */
  readonly audience: string;
  readonly roles: readonly string[];
}

const assigned = new WeakMap<Store, Map<string, AppRoles>>();

function assignmentsOf(store: Store): Map<string, AppRoles> {
  const known = assigned.get(store) ?? new Map<string, AppRoles>();
  assigned.set(store, known);
  return known;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Reads an assignment; undefined if it is none. */
export function appRolesIn({ principalId, audience, roles }: Record<string, unknown>): AppRoles | undefined {
  if (!isText(principalId) || !isText(audience) || !Array.isArray(roles) || !roles.every(isText)) return undefined;
  return { principalId, audience, roles };
}

/** Assigns roles in place of those that the principal had at the application. */
export const assignAppRoles = (store: Store, given: AppRoles): void =>
  void assignmentsOf(store).set(`${given.principalId} ${given.audience}`, given);

/** Lists all assignments. */
export const allAppRoles = (store: Store): readonly AppRoles[] => [...assignmentsOf(store).values()];

/** Gives the claim of a token: the roles of a principal at an audience. Entra leaves it out where there are none. */
export function rolesClaim(
  store: Store,
  principalId: string,
  audience: string,
): { readonly roles?: readonly string[] } {
  const { roles = [] } = assignmentsOf(store).get(`${principalId} ${audience}`) ?? {};
  return roles.length === 0 ? {} : { roles };
}
