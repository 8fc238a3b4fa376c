// Vaults that were deleted and not yet purged: they keep their name and their secrets, may be recovered, and are purged
// when their retention is over. What extends a vault (role assignments, diagnostic settings, event subscriptions) is
// gone with the deletion and does not come back.
import { region, regionOf, sameText } from "../arm/bodies.ts";
import { listReply } from "../arm/lists.ts";
import { ArmError, type Body, type Cloud, type Resource } from "../arm/resource.ts";
import { subscription } from "../arm/subscription-id.ts";
import { type Route, underSubscription } from "../arm/subscription-route.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { contentsOf } from "./contents.ts";

/** A vault that was deleted. */
export interface DeletedVault {
  readonly resource: Resource;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly purgeAt: number;
}

/** The deleted vaults of one cloud, by name without regard to case. */
export interface DeletedVaults {
  readonly get: (name: string) => DeletedVault | undefined;
  readonly add: (deleted: DeletedVault) => void;
  /** Takes a vault out, to recover it. Its secrets stay. */
  readonly take: (name: string) => DeletedVault | undefined;
  /** Removes a vault and its secrets for good. */
  readonly purge: (name: string) => void;
  readonly names: () => Iterable<string>;
  readonly revive: (kept: Iterable<DeletedVault>) => void;
}

const documents = "deleted-vault";
const purging = "vault-purge";
const known = new WeakMap<Cloud, DeletedVaults>();
export const nameOfVault = ({ body }: Resource): string => String(body["name"]);

/** Gives the address of a vault, by its name. */
export const originOfVault = ({ suffix }: Pick<Cloud, "suffix">, name: string): string =>
  `https://${name.toLowerCase()}.vault.${suffix}`;

/** Gives the deleted vaults of a cloud; the first call makes them. */
export function deletedVaultsOf(cloud: Cloud): DeletedVaults {
  const found = known.get(cloud);
  if (found) return found;
  const made = makeDeletedVaults(cloud);
  known.set(cloud, made);
  return made;
}

function makeDeletedVaults(cloud: Cloud): DeletedVaults {
  const vaults = new Map<string, DeletedVault>();
  const scheduler = schedulerOf(cloud);
  const take = (name: string): DeletedVault | undefined => {
    const key = name.toLowerCase();
    const found = vaults.get(key);
    if (!found) return undefined;
    vaults.delete(key);
    cloud.changed?.(documents, key);
    scheduler.cancel(`${purging} ${key}`);
    return found;
  };
  const purge = (name: string): void => {
    take(name);
    for (const secret of contentsOf(cloud).of(name)) contentsOf(cloud).purge(secret);
  };
  scheduler.handle(purging, ({ key }) => {
    purge(key.slice(purging.length + 1));
    return undefined;
  });
  return {
    get: (name) => vaults.get(name.toLowerCase()),
    add: (deleted) => {
      const key = nameOfVault(deleted.resource).toLowerCase();
      vaults.set(key, deleted);
      cloud.changed?.(documents, key);
      scheduler.at(deleted.purgeAt, `${purging} ${key}`);
    },
    take,
    purge,
    names: () => vaults.keys(),
    revive: (kept) => {
      for (const deleted of kept) vaults.set(nameOfVault(deleted.resource).toLowerCase(), deleted);
    },
  };
}

const deletedIn = `/subscriptions/${subscription}/providers/Microsoft.KeyVault/locations/${region}`;

/** Gives a deleted vault as Resource Manager shows it. */
const presented = ({ resource, at, purgeAt }: DeletedVault): Body => ({
  id: `${deletedIn}/deletedVaults/${nameOfVault(resource)}`,
  name: nameOfVault(resource),
  type: "Microsoft.KeyVault/deletedVaults",
  properties: {
    vaultId: resource.body["id"],
    location: resource.body["location"],
    tags: resource.body["tags"] ?? {},
    deletionDate: new Date(at).toISOString(),
    scheduledPurgeDate: new Date(purgeAt).toISOString(),
    ...(resource.body["properties"].enablePurgeProtection ? { purgeProtectionEnabled: true } : {}),
  },
});

