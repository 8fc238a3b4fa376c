// Describes a stack of any program that uses Ballast's components, by its state after `pulumi up`. Resources are found
// by their types and by the components that they are children of; their inputs hold the values that checks compare
// with. Secrets in the state are ciphertext and are not read.

import { patience, publicAzure } from "../../defaults.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { doctorPlaneUndeployed } from "../../errors/doctor.ts";
import { groupOf, idIn, type ReleasedApp, type Replicas, type SharedName, type Stack, versions } from "./stack.ts";

/** A resource in the output of `pulumi stack export`. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each type of resource has its own inputs, of which few are read.
  readonly inputs?: any;
  // biome-ignore lint/suspicious/noExplicitAny: likewise.
  readonly outputs?: any;
  /** Whether the resource is pending deletion after a failed update. */
  readonly delete?: boolean;
}

/** Finds the resources of a type, optionally only those that are children of a component. */
type Find = (type: string, component?: string) => readonly StateResource[];

/**
 * Gives the action that wrote a resource, and the resource group it was written in.
 *
 * Both are read from its id, in which types alternate with names. Undefined for a resource group, which is in none, and
 * for a role assignment on a single resource, which needs no permission on the group.
 */
function writeOf({
  id = "",
  inputs,
  type,
}: StateResource): { readonly group: string; readonly action: string } | undefined {
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
    // Azure's services differ in how they spell the same group.
    const known = [...writes.keys()].find((each) => sameName(each, group)) ?? group;
    writes.set(known, (writes.get(known) ?? new Set()).add(action));
  }
  return new Map([...writes].map(([group, actions]) => [group, [...actions].sort()]));
}

function variable(resource: StateResource | undefined, name: string): string | undefined {
  const value: unknown = (
    resource?.inputs.template.containers[0].env as { name: string; value?: unknown }[] | undefined
  )?.find((one) => one.name === name)?.value;
  return typeof value === "string" ? value : undefined; // A secret's value is an object.
}

/** Gives the minimum replicas that an app's template asks for. */
const replicasOf = ({
  inputs: {
    template: { containers, scale },
  },
}: StateResource): Replicas => ({ least: scale?.minReplicas ?? 0, cpu: containers[0].resources?.cpu ?? 0.25 });

/** Gives the control plane's managed targets. Replicas are known only of apps that this stack deploys. */
function appsOf(plane: StateResource, find: Find): readonly ReleasedApp[] {
  const subscription = variable(plane, "BALLAST_SUBSCRIPTION");
  const managedTargets = JSON.parse(variable(plane, "BALLAST_MANAGED_TARGETS") ?? "[]") as readonly {
    resourceGroup: string;
    app: string;
  }[];
  return managedTargets.map(({ resourceGroup, app }) => {
    const id = idIn(
      `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`,
      "Microsoft.App/containerApps",
      app,
    );
    const made = find("azure-native:app:ContainerApp").find((one) => sameName(one.id ?? "", id));
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

/** Describes a stack by its state. @throws doctor-plane-undeployed if the state has no deployed `ControlPlane` */
export function stackOfState(stack: string, resources: readonly StateResource[]): Stack {
  const there = resources.filter((one) => one.delete !== true);
  // In a child's URN the component's type precedes the `$`; the component may itself be a child of another one.
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
    ({ id, inputs }) => sameName(id ?? "", environment) && inputs.vnetConfiguration?.internal === true,
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
    endpoints: {
      resourceManager: variable(plane, "BALLAST_RESOURCE_MANAGER") ?? publicAzure.resourceManager,
      logs: variable(plane, "BALLAST_LOGS") ?? publicAzure.logs,
    },
    // The control plane's role assignments show which workspace it reads and which component it sends to.
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
    binding: find("ballast:index:ControlPlane")[0]?.outputs?.binding,
    ingestionSeconds: seconds(variable(plane, "BALLAST_INGESTION_SECONDS"), patience.ingestionSeconds),
    silenceSeconds: seconds(
      variable(find("azure-native:app:Job", "DeadMansSwitch")[0], "BALLAST_DEADMAN_SECONDS"),
      patience.silenceSeconds,
    ),
    callers: (configuration.ingress?.ipSecurityRestrictions ?? []).map(
      ({ ipAddressRange }: { ipAddressRange: string }) => ipAddressRange,
    ),
  };
}
