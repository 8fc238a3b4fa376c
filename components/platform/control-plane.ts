// The control plane as a deployment: a container app, an identity with the least rights, and the service's settings. It
// is updated like any other app and never releases itself by canary.

import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { bindAudience } from "../../bind-audience.ts";
import { replicaCounts } from "../../defaults.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import {
  assignmentName,
  child,
  physicalName,
  replicaSizes,
  resourcesOf,
  roleDefinitionId,
  subscriptionOf,
} from "../conventions.ts";
import { controlPlaneActions, roles, runbookActions } from "./control-plane-rights.ts";
import { environmentVariables, secretsOf, stateOf } from "./control-plane-variables.ts";
import { customRole } from "./custom-role.ts";
import type { Pull } from "./image-registry.ts";

/** Where the control plane runs, what it may do, and what it works with. */
export interface ControlPlaneArgs {
  /**
   * The id of the resource group with the managed apps; the control plane may write the apps of this group. Names that
   * must be unique in Azure are derived from it.
   */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The id of the subscription with the managed apps.
   *
   * @default the subscription of `scope`
   */
  readonly subscription?: string;
  /** The id of the Entra tenant of its callers. */
  readonly tenant: string;
  /** The control plane's image. */
  readonly image: string;
  /** The registry and the identity that pulls from it: the output `pull` of `ImageRegistry`. */
  readonly pull: Pull;
  /** The environment in which it runs: outputs of `ContainerEnvironment`. */
  readonly environment: {
    /** The environment's id. */
    readonly id: pulumi.Input<string>;
    /** The domain under which its apps answer. */
    readonly domain: pulumi.Input<string>;
  };
  /** The workspace from which it reads request rows: outputs of `ContainerEnvironment`. */
  readonly workspace: {
    /** The workspace's id. The control plane gets the right to read there. */
    readonly id: pulumi.Input<string>;
    /** The workspace's customer id, by which the query API names it. */
    readonly customerId: pulumi.Input<string>;
  };
  /** The database for journals and claims: outputs of `JournalDatabase`. */
  readonly database: {
    /** The server's host name. */
    readonly host: pulumi.Input<string>;
    /** The database's name. */
    readonly name: pulumi.Input<string>;
    /**
     * The server's port.
     *
     * @default 5432
     */
    readonly port?: number;
    /**
     * Whether connections must be encrypted; `disable` is for a server on loopback.
     *
     * @default "require"
     */
    readonly tls?: "require" | "disable";
    /**
     * The login for a server that accepts passwords.
     *
     * @default none: the control plane signs in with Entra tokens, under the role that `DatabaseRole` creates for it
     */
    readonly login?:
      | {
          /** The name of the server's administrator. */
          readonly user: string;
          /** The administrator's password. It is handled as a secret. */
          readonly password: pulumi.Input<string>;
        }
      | undefined;
  };
  /** The apps whose traffic the control plane manages. It refuses calls about any other app. */
  readonly managedTargets: readonly {
    /** The resource group's name. */
    readonly resourceGroup: string;
    /** The app's name in Azure. */
    readonly app: string;
  }[];
  /** The audience that its callers' tokens must have: the URI of an app registration, such as `api://ballast`. */
  readonly audience: string;
  /**
   * The addresses of the cloud's APIs, for a cloud other than public Azure.
   *
   * @default those of public Azure
   */
  readonly endpoints?: {
    /**
     * The address of Azure Resource Manager.
     *
     * @default "https://management.azure.com"
     */
    readonly resourceManager?: string;
    /**
     * The address of the Log Analytics query API.
     *
     * @default "https://api.loganalytics.io"
     */
    readonly logs?: string;
    /**
     * The address of the sign-in (Microsoft Entra).
     *
     * @default "https://login.microsoftonline.com"
     */
    readonly login?: string;
    /**
     * The suffix of the vaults' hosts, for credentials that are rotated.
     *
     * @default "vault.azure.net"
     */
    readonly vaults?: string;
    /**
     * The suffix of storage accounts' hosts, for keys that are rotated.
     *
     * @default "core.windows.net"
     */
    readonly storage?: string;
  };
  /**
   * After how many seconds of silence a replica loses its rollouts, so that another replica recovers them.
   *
   * @default 60
   */
  readonly leaseSeconds?: number;
  /**
   * How many seconds one request to Azure may take. It must be less than `leaseSeconds`, so that a write has ended
   * before another replica recovers its rollout.
   *
   * @default 30
   */
  readonly requestSeconds?: number;
  /**
   * How many seconds request rows may arrive late. On Azure they take minutes.
   *
   * @default 180
   */
  readonly ingestionSeconds?: number;
  /**
   * Where it sends telemetry, under its own identity: the output `sender` of `Telemetry`.
   *
   * @default none
   */
  readonly telemetry?:
    | {
        /** The id of the Application Insights component. The control plane gets the right to publish there. */
        readonly insightsId: pulumi.Input<string>;
        /** The component's connection string. */
        readonly connectionString: pulumi.Input<string>;
      }
    | undefined;
  /**
   * The notifiers that are notified of rollouts, as JSON; docs/guides/notifications.md has the format. It is handled as
   * a secret: a webhook's address works like a key.
   *
   * @default none
   */
  readonly notify?: pulumi.Input<string> | undefined;
  /**
   * The credentials that are rotated, as a JSON list without any password; docs/guides/credentials.md has the
   * format, and the rights that the identity needs in vault and database. It is checked at preview.
   *
   * @default none
   */
  readonly credentials?: string | undefined;
  /**
   * The password of the role `ballast_rotator`, for database servers that accept passwords. It is handled as a secret.
   *
   * @default none: the control plane signs in with Entra tokens
   */
  readonly rotatorPassword?: pulumi.Input<string> | undefined;
  /**
   * What signs the calls of the webhooks that credentials are declared with: `whsec_` and a key in base64, or any text
   * of 24 bytes or more. It is handled as a secret.
   *
   * @default none: no webhook is called
   */
  readonly credentialWebhookSecret?: pulumi.Input<string> | undefined;
  /**
   * How many rotations may be under way at once, but those of leaked passwords. Others wait, and say for what.
   *
   * @default 3
   */
  readonly rotationsAtOnce?: number;
  /**
   * What may be done about alerts, as JSON: targets with what they depend on, and a policy for each alert rule;
   * docs/guides/remediation.md has the format. It is checked at preview. With it the identity may also read the
   * subscription's alerts, restart revisions, and start and stop jobs of its group.
   *
   * @default none: no alert is acted on
   */
  readonly remediations?: string | undefined;
  /**
   * The GitHub token with which the runbook `open-issue` writes, by reference: Key Vault holds it, so neither the
   * program nor its state does. The control plane's identity gets the right to read that one secret. The token needs to
   * write issues, and nothing else.
   *
   * @default none: `open-issue` does not fit
   */
  readonly issues?:
    | {
        /** The id of the key vault. It must use Azure RBAC. */
        readonly vaultId: pulumi.Input<string>;
        /** The URL of the secret, without a version, so that a new token is taken by itself. */
        readonly tokenUrl: pulumi.Input<string>;
        /**
         * The address of your own GitHub server's API.
         *
         * @default https://api.github.com
         */
        readonly api?: string | undefined;
      }
    | undefined;
  /**
   * The address ranges in CIDR from which its ingress accepts calls. Any other call is refused before its
   * token is read. Include the environment's own range: without it the dead man's switch gets no heartbeat
   * and acts as if the control plane were gone.
   *
   * @default any address
   */
  readonly callers?: readonly string[] | undefined;
  /**
   * The minimum number of replicas. With two, rollouts continue at once when one replica dies.
   *
   * @default 1
   */
  readonly minReplicas?: number;
  /**
   * The maximum number of replicas, at least `minReplicas`.
   *
   * @default 3
   */
  readonly maxReplicas?: number;
}

