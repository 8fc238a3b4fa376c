// The two keys of a storage account, rotated: the control plane has the account make the idle key anew, and moves every
// app to it before the other one is made anew.

import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import * as pulumi from "@pulumi/pulumi";
import { storageKeys } from "../../engines/rotation/systems.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { assignmentName, child, roleDefinitionId, subscriptionOf } from "../conventions.ts";
import { type CredentialReference, declareSlots, type RotatedArgs, type SlotUrls } from "./rotated-slots.ts";

/** Which keys are rotated, for whom, and how long each wait of a rotation may take. */
export interface StorageCredentialArgs extends RotatedArgs {
  /** The storage account whose two keys are the credential. */
  readonly account: {
    /** Its id. */
    readonly id: pulumi.Input<string>;
    /** The name of its resource group. */
    readonly resourceGroup: string;
    /** Its name. */
    readonly name: string;
  };
  /**
   * Who makes the keys anew: the output `identityObjectId` of `ControlPlane`. It gets the role Storage Account Key
   * Operator Service Role at the account, and nowhere else.
   */
  readonly operator: pulumi.Input<string>;
  /**
   * The id of the control plane's workspace, to which the blob service then logs every request with its key: the output
   * `workspaceId` of `ContainerEnvironment`. A rotation reads there who still uses the old key.
   *
   * @default none: a setting of your own sends StorageRead, StorageWrite and StorageDelete there
   */
  readonly workspaceId?: pulumi.Input<string> | undefined;
}

/** Storage Account Key Operator Service Role, by the GUID that the role has in every tenant. */
const keyOperator = "81a9662b-bebf-436f-a333-f67b29880f12";

/**
 * The two keys of a storage account, which the control plane rotates. Give `connectionString()` to a `CanaryApp` as one
 * of its `credentials`. The first versions hold the keys that the account has, so that nobody is interrupted.
 */
export class StorageCredential extends pulumi.ComponentResource {
  /** The URL of a version of each slot. It is known once the versions exist and the identity may read them. */
  readonly urls: pulumi.Output<SlotUrls>;
  /** The id of the identity that may read both slots. An app that names one gets it. */
  readonly identity: pulumi.Output<string>;
  readonly #reference: Omit<CredentialReference, "form">;

  constructor(name: string, given: StorageCredentialArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("StorageCredential", name, argumentForms.StorageCredential, given);
    super("ballast:index:StorageCredential", name, args, opts);
    const { scope, account, operator, workspaceId } = args;
    const right = new RoleAssignment(
      child(name, "operator-role"),
      {
        roleAssignmentName: assignmentName(scope, name, "operator"),
        scope: account.id,
        roleDefinitionId: roleDefinitionId(subscriptionOf(scope), keyOperator),
        principalId: operator,
        principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
      },
      { parent: this },
    );
    const log = workspaceId === undefined ? [] : [this.#logOf(name, account.id, workspaceId)];
    const { urls, identity, reference } = declareSlots(this, name, args, {
      declared: { roles: storageKeys, storage: { resourceGroup: account.resourceGroup, account: account.name } },
      rights: [right, ...log],
    });
    this.urls = urls;
    this.identity = identity;
    this.#reference = reference;
    this.registerOutputs({ urls, identity });
  }

  /** Refers to the connection string of the account with the key that serves. */
  connectionString(): CredentialReference {
    return { ...this.#reference, form: "uri" };
  }

  /** Logs who uses which key. */
  #logOf(name: string, id: pulumi.Input<string>, workspaceId: pulumi.Input<string>): DiagnosticSetting {
    return new DiagnosticSetting(
      child(name, "access-logs"),
      {
        name: "key-logs",
        resourceUri: pulumi.interpolate`${id}/blobServices/default`,
        workspaceId,
        logs: ["StorageRead", "StorageWrite", "StorageDelete"].map((category) => ({ category, enabled: true })),
      },
      { parent: this },
    );
  }
}
