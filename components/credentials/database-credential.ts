// A database credential that is rotated: two login roles, two slots in a vault, and the secret that is published. The
// control plane makes every value; this component only declares where they are, who reads them and how long each wait
// may take.
import * as pulumi from "@pulumi/pulumi";
import { type Credential as Declared, slotSecret, slots, userSecret } from "../../engines/rotation/declaration.ts";
import { credentialFormOther } from "../../errors/credentials.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { refusal } from "../conventions.ts";
import { present } from "./present.ts";
import { type CredentialReference, declareSlots, type RotatedArgs, type SlotUrls } from "./rotated-slots.ts";

/** What is rotated, for whom, and how long each wait of a rotation may take. */
export interface DatabaseCredentialArgs extends RotatedArgs {
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
}

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
    const passwords = slots.map((slot) => slotSecret(args.credential, slot));
    const { urls, identity, reference } = declareSlots(this, name, args, {
      declared: declarationOf(args),
      alsoRead: args.form === "apart" ? passwords.map(userSecret) : [],
    });
    this.urls = urls;
    this.identity = identity;
    this.#name = name;
    this.#form = args.form ?? "uri";
    this.#reference = reference;
    this.registerOutputs({ urls, identity });
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
}

/** Returns what the control plane is told of the database. */
const declarationOf = ({ server, database, roles, rotator, preparedBy, form, checks }: DatabaseCredentialArgs) => ({
  server: server.host,
  ...present({ port: server.port, tls: server.tls, preparedBy, form, checks }),
  database,
  roles,
  rotator,
});
