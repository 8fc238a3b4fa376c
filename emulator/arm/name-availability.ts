// Whether a name that all of Azure shares is free: `checkNameAvailability` of the served types. That of vaults, which
// keep a name after they were deleted, is in ../keyvault/deleted-vaults.ts.
import { sameText } from "./bodies.ts";
import { ArmError, type Body, type Cloud, type ResourceType } from "./resource.ts";
import { typeNamed } from "./resource-path.ts";
import { schemaOf } from "./schema.ts";
import { type Route, underSubscription } from "./subscription-route.ts";

/** The route of every provider besides that of vaults. */
export const nameAvailability: Route = {
  method: "POST",
  path: underSubscription("([^/]+)/checkNameAvailability"),
  action: "*/checkNameAvailability/read",
  answer: ({ cloud, types, request: { body }, parts: [namespace] }) => ({
    status: 200,
    body: availability(cloud, types, namespace!, body ?? {}),
  }),
};

/** The types whose names are those of the whole of Azure, besides vaults. */
const globalTypes = [
  "Microsoft.ContainerRegistry/registries",
  "Microsoft.DBforPostgreSQL/flexibleServers",
  "Microsoft.Storage/storageAccounts",
];

/**
 * Reports whether a name is free. This cloud is all of Azure here, so a name is taken when one of its resources has it.
 *
 * @throws ArmError 400 without a name, or for a type whose names are not global
 */
function availability(cloud: Cloud, types: readonly ResourceType[], namespace: string, { type, name }: Body): object {
  const asked = globalTypes.find((each) => sameText(each, type) && sameText(each.split("/")[0], namespace));
  if (typeof name !== "string" || name === "" || asked === undefined)
    throw new ArmError(
      400,
      "InvalidRequestContent",
      `The request content was invalid: a 'name', and a 'type' of ${namespace} with global names, are needed.`,
    );
  const wrong = schemaOf(asked, typeNamed(types, asked)!.apiVersions[0]!).refuseName(name);
  const reason = asked === "Microsoft.Storage/storageAccounts" ? "AccountNameInvalid" : "Invalid";
  if (wrong) return { nameAvailable: false, reason, message: wrong };
  const taken = cloud.store.list().some((each) => each.type === asked && sameText(each.body["name"], name));
  return taken
    ? { nameAvailable: false, reason: "AlreadyExists", message: `The name ${name} is already in use.` }
    : { nameAvailable: true };
}
