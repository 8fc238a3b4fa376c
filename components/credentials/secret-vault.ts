// A Key Vault for the credentials that are rotated. Roles decide who may read and write it, every access is logged, and
// nothing in it can be destroyed before its retention ends.

import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import * as pulumi from "@pulumi/pulumi";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { assignmentName, child, physicalName, roleDefinitionId, subscriptionOf } from "../conventions.ts";

/** Where the vault is, who may write it, and where its accesses are logged. */
export interface SecretVaultArgs {
  /** The resource group's id. The vault's name, which must be unique in Azure, is derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The id of the Entra tenant whose identities may get roles at the vault. */
  readonly tenant: string;
  /** The id of the workspace to which every access is logged: the output `workspaceId` of `ContainerEnvironment`. */
  readonly workspaceId: pulumi.Input<string>;
  /**
   * Who makes versions in the vault: the output `identityObjectId` of `ControlPlane`. It gets the role Key Vault
   * Secrets Officer here, and nowhere else.
   */
  readonly officer: pulumi.Input<string>;
  /**
   * The id of the subnet from which alone the vault can be reached: the output `environmentSubnetId` of `Network`. A
   * subnet of your own needs the service endpoint `Microsoft.KeyVault`.
   *
   * @default none: the vault has a public address, and roles alone decide
   */
  readonly subnet?: pulumi.Input<string> | undefined;
  /**
   * How many days a deleted secret or vault can be recovered, from 7 to 90. Azure never changes it afterwards.
   *
   * @default 90
   */
  readonly retentionInDays?: number;
}

/** Key Vault Secrets Officer, by the GUID that the role has in every tenant. */
const secretsOfficer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

/**
 * A Key Vault with role-based access, purge protection and an audit log. Pulumi refuses to delete or replace it, unless
 * the program passes the option `protect: false`; a deleted vault keeps its name until its retention ends.
 */
export class SecretVault extends pulumi.ComponentResource {
  /** The vault's id. */
  readonly vaultId: pulumi.Output<string>;
  /** The vault's name. It is known once the vault exists and the officer has its role. */
  readonly vaultName: pulumi.Output<string>;

  constructor(name: string, given: SecretVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("SecretVault", name, argumentForms.SecretVault, given);
    super("ballast:index:SecretVault", name, args, opts);
    const { scope, resourceGroupName, location, tenant, subnet, retentionInDays = 90 } = args;
    const vaultName = physicalName("vault", name, scope);
    const protect = opts?.protect ?? true;
    const vault = new Vault(
      child(name, "vault"),
      {
        vaultName,
        resourceGroupName,
        location,
        properties: {
          tenantId: tenant,
          sku: { family: "A", name: "standard" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          softDeleteRetentionInDays: retentionInDays,
          enablePurgeProtection: true,
          publicNetworkAccess: "Enabled",
          ...(subnet !== undefined && {
            // Container Apps fetches references from the environment's subnet.
            networkAcls: { defaultAction: "Deny", bypass: "AzureServices", virtualNetworkRules: [{ id: subnet }] },
          }),
        },
      },
      { parent: this, protect },
    );
    const log = new DiagnosticSetting(
      child(name, "access-logs"),
      {
        name: "access-logs",
        resourceUri: vault.id,
        workspaceId: args.workspaceId,
        logs: [{ category: "AuditEvent", enabled: true }],
      },
      { parent: this },
    );
    const officer = new RoleAssignment(
      child(name, "officer-role"),
      {
        roleAssignmentName: assignmentName(scope, name, "officer"),
        scope: vault.id,
        roleDefinitionId: roleDefinitionId(subscriptionOf(scope), secretsOfficer),
        principalId: args.officer,
        principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
      },
      { parent: this },
    );

    this.vaultId = vault.id;
    this.vaultName = pulumi.all([vault.name, log.id, officer.id]).apply(([found]) => found);
    this.registerOutputs({ vaultId: this.vaultId, vaultName: this.vaultName });
  }
}
