// Where images come from, and the one identity that pulls them: it may do that and nothing else. The registry is this stack's own, or one
// that another stack has made, so that one digest can go from stack to stack. Knows no image and no app.

import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { Registry } from "@pulumi/azure-native/containerregistry/registry.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { assignmentName, child, physicalName, subscriptionOf } from "../conventions.ts";

/** AcrPull, by the GUID that it has in every tenant: pulls, pushes nothing. */
const pullRole = "7f951dda-4ed3-4680-a7ca-43fe172d538d";

/** What an `ImageRegistry` takes. */
export interface ImageRegistryArgs {
  /** The id of the resource group that the registry and the identity are in; names that must be unique are made of it. */
  readonly scope: string;
  /** The resource group that the registry and the identity are in. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region. */
  readonly location: string;
  /**
   * The subscription's id, of which the role's id is made.
   *
   * @default that of `scope`
   */
  readonly subscription?: string;
  /** The name that the registry gets, which no other in Azure has, or the id of one that there is. */
  readonly registry: string;
}

/** Where an app pulls from and as whom. Plain texts: what an update of an app changes is compared at preview, which cannot wait for a resource. */
export interface Pull {
  /** The registry's address. */
  readonly server: string;
  /** The id of the identity that pulls. */
  readonly identity: string;
}

/** A registry, and the right to pull from it. Whoever pulls depends on this component, since a right must be there before it is used. */
export class ImageRegistry extends pulumi.ComponentResource {
  /** Where apps pull from and as whom. */
  readonly pull: Pull;

  constructor(name: string, args: ImageRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
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
            adminUserEnabled: false, // one password for everybody, which nobody needs
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
        roleDefinitionId: `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/${pullRole}`,
        principalId: identity.principalId,
        principalType: "ServicePrincipal", // without it the assignment may fail until the new identity is known everywhere
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
