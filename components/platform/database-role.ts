// A job that prepares the database: it creates tables, and a role with few rights for the control plane. The job's own
// identity is the server's administrator, so that the control plane, which runs all day and answers calls, need not be.

import { Job } from "@pulumi/azure-native/app/job.js";
import { AdministratorsMicrosoftEntra } from "@pulumi/azure-native/dbforpostgresql/administratorsMicrosoftEntra.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, physicalName, replicaSizes, resourcesOf, variablesOf } from "../conventions.ts";
import type { Pull } from "./image-registry.ts";

/** The database that is prepared, and the identity that gets a role in it. */
export interface DatabaseRoleArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The id of the Entra tenant of the job's identity. */
  readonly tenant: string;
  /** The control plane's image. The job creates the tables of that version. */
  readonly image: string;
  /** The registry and the identity that pulls from it: the output `pull` of `ImageRegistry`. */
  readonly pull: Pull;
  /** The id of the environment in which the job runs: the output `environmentId` of `ContainerEnvironment`. */
  readonly environmentId: pulumi.Input<string>;
  /** The database to prepare: outputs of `JournalDatabase`. */
  readonly database: {
    /** The server's name in Azure. The job's identity becomes an administrator of the server. */
    readonly serverName: pulumi.Input<string>;
    /** The server's host name. */
    readonly host: pulumi.Input<string>;
    /** The database's name. */
    readonly name: pulumi.Input<string>;
  };
  /** The identity that gets the role: outputs of `ControlPlane`. */
  readonly grantee: {
    /** The identity's name, which becomes the name of the role. */
    readonly name: pulumi.Input<string>;
    /** The identity's object id in Entra. The server accepts its tokens for the role. */
    readonly objectId: pulumi.Input<string>;
  };
  /**
   * The roles of credentials that the grantee rotates. With these the job prepares the database for rotations instead:
   * it makes the roles, lets the grantee change them and nothing else, and creates no tables.
   *
   * @default none: the job prepares the control plane's own database
   */
  readonly credentials?: readonly {
    /** The role without login that owns what the pair creates, and has its rights. */
    readonly owner: string;
    /** The login role of slot a. */
    readonly a: string;
    /** The login role of slot b. */
    readonly b: string;
    /**
     * The identity that changes the schema: outputs of `DatabaseMigration`. It acts as the owner too, and may create
     * in the schema `public`.
     *
     * @default none
     */
    readonly migrator?: {
      /** The identity's name, which becomes the name of its role. */
      readonly name: pulumi.Input<string>;
      /** The identity's object id in Entra. */
      readonly objectId: pulumi.Input<string>;
    };
  }[];
}

/**
 * A job that prepares the control plane's database, or a database whose credentials it rotates. An operator starts it
 * once, and again whenever the control plane reports that a database is not prepared.
 */
export class DatabaseRole extends pulumi.ComponentResource {
  /** The job's name, by which it is started. */
  readonly job: pulumi.Output<string>;

  constructor(name: string, given: DatabaseRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("DatabaseRole", name, argumentForms.DatabaseRole, given);
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
      ...(args.credentials && { BALLAST_DATABASE_CREDENTIALS: pulumi.jsonStringify(args.credentials) }),
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
          triggerType: "Manual", // an administrator should act only when an operator starts it
          registries: [args.pull],
          manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
          replicaTimeout: 600,
          replicaRetryLimit: 2, // a new administrator takes time to become known; the job may be repeated
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
