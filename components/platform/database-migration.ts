// The two jobs that change the schema of an app's database around a rollout: `expand` before it, `contract` after it.
// The workflow `db-migrate` starts them and waits; what they run and in which order is `ballast migration run`.

import { Job } from "@pulumi/azure-native/app/job.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { databaseAccess } from "../../defaults.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, physicalName, replicaSizes, resourcesOf, variablesOf } from "../conventions.ts";
import { accessInState, type DatabaseAccess } from "./database-access.ts";
import type { Pull } from "./image-registry.ts";

/** The database whose schema is changed, and the image with the changes. */
export interface DatabaseMigrationArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The image with the SQL files, the package `ballast` in `node_modules` and Node. The image of the app itself has the
   * files that its commit needs.
   */
  readonly image: pulumi.Input<string>;
  /** The registry and the identity that pulls from it: the output `pull` of `ImageRegistry`. */
  readonly pull: Pull;
  /** The id of the environment in which the jobs run: the output `environmentId` of `ContainerEnvironment`. */
  readonly environmentId: pulumi.Input<string>;
  /** The app's database. */
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
     * A role with a password, for a server without Entra.
     *
     * @default none: the jobs sign in by a token of their own identity
     */
    readonly login?: {
      /** The role's name. */
      readonly user: string;
      /** Its password. It is handled as a secret. */
      readonly password: pulumi.Input<string>;
    };
  };
  /**
   * The folder with the SQL files, from the image's working directory.
   *
   * @default "migrations"
   */
  readonly folder?: string;
  /**
   * How many minutes a phase may take. The workflow `db-migrate` waits for about an hour: it reports a longer phase as
   * failed, and the job goes on.
   *
   * @default 60
   */
  readonly minutes?: number;
}

const phases = ["expand", "contract"] as const;
type Phase = (typeof phases)[number];

const passwordSecret = "database-password";

/**
 * Two jobs that change the schema of an app's database, one before a rollout and one after it. They run only when they
 * are started: nothing is contracted by `pulumi up`, whose rollout has to end first.
 */
export class DatabaseMigration extends pulumi.ComponentResource {
  /** The name of the job that runs before a rollout: the input `job` of `db-migrate` with the phase `expand`. */
  readonly expandJob: pulumi.Output<string>;
  /** The name of the job that runs after it: the input `job` with the phase `contract`. */
  readonly contractJob: pulumi.Output<string>;
  /** The name of the jobs' identity and of its role in the database: `migrator` of `DatabaseRole`. */
  readonly identityName: pulumi.Output<string>;
  /** The identity's object id in Entra. */
  readonly identityObjectId: pulumi.Output<string>;

  constructor(name: string, given: DatabaseMigrationArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("DatabaseMigration", name, argumentForms.DatabaseMigration, given);
    super("ballast:index:DatabaseMigration", name, stateOf(args), opts);
    const { scope, resourceGroupName, location } = args;
    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      { resourceName: physicalName("identity", name, scope), resourceGroupName, location },
      { parent: this },
    );
    const [expand, contract] = phases.map((phase) => this.#job(name, phase, args, identity)) as [Job, Job];
    this.expandJob = expand.name;
    this.contractJob = contract.name;
    this.identityName = identity.name;
    this.identityObjectId = identity.principalId;
    const { expandJob, contractJob, identityName, identityObjectId } = this;
    this.registerOutputs({ expandJob, contractJob, identityName, identityObjectId });
  }

  #job(name: string, phase: Phase, args: DatabaseMigrationArgs, identity: UserAssignedIdentity): Job {
    const { scope, resourceGroupName, location, database, image, pull, folder = "migrations", minutes = 60 } = args;
    const jobName = physicalName("job", `${name}-${phase}`, scope);
    const { login } = database;
    return new Job(
      child(name, `${phase}-job`),
      {
        jobName,
        resourceGroupName,
        location,
        environmentId: args.environmentId,
        identity: { type: "UserAssigned", userAssignedIdentities: [identity.id, pull.identity] },
        configuration: {
          triggerType: "Manual", // a phase has its moment, which the workflow knows
          registries: [pull],
          ...(login && { secrets: [{ name: passwordSecret, value: pulumi.secret(login.password) }] }),
          manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
          replicaTimeout: minutes * 60,
          replicaRetryLimit: 0, // what failed is said at once; a file that has run is not run again
        },
        template: {
          containers: [
            {
              name: jobName,
              image,
              command: ["node_modules/.bin/ballast", "migration", "run", folder, "--phase", phase],
              env: environmentOf(database, identity),
              resources: resourcesOf(replicaSizes.job),
            },
          ],
        },
      },
      { parent: this },
    );
  }
}

/** Gives the arguments as the state keeps them: the component's own inputs are in it too. */
const stateOf = ({ database, ...args }: DatabaseMigrationArgs): object => ({
  ...args,
  database: accessInState(database),
});

/** Gives the variables that `ballast migration run` reads. */
const environmentOf = ({ host, name, port, tls, login }: DatabaseAccess, by: UserAssignedIdentity) => [
  ...variablesOf<pulumi.Input<string>>({
    AZURE_CLIENT_ID: by.clientId,
    PGHOST: host,
    PGPORT: String(port ?? databaseAccess.port),
    PGDATABASE: name,
    PGUSER: login?.user ?? by.name,
    PGSSLMODE: tls ?? databaseAccess.tls,
  }),
  ...(login === undefined ? [] : [{ name: "PGPASSWORD", secretRef: passwordSecret }]),
];
