// A custom role of exactly the actions that an identity uses, for one resource group. Built-in roles have more: they
// also read secrets or delete.
import { RoleDefinition } from "@pulumi/azure-native/authorization/roleDefinition.js";
import * as pulumi from "@pulumi/pulumi";
import { assignmentName, child } from "../conventions.ts";

/** The group in which the role can be assigned, and what it permits. */
interface CustomRole {
  /** The group's id. */
  readonly scope: string;
  readonly resourceGroupName: pulumi.Input<string>;
  readonly description: string;
  readonly actions: readonly string[];
}

/** Declares the custom role of a component. Its GUID is the same at every update. */
export function customRole(
  name: string,
  { scope, resourceGroupName, description, actions }: CustomRole,
  parent: pulumi.Resource,
): RoleDefinition {
  const guid = assignmentName(scope, name, "role");
  return new RoleDefinition(
    child(name, "role"),
    {
      roleDefinitionId: guid,
      scope: pulumi.output(resourceGroupName).apply(() => scope), // a plain string would not wait for the group
      // The name must be unique in the whole directory.
      roleName: `Ballast ${name} in ${scope.split("/").at(-1)} (${guid.slice(0, 8)})`,
      roleType: "CustomRole",
      description,
      permissions: [{ actions: [...actions] }],
      assignableScopes: [scope],
    },
    { parent },
  );
}
