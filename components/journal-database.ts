// The PostgreSQL server that holds every journal and every claim. On Azure it knows no passwords: identities sign in with
// Entra tokens. It does not know who its users are; whoever needs the database makes its own identity an administrator.
import * as pulumi from "@pulumi/pulumi";
import { Database } from "@pulumi/azure-native/dbforpostgresql/database.js";
import { FirewallRule } from "@pulumi/azure-native/dbforpostgresql/firewallRule.js";
import { Server } from "@pulumi/azure-native/dbforpostgresql/server.js";
import { child, physicalName } from "./conventions.ts";

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
const tierOf = (sku: string): string => ({ B: "Burstable", E: "MemoryOptimized" })[sku.charAt("Standard_".length)] ?? "GeneralPurpose";

/** A flexible server with one database for the control plane. */
export class JournalDatabase extends pulumi.ComponentResource {
  /** The server's name in Azure. */
  readonly serverName: pulumi.Output<string>;
  /** The name under which the server is reached. */
  readonly host: pulumi.Output<string>;
  /** Known only once Azure's services may connect. */
  readonly databaseName: pulumi.Output<string>;

  constructor(name: string, args: JournalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:JournalDatabase", name, args, opts);
    const { scope, resourceGroupName, location, tenant, sku = "Standard_B1ms", password } = args;

    const server = new Server(child(name, "server"), {
      serverName: physicalName("server", name, scope),
      resourceGroupName, location,
      version: "18",
      sku: { name: sku, tier: tierOf(sku) },
      storage: { storageSizeGB: 32 },
      backup: { backupRetentionDays: args.backupRetentionDays ?? 7, geoRedundantBackup: "Disabled" },
      highAvailability: { mode: args.zoneRedundant ? "ZoneRedundant" : "Disabled" },
      network: { publicNetworkAccess: "Enabled" },
      ...(password === undefined
        ? { authConfig: { activeDirectoryAuth: "Enabled", passwordAuth: "Disabled", tenantId: tenant } }
        : { authConfig: { activeDirectoryAuth: "Disabled", passwordAuth: "Enabled" }, administratorLogin: administrator, administratorLoginPassword: pulumi.secret(password) }),
    }, { parent: this });

    // 0.0.0.0 is Azure's own word for its services: without it no container app reaches the server.
    const azureServices = new FirewallRule(child(name, "azure-services"), {
      firewallRuleName: "azure-services",
      serverName: server.name, resourceGroupName,
      startIpAddress: "0.0.0.0", endIpAddress: "0.0.0.0",
    }, { parent: this });

    const database = new Database(child(name, "database"), {
      databaseName: "ballast",
      serverName: server.name, resourceGroupName,
      charset: "UTF8", collation: "en_US.utf8",
    }, { parent: this });

    this.serverName = server.name;
    this.host = server.fullyQualifiedDomainName;
    this.databaseName = pulumi.all([database.name, azureServices.id]).apply(([databaseName]) => databaseName);
    this.registerOutputs({ serverName: this.serverName, host: this.host, databaseName: this.databaseName });
  }
}
