// Who may do what: role definitions as Azure publishes them, and the assignments that lie in the store.
// It knows actions as words with wildcards; which words a request means is for resource-path.ts to say.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArmError, type Store } from "./resource.ts";
import type { Principal } from "./tokens.ts";

/** A built-in role, as far as it is looked at here. */
export interface RoleDefinition {
  readonly id: string;
  readonly name: string;
  readonly roleName: string;
  readonly permissions: readonly { readonly actions: readonly string[]; readonly notActions: readonly string[] }[];
}

const folder = path.join(import.meta.dirname, "azure-specs", "authorization", "role-definitions");
let read: readonly RoleDefinition[] | undefined;

/** Gives every role that the stand-in knows. */
function roleDefinitions(): readonly RoleDefinition[] {
  read ??= readdirSync(folder).map((file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RoleDefinition);
  return read;
}

/** Finds a role by the id in an assignment, which may or may not start with a subscription. */
export const roleDefinitionOf = (id: string): RoleDefinition | undefined => roleDefinitions().find((each) => id.toLowerCase().endsWith(`/providers/microsoft.authorization/roledefinitions/${each.name}`));

// `*` stands for anything, and `/*/` also for nothing in between: by `Microsoft.App/containerApps/*/read` Container Apps Contributor reads apps.
function covers(pattern: string, action: string): boolean {
  const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\/\*\//g, "/(?:.*/)?").replace(/\*/g, ".*");
  return new RegExp(`^${expression}$`, "i").test(action);
}

const permits = (role: RoleDefinition, action: string): boolean =>
  role.permissions.some(({ actions, notActions }) => actions.some((each) => covers(each, action)) && !notActions.some((each) => covers(each, action)));

/** Whether a principal may perform an action on an id: the fixed client always, anyone else by an assignment at the id or above it. */
function mayAct(store: Store, principal: Principal, action: string, id: string): boolean {
  if (principal.owner) return true;
  const below = `${id.toLowerCase()}/`;
  return store.list().some(({ type, body }) => {
    if (type !== "Microsoft.Authorization/roleAssignments") return false;
    const { principalId, scope, roleDefinitionId } = body["properties"];
    const role = roleDefinitionOf(roleDefinitionId);
    return principalId === principal.objectId && below.startsWith(`${scope.toLowerCase()}/`) && role !== undefined && permits(role, action);
  });
}

/** @throws ArmError 403 in Resource Manager's words unless the principal may. */
export function authorize(store: Store, principal: Principal, action: string, id: string): void {
  if (mayAct(store, principal, action, id)) return;
  throw new ArmError(
    403,
    "AuthorizationFailed",
    `The client '${principal.objectId}' with object id '${principal.objectId}' does not have authorization to perform action '${action}' over scope '${id}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}