/** The port on which the image listens. */
const targetPort = 8080;
/** The service that carries out releases, rotations and remediations, as a container app. */
export class ControlPlane extends pulumi.ComponentResource {
  /**
   * The service's address. It is known once the app runs and its identity has its roles, so that no call comes before.
   */
  readonly endpoint: pulumi.Output<string>;
  /** The audience of the tokens that it accepts. `ballast` reads it and the address from a stack's outputs. */
  readonly audience: pulumi.Output<string>;
  /** Binds the audience to the host, so that `ballast` sends no token to an address that was changed since. */
  readonly binding: pulumi.Output<string>;
  /** The name of its identity, which is also the name of its role in the database. */
  readonly identityName: pulumi.Output<string>;
  /** The object id of its identity in Entra. */
  readonly identityObjectId: pulumi.Output<string>;

  constructor(name: string, given: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("ControlPlane", name, argumentForms.ControlPlane, given);
    super("ballast:index:ControlPlane", name, stateOf(args), opts);
    const { scope, resourceGroupName, location } = args;
    const appName = physicalName("app", name, scope);
    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      { resourceName: physicalName("identity", name, scope), resourceGroupName, location },
      { parent: this },
    );
    const grants = this.#grants(name, args, identity);
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
          ingress: ingressOf(args),
          ...secretsOf(args, identity.id),
        },
        template: templateOf(appName, args, identity),
      },
      { parent: this, dependsOn: grants },
    );

    this.endpoint = pulumi.all([args.environment.domain, app.id]).apply(([domain]) => `https://${appName}.${domain}`);
    this.audience = pulumi.output(args.audience);
    this.binding = this.endpoint.apply((endpoint) => bindAudience(endpoint, args.audience));
    this.identityName = identity.name;
    this.identityObjectId = identity.principalId;
    this.registerOutputs({
      endpoint: this.endpoint,
      audience: this.audience,
      binding: this.binding,
      identityName: this.identityName,
      identityObjectId: this.identityObjectId,
    });
  }

  /** Gives the identity its roles: at the group's apps, at the workspace, and where it sends telemetry. */
  #grants(name: string, args: ControlPlaneArgs, identity: UserAssignedIdentity): RoleAssignment[] {
    const { scope, telemetry, issues, subscription = subscriptionOf(scope) } = args;
    const grant = (role: "apps" | keyof typeof roles, at: pulumi.Input<string>, definition: pulumi.Input<string>) =>
      new RoleAssignment(
        child(name, `${role}-role`),
        {
          // Azure never changes the role of an assignment, so the assignment of another role has another name.
          roleAssignmentName: assignmentName(scope, name, role === "apps" ? "releases" : role),
          scope: at,
          roleDefinitionId: definition,
          principalId: identity.principalId,
          principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
        },
        { parent: this },
      );
    const builtIn = (role: keyof typeof roles, at: pulumi.Input<string>) =>
      grant(role, at, roleDefinitionId(subscription, roles[role]));
    // A plain string would not wait for the group.
    const group = pulumi.output(args.resourceGroupName).apply(() => scope);
    const description = "Moves the traffic of apps between their revisions, and activates and deactivates revisions.";
    const acts = args.remediations !== undefined;
    const actions = acts ? [...controlPlaneActions, ...runbookActions] : controlPlaneActions;
    const custom = customRole(name, { ...args, description, actions }, this);
    return [
      grant("apps", group, custom.id),
      builtIn("logs", args.workspace.id),
      ...(acts ? [builtIn("alerts", `/subscriptions/${subscription}`)] : []),
      ...(telemetry ? [builtIn("telemetry", telemetry.insightsId)] : []),
      ...(issues ? [builtIn("issues", secretIdOf(issues))] : []),
    ];
  }
}

