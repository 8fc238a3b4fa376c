// Checks an environment before anything of it is stored: its name, identities, logs, zones and workload profiles. Its
// network is checked in ../environments.ts, where it is joined to the subnet.
import { firstTwice, sameText } from "../../arm/bodies.ts";
import type { Body, Cloud, PutContext, Resource } from "../../arm/resource.ts";
import { checkIdentity } from "./identity.ts";
import { refuseLikeAzure } from "./refusals.ts";

// Learn: "Workload profiles in Azure Container Apps", November 2026.
const dedicated = ["D4", "D8", "D16", "D32", "E4", "E8", "E16", "E32", "NC24-A100", "NC48-A100", "NC96-A100"];
const shared = ["Consumption", "Consumption-GPU-NC24-A100", "Consumption-GPU-NC8as-T4", "Flex"];
const lower = (texts: readonly string[]): readonly string[] => texts.map((each) => each.toLowerCase());

/** Checks the whole body of an environment. @throws ArmError 400 */
export function checkEnvironmentBody(context: PutContext): void {
  const { id, wanted, cloud } = context;
  const { appLogsConfiguration, workloadProfiles, zoneRedundant, vnetConfiguration } = wanted["properties"] as Body;
  const name = String(wanted["name"]);
  if (!/^[a-z](?!.*--)[-a-z0-9]{0,58}[a-z0-9]$/i.test(name))
    refuseLikeAzure(
      `The environment name '${name}' is invalid: 2 to 60 letters, digits or '-', a letter first, none of them '--'.`,
    );
  checkIdentity(id, wanted, cloud.store);
  checkLogs(appLogsConfiguration ?? {}, cloud);
  checkProfiles(workloadProfiles ?? []);
  if (zoneRedundant && !vnetConfiguration?.infrastructureSubnetId)
    refuseLikeAzure("A zone-redundant environment needs an infrastructureSubnetId.");
  checkInfrastructureGroup(context);
}

/** Azure makes this group with the environment: it is new, of this environment alone, and stays. */
function checkInfrastructureGroup({ id, wanted, previous, cloud: { store } }: PutContext): void {
  const before: string | undefined = previous?.body["properties"].infrastructureResourceGroup;
  if (before) wanted["properties"].infrastructureResourceGroup ??= before;
  const group: string | undefined = wanted["properties"].infrastructureResourceGroup;
  if (!group || (before && sameText(group, before))) return;
  if (previous) refuseLikeAzure("infrastructureResourceGroup cannot be changed after the environment was created.");
  if (!/^[-\w.()]{0,89}[-\w()]$/.test(group)) refuseLikeAzure(`'${group}' is no name of a resource group.`);
  const isOfAnother = ({ type, body }: Resource): boolean =>
    type === "Microsoft.App/managedEnvironments" &&
    sameText(body["properties"].infrastructureResourceGroup ?? "", group);
  if (store.get(`${id.split("/").slice(0, 3).join("/")}/resourceGroups/${group}`) || store.list().some(isOfAnother))
    refuseLikeAzure(`The resource group '${group}' exists, and Azure makes the one for the infrastructure.`);
}

function checkLogs({ destination, logAnalyticsConfiguration: workspace }: Body, { store }: Cloud): void {
  const known = ["", "none", "azure-monitor", "log-analytics"];
  if (!known.includes(String(destination ?? "").toLowerCase()))
    refuseLikeAzure(`The destination of logs is '${destination}', and not azure-monitor, log-analytics or none.`);
  if (String(destination).toLowerCase() !== "log-analytics") return;
  if (!workspace?.customerId || !workspace.sharedKey)
    refuseLikeAzure("The destination log-analytics needs a customerId and a sharedKey.");
  const isThere = store
    .list()
    .some(
      ({ type, body }) =>
        type === "Microsoft.OperationalInsights/workspaces" &&
        body["properties"].customerId === String(workspace.customerId).toLowerCase(),
    );
  if (!isThere) refuseLikeAzure(`No workspace has the customerId '${workspace.customerId}'.`);
}

function checkProfiles(profiles: readonly Body[]): void {
  for (const { name, workloadProfileType: type, minimumCount: least, maximumCount: most } of profiles) {
    const isShared = lower(shared).includes(String(type).toLowerCase());
    if (!isShared && !lower(dedicated).includes(String(type).toLowerCase()))
      refuseLikeAzure(`The workload profile '${name}' has the type '${type}', which Azure does not have.`);
    if (isShared && (least != null || most != null))
      refuseLikeAzure(`The workload profile '${name}' is ${type}, which has no number of nodes.`);
    if (!isShared && !(least >= 0 && most >= Math.max(1, Number(least))))
      refuseLikeAzure(
        `The workload profile '${name}' needs a minimumCount from 0 and a maximumCount that is not below it, and has ` +
          `${least ?? "none"} and ${most ?? "none"}.`,
      );
  }
  const twice = firstTwice(profiles.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Two workload profiles are named '${twice}'.`);
}
