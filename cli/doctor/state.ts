// A stack of anybody's program that uses the components, as its state shows it once `pulumi up` has been there: the resources by their types and the components that
// they are children of, with the ids that Azure gave them and the inputs that they were written with. Secrets in it are ciphertext, and are not looked at.

import { patience, publicAzure } from "../../defaults.ts";
import { doctorPlaneUndeployed } from "../../errors/doctor.ts";
import { groupOf, type ReleasedApp, type Replicas, type SharedName, type Stack, versions } from "./stack.ts";

/** A resource in `pulumi stack export`. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: any;
  readonly outputs?: any;
  /** Whether an update that failed left it to be removed. */
  readonly delete?: boolean;
}

/** Gives the resources of a type, of one kind of component where it is named. */
type Find = (type: string, component?: string) => readonly StateResource[];

/** An id tells what was written, and where: the type's parts alternate with names. Undefined for a resource group, which is in none. */
function writeOf({
  id = "",
  inputs,
  type,
}: StateResource): { readonly group: string; readonly action: string } | undefined {
  // A role that is given at a resource wants the right there, and not in the whole group.
  const place: string = /:Role(Assignment|Definition)$/.test(type) ? (inputs.scope ?? "") : id;
  if (!/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+/i.test(place) || (place !== id && place.split("/").length !== 5))
    return undefined;
  const [namespace, ...parts] = id.slice(id.lastIndexOf("/providers/") + "/providers/".length).split("/");
  if (!id.includes("/providers/")) return undefined;
  return {
    group: groupOf(place),
    action: [namespace, ...parts.filter((_, index) => index % 2 === 0), "write"].join("/"),
  };
}

function writesOf(resources: readonly StateResource[]): ReadonlyMap<string, readonly string[]> {
  const writes = new Map<string, Set<string>>();
  for (const { group, action } of resources
    .filter(({ type }) => type.startsWith("azure-native:"))
    .flatMap((resource) => writeOf(resource) ?? [])) {
    const known = [...writes.keys()].find((each) => sameId(each, group)) ?? group; // Not every service of Azure spells it in the same way.
    writes.set(known, (writes.get(known) ?? new Set()).add(action));
  }
  return new Map([...writes].map(([group, actions]) => [group, [...actions].sort()]));
}

function variable(resource: StateResource | undefined, name: string): string | undefined {
  const value: unknown = (
    resource?.inputs.template.containers[0].env as { name: string; value?: unknown }[] | undefined
  )?.find((one) => one.name === name)?.value;
  return typeof value === "string" ? value : undefined; // A secret is an object.
}

/** What a template runs at the least; memory is told as `0.5Gi`. */
const replicasOf = ({
  inputs: {
    template: { containers, scale },
  },
}: StateResource): Replicas => ({
  least: scale?.minReplicas ?? 0,
  cpu: containers[0].resources?.cpu ?? 0.25,
  gib: Number.parseFloat(containers[0].resources?.memory ?? "0.5Gi"),
});

