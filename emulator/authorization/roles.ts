// Who may do what: role definitions as Azure publishes them, and the assignments that lie in the store.
// It knows actions as words with wildcards; which words a request means is for resource-path.ts to say.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArmError, type Store } from "../arm/resource.ts";
import type { Principal } from "./tokens.ts";

/** A role, built in or made by somebody, as far as it is looked at here. */
export interface RoleDefinition {
  readonly name: string;
  readonly permissions: readonly {
    readonly actions: readonly string[];
    readonly notActions: readonly string[];
    readonly dataActions?: readonly string[];
    readonly notDataActions?: readonly string[];
  }[];
  /** Where it may be assigned: at these scopes and below. */
  readonly assignableScopes: readonly string[];
}

const folder = path.join(import.meta.dirname, "..", "azure-specs", "authorization", "role-definitions");
let read: readonly RoleDefinition[] | undefined;

/** Gives every role that Azure has and the stand-in knows. */
function builtIn(): readonly RoleDefinition[] {
  read ??= readdirSync(folder).map(
    (file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RoleDefinition,
  );
  return read;
}

/** Finds a role by the id in an assignment, which may or may not start with a scope. */
export function roleDefinitionOf(id: string, store: Store): RoleDefinition | undefined {
  const isMeant = ({ name }: { readonly name: string }): boolean =>
    id.toLowerCase().endsWith(`/providers/microsoft.authorization/roledefinitions/${name.toLowerCase()}`);
  const made = store
    .list()
    .find(({ type, body }) => type === "Microsoft.Authorization/roleDefinitions" && isMeant({ name: body["name"] }));
  if (made)
    return {
      name: made.body["name"],
      permissions: made.body["properties"].permissions,
      assignableScopes: made.body["properties"].assignableScopes,
    };
  return builtIn().find(isMeant);
}

/** Gives a role that Azure itself has as Resource Manager shows it, by its GUID; undefined where it has none of that name. */
export function builtInRole(guid: string): object | undefined {
  const role = builtIn().find(({ name }) => name.toLowerCase() === guid.toLowerCase());
  return (
    role && {
      id: `/providers/Microsoft.Authorization/roleDefinitions/${role.name}`,
      name: role.name,
      type: "Microsoft.Authorization/roleDefinitions",
      properties: { type: "BuiltInRole", permissions: role.permissions, assignableScopes: role.assignableScopes },
    }
  );
}

/** Whether something lies at a scope or below it; everything lies below `/`. */
export const isWithin = (id: string, scope: string): boolean =>
  `${id}/`.toLowerCase().startsWith(`${scope.replace(/\/$/, "")}/`.toLowerCase());

// `*` stands for anything, and `/*/` also for nothing in between: by `Microsoft.App/containerApps/*/read` Container Apps Contributor reads apps.
function covers(pattern: string, action: string): boolean {
  const expression = pattern
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\/\*\//g, "/(?:.*/)?")
    .replace(/\*/g, ".*");
  return new RegExp(`^${expression}$`, "i").test(action);
}

const permits = (role: RoleDefinition, action: string, belowIt: boolean): boolean =>
  role.permissions.some(({ actions, notActions, dataActions = [], notDataActions = [] }) => {
    const [given, taken] = belowIt ? [dataActions, notDataActions] : [actions, notActions];
    return given.some((each) => covers(each, action)) && !taken.some((each) => covers(each, action));
  });

/** Whether a principal may perform an action on an id, or on what is in it: the fixed client always, anyone else by an assignment at the id or above it. */
export function mayAct(store: Store, principal: Principal, action: string, id: string, belowIt = false): boolean {
  if (principal.owner) return true;
  return store.list().some(({ type, body }) => {
    if (type !== "Microsoft.Authorization/roleAssignments") return false;
    const { principalId, scope, roleDefinitionId } = body["properties"];
    if (principalId !== principal.objectId || !isWithin(id, scope)) return false;
    const role = roleDefinitionOf(roleDefinitionId, store);
    return role !== undefined && permits(role, action, belowIt);
  });
}

/** Gives what a principal may do at a scope, as the permissions of the roles that it has there or above. */
export function permissionsOf(store: Store, principal: Principal, scope: string): RoleDefinition["permissions"] {
  if (principal.owner) return [{ actions: ["*"], notActions: [] }];
  const assignments = store
    .list()
    .filter(
      ({ type, body }) =>
        type === "Microsoft.Authorization/roleAssignments" &&
        body["properties"].principalId === principal.objectId &&
        isWithin(scope, body["properties"].scope),
    );
  return assignments.flatMap(
    ({ body }) => roleDefinitionOf(body["properties"].roleDefinitionId, store)?.permissions ?? [],
  );
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
