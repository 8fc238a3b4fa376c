// The PostgreSQL server that holds every journal and every claim. On Azure it accepts no passwords: identities sign in
// with Entra tokens, under roles that `DatabaseRole` creates.

import { Database } from "@pulumi/azure-native/dbforpostgresql/database.js";
import { FirewallRule } from "@pulumi/azure-native/dbforpostgresql/firewallRule.js";
import { getServer } from "@pulumi/azure-native/dbforpostgresql/getServer.js";
import { Server } from "@pulumi/azure-native/dbforpostgresql/server.js";
import * as pulumi from "@pulumi/pulumi";
import { databaseSku, databaseVersion, retentionDays } from "../../defaults.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, physicalName } from "../conventions.ts";
import { keptPlace } from "./network.ts";

/** Where the database is, how it is reached, and how clients sign in. */
export interface JournalDatabaseArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The server's size, by Azure's name for it. The tier follows from the size.
   *
   * @default "Standard_B1ms"
   */
  readonly sku?: string;
  /**
   * For how many days back the server can be restored to any moment.
   *
   * @default 7
   */
  readonly backupRetentionDays?: number;
  /**
   * Whether the server has a standby in another zone. A burstable size (`Standard_B…`) cannot have one.
   *
   * @default false
   */
  readonly zoneRedundant?: boolean;
  /**
   * The network in which the server is private: it has no address on the internet, and its name is in a private
   * zone. It cannot be added or removed later.
   *
   * @default none: any Azure service can reach the server, and signing in needs an Entra token
   */
  readonly network?:
    | {
        /** The id of the server's subnet: a /28 or larger, delegated to Microsoft.DBforPostgreSQL/flexibleServers. */
        readonly subnet: pulumi.Input<string>;
        /**
         * The id of the private zone for the server's name. Its own name ends in `.postgres.database.azure.com`, and it
         * must be linked to every network from which clients sign in.
         */
        readonly zone: pulumi.Input<string>;
      }
    | undefined;
  /** The id of the Entra tenant whose tokens the server accepts. */
  readonly tenant: string;
  /**
   * The password of the server's administrator, whose name is `ballast`. With a password the server accepts passwords
   * and no tokens. It is handled as a secret.
   *
   * @default none: the server accepts Entra tokens only
   */
  readonly password?: pulumi.Input<string> | undefined;
}

/** The name of the server's administrator, if the server accepts passwords. */
export const administrator = "ballast";

/** Azure requires the tier beside the size, although each size is of one tier. */
const tierOf = (sku: string): string =>
  ({ B: "Burstable", E: "MemoryOptimized" })[sku.charAt("Standard_".length)] ?? "GeneralPurpose";

/**
 * A PostgreSQL flexible server with the control plane's database. Every journal is in it, so Pulumi refuses to delete
 * or replace it, unless it accepts a password, as on the emulator, or the program passes the option `protect: false`.
 */
export class JournalDatabase extends pulumi.ComponentResource {
  /** The server's name in Azure. */
  readonly serverName: pulumi.Output<string>;
  /** The server's host name. */
  readonly host: pulumi.Output<string>;
  /** The database's name. It is known once the control plane can connect. */
  readonly databaseName: pulumi.Output<string>;

  constructor(name: string, given: JournalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("JournalDatabase", name, argumentForms.JournalDatabase, given);
    // The component's own inputs are in the state too, so its secret must be marked.
    const inputs = args.password === undefined ? args : { ...args, password: pulumi.secret(args.password) };
    super("ballast:index:JournalDatabase", name, inputs, opts);
    const { resourceGroupName } = args;
    // Children inherit a choice of the program's own; a server with a password is one of the emulator.
    const protect = opts?.protect ?? args.password === undefined;
    const server = this.#server(name, args, protect);
    // 0.0.0.0 means Azure's services: without the rule no container app reaches a public
    // server. A private server has no firewall.
    const azureServices = args.network
      ? undefined
      : new FirewallRule(
          child(name, "azure-services"),
          {
            firewallRuleName: "azure-services",
            serverName: server.name,
            resourceGroupName,
            startIpAddress: "0.0.0.0",
            endIpAddress: "0.0.0.0",
          },
          { parent: this },
        );
    const database = new Database(
      child(name, "database"),
      {
        databaseName: "ballast",
        serverName: server.name,
        resourceGroupName,
        charset: "UTF8",
        collation: "en_US.utf8",
      },
      { parent: this, protect },
    );

    this.serverName = server.name;
    this.host = server.fullyQualifiedDomainName;
    this.databaseName = pulumi.all([database.name, azureServices?.id]).apply(([databaseName]) => databaseName);
    this.registerOutputs({ serverName: this.serverName, host: this.host, databaseName: this.databaseName });
  }

  #server(name: string, args: JournalDatabaseArgs, protect: boolean): Server {
    const { scope, resourceGroupName, location, sku = databaseSku } = args;
    const serverName = physicalName("server", name, scope);
    const live = getServer({ resourceGroupName: scope.split("/").at(-1)!, serverName }, { parent: this });
    const planned = placeOf({ network: { delegatedSubnetResourceId: args.network?.subnet } });
    const choice = networkOf(args);
    return new Server(
      child(name, "server"),
      {
        serverName,
        resourceGroupName,
        location,
        version: databaseVersion,
        sku: { name: sku, tier: tierOf(sku) },
        storage: { storageSizeGB: 32 },
        backup: {
          backupRetentionDays: args.backupRetentionDays ?? retentionDays.backupDays,
          geoRedundantBackup: "Disabled",
        },
        highAvailability: { mode: args.zoneRedundant ? "ZoneRedundant" : "Disabled" },
        network: pulumi.output(keptPlace(`database server ${serverName}`, live, placeOf, planned, choice)),
        ...authenticationOf(args),
      },
      { parent: this, protect },
    );
  }
}

const networkOf = ({ network }: JournalDatabaseArgs) =>
  network
    ? {
        publicNetworkAccess: "Disabled",
        delegatedSubnetResourceId: network.subnet,
        privateDnsZoneArmResourceId: network.zone,
      }
    : { publicNetworkAccess: "Enabled" };

const authenticationOf = ({ tenant, password }: JournalDatabaseArgs) =>
  password === undefined
    ? { authConfig: { activeDirectoryAuth: "Enabled", passwordAuth: "Disabled", tenantId: tenant } }
    : {
        authConfig: { activeDirectoryAuth: "Disabled", passwordAuth: "Enabled" },
        administratorLogin: administrator,
        administratorLoginPassword: pulumi.secret(password),
      };

/** Describes how a server is reached, which Azure never changes. */
export const placeOf = ({
  network,
}: {
  readonly network?: { readonly delegatedSubnetResourceId?: unknown } | null;
}): string => (network?.delegatedSubnetResourceId ? "private, in a subnet" : "public, behind its firewall");