const sameId = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** Gives the apps that a control plane was told of; what this stack knows of each is what this stack has made. */
function appsOf(plane: StateResource, find: Find): readonly ReleasedApp[] {
  const subscription = variable(plane, "BALLAST_SUBSCRIPTION");
  const inventory = JSON.parse(variable(plane, "BALLAST_INVENTORY") ?? "[]") as readonly {
    resourceGroup: string;
    app: string;
  }[];
  return inventory.map(({ resourceGroup, app }) => {
    const id = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.App/containerApps/${app}`;
    const made = find("azure-native:app:ContainerApp").find((one) => sameId(one.id ?? "", id));
    const release = find("ballast:index:Release").find(
      ({ inputs }) => inputs.app === app && inputs.resourceGroup === resourceGroup,
    );
    return { id, probePath: release?.inputs.probePath ?? "/", replicas: made && replicasOf(made) };
  });
}

function databaseOf(find: Find): Stack["database"] {
  const [server] = find("azure-native:dbforpostgresql:Server", "JournalDatabase");
  const [identity] = find("azure-native:managedidentity:UserAssignedIdentity", "DatabaseRole");
  const [job] = find("azure-native:app:Job", "DatabaseRole");
  if (server === undefined) return undefined;
  const password = server.inputs.authConfig?.passwordAuth === "Enabled";
  const role = identity?.id && job?.id ? { identity: identity.id, job: job.id } : undefined;
  return {
    server: server.id!,
    version: server.inputs.version,
    sku: server.inputs.sku.name,
    zoneRedundant: server.inputs.highAvailability?.mode === "ZoneRedundant",
    preparedBy: password ? "password" : role,
  };
}

const namesOf = (find: Find): readonly SharedName[] => [
  ...find("azure-native:containerregistry:Registry").map(({ id }) => ({
    kind: "registry",
    id: id!,
    version: versions.registries,
    key: "the registry of ImageRegistry",
  })),
  ...find("azure-native:dbforpostgresql:Server").map(({ id }) => ({
    kind: "database server",
    id: id!,
    version: versions.servers,
    key: "the name or the scope of JournalDatabase",
  })),
];

/** Describes a stack by its state. @throws doctor-plane-undeployed where no `ControlPlane` is in it */
export function stackOfState(stack: string, resources: readonly StateResource[]): Stack {
  const there = resources.filter((one) => one.delete !== true);
  // A type that a child has tells its component before the `$`, which may be a part of somebody else's component in turn.
  const find: Find = (type, component) =>
    there.filter(
      (one) =>
        one.type === type &&
        (component === undefined || one.urn.split("::")[2]!.endsWith(`ballast:index:${component}$${type}`)),
    );
  const identity = (component: string): string | undefined =>
    find("azure-native:managedidentity:UserAssignedIdentity", component)[0]?.id;
  const [plane] = find("azure-native:app:ContainerApp", "ControlPlane");
  const roles = (component: string) =>
    find("azure-native:authorization:RoleAssignment", component).map(({ inputs }) => String(inputs.scope));
  if (plane?.id === undefined) throw doctorPlaneUndeployed({ stack });
  const { managedEnvironmentId: environment, location, configuration } = plane.inputs;
  const apps = appsOf(plane, find);
  const seconds = (value: string | undefined, otherwise: number): number => Number(value ?? otherwise);
  const environments = find("azure-native:app:ManagedEnvironment");
  const isInternal = environments.some(
    ({ id, inputs }) => sameId(id ?? "", environment) && inputs.vnetConfiguration?.internal === true,
  );
  return {
    subscription: plane.id.split("/")[2]!,
    location,
    environment,
    apps,
    names: namesOf(find),
    writes: writesOf(there),
    database: databaseOf(find),
    internal: isInternal,
    doors: {
      resourceManager: variable(plane, "BALLAST_RESOURCE_MANAGER") ?? publicAzure.resourceManager,
      logs: variable(plane, "BALLAST_LOGS") ?? publicAzure.logs,
    },
    // What it has a role at tells where it reads and where it sends.
    plane: plane.id,
    workspace: roles("ControlPlane").find((scope) => /\/workspaces\/[^/]+$/i.test(scope)),
    insights: roles("ControlPlane").find((scope) => /\/components\/[^/]+$/i.test(scope)),
    identities: {
      plane: identity("ControlPlane"),
      switch: identity("DeadMansSwitch"),
      pull: identity("ImageRegistry"),
    },
    registry: roles("ImageRegistry")[0],
    endpoint: find("ballast:index:ControlPlane")[0]?.outputs?.endpoint,
    audience: variable(plane, "BALLAST_AUDIENCE") ?? "",
    ingestionSeconds: seconds(variable(plane, "BALLAST_INGESTION_SECONDS"), patience.ingestionSeconds),
    silenceSeconds: seconds(
      variable(find("azure-native:app:Job", "DeadMansSwitch")[0], "BALLAST_DEADMAN_SECONDS"),
      patience.silenceSeconds,
    ),
    callers: (configuration.ingress?.ipSecurityRestrictions ?? []).map(
      ({ ipAddressRange }: { ipAddressRange: string }) => ipAddressRange,
    ),
    replicas: [replicasOf(plane), ...apps.flatMap(({ replicas }) => replicas ?? [])],
    paysRegistry: find("azure-native:containerregistry:Registry").length > 0,
    paysNetwork:
      find("azure-native:network:VirtualNetwork").length > 0 ||
      environments.some(({ inputs }) => inputs.vnetConfiguration?.infrastructureSubnetId !== undefined),
  };
}
