// The control plane as a deployment: one container app with an identity of its own, the roles that identity needs and no
// more, and its settings. It is deployed like any other app and never releases itself by canary.
// Nothing here knows how a rollout is decided.

import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { databaseAccess, patience, publicAzure, replicaCounts } from "../../defaults.ts";
import {
  assignmentName,
  child,
  metricsPublisher,
  physicalName,
  replicaSizes,
  resourcesOf,
  subscriptionOf,
  variablesOf,
} from "../conventions.ts";
import type { Pull } from "./image-registry.ts";

/** Azure's own roles, by the GUIDs that they have in every tenant. */
const roles = {
  /** Container Apps Contributor: reads and writes apps and their revisions, and may not touch roles, networks or secrets elsewhere. */
  apps: "358470bc-b998-42bd-ab17-a7e34c199c0f",
  /** Log Analytics Reader: reads and queries, changes nothing. */
  logs: "73c42c96-874c-492b-b04d-ab87d138a893",
  telemetry: metricsPublisher,
};

/** Where the control plane runs, what it may do, and what it needs around it. */
export interface ControlPlaneArgs {
  /** The resource group's id: where the apps are whose traffic is moved, and of which names that must be unique are made. */
  readonly scope: string;
  /** The group that everything of it lies in; given as the group's output, it is made first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The id of the subscription in which the apps are.
   *
   * @default that of `scope`
   */
  readonly subscription?: string;
  /** The Entra tenant whose tokens its callers show. */
  readonly tenant: string;
  /** The control plane's image. */
  readonly image: string;
  /** Where its image comes from and as whom it is pulled: what `ImageRegistry` gives. */
  readonly pull: Pull;
  /** Where it runs: what `ContainerEnvironment` gives. */
  readonly environment: {
    /** The environment's id. */
    readonly id: pulumi.Input<string>;
    /** The domain under which its apps answer. */
    readonly domain: pulumi.Input<string>;
  };
  /** Where request rows are read: what `ContainerEnvironment` gives. */
  readonly workspace: {
    /** The workspace's id, at which it gets the right to read. */
    readonly id: pulumi.Input<string>;
    /** What the query API calls the workspace. */
    readonly customerId: pulumi.Input<string>;
  };
  /** Where journals and claims are kept: what `JournalDatabase` gives. */
  readonly database: {
    /** The name under which the server is reached. */
    readonly host: pulumi.Input<string>;
    /** The database on it. */
    readonly name: pulumi.Input<string>;
    /**
     * The server's port.
     *
     * @default 5432
     */
    readonly port?: number;
    /**
     * Whether connections are encrypted; `disable` is for a server on loopback.
     *
     * @default "require"
     */
    readonly tls?: "require" | "disable";
    /**
     * Who signs in with a password.
     *
     * @default nobody: the control plane's identity signs in with Entra tokens, under the role that `DatabaseRole` makes for it
     */
    readonly login?:
      | {
          /** The server's administrator. */
          readonly user: string;
          /** Its password, which is a secret from here on. */
          readonly password: pulumi.Input<string>;
        }
      | undefined;
  };
  /** The apps that it may move the traffic of; anything else is refused, whoever asks. */
  readonly inventory: readonly {
    /** The resource group's name. */
    readonly resourceGroup: string;
    /** The app's name in Azure. */
    readonly app: string;
  }[];
  /** Whom the tokens of its callers must be for. */
  readonly audience: string;
  /**
   * The doors of the cloud that it looks after, where that is not public Azure.
   *
   * @default public Azure's
   */
  readonly endpoints?: {
    /**
     * Resource Manager's address.
     *
     * @default "https://management.azure.com"
     */
    readonly resourceManager?: string;
    /**
     * The address of Log Analytics.
     *
     * @default "https://api.loganalytics.io"
     */
    readonly logs?: string;
    /**
     * The address of the sign-in.
     *
     * @default "https://login.microsoftonline.com"
     */
    readonly login?: string;
  };
  /**
   * How long a replica that fell silent keeps its rollouts before another takes them over.
   *
   * @default 60
   */
  readonly leaseSeconds?: number;
  /**
   * How long one request to Azure may take; less than `leaseSeconds`, so that a write has ended before its rollout is somebody else's.
   *
   * @default 30
   */
  readonly requestSeconds?: number;
  /**
   * How late request rows may come; on Azure that is minutes.
   *
   * @default 180
   */
  readonly ingestionSeconds?: number;
  /**
   * Where it sends telemetry, as its own identity: what `Telemetry` gives as `sender`.
   *
   * @default nowhere
   */
  readonly telemetry?:
    | {
        /** The id of the Application Insights component, at which it gets the right to publish. */
        readonly insightsId: pulumi.Input<string>;
        /** What the component is reached by. */
        readonly connectionString: pulumi.Input<string>;
      }
    | undefined;
  /**
   * Whom it tells of rollouts, as JSON; see docs/guides/notifications.md. It holds addresses that are as good as keys.
   *
   * @default nobody
   */
  readonly notify?: pulumi.Input<string> | undefined;
  /**
   * Whose addresses its ingress takes at all, as ranges in CIDR, before any token is looked at. The environment's own must be among them, or the dead man's switch hears
   * no heartbeat and takes it for gone.
   *
   * @default everybody's
   */
  readonly callers?: readonly string[] | undefined;
  /**
   * How many replicas there are at the least: two carry on where one dies at once.
   *
   * @default 1
   */
  readonly minReplicas?: number;
  /**
   * How many replicas there are at the most; never taken to be less than `minReplicas`.
   *
   * @default 3
   */
  readonly maxReplicas?: number;
}

