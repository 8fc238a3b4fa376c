// The control plane's role in its database as a deployment: a job in the environment, under an identity of its own that is the server's
// administrator. It makes tables, role and rights, so that the control plane, which is there all day and answers to calls, need not be
// mighty. Nothing here knows which rights those are; that is in the image.

import { Job } from "@pulumi/azure-native/app/job.js";
import { AdministratorsMicrosoftEntra } from "@pulumi/azure-native/dbforpostgresql/administratorsMicrosoftEntra.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { child, physicalName, replicaSizes, resourcesOf, variablesOf } from "../conventions.ts";
import type { Pull } from "./image-registry.ts";

/** Which database is prepared, and for whom. */
export interface DatabaseRoleArgs {
  /** The resource group's id, of which names that must be unique are made. */
  readonly scope: string;
  /** The group that everything of it lies in; given as the group's output, it is made first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The Entra tenant that the identity of the job is of. */
  readonly tenant: string;
  /** The control plane's image: its tables are those of its version. */
  readonly image: string;
  /** Where its image comes from and as whom it is pulled: what `ImageRegistry` gives. */
  readonly pull: Pull;
  /** The id of the environment that it runs in. */
  readonly environmentId: pulumi.Input<string>;
  /** What is prepared: what `JournalDatabase` gives. */
  readonly database: {
    /** The server's name in Azure, of which the job's identity becomes an administrator. */
    readonly serverName: pulumi.Input<string>;
    /** The name under which the server is reached. */
    readonly host: pulumi.Input<string>;
    /** The database on it. */
    readonly name: pulumi.Input<string>;
  };
  /** Who gets the role: the identity that `ControlPlane` gives. */
  readonly grantee: {
    /** The identity's name, which becomes the role's. */
    readonly name: pulumi.Input<string>;
    /** The identity's object in Entra, whose tokens the server takes for the role. */
    readonly objectId: pulumi.Input<string>;
  };
}

/** The job that an operator starts once, and after each update whose control plane says that its database is not prepared. */
export class DatabaseRole extends pulumi.ComponentResource {
  /** The job's name, under which it is started. */
  readonly job: pulumi.Output<string>;

  constructor(name: string, args: DatabaseRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:DatabaseRole", name, args, opts);
    const { scope, resourceGroupName, location, database, grantee } = args;
    const jobName = physicalName("job", name, scope);

    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      {
        resourceName: physicalName("identity", name, scope),
        resourceGroupName,
        location,
      },
      { parent: this },
    );

    const administrator = new AdministratorsMicrosoftEntra(
      child(name, "administrator"),
      {
        serverName: database.serverName,
        resourceGroupName,
        objectId: identity.principalId,
        principalName: identity.name,
        principalType: "ServicePrincipal",
        tenantId: args.tenant,
      },
      { parent: this },
    );

    const settings = {
      AZURE_CLIENT_ID: identity.clientId,
      BALLAST_DATABASE_HOST: database.host,
      BALLAST_DATABASE_NAME: database.name,
      BALLAST_DATABASE_USER: identity.name,
      BALLAST_DATABASE_GRANTEE: grantee.name,
      BALLAST_DATABASE_GRANTEE_OBJECT: grantee.objectId,
    };
    const job = new Job(
      child(name, "job"),
      {
        jobName,
        resourceGroupName,
        location,
        environmentId: args.environmentId,
        identity: { type: "UserAssigned", userAssignedIdentities: [identity.id, args.pull.identity] },
        configuration: {
          triggerType: "Manual", // an administrator that wakes up by itself would be one at work all day
          registries: [args.pull],
          manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
          replicaTimeout: 600,
          replicaRetryLimit: 2, // a new administrator may not be known everywhere yet; repeating it is harmless
        },
        template: {
          containers: [
            { name: jobName, image: args.image, env: variablesOf(settings), resources: resourcesOf(replicaSizes.job) },
          ],
        },
      },
      { parent: this, dependsOn: administrator },
    );

    this.job = job.name;
    this.registerOutputs({ job: this.job });
  }
}
