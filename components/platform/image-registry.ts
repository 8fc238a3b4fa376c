// The registry of the images, and an identity that may pull from it and do nothing else. The registry is the stack's
// own or that of another stack, so that one image can be promoted from stack to stack by its digest.

import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { Registry } from "@pulumi/azure-native/containerregistry/registry.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { assignmentName, child, physicalName, roleDefinitionId, subscriptionOf } from "../conventions.ts";

/** AcrPull, by the GUID that the role has in every tenant: may pull, may not push. */
const pullRole = "7f951dda-4ed3-4680-a7ca-43fe172d538d";

/** The registry, and where its identity is. */
export interface ImageRegistryArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The id of the subscription in which the role AcrPull is assigned.
   *
   * @default the subscription of `scope`
   */
  readonly subscription?: string;
  /**
   * The name of a registry to create, 5 to 50 lower-case letters and digits, unique in all of Azure; or the id of an
   * existing registry.
   */
  readonly registry: string;
}

/**
 * A registry, and the identity that pulls from it. Both are plain strings, since an app's configuration is compared at
 * preview, before any resource is known.
 */
export interface Pull {
  /** The registry's address, such as `shop.azurecr.io`. */
  readonly server: string;
  /** The id of the identity that pulls. */
  readonly identity: string;
}

/**
 * A registry, and an identity that may pull from it. An app that pulls must depend on this component (`dependsOn`), so
 * that the right exists before it is used.
 */
export class ImageRegistry extends pulumi.ComponentResource {
  /** The registry's address, and the identity that pulls from it. */
  readonly pull: Pull;

  constructor(name: string, given: ImageRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("ImageRegistry", name, argumentForms.ImageRegistry, given);
    super("ballast:index:ImageRegistry", name, args, opts);
    const { scope, resourceGroupName, location, subscription = subscriptionOf(scope), registry } = args;
    const isOurs = !registry.startsWith("/");

    const registryId = isOurs
      ? new Registry(
          child(name, "registry"),
          {
            registryName: physicalName("registry", registry, scope),
            resourceGroupName,
            location,
            sku: { name: "Standard" },
            adminUserEnabled: false, // it would be a shared password, and no one needs it
          },
          { parent: this },
        ).id
      : registry;

    const identityName = physicalName("identity", name, scope);
    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      { resourceName: identityName, resourceGroupName, location },
      { parent: this },
    );

    new RoleAssignment(
      child(name, "pull-role"),
      {
        roleAssignmentName: assignmentName(scope, name, "pull"),
        scope: registryId,
        roleDefinitionId: roleDefinitionId(subscription, pullRole),
        principalId: identity.principalId,
        principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
      },
      { parent: this },
    );

    this.pull = {
      server: `${registry.split("/").at(-1)!.toLowerCase()}.azurecr.io`,
      identity: `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identityName}`,
    };
    this.registerOutputs({ server: this.pull.server });
  }
}
