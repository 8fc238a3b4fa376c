// What Azure refuses in the definition of a custom role (Learn: "Azure custom roles").
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body } from "../arm/resource.ts";
import { subscription } from "../arm/subscription-id.ts";
import { builtInRole } from "./roles.ts";

const nameMax = 512;
const descriptionMax = 2048;
const lists = ["actions", "notActions", "dataActions", "notDataActions"];
/** This subscription, or a resource group or resource of it. `/` is of built-in roles alone. */
const scopeForm = new RegExp(
  `^/subscriptions/${subscription}(/resourceGroups/[^/]+(/providers/[^/]+(/[^/]+)+)?)?/?$`,
  "i",
);
const actionForm = /^(\*|[\w.*-]+(\/[\w.*-]+)+)$/;

/** Gives the refusal of a custom role; undefined when it is right. Its name's being taken is not looked at. */
export function refusalOfRole(guid: string, properties: Body): ArmError | undefined {
  const { roleName, description = "", type = "CustomRole", assignableScopes = [], permissions = [] } = properties;
  if (permissions?.length === 0) return refusedToo("A role definition needs permissions.");
  if (builtInRole(guid)) return refusedToo(`The role '${guid}' is built in, and cannot be changed.`);
  if (typeof roleName !== "string" || roleName.trim() === "" || roleName.length > nameMax)
    return refusedToo(`A role needs a roleName of 1 to ${nameMax} characters.`);
  if (description.length > descriptionMax)
    return refusedToo(`The description of a role has at most ${descriptionMax} characters.`);
  if (String(type).toLowerCase() !== "customrole")
    return refusedToo(`The type of a role is CustomRole, not '${type}'.`);
  if (assignableScopes.length === 0) return refusedToo("A custom role needs an assignable scope.");
  const scope = (assignableScopes as string[]).find((each) => !scopeForm.test(each));
  if (scope !== undefined) return refusedToo(`'${scope}' is no assignable scope of a custom role of this cloud.`);
  return (permissions as Body[])
    .flatMap((each) => lists.flatMap((list) => (each[list] ?? []) as string[]))
    .map(refusalOfAction)
    .find((refusal) => refusal !== undefined);
}

function refusalOfAction(action: string): ArmError | undefined {
  if (!actionForm.test(action))
    return new ArmError(
      400,
      "InvalidActionOrNotAction",
      `'${action}' does not match any of the actions supported by the providers.`,
    );
  return action.split("*").length > 2 ? refusedToo(`The action '${action}' has more than one wildcard.`) : undefined;
}
