// Who may do what: built-in role definitions as Azure publishes them, and the custom roles and assignments in the
// store. An action is a text such as `Microsoft.App/containerApps/read`, and a role names actions with wildcards;
// resource-path.ts gives the action of a request.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArmError, type Body, type Cloud, type Store } from "../arm/resource.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import type { Principal } from "./tokens.ts";

/** The part of a role, built-in or custom, that decides what it permits. */
export interface RoleDefinition {
  readonly name: string;
  readonly roleName?: string;
  readonly permissions: readonly {
    readonly actions: readonly string[];
    readonly notActions: readonly string[];
    readonly dataActions?: readonly string[];
    readonly notDataActions?: readonly string[];
  }[];
  /** The role may be assigned at these scopes and below. */
  readonly assignableScopes: readonly string[];
}

const folder = path.join(import.meta.dirname, "..", "azure-specs", "authorization", "role-definitions");
let loaded: readonly RoleDefinition[] | undefined;

/** Gives the built-in roles that the emulator serves. */
function builtIn(): readonly RoleDefinition[] {
  loaded ??= readdirSync(folder).map(
    (file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RoleDefinition,
  );
  return loaded;
}

/** Finds a role by the id in an assignment, with or without a leading scope. */
export function roleDefinitionOf(id: string, store: Store): RoleDefinition | undefined {
  const isMeant = ({ name }: { readonly name: string }): boolean =>
    id.toLowerCase().endsWith(`/providers/microsoft.authorization/roledefinitions/${name.toLowerCase()}`);
  const custom = store
    .list()
    .find(({ type, body }) => type === "Microsoft.Authorization/roleDefinitions" && isMeant({ name: body["name"] }));
  if (custom)
    return {
      name: custom.body["name"],
      permissions: custom.body["properties"].permissions,
      assignableScopes: custom.body["properties"].assignableScopes,
    };
  return builtIn().find(isMeant);
}

/** Gives every built-in role as Resource Manager shows it. */
export const builtInRoles = (): readonly Body[] => builtIn().map(({ name }) => builtInRole(name)!);

/** Gives a built-in role as Resource Manager shows it, by its GUID; undefined when there is none. */
export function builtInRole(guid: string): Body | undefined {
  const role = builtIn().find(({ name }) => name.toLowerCase() === guid.toLowerCase());
  return (
    role && {
      id: `/providers/Microsoft.Authorization/roleDefinitions/${role.name}`,
      name: role.name,
      type: "Microsoft.Authorization/roleDefinitions",
      properties: {
        roleName: role.roleName,
        type: "BuiltInRole",
        permissions: role.permissions,
        assignableScopes: role.assignableScopes,
      },
    }
  );
}

/** Reports whether an id is at a scope or below it. Everything is below `/`. */
export const isWithin = (id: string, scope: string): boolean =>
  `${id}/`.toLowerCase().startsWith(`${scope.replace(/\/$/, "")}/`.toLowerCase());

// `*` matches any text, and `/*/` also a single slash: `Microsoft.App/containerApps/*/read`
// lets Container Apps Contributor read apps.
function covers(pattern: string, action: string): boolean {
  const expression = pattern
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\/\*\//g, "/(?:.*/)?")
    .replace(/\*/g, ".*");
  return new RegExp(`^${expression}$`, "i").test(action);
}

const permits = (role: RoleDefinition, action: string, onContents: boolean): boolean =>
  role.permissions.some(({ actions, notActions, dataActions = [], notDataActions = [] }) => {
    const [allowed, excluded] = onContents ? [dataActions, notDataActions] : [actions, notActions];
    return allowed.some((each) => covers(each, action)) && !excluded.some((each) => covers(each, action));
  });

// Learn, "Troubleshoot Azure RBAC": a change of role assignments can take up to ten minutes to take effect.
const lateMilliseconds = 600_000;

/** Gives the properties of a principal's role assignments that have taken effect. */
function assignmentsOf(cloud: Cloud, principalId: string): readonly Body[] {
  const isLate = quirksOf(cloud)["roles-come-late"] === true;
  return cloud.store
    .list()
    .filter(({ type }) => type === "Microsoft.Authorization/roleAssignments")
    .map(({ body }) => body["properties"] as Body)
    .filter((each) => each["principalId"] === principalId)
    .filter(({ createdOn }) => !isLate || Date.parse(createdOn) + lateMilliseconds <= cloud.clock.now());
}

/**
 * Reports whether a principal may perform an action, or a data action, on an id. The fixed client always may; others
 * need an assignment at the id or above it.
 */
export function mayAct(
  cloud: Cloud,
  principal: Omit<Principal, "clientId">,
  action: string,
  id: string,
  onContents = false,
): boolean {
  if (principal.owner) return true;
  return assignmentsOf(cloud, principal.objectId).some(({ scope, roleDefinitionId }) => {
    if (!isWithin(id, scope)) return false;
    const role = roleDefinitionOf(roleDefinitionId, cloud.store);
    return role !== undefined && permits(role, action, onContents);
  });
}

/** Reports whether a principal has any role anywhere in the subscription, so that it sees the subscription. */
export const hasRole = (cloud: Cloud, principal: Principal): boolean =>
  principal.owner || assignmentsOf(cloud, principal.objectId).length > 0;

/** Gives what a principal may do at a scope: the permissions of its roles there and above. */
export function permissionsOf(cloud: Cloud, principal: Principal, scope: string): RoleDefinition["permissions"] {
  if (principal.owner) return [{ actions: ["*"], notActions: [] }];
  return assignmentsOf(cloud, principal.objectId)
    .filter((each) => isWithin(scope, each["scope"]))
    .flatMap(({ roleDefinitionId }) => roleDefinitionOf(roleDefinitionId, cloud.store)?.permissions ?? []);
}

/** Refuses an action that the principal may not perform. @throws ArmError 403 in Resource Manager's words */
export function authorize(cloud: Cloud, principal: Principal, action: string, id: string): void {
  if (mayAct(cloud, principal, action, id)) return;
  throw new ArmError(
    403,
    "AuthorizationFailed",
    `The client '${principal.objectId}' with object id '${principal.objectId}' does not have authorization ` +
      `to perform action '${action}' over scope '${id}' or the scope is invalid. ` +
      "If access was recently granted, please refresh your credentials.",
  );
}
