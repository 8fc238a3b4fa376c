// The PostgreSQL server that holds every journal and every claim. On Azure it knows no passwords: identities sign in with
// Entra tokens. It does not know who its users are: that is for `DatabaseRole`.

import { Database } from "@pulumi/azure-native/dbforpostgresql/database.js";
import { FirewallRule } from "@pulumi/azure-native/dbforpostgresql/firewallRule.js";
import { getServer } from "@pulumi/azure-native/dbforpostgresql/getServer.js";
import { Server } from "@pulumi/azure-native/dbforpostgresql/server.js";
import * as pulumi from "@pulumi/pulumi";
import { databaseSku, databaseVersion, retentionDays } from "../../defaults.ts";
import { child, physicalName } from "../conventions.ts";
import { keptPlace } from "./network.ts";

/** Where the database is and who may sign in. */
export interface JournalDatabaseArgs {
  /** The resource group's id, of which names that must be unique are made. */
  readonly scope: string;
  /** The group that everything of it lies in; given as the group's output, it is made first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The server's size in Azure's word, of which its tier follows.
   *
   * @default "Standard_B1ms"
   */
  readonly sku?: string;
  /**
   * For how many days the server can be taken back to any moment.
   *
   * @default 7
   */
  readonly backupRetentionDays?: number;
  /**
   * Whether there is a standby in another zone; a burstable server cannot have one.
   *
   * @default false
   */
  readonly zoneRedundant?: boolean;
  /**
   * The network from which alone the server is reached, by its name in a private zone; it has no address on the internet then. Cannot be taken or given later.
   *
   * @default none: Azure's own services reach it, of any tenant, and Entra tokens alone open it
   */
  readonly network?:
    | {
        /** The id of the server's subnet: at least a /28, delegated to Microsoft.DBforPostgreSQL/flexibleServers. */
        readonly subnet: pulumi.Input<string>;
        /** The id of the zone in which it gets its name; it ends in `.postgres.database.azure.com` and is linked to the networks of those that sign in. */
        readonly zone: pulumi.Input<string>;
      }
    | undefined;
  /** Whose Entra tokens the server takes. */
  readonly tenant: string;
  /**
   * The password of the administrator, who is called `ballast`; it makes the server one that takes passwords and no tokens.
   *
   * @default none: Entra tokens only
   */
  readonly password?: pulumi.Input<string> | undefined;
}

/** The server's own administrator where it takes a password. */
export const administrator = "ballast";

/** Azure wants the tier said beside the size, although each size is of one tier. */
const tierOf = (sku: string): string =>
  ({ B: "Burstable", E: "MemoryOptimized" })[sku.charAt("Standard_".length)] ?? "GeneralPurpose";

/** A flexible server with one database for the control plane. */
export class JournalDatabase extends pulumi.ComponentResource {
  /** The server's name in Azure. */
  readonly serverName: pulumi.Output<string>;
  /** The name under which the server is reached. */
  readonly host: pulumi.Output<string>;
  /** Known only once the control plane may connect. */
  readonly databaseName: pulumi.Output<string>;

  constructor(name: string, args: JournalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:JournalDatabase", name, args, opts);
    const { scope, resourceGroupName, location, tenant, sku = databaseSku, password, network } = args;
    const serverName = physicalName("server", name, scope);
    const live = getServer({ resourceGroupName: scope.split("/").at(-1)!, serverName }, { parent: this });

    const server = new Server(
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
        network: pulumi.output(
          keptPlace(
            `database server ${serverName}`,
            live,
            placeOf,
            placeOf({ network: { delegatedSubnetResourceId: network?.subnet } }),
            network
              ? {
                  publicNetworkAccess: "Disabled",
                  delegatedSubnetResourceId: network.subnet,
                  privateDnsZoneArmResourceId: network.zone,
                }
              : { publicNetworkAccess: "Enabled" },
          ),
        ),
        ...(password === undefined
          ? { authConfig: { activeDirectoryAuth: "Enabled", passwordAuth: "Disabled", tenantId: tenant } }
          : {
              authConfig: { activeDirectoryAuth: "Disabled", passwordAuth: "Enabled" },
              administratorLogin: administrator,
              administratorLoginPassword: pulumi.secret(password),
            }),
      },
      { parent: this },
    );

    // 0.0.0.0 is Azure's own word for its services: without it no container app reaches a public server. A private one has no firewall.
    const azureServices = network
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
      { parent: this },
    );

    this.serverName = server.name;
    this.host = server.fullyQualifiedDomainName;
    this.databaseName = pulumi.all([database.name, azureServices?.id]).apply(([databaseName]) => databaseName);
    this.registerOutputs({ serverName: this.serverName, host: this.host, databaseName: this.databaseName });
  }
}

/** Says how a server is reached, which Azure never changes. */
export const placeOf = ({
  network,
}: {
  readonly network?: { readonly delegatedSubnetResourceId?: unknown } | null;
}): string => (network?.delegatedSubnetResourceId ? "private, in a subnet" : "public, behind its firewall");
