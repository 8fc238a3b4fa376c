// Whether the identities that work for a stack may do their work: the control plane's at the group and the workspace, the switch's at the app, the
// one that pulls at the registry. What their roles permit there counts, not what the roles are called. Asks, and changes nothing.
import { switchActions } from "../../components/platform/dead-mans-switch.ts";
import { doctorIdentityRightsMissing } from "../../errors/doctor.ts";
import type { Patient } from "./context.ts";
import { type Check, failed, ok, type Said, unknown } from "./finding.ts";
import { groupOf, nameOf, type Stack } from "./stack.ts";
import { notPermitted, type Permission, wordsOf } from "./subscription-checks.ts";

const rolesVersion = "2022-04-01";

/** What the control plane does with an app. Writing traffic is writing the app. */
const planeActions = [...switchActions, "Microsoft.App/containerApps/revisions/deactivate/action"];

/** What an identity is there for: these actions at that place. */
interface Duty {
  readonly at: string;
  readonly actions: readonly string[];
}

interface Assigned {
  readonly properties: { readonly principalId: string; readonly roleDefinitionId: string; readonly scope: string };
}

const isWithin = (id: string, scope: string): boolean =>
  `${id}/`.toLowerCase().startsWith(`${scope.replace(/\/$/, "")}/`.toLowerCase());

/** Lists what a principal may not do of a duty, by the definitions of all the roles that it has there or above. */
async function lacking(
  { ask }: Patient,
  principalId: string,
  { at, actions }: Duty,
): Promise<readonly string[] | Said> {
  const assigned = await ask("GET", `${at}/providers/Microsoft.Authorization/roleAssignments`, rolesVersion);
  if (assigned.status === 404) return unknown(`${nameOf(at)} is not there yet`);
  if (assigned.status !== 200) return unknown(wordsOf(assigned));
  const roles = (assigned.body.value as readonly Assigned[])
    .map(({ properties }) => properties)
    .filter((one) => one.principalId === principalId && isWithin(at, one.scope));
  const definitions = await Promise.all(
    [...new Set(roles.map(({ roleDefinitionId }) => roleDefinitionId))].map((id) => ask("GET", id, rolesVersion)),
  );
  const unread = definitions.find(({ status }) => status !== 200);
  if (unread) return unknown(wordsOf(unread));
  return notPermitted(
    definitions.flatMap(({ body }) => body.properties.permissions as readonly Permission[]),
    actions,
  );
}

/** Makes a check of an identity of the stack's and its duties. */
const identityCheck = (
  name: string,
  whose: keyof Stack["identities"],
  component: string,
  dutiesOf: (stack: Stack) => readonly Duty[],
): Check<Patient> => ({
  name,
  run: async (patient) => {
    const id = patient.stack.identities[whose];
    const duties = dutiesOf(patient.stack);
    if (id === undefined || duties.length === 0) return unknown(`the stack has no ${component}`);
    const identity = nameOf(id);
    const principal = await patient.ask("GET", id, "2023-01-31");
    if (principal.status === 404) return unknown(`the identity ${identity} is not there yet: \`pulumi up\` makes it`);
    if (principal.status !== 200) return unknown(wordsOf(principal));
    const found = await Promise.all(
      duties.map((duty) => lacking(patient, principal.body.properties.principalId, duty)),
    );
    for (const [place, missing] of found.entries()) {
      if ("state" in missing) return missing;
      if (missing.length > 0)
        return failed(doctorIdentityRightsMissing({ identity, at: duties[place]!.at, actions: missing }));
    }
    return ok(`${identity} may do what it is there for at ${duties.map(({ at }) => nameOf(at)).join(" and ")}`);
  },
});

/** The checks of the identities. */
export const identityChecks: readonly Check<Patient>[] = [
  identityCheck("plane rights", "plane", "ControlPlane", ({ apps, workspace }) => [
    ...[...new Set(apps.map(({ id }) => groupOf(id)))].map((at) => ({ at, actions: planeActions })),
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