/** Where the service listens in its container, as the image has it. */
const targetPort = 8080;
/** What the app calls the database's password; the template names it and never holds it. */
const passwordSecret = "database-password";
/** What it calls the addresses of those who are told. */
const notifySecret = "notify";

/** The service that carries out releases. */
export class ControlPlane extends pulumi.ComponentResource {
  /** Known only once the app is up and its identity has its roles, so that nothing is asked of it before it can answer. */
  readonly endpoint: pulumi.Output<string>;
  /** Whom tokens for it are for; the `ballast` command looks for it among a stack's outputs, beside the address. */
  readonly audience: pulumi.Output<string>;
  /** The name of its identity, which is its role's in the database. */
  readonly identityName: pulumi.Output<string>;
  /** The object of its identity in Entra. */
  readonly identityObjectId: pulumi.Output<string>;

  constructor(name: string, args: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:ControlPlane", name, args, opts);
    const { scope, resourceGroupName, location, minReplicas = replicaCounts.controlPlaneMin } = args;
    const appName = physicalName("app", name, scope);

    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      {
        resourceName: physicalName("identity", name, scope),
        resourceGroupName,
        location,
      },
      { parent: this },
    );

    const grant = (role: keyof typeof roles, at: pulumi.Input<string>) =>
      new RoleAssignment(
        child(name, `${role}-role`),
        {
          roleAssignmentName: assignmentName(scope, name, role),
          scope: at,
          roleDefinitionId: `/subscriptions/${args.subscription ?? subscriptionOf(scope)}/providers/Microsoft.Authorization/roleDefinitions/${roles[role]}`,
          principalId: identity.principalId,
          principalType: "ServicePrincipal", // without it the assignment may fail until the new identity is known everywhere
        },
        { parent: this },
      );
    // An id of text would not wait for the group to exist, hence by way of its name.
    const grants = [
      grant(
        "apps",
        pulumi.output(resourceGroupName).apply(() => scope),
      ),
      grant("logs", args.workspace.id),
      ...(args.telemetry ? [grant("telemetry", args.telemetry.insightsId)] : []),
    ];

