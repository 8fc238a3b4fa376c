// The dead man's switch as a deployment: a job that runs every minute under an identity of its own, with a role that holds just what it
// needs, at the apps that it may have to give back and nowhere else. It lives apart from the control plane, whose end it is there for.
// Nothing here knows how it listens or what it does; that is in deadman/.

import { Job } from "@pulumi/azure-native/app/job.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { RoleDefinition } from "@pulumi/azure-native/authorization/roleDefinition.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { patience, publicAzure } from "../../defaults.ts";
import {
  assignmentName,
  child,
  physicalName,
  replicaSizes,
  resourcesOf,
  subscriptionOf,
  variablesOf,
} from "../conventions.ts";
import type { Pull } from "./image-registry.ts";

/**
 * What the switch may do with an app: read it, see whether its stable revision is up, bring that back, and write the traffic.
 *
 * Found by taking away: without any one of them some silence ends with users on the canary. Azure has no smaller word for
 * writing traffic than writing the app; it reads the app back instead of polling operations, which would be another right.
 */
export const switchActions = [
  "Microsoft.App/containerApps/read",
  "Microsoft.App/containerApps/write",
  "Microsoft.App/containerApps/revisions/read",
  "Microsoft.App/containerApps/revisions/activate/action",
] as const;

/** Whom the switch listens to, and what it may give back. */
export interface DeadMansSwitchArgs {
  /** The resource group's id, in which the role may be assigned and of which names that must be unique are made. */
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
  /** The image of the job. */
  readonly image: string;
  /** Where its image comes from and as whom it is pulled: what `ImageRegistry` gives. */
  readonly pull: Pull;
  /** The id of the environment that it runs in. */
  readonly environmentId: pulumi.Input<string>;
  /** The address of the control plane whose heartbeat is listened for. */
  readonly controlPlaneEndpoint: pulumi.Input<string>;
  /** The apps that it gives back; each id is known once the app is there, since nobody can be given a right at what is not. */
  readonly inventory: readonly {
    /** The resource group's name. */
    readonly resourceGroup: string;
    /** The app's name in Azure. */
    readonly app: string;
    /** The app's id, at which the job gets its right: what `CanaryApp` gives as `appId`. */
    readonly id: pulumi.Input<string>;
  }[];
  /**
   * Resource Manager's address, where that is not public Azure's.
   *
   * @default "https://management.azure.com"
   */
  readonly resourceManager?: string;
  /**
   * For how long it listens before it acts. With a rollout in flight, one heartbeat in that time must tell of a write that is no older.
   *
   * @default 240
   */
  readonly silenceSeconds?: number;
}

/** Every minute; where one run listens longer, runs overlap, which does no harm. */
const schedule = "* * * * *";

/** How long giving one app back may take, revisions that must be activated first included. */
const patienceSeconds = 120;
/** What the platform may need beside the listening and the patience. */
const slackSeconds = 60;

/** The job that gives users back to the stable revision when the control plane is gone. */
export class DeadMansSwitch extends pulumi.ComponentResource {
  /** The job's name, under which its executions are listed. */
  readonly job: pulumi.Output<string>;

  constructor(name: string, args: DeadMansSwitchArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:DeadMansSwitch", name, args, opts);
    const { scope, resourceGroupName, location, inventory, silenceSeconds = patience.silenceSeconds } = args;
    const jobName = physicalName("job", name, scope);
    const guid = assignmentName(scope, name, "role");

    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      {
        resourceName: physicalName("identity", name, scope),
        resourceGroupName,
        location,
      },
      { parent: this },
    );

    const role = new RoleDefinition(
      child(name, "role"),
      {
        roleDefinitionId: guid,
        // An id of text would not wait for the group to exist, hence by way of its name.
        scope: pulumi.output(resourceGroupName).apply(() => scope),
        roleName: `Ballast ${name} in ${scope.split("/").at(-1)} (${guid.slice(0, 8)})`, // the whole directory shares one name space
        roleType: "CustomRole",
        description: "Gives an app's traffic back to its stable revision when Ballast's control plane is gone.",
        permissions: [{ actions: [...switchActions] }],
        assignableScopes: [scope],
      },
      { parent: this },
    );

    const grants = inventory.map(
      ({ app, id }) =>
        new RoleAssignment(
          child(name, `role-at-${app}`),
          {
            roleAssignmentName: assignmentName(scope, name, `role-at-${app}`),
            scope: id,
            roleDefinitionId: role.id,
            principalId: identity.principalId,
            principalType: "ServicePrincipal", // without it the assignment may fail until the new identity is known everywhere
          },
          { parent: this },
        ),
    );

    const job = new Job(
      child(name, "job"),
      {
        jobName,
        resourceGroupName,
        location,
        environmentId: args.environmentId,
        identity: { type: "UserAssigned", userAssignedIdentities: [identity.id, args.pull.identity] },
        configuration: {
          triggerType: "Schedule",
          registries: [args.pull],
          scheduleTriggerConfig: { cronExpression: schedule, parallelism: 1, replicaCompletionCount: 1 },
          replicaTimeout: silenceSeconds + patienceSeconds + slackSeconds,
          replicaRetryLimit: 0, // the next minute is the retry
        },
        template: {
          containers: [
            {
              name: jobName,
              image: args.image,
              env: settings(args, silenceSeconds, identity),
              resources: resourcesOf(replicaSizes.job),
            },
          ],
        },
      },
      { parent: this, dependsOn: grants },
    );

    this.job = job.name;
    this.registerOutputs({ job: this.job });
  }
}

/** Gives what deadman/main.ts reads from its environment. */
function settings(
  args: DeadMansSwitchArgs,
  silenceSeconds: number,
  identity: UserAssignedIdentity,
): { name: string; value: pulumi.Input<string> }[] {
  return variablesOf<pulumi.Input<string>>({
    BALLAST_HEALTH: pulumi.interpolate`${args.controlPlaneEndpoint}/health`,
    BALLAST_DEADMAN_SECONDS: String(silenceSeconds),
    BALLAST_DEADMAN_PATIENCE_SECONDS: String(patienceSeconds),
    BALLAST_SUBSCRIPTION: args.subscription ?? subscriptionOf(args.scope),
    BALLAST_INVENTORY: JSON.stringify(args.inventory.map(({ resourceGroup, app }) => ({ resourceGroup, app }))),
    BALLAST_RESOURCE_MANAGER: args.resourceManager ?? publicAzure.resourceManager,
    AZURE_CLIENT_ID: identity.clientId,
  });
}
