// A database credential that is rotated: two login roles, two slots in a vault, and the secret that is published. The
// control plane makes every value; this component only declares where they are, who reads them and how long each wait
// may take.

import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import type { Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";
import {
  type Consumer,
  type Credential as Declared,
  type Freeze,
  type RotationWindow,
  slotSecret,
  slots,
  userSecret,
} from "../../engines/rotation/declaration.ts";
import { credentialFormOther } from "../../errors/credentials.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { assignmentName, child, physicalName, refusal, roleDefinitionId, subscriptionOf } from "../conventions.ts";
import { completedConsumer } from "./completed-consumer.ts";
import { Credential } from "./credential.ts";

/** An app that logs in with the credential. Fields that are left out have their defaults. */
export interface ConsumerArgs extends Pick<Consumer, "resourceGroup" | "app">, Partial<Pick<Consumer, "probePath">> {
  readonly strategy?: Partial<Strategy>;
  readonly thresholds?: Partial<Thresholds>;
}

/** What is rotated, for whom, and how long each wait of a rotation may take. */
export interface DatabaseCredentialArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The vault that holds the secrets: outputs of `SecretVault`. */
  readonly vault: {
    /** The vault's id. The identity that reads the two slots gets its role there. */
    readonly id: pulumi.Input<string>;
    /** The vault's name. */
    readonly name: pulumi.Input<string>;
  };
  /**
   * The name of the published secret, and the beginning of the names of both slots: `database` has the slots
   * `database-a` and `database-b`.
   */
  readonly credential: string;
  /** The control plane that rotates it. */
  readonly controlPlane: {
    /** Its address: the output `endpoint` of `ControlPlane`. */
    readonly endpoint: pulumi.Input<string>;
    /** The audience of the tokens that it accepts. */
    readonly audience: string;
  };
  /** The database server. */
  readonly server: {
    /** Its host name. */
    readonly host: pulumi.Input<string>;
    /**
     * Its port.
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
  };
  /** The name of the database. */
  readonly database: pulumi.Input<string>;
  /** The login role of each slot. A `DatabaseRole` job makes them, as members of one owner that may not log in. */
  readonly roles: {
    /** The role of slot a. */
    readonly a: string;
    /** The role of slot b. */
    readonly b: string;
  };
  /** The role as which the control plane changes the two: the output `identityName` of `ControlPlane`. */
  readonly rotator: pulumi.Input<string>;
  /**
   * The job that makes the roles: outputs of `DatabaseRole`. If they are missing, the refusal names its command.
   *
   * @default none
   */
  readonly preparedBy?:
    | {
        /** The job's resource group. */
        readonly resourceGroup: string;
        /** The job's name. */
        readonly job: pulumi.Input<string>;
      }
    | undefined;
  /**
   * How the value of a slot is written: as a URI, as libpq's `key=value` pairs, as a .NET connection string, or apart:
   * the password alone, with the role in a secret of its own.
   *
   * @default "uri"
   */
  readonly form?: Declared["form"];
  /**
   * Queries that a new role must be able to run, beside the rights that the old role has.
   *
   * @default []
   */
  readonly checks?: readonly string[];
  /**
   * The apps that log in with the credential, in the order in which a rotation cuts them over. They must be managed
   * targets of the control plane. Each may have a `probePath`, a `strategy` and `thresholds`, as a release has.
   */
  readonly consumers: readonly ConsumerArgs[];
  /**
   * After how many days a version expires.
   *
   * @default 60
   */
  readonly validDays?: number;
  /**
   * How many days before it expires a version is replaced.
   *
   * @default 30
   */
  readonly dueDays?: number;
  /**
   * How long each wait of a rotation may take, in seconds. A field that is left out has its default.
   *
   * @default every field's own
   */
  readonly timings?: Partial<Declared["timings"]>;
  /**
   * When a rotation may begin, in UTC: `{ days: ["monday"], from: "22:00", until: "04:00" }`. Without `days` it is
   * every day. Another one waits, and says until when.
   *
   * @default at any time
   */
  readonly window?: RotationWindow;
  /**
   * Times in which no rotation begins, each with the reason: `{ from: "2026-12-20T00:00:00Z", until: …, why: … }`. A
   * leaked password waits for none.
   *
   * @default []
   */
  readonly freezes?: readonly Freeze[];
  /**
   * The object ids in Entra of those who may ask for a rotation. A version that is due needs nobody.
   *
   * @default []: everybody with the app role
   */
  readonly mayRotate?: readonly string[];
  /**
   * The credential with which this one is changed, as `vault/name`. The two are never rotated at once, and that one
   * goes first.
   *
   * @default none
   */
  readonly managedBy?: pulumi.Input<string>;
}

/** A slot of a credential for one variable of an app: where the two secrets are, and who may read them. No value. */
export interface CredentialReference {
  /** The name of the published secret. */
  readonly credential: string;
  /** How the values are written. */
  readonly form: Declared["form"];
  /** The names of the two secrets, in the vault and in the app. */
  readonly slots: readonly [string, string];
  /** The URL of a version of each slot. */
  readonly urls: pulumi.Input<SlotUrls>;
  /** The id of the identity that may read both. */
  readonly identity: pulumi.Input<string>;
  /** The apps that may use it. */
  readonly consumers: readonly {
    /** The app's resource group. */
    readonly resourceGroup: string;
    /** The app's name in Azure. */
    readonly app: string;
  }[];
}

/** The URL of a version of each slot. */
interface SlotUrls {
  readonly a: string;
  readonly b: string;
}

/** Key Vault Secrets User, by the GUID that the role has in every tenant. */
const secretsUser = "4633458b-17de-408a-b874-0445c86b69e6";

/**
 * A pair of database roles whose passwords the control plane makes and rotates. Give `uri()`, `keyValue()` or
 * `dotnet()`, or both `user()` and `password()`, to a `CanaryApp` as its `credentials`.
 */
export class DatabaseCredential extends pulumi.ComponentResource {
  /** The URL of a version of each slot. It is known once the versions exist and the identity may read them. */
  readonly urls: pulumi.Output<SlotUrls>;
  /** The id of the identity that may read both slots. An app that names one gets it. */
  readonly identity: pulumi.Output<string>;
  readonly #name: string;
  readonly #form: Declared["form"];
  readonly #reference: Omit<CredentialReference, "form">;

  constructor(name: string, given: DatabaseCredentialArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("DatabaseCredential", name, argumentForms.DatabaseCredential, given);
    super("ballast:index:DatabaseCredential", name, args, opts);
    const { scope, resourceGroupName, location, credential } = args;
    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      { resourceName: physicalName("identity", name, scope), resourceGroupName, location },
      { parent: this },
    );
    const declared = new Credential(child(name, "credential"), declarationOf(args), { parent: this });
    const names = slots.map((slot) => slotSecret(credential, slot)) as [string, string];
    const read = [...names, ...(args.form === "apart" ? names.map(userSecret) : [])];
    const rights = read.map((secret) => this.#readerOf(name, args, secret, identity, declared));

    this.urls = pulumi.all([declared.urls, pulumi.all(rights.map(({ id }) => id))]).apply(([urls]) => urls);
    this.identity = identity.id;
    this.#name = name;
    this.#form = args.form ?? "uri";
    const consumers = args.consumers.map(({ resourceGroup, app }) => ({ resourceGroup, app }));
    this.#reference = { credential, slots: names, urls: this.urls, identity: this.identity, consumers };
    this.registerOutputs({ urls: this.urls, identity: this.identity });
  }

  /** Refers to the credential as `postgresql://user:password@host:port/database`. */
  uri(): CredentialReference {
    return this.#as("uri");
  }

  /** Refers to the credential as `host=… user=… password=…`, as libpq reads it. */
  keyValue(): CredentialReference {
    return this.#as("key-value");
  }

  /** Refers to the credential as `Host=…;Username=…;Password=…`, as Npgsql reads it. */
  dotnet(): CredentialReference {
    return this.#as("dotnet");
  }

  /** Refers to the password alone. The host and the database are the program's own to say. */
  password(): CredentialReference {
    return this.#as("apart");
  }

  /** Refers to the role whose password `password()` is. An app that takes one of the two takes both. */
  user(): CredentialReference {
    const { slots: names, urls, ...reference } = this.#as("apart");
    // The role of a slot never changes, so no version of it has to be named.
    const ofUser = (url: string): string => userSecret(url.slice(0, url.lastIndexOf("/")));
    return {
      ...reference,
      slots: names.map(userSecret) as [string, string],
      urls: pulumi.output(urls).apply(({ a, b }) => ({ a: ofUser(a), b: ofUser(b) })),
    };
  }

  /** @throws credential-form-other if the values are written in another form */
  #as(form: Declared["form"]): CredentialReference {
    if (form !== this.#form) throw refusal(credentialFormOther({ name: this.#name, form: this.#form, asked: form }));
    return { ...this.#reference, form };
  }

  /** Lets the identity read one secret. Azure gives no role at a secret that does not exist. */
  #readerOf(
    name: string,
    { scope, vault }: DatabaseCredentialArgs,
    secret: string,
    identity: UserAssignedIdentity,
    declared: Credential,
  ): RoleAssignment {
    return new RoleAssignment(
      child(name, `role-at-${secret}`),
      {
        roleAssignmentName: assignmentName(scope, name, `reader of ${secret}`),
        scope: pulumi.interpolate`${vault.id}/secrets/${secret}`,
        roleDefinitionId: roleDefinitionId(subscriptionOf(scope), secretsUser),
        principalId: identity.principalId,
        principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
      },
      { parent: this, dependsOn: declared },
    );
  }
}

/** Returns what the control plane is told. */
function declarationOf(args: DatabaseCredentialArgs) {
  const { controlPlane, vault, credential, server, database, roles, rotator, preparedBy, consumers } = args;
  const { form, checks, validDays, dueDays, timings, window, freezes, mayRotate, managedBy } = args;
  return {
    ...controlPlane,
    vault: vault.name,
    credential,
    server: server.host,
    ...(server.port !== undefined && { port: server.port }),
    ...(server.tls !== undefined && { tls: server.tls }),
    database,
    roles,
    rotator,
    ...(preparedBy && { preparedBy }),
    consumers: consumers.map(completedConsumer),
    ...Object.fromEntries(
      Object.entries({ form, checks, validDays, dueDays, timings, window, freezes, mayRotate, managedBy }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  };
}