    const app = new ContainerApp(
      child(name, "app"),
      {
        containerAppName: appName,
        resourceGroupName,
        location,
        managedEnvironmentId: args.environment.id,
        identity: { type: "UserAssigned", userAssignedIdentities: [identity.id, args.pull.identity] },
        configuration: {
          activeRevisionsMode: "Single",
          registries: [args.pull],
          ingress: {
            external: true,
            targetPort,
            transport: "http",
            traffic: [{ latestRevision: true, weight: 100 }],
            ...(args.callers && {
              ipSecurityRestrictions: args.callers.map((ipAddressRange, at) => ({
                name: `caller-${at + 1}`,
                ipAddressRange,
                action: "Allow",
              })),
            }),
          },
          ...secrets(args),
        },
        template: {
          containers: [
            {
              name: appName,
              image: args.image,
              env: settings(args, identity),
              resources: resourcesOf(replicaSizes.controlPlane),
              // Only readiness asks for the database: a restart would not bring it back.
              probes: [
                { type: "Startup", tcpSocket: { port: targetPort }, periodSeconds: 1, failureThreshold: 60 },
                {
                  type: "Readiness",
                  httpGet: { path: "/health", port: targetPort },
                  periodSeconds: 5,
                  timeoutSeconds: 3,
                },
                { type: "Liveness", tcpSocket: { port: targetPort }, periodSeconds: 10 },
              ],
            },
          ],
          scale: { minReplicas, maxReplicas: args.maxReplicas ?? Math.max(replicaCounts.controlPlaneMax, minReplicas) },
        },
      },
      { parent: this, dependsOn: grants },
    );

    this.endpoint = pulumi.all([args.environment.domain, app.id]).apply(([domain]) => `https://${appName}.${domain}`);
    this.audience = pulumi.output(args.audience);
    this.identityName = identity.name;
    this.identityObjectId = identity.principalId;
    this.registerOutputs({
      endpoint: this.endpoint,
      audience: this.audience,
      identityName: this.identityName,
      identityObjectId: this.identityObjectId,
    });
  }
}

/** Gives what the template only names. */
function secrets({ database, notify }: ControlPlaneArgs): {
  secrets?: { name: string; value: pulumi.Output<string> }[];
} {
  const given = [
    ...(database.login === undefined ? [] : [{ name: passwordSecret, value: pulumi.secret(database.login.password) }]),
    ...(notify === undefined ? [] : [{ name: notifySecret, value: pulumi.secret(notify) }]),
  ];
  return given.length === 0 ? {} : { secrets: given };
}

/** Gives what controlplane/main.ts reads from its environment. */
function settings(
  args: ControlPlaneArgs,
  identity: UserAssignedIdentity,
): { name: string; value?: pulumi.Input<string>; secretRef?: string }[] {
  const {
    database,
    endpoints = {},
    leaseSeconds = patience.leaseSeconds,
    requestSeconds = patience.requestSeconds,
    ingestionSeconds = patience.ingestionSeconds,
  } = args;
  const env = variablesOf<pulumi.Input<string>>({
    BALLAST_SUBSCRIPTION: args.subscription ?? subscriptionOf(args.scope),
    BALLAST_TENANT: args.tenant,
    BALLAST_AUDIENCE: args.audience,
    BALLAST_INVENTORY: JSON.stringify(args.inventory),
    BALLAST_WORKSPACE: args.workspace.customerId,
    BALLAST_RESOURCE_MANAGER: endpoints.resourceManager ?? publicAzure.resourceManager,
    BALLAST_LOGS: endpoints.logs ?? publicAzure.logs,
    AZURE_AUTHORITY_HOST: endpoints.login ?? publicAzure.login,
    AZURE_CLIENT_ID: identity.clientId,
    BALLAST_DATABASE_HOST: database.host,
    BALLAST_DATABASE_PORT: String(database.port ?? databaseAccess.port),
    BALLAST_DATABASE_NAME: database.name,
    BALLAST_DATABASE_USER: database.login?.user ?? identity.name,
    BALLAST_DATABASE_TLS: database.tls ?? databaseAccess.tls,
    BALLAST_LEASE_SECONDS: String(leaseSeconds),
    BALLAST_REQUEST_SECONDS: String(requestSeconds),
    BALLAST_INGESTION_SECONDS: String(ingestionSeconds),
    ...(args.telemetry && { APPLICATIONINSIGHTS_CONNECTION_STRING: args.telemetry.connectionString }),
  });
  return [
    ...env,
    ...(database.login === undefined ? [] : [{ name: "BALLAST_DATABASE_PASSWORD", secretRef: passwordSecret }]),
    ...(args.notify === undefined ? [] : [{ name: "BALLAST_NOTIFY", secretRef: notifySecret }]),
  ];
}