function deletedVault(cloud: Cloud, name: string, location: string): DeletedVault {
  const vault = deletedVaultsOf(cloud).get(name);
  if (vault && regionOf(vault.resource.body["location"]) === regionOf(location)) return vault;
  throw new ArmError(
    404,
    "DeletedVaultNotFound",
    `The specified deleted vault '${name}' does not exist. Follow this link for more information: ` +
      "https://go.microsoft.com/fwlink/?linkid=2149745",
  );
}

/** The vault that has a name, or undefined. Names are unique in all of Azure. */
export const vaultNamed = ({ store }: Cloud, name: string): Resource | undefined =>
  store.list().find((each) => each.type === "Microsoft.KeyVault/vaults" && sameText(nameOfVault(each), name));

/** The rule of a vault's name, as Key Vault states it. */
const isVaultName = (name: string): boolean => /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/i.test(name) && !name.includes("--");

const invalidName = (name: string): string =>
  `The vault name '${name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. ` +
  "The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.";

/** Refuses a name that no vault may have. @throws ArmError 400 */
export function refuseVaultName(name: string): void {
  if (!isVaultName(name)) throw new ArmError(400, "VaultNameNotValid", invalidName(name));
}

/** Why a vault's name is not free, in Azure's words. */
export const takenName = (name: string): string =>
  `The vault name '${name}' is already in use. Vault names are globally unique so it is possible that the name is ` +
  "already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same " +
  "name was recently deleted but not purged after being placed in a recoverable state.";

/** The routes of vaults that are no resources. */
export const vaultRoutes: readonly Route[] = [
  {
    method: "POST",
    path: underSubscription("Microsoft.KeyVault/checkNameAvailability"),
    action: "Microsoft.KeyVault/checkNameAvailability/read",
    answer: ({ cloud, request: { body } }) => {
      const { name, type } = body ?? {};
      if (typeof name !== "string" || !sameText(type, "Microsoft.KeyVault/vaults"))
        throw new ArmError(400, "BadRequest", "A name and the type Microsoft.KeyVault/vaults are needed.");
      const reply = (reason: string, message: string) => ({
        status: 200,
        body: { nameAvailable: false, reason, message },
      });
      if (!isVaultName(name)) return reply("AccountNameInvalid", invalidName(name));
      if (vaultNamed(cloud, name) ?? deletedVaultsOf(cloud).get(name)) return reply("AlreadyExists", takenName(name));
      return { status: 200, body: { nameAvailable: true } };
    },
  },
  {
    method: "GET",
    path: underSubscription("Microsoft.KeyVault/deletedVaults"),
    action: "Microsoft.KeyVault/deletedVaults/read",
    answer: ({ cloud, request }) => {
      const deleted = deletedVaultsOf(cloud);
      return listReply(
        request,
        [...deleted.names()].map((name) => presented(deleted.get(name)!)),
      );
    },
  },
  {
    method: "GET",
    path: underSubscription("Microsoft.KeyVault/locations/([^/]+)/deletedVaults/([^/]+)"),
    action: "Microsoft.KeyVault/locations/deletedVaults/read",
    answer: ({ cloud, parts: [location, name] }) => ({
      status: 200,
      body: presented(deletedVault(cloud, name!, location!)),
    }),
  },
  {
    method: "POST",
    path: underSubscription("Microsoft.KeyVault/locations/([^/]+)/deletedVaults/([^/]+)/purge"),
    action: "Microsoft.KeyVault/locations/deletedVaults/purge/action",
    answer: ({ cloud, parts: [location, name] }) => {
      const { resource } = deletedVault(cloud, name!, location!);
      if (resource.body["properties"].enablePurgeProtection)
        throw new ArmError(
          400,
          "MethodNotAllowed",
          `Operation 'DeletedVaultPurge' is not allowed: the vault '${name}' has purge protection and is purged when ` +
            "its retention is over.",
        );
      deletedVaultsOf(cloud).purge(name!);
      return { status: 200 };
    },
  },
];