/** Gives the id of one secret: the right to read it is no right to read the others of its vault. */
const secretIdOf = ({ vaultId, tokenUrl }: NonNullable<ControlPlaneArgs["issues"]>): pulumi.Output<string> =>
  pulumi.all([vaultId, tokenUrl]).apply(([vault, url]) => `${vault}/secrets/${new URL(url).pathname.split("/")[2]}`);

const ingressOf = ({ callers }: ControlPlaneArgs) => ({
  external: true,
  targetPort,
  transport: "http",
  traffic: [{ latestRevision: true, weight: 100 }],
  ...(callers && {
    ipSecurityRestrictions: callers.map((ipAddressRange, at) => ({
      name: `caller-${at + 1}`,
      ipAddressRange,
      action: "Allow",
    })),
  }),
});

function templateOf(appName: string, args: ControlPlaneArgs, identity: UserAssignedIdentity) {
  const { minReplicas = replicaCounts.controlPlaneMin } = args;
  const { maxReplicas = Math.max(replicaCounts.controlPlaneMax, minReplicas) } = args;
  // Only readiness checks the database: a restart would not bring the database back.
  const ready = { path: "/health", port: targetPort };
  const probes = [
    { type: "Startup", tcpSocket: { port: targetPort }, periodSeconds: 1, failureThreshold: 60 },
    { type: "Readiness", httpGet: ready, periodSeconds: 5, timeoutSeconds: 3 },
    { type: "Liveness", tcpSocket: { port: targetPort }, periodSeconds: 10 },
  ];
  const env = environmentVariables(args, identity);
  const resources = resourcesOf(replicaSizes.controlPlane);
  return {
    containers: [{ name: appName, image: args.image, env, resources, probes }],
    scale: { minReplicas, maxReplicas },
  };
}
