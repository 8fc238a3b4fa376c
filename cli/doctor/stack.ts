// What `ballast doctor` knows of a stack: the ids of what it deploys, there or not yet, and what a check judges by. A stack of this repository's own program is
// described by its settings, before anything of it is there; state.ts describes one of any other program. Asks nobody.
import { physicalName, replicaSizes } from "../../components/conventions.ts";
import type { Settings } from "../../config.ts";
import { databaseVersion } from "../../defaults.ts";

/** Replicas that run whether or not anybody asks for them. */
export interface Replicas {
  readonly least: number;
  readonly cpu: number;
  readonly gib: number;
}

/** An app that is released. */
export interface ReleasedApp {
  readonly id: string;
  /** A path that users take. */
  readonly probePath: string;
  /** Undefined where another program has the app. */
  readonly replicas: Replicas | undefined;
}

/** A name that all of Azure shares, and who gets it. */
export interface SharedName {
  readonly kind: string;
  /** The id that its resource has, or gets. */
  readonly id: string;
  /** Under which version it is asked for. */
  readonly version: string;
  /** What is changed to have another. */
  readonly key: string;
}

/** A stack, as far as it is looked at. */
export interface Stack {
  readonly subscription: string;
  readonly location: string;
  readonly doors: { readonly resourceManager: string; readonly logs: string };
  /** What `pulumi up` does in each resource group, by the group's id: one action a type of resource. */
  readonly writes: ReadonlyMap<string, readonly string[]>;
  readonly names: readonly SharedName[];
  /** The control plane's app. */
  readonly plane: string;
  /** Where that sends its telemetry; undefined where it sends none. */
  readonly insights: string | undefined;
  /** Where the control plane runs. */
  readonly environment: string;
  /** Where request rows come; undefined where the control plane was given no right to any. */
  readonly workspace: string | undefined;
  /** Who works for it; undefined where the stack has no such part. */
  readonly identities: Readonly<Record<"plane" | "switch" | "pull", string | undefined>>;
  /** From where is pulled. */
  readonly registry: string | undefined;
  readonly apps: readonly ReleasedApp[];
  /** The control plane's address; undefined where it has none yet. */
  readonly endpoint: string | undefined;
  readonly audience: string;
  readonly ingestionSeconds: number;
  readonly silenceSeconds: number;
  /** Whether its environment has no address on the internet. */
  readonly internal: boolean;
  /** Whose addresses the control plane takes; everybody's where there are none. */
  readonly callers: readonly string[];
  /** The server of the journal; undefined where the stack has none of its own. */
  readonly database:
    | {
        readonly server: string;
        readonly version: string;
        readonly sku: string;
        readonly zoneRedundant: boolean;
        readonly preparedBy: "password" | { readonly identity: string; readonly job: string } | undefined;
      }
    | undefined;
  /** All that runs at the least. */
  readonly replicas: readonly Replicas[];
  readonly paysRegistry: boolean;
  /** Whether it pays for a network, or for what one needs. */
  readonly paysNetwork: boolean;
}

/** Gives the id of a resource of a group. */
export const idIn = (group: string, type: string, name: string): string => `${group}/providers/${type}/${name}`;
/** Gives what a resource is called, which is how people know it. */
export const nameOf = (id: string): string => id.split("/").at(-1)!;
/** Gives the id of the resource group that something is in. */
export const groupOf = (id: string): string => id.split("/").slice(0, 5).join("/");
const identityType = "Microsoft.ManagedIdentity/userAssignedIdentities";

/** The versions under which servers and registries are asked for. */
export const versions = { servers: "2025-08-01", registries: "2023-01-01-preview" } as const;

/** What `pulumi up` does in the resource group, one action a type of resource. */
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
/** What it does beside that where it makes a network, or a zone for an internal environment. */
const networkWrites = [
  "Microsoft.Network/virtualNetworks/write",
  "Microsoft.Network/virtualNetworks/subnets/join/action",
  "Microsoft.Network/privateDnsZones/write",
];

/** Describes a stack of this repository's own program, which names its parts as index.ts does. */
export function stackOfSettings(settings: Settings, endpoint: string | undefined): Stack {
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
  const paysRegistry = !registry.startsWith("/");
  const registryId = paysRegistry ? idIn(group, "Microsoft.ContainerRegistry/registries", registry) : registry;
  const storefront = { least: replicas.storefrontMin, ...replicaSizes.storefront };
  return {
    subscription,
    location,
    endpoint,
    doors: { resourceManager, logs },
    audience: settings.audience,
    ingestionSeconds: settings.ingestionSeconds,
    silenceSeconds: settings.silenceSeconds,
    writes: new Map([[group, [...writes, ...(network.range || network.internal ? networkWrites : [])]]]),
    names: [
      ...(paysRegistry
        ? [{ kind: "registry", id: registryId, version: versions.registries, key: "ballast:registry" }]
        : []),
      {
        kind: "database server",
        id: server,
        version: versions.servers,
        key: "ballast:resourceGroup, of which the server's name is made,",
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
    replicas: [storefront, { least: replicas.controlPlaneMin, ...replicaSizes.controlPlane }],
    paysRegistry,
    paysNetwork: Boolean(network.range || network.environmentSubnet),
  };
}
