// The identities of a container app: which ones it has, and which containers may use them. The principal of a
// system-assigned identity is made with the app's first such body and is gone with the identity.
import { randomUUID } from "node:crypto";
import type { Body, Resource, Store } from "../../arm/resource.ts";
import { tenant } from "../../authorization/tokens.ts";
import { refuse, refuseLikeAzure } from "./refusals.ts";

const typeOf = ({ identity }: Body): string => String(identity?.type ?? "None").toLowerCase();

/** Reports whether a body asks for a system-assigned identity. */
const hasSystemIdentity = (app: Body): boolean => typeOf(app).includes("systemassigned");

/** Gives the identities of an app in lower case: the ids of user-assigned ones, and `system`. */
export const identitiesOf = (app: Body): readonly string[] => [
  ...(hasSystemIdentity(app) ? ["system"] : []),
  ...(typeOf(app).includes("userassigned") ? userAssigned(app).map((id) => id.toLowerCase()) : []),
];

const userAssigned = ({ identity }: Body): readonly string[] => Object.keys(identity?.userAssignedIdentities ?? {});

/**
 * Checks the identities of an app.
 *
 * A patch of the type alone is merged with the identities of before; those that the new type does not take are dropped.
 *
 * @throws ArmError 400
 */
export function checkIdentity(id: string, app: Body, store: Store): void {
  const before = new Set(userAssigned(store.get(id)?.body ?? {}));
  if (!typeOf(app).includes("userassigned") && userAssigned(app).every((each) => before.has(each)))
    delete app["identity"]?.userAssignedIdentities;
  const named = userAssigned(app);
  const takesNamed = typeOf(app).includes("userassigned");
  if (takesNamed && named.length === 0)
    refuseLikeAzure(`The identity type '${app["identity"].type}' needs userAssignedIdentities.`);
  if (!takesNamed && named.length > 0)
    refuseLikeAzure(`userAssignedIdentities do not go with the identity type '${app["identity"]?.type}'.`);
  const missing = named.find(
    (each) => store.get(each)?.type.toLowerCase() !== "microsoft.managedidentity/userassignedidentities",
  );
  if (missing)
    refuse(
      "FailedIdentityOperation",
      `Identity operation for resource '${id}' failed with error 'Failed to perform resource identity operation. ` +
        `Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest",` +
        `"message":"Resource '${missing}' was not found."}}'.'.`,
    );
}

type Phase = "init" | "main";

/** Gives the identities that the containers of a phase may use: all, unless identitySettings say otherwise. */
export function identitiesFor(app: Body, phase: Phase): readonly string[] {
  const settings: readonly Body[] = app["properties"]?.configuration?.identitySettings ?? [];
  return identitiesOf(app).filter((identity) => {
    const setting = settings.find((each) => String(each["identity"]).toLowerCase() === identity);
    return setting === undefined || ["all", phase].includes(String(setting["lifecycle"] ?? "All").toLowerCase());
  });
}

/** Makes the principal of a system-assigned identity, which lives as long as the resource has the identity. */
export function keepPrincipal(wanted: Body, previous: Resource | undefined): void {
  if (!hasSystemIdentity(wanted)) {
    delete wanted["identity"]?.principalId;
    delete wanted["identity"]?.tenantId;
    return;
  }
  const before = previous && hasSystemIdentity(previous.body) ? previous.body["identity"].principalId : undefined;
  wanted["identity"] = { ...wanted["identity"], principalId: before ?? randomUUID(), tenantId: tenant };
}

/** Adds to a body what Azure shows of its identities, and `None` where there is none. */
export function presentIdentity(body: Body, store: Store): void {
  if (typeOf(body) === "none") body["identity"] = { type: "None" };
  else body["identity"].type = String(body["identity"].type).replaceAll(" ", "");
  for (const id of userAssigned(body)) {
    const { principalId, clientId } = store.get(id)?.body["properties"] ?? {};
    body["identity"].userAssignedIdentities[id] = { principalId, clientId };
  }
}
