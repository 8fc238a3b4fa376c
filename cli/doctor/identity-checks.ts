// Checks whether the stack's identities have the permissions that their work needs: the control plane's in the resource
// group and on the workspace, the dead man's switch's on the app, the image puller's on the registry. It compares what
// their roles permit, so a role of any name will do.
import { controlPlaneActions } from "../../components/platform/control-plane-rights.ts";
import { switchActions } from "../../components/platform/dead-mans-switch.ts";
import { doctorIdentityRightsMissing } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { contentNotPermitted, notPermitted, type Permission } from "./permissions.ts";
import { groupOf, nameOf, type Stack } from "./stack.ts";

const rolesVersion = "2022-04-01";

/** The actions that an identity needs on one resource or group. */
export interface Duty {
  readonly at: string;
  readonly actions: readonly string[];
  /** Actions on the data that the resource holds. */
  readonly dataActions?: readonly string[];
}

interface Assigned {
  readonly properties: { readonly principalId: string; readonly roleDefinitionId: string; readonly scope: string };
}

const isWithin = (id: string, scope: string): boolean =>
  `${id}/`.toLowerCase().startsWith(`${scope.replace(/\/$/, "")}/`.toLowerCase());

/** Lists the actions of a duty that no role of the principal permits, counting roles assigned there or above. */
async function lacking(
  { ask }: Context,
  principalId: string,
  { at, actions, dataActions = [] }: Duty,
): Promise<readonly string[] | CheckResult> {
  const assigned = await ask("GET", `${at}/providers/Microsoft.Authorization/roleAssignments`, rolesVersion);
  if (assigned.status === 404) return unknown(`${nameOf(at)} does not exist yet`);
  if (assigned.status !== 200) return unknown(messageOf(assigned));
  const roles = (assigned.body.value as readonly Assigned[])
    .map(({ properties }) => properties)
    .filter((one) => one.principalId === principalId && isWithin(at, one.scope));
  const definitions = await Promise.all(
    [...new Set(roles.map(({ roleDefinitionId }) => roleDefinitionId))].map((id) => ask("GET", id, rolesVersion)),
  );
  const unread = definitions.find(({ status }) => status !== 200);
  if (unread) return unknown(messageOf(unread));
  const permissions = definitions.flatMap(({ body }) => body.properties.permissions as readonly Permission[]);
  return [...notPermitted(permissions, actions), ...contentNotPermitted(permissions, dataActions)];
}

/** Makes the check of one identity of the stack and its duties. */
const identityCheck = (
  name: string,
  whose: keyof Stack["identities"],
  component: string,
  dutiesOf: (stack: Stack) => readonly Duty[],
): Check<Context> => ({
  name,
  run: async (context) => {
    const id = context.stack.identities[whose];
    const duties = dutiesOf(context.stack);
    return id === undefined || duties.length === 0
      ? unknown(`the stack has no ${component}`)
      : dutiesFulfilled(context, id, duties);
  },
});

/** Checks whether an identity has what its duties need. */
export async function dutiesFulfilled(context: Context, id: string, duties: readonly Duty[]): Promise<CheckResult> {
  const identity = nameOf(id);
  const principal = await context.ask("GET", id, "2023-01-31");
  if (principal.status === 404) return unknown(`the identity ${identity} does not exist yet: \`pulumi up\` creates it`);
  if (principal.status !== 200) return unknown(messageOf(principal));
  const found = await Promise.all(duties.map((duty) => lacking(context, principal.body.properties.principalId, duty)));
  for (const [place, missing] of found.entries()) {
    if ("state" in missing) return missing;
    if (missing.length > 0)
      return failed(doctorIdentityRightsMissing({ identity, at: duties[place]!.at, actions: missing }));
  }
  return ok(`${identity} has the permissions it needs on ${duties.map(({ at }) => nameOf(at)).join(" and ")}`);
}

/** The checks of the identities. */
export const identityChecks: readonly Check<Context>[] = [
  identityCheck("plane rights", "plane", "ControlPlane", ({ apps, workspace }) => [
    ...[...new Set(apps.map(({ id }) => groupOf(id)))].map((at) => ({ at, actions: controlPlaneActions })),
    ...(workspace === undefined
      ? []
      : [{ at: workspace, actions: ["Microsoft.OperationalInsights/workspaces/query/read"] }]),
  ]),
  identityCheck("switch rights", "switch", "DeadMansSwitch", ({ apps }) =>
    apps.map(({ id }) => ({ at: id, actions: switchActions })),
  ),
  identityCheck("pull rights", "pull", "ImageRegistry", ({ registry }) =>
    registry === undefined ? [] : [{ at: registry, actions: ["Microsoft.ContainerRegistry/registries/pull/read"] }],
  ),
];
