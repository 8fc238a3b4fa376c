// The dead man's switch as a deployment: a job that runs every minute, and an identity with a custom role of the least
// rights at the managed apps and nowhere else. It shares nothing with the control plane but its heartbeat. The job's
// program is in deadman/.

import { Job } from "@pulumi/azure-native/app/job.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { patience, publicAzure } from "../../defaults.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import {
  assignmentName,
  child,
  physicalName,
  replicaSizes,
  resourcesOf,
  subscriptionOf,
  variablesOf,
} from "../conventions.ts";
import { customRole } from "./custom-role.ts";
import type { Pull } from "./image-registry.ts";

/**
 * What the switch may do with an app: read it, read and activate its revisions, and write its traffic.
 *
 * Each right is needed: a test removes one at a time, and users then stay with the canary. Azure has no smaller right
 * for writing traffic than for writing the app. The switch reads the app back instead of polling the operation, which
 * would need another right.
 */
export const switchActions = [
  "Microsoft.App/containerApps/read",
  "Microsoft.App/containerApps/write",
  "Microsoft.App/containerApps/revisions/read",
  "Microsoft.App/containerApps/revisions/activate/action",
] as const;

/** The control plane that the switch watches, and the apps that it may return to stable. */
export interface DeadMansSwitchArgs {
  /** The resource group's id. The role can be assigned in it, and names that must be unique are derived from it. */
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
  /** The job's image. */
  readonly image: string;
  /** The registry and the identity that pulls from it: the output `pull` of `ImageRegistry`. */
  readonly pull: Pull;
  /** The id of the environment in which the job runs: the output `environmentId` of `ContainerEnvironment`. */
  readonly environmentId: pulumi.Input<string>;
  /** The address of the control plane whose heartbeat the switch reads: the output `endpoint` of `ControlPlane`. */
  readonly controlPlaneEndpoint: pulumi.Input<string>;
  /** The apps whose traffic the switch may return to stable. */
  readonly managedTargets: readonly {
    /** The resource group's name. */
    readonly resourceGroup: string;
    /** The app's name in Azure. */
    readonly app: string;
    /** The app's id, at which the job gets its rights: the output `appId` of `CanaryApp`. */
    readonly id: pulumi.Input<string>;
  }[];
  /**
   * The address of Azure Resource Manager.
   *
   * @default "https://management.azure.com"
   */
  readonly resourceManager?: string;
  /**
   * How many seconds the control plane must be silent before the switch acts. While a rollout is in flight, a heartbeat
   * counts only if the rollout's journal was written within that time.
   *
   * @default 240
   */
  readonly silenceSeconds?: number;
}

/** Every minute. A run that listens for longer overlaps the next one, which does no harm. */
const schedule = "* * * * *";

/** How long returning one app to stable may take, including the activation of its revision. */
const patienceSeconds = 120;
/** The time that the platform may need for starting the job. */
const slackSeconds = 60;

/** A job that returns all traffic to the stable revision when the control plane is gone. */
export class DeadMansSwitch extends pulumi.ComponentResource {
  /** The job's name, by which its executions are listed. */
  readonly job: pulumi.Output<string>;

  constructor(name: string, given: DeadMansSwitchArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("DeadMansSwitch", name, argumentForms.DeadMansSwitch, given);
    super("ballast:index:DeadMansSwitch", name, args, opts);
    const { scope, resourceGroupName, location, silenceSeconds = patience.silenceSeconds } = args;
    const jobName = physicalName("job", name, scope);
    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      { resourceName: physicalName("identity", name, scope), resourceGroupName, location },
      { parent: this },
    );
    const grants = this.#grants(name, args, identity);
    const env = environmentVariables(args, silenceSeconds, identity);
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
          replicaRetryLimit: 0, // the next minute's run is the retry
        },
        template: {
          containers: [{ name: jobName, image: args.image, env, resources: resourcesOf(replicaSizes.job) }],
        },
      },
      { parent: this, dependsOn: grants },
    );

    this.job = job.name;
    this.registerOutputs({ job: this.job });
  }

  /** Gives the identity a custom role at each managed app. */
  #grants(name: string, args: DeadMansSwitchArgs, identity: UserAssignedIdentity): RoleAssignment[] {
    const { scope, managedTargets } = args;
    const description = "Returns an app's traffic to its stable revision when Ballast's control plane is gone.";
    const role = customRole(name, { ...args, description, actions: switchActions }, this);
    return managedTargets.map(
      ({ app, id }) =>
        new RoleAssignment(
          child(name, `role-at-${app}`),
          {
            roleAssignmentName: assignmentName(scope, name, `role-at-${app}`),
            scope: id,
            roleDefinitionId: role.id,
            principalId: identity.principalId,
            principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
          },
          { parent: this },
        ),
    );
  }
}

/** Returns the environment variables that deadman/main.ts reads. */
function environmentVariables(
  args: DeadMansSwitchArgs,
  silenceSeconds: number,
  identity: UserAssignedIdentity,
): { name: string; value: pulumi.Input<string> }[] {
  return variablesOf<pulumi.Input<string>>({
    BALLAST_HEALTH: pulumi.interpolate`${args.controlPlaneEndpoint}/health`,
    BALLAST_DEADMAN_SECONDS: String(silenceSeconds),
    BALLAST_DEADMAN_PATIENCE_SECONDS: String(patienceSeconds),
    BALLAST_SUBSCRIPTION: args.subscription ?? subscriptionOf(args.scope),
    BALLAST_MANAGED_TARGETS: JSON.stringify(
      args.managedTargets.map(({ resourceGroup, app }) => ({ resourceGroup, app })),
    ),
    BALLAST_RESOURCE_MANAGER: args.resourceManager ?? publicAzure.resourceManager,
    AZURE_CLIENT_ID: identity.clientId,
  });
}
