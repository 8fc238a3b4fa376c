// The stack that `ballast doctor` checks: the ids of the resources that it deploys, whether or not they exist yet, and
// the values that checks compare with. A stack of this repository's own program is described by its configuration,
// here; one of any other program is described by its state, in state.ts.
import { physicalName, replicaSizes } from "../../components/conventions.ts";
import type { Settings } from "../../config.ts";
import { databaseVersion } from "../../defaults.ts";

/** The minimum replicas of an app, and the cores of each. */
export interface Replicas {
  readonly least: number;
  readonly cpu: number;
}

/** An app that Ballast releases. */
export interface ReleasedApp {
  readonly id: string;
  /** A path that users request. */
  readonly probePath: string;
  /** Undefined if another program deploys the app. */
  readonly replicas: Replicas | undefined;
}

/** A name that must be unique across all of Azure. */
export interface SharedName {
  readonly kind: string;
  /** The id of the resource that has the name, or will have it. */
  readonly id: string;
  /** The API version to ask for the resource with. */
  readonly version: string;
  /** The setting that changes the name. */
  readonly key: string;
}

/** A stack, with everything that a check needs to know of it. */
export interface Stack {
  readonly subscription: string;
  readonly location: string;
  /** The addresses of Azure's own APIs. */
  readonly endpoints: { readonly resourceManager: string; readonly logs: string };
  /** The actions of `pulumi up` in each resource group, one for each type of resource, by the group's id. */
  readonly writes: ReadonlyMap<string, readonly string[]>;
  readonly names: readonly SharedName[];
  /** The control plane's app. */
  readonly plane: string;
  /** The component that receives its telemetry; undefined if it sends none. */
  readonly insights: string | undefined;
  /** The environment that the control plane runs in. */
  readonly environment: string;
  /** The workspace that receives request rows; undefined if the control plane has no role on any. */
  readonly workspace: string | undefined;
  /**
   * The identities of the control plane, the dead man's switch and the image puller; undefined if the stack has none.
   */
  readonly identities: Readonly<Record<"plane" | "switch" | "pull", string | undefined>>;
  /** The registry that images are pulled from. */
  readonly registry: string | undefined;
  readonly apps: readonly ReleasedApp[];
  /** The control plane's address; undefined before it is deployed. */
  readonly endpoint: string | undefined;
  readonly audience: string;
  /** What binds the audience to the address; undefined if the stack has none. */
  readonly binding: string | undefined;
  readonly ingestionSeconds: number;
  readonly silenceSeconds: number;
  /** Whether the environment has no public address. */
  readonly internal: boolean;
  /** The address ranges that the control plane accepts; it accepts all if there are none. */
  readonly callers: readonly string[];
  /** The server of the journal; undefined if the stack does not deploy one. */
  readonly database:
    | {
        readonly server: string;
        readonly version: string;
        readonly sku: string;
        readonly zoneRedundant: boolean;
        readonly preparedBy: "password" | { readonly identity: string; readonly job: string } | undefined;
      }
    | undefined;
}

/** Gives the id of a resource in a resource group. */
export const idIn = (group: string, type: string, name: string): string => `${group}/providers/${type}/${name}`;
/** Gives the name of a resource, the last part of its id. */
export const nameOf = (id: string): string => id.split("/").at(-1)!;
/** Gives the id of a resource's resource group. */
export const groupOf = (id: string): string => id.split("/").slice(0, 5).join("/");
const identityType = "Microsoft.ManagedIdentity/userAssignedIdentities";

/** The API versions of servers and registries. */
export const versions = { servers: "2025-08-01", registries: "2023-01-01-preview" } as const;

/** The actions of `pulumi up` in the resource group, one for each type of resource. */
const writes = [
  "Microsoft.App/managedEnvironments/write",
  "Microsoft.App/containerApps/write",
  "Microsoft.App/jobs/write",
  "Microsoft.OperationalInsights/workspaces/write",
  "Microsoft.Insights/diagnosticSettings/write",
  "Microsoft.Insights/components/write",
  "Microsoft.Insights/actionGroups/write",
  "Microsoft.Insights/scheduledQueryRules/write",
  "Microsoft.DBforPostgreSQL/flexibleServers/write",
  "Microsoft.ManagedIdentity/userAssignedIdentities/write",
  "Microsoft.ContainerRegistry/registries/write",
  "Microsoft.Authorization/roleAssignments/write",
  "Microsoft.Authorization/roleDefinitions/write",
];
/** Its further actions if it creates a network, or a DNS zone for an internal environment. */
const networkWrites = [
  "Microsoft.Network/virtualNetworks/write",
  "Microsoft.Network/virtualNetworks/subnets/join/action",
  "Microsoft.Network/privateDnsZones/write",
];

/** Describes a stack of this repository's own program, with the resource names that index.ts gives. */
export function stackOfSettings(settings: Settings, endpoint: string | undefined, binding?: string): Stack {
  const {
    subscription,
    resourceGroup,
    location,
    registry,
    network,
    replicas,
    zoneRedundant,
    endpoints: { resourceManager, logs },
  } = settings;
  const group = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`;
  const identity = (of: string): string => idIn(group, identityType, physicalName("identity", of, group));
  const job = idIn(group, "Microsoft.App/jobs", physicalName("job", "database-role", group));
  const server = idIn(group, "Microsoft.DBforPostgreSQL/flexibleServers", physicalName("server", "journal", group));
  const deploysRegistry = !registry.startsWith("/");
  const registryId = deploysRegistry ? idIn(group, "Microsoft.ContainerRegistry/registries", registry) : registry;
  const storefront = { least: replicas.storefrontMin, cpu: replicaSizes.storefront.cpu };
  return {
    subscription,
    location,
    endpoint,
    endpoints: { resourceManager, logs },
    audience: settings.audience,
    binding,
    ingestionSeconds: settings.ingestionSeconds,
    silenceSeconds: settings.silenceSeconds,
    writes: new Map([[group, [...writes, ...(network.range || network.internal ? networkWrites : [])]]]),
    names: [
      ...(deploysRegistry
        ? [{ kind: "registry", id: registryId, version: versions.registries, key: "ballast:registry" }]
        : []),
      {
        kind: "database server",
        id: server,
        version: versions.servers,
        key: "ballast:resourceGroup, from which the server's name is made",
      },
    ],
    plane: idIn(group, "Microsoft.App/containerApps", physicalName("app", "control-plane", group)),
    insights: idIn(group, "Microsoft.Insights/components", physicalName("insights", "telemetry", group)),
    environment: idIn(group, "Microsoft.App/managedEnvironments", physicalName("environment", "apps", "")),
    workspace: idIn(group, "Microsoft.OperationalInsights/workspaces", physicalName("workspace", "apps", group)),
    identities: { plane: identity("control-plane"), switch: identity("dead-mans-switch"), pull: identity("images") },
    registry: registryId,
    apps: [
      {
        id: idIn(group, "Microsoft.App/containerApps", "storefront"),
        probePath: settings.probePath,
        replicas: storefront,
      },
    ],
    internal: network.internal,
    callers: network.callers,
    database: {
      server,
      version: databaseVersion,
      sku: settings.databaseSku,
      zoneRedundant,
      preparedBy:
        settings.databaseAuthentication === "password" ? "password" : { identity: identity("database-role"), job },
    },
  };
}
