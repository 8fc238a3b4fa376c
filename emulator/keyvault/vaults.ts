// Microsoft.KeyVault/vaults: what a PUT or PATCH may change, deletion, which only puts a vault aside, and recovery.
// What is in a vault is in contents.ts; what its own host answers is in vault-host.ts.
import { isIPv4OrRange, regionOf } from "../arm/bodies.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import { ArmError, type Body, type Cloud, type PutContext, type Resource, type ResourceType } from "../arm/resource.ts";
import { tenant } from "../authorization/tokens.ts";
import { dropSubscriptions } from "../eventgrid/publish.ts";
import { contentsOf } from "./contents.ts";
import {
  deletedVaultsOf,
  nameOfVault,
  originOfVault,
  refuseVaultName,
  takenName,
  vaultNamed,
} from "./deleted-vaults.ts";
import { vaultFields } from "./fields.ts";

const dayMilliseconds = 86_400_000;
/** The days after which a deleted vault or secret is purged, unless a vault says otherwise. */
export const retentionDefault = 90;
const badRequest = (message: string): ArmError => new ArmError(400, "BadRequest", message);

/** The time after which a deleted vault or secret is purged. */
export const retentionMilliseconds = ({ body }: Resource): number =>
  Number(body["properties"].softDeleteRetentionInDays ?? retentionDefault) * dayMilliseconds;

/** Vaults, as Resource Manager serves them. */
export const vaultType: ResourceType = {
  type: "Microsoft.KeyVault/vaults",
  apiVersions: ["2024-11-01"],
  fields: vaultFields,
  created: 200,
  onPut: async (context) => putVault(context),
  onDelete: async (resource, cloud) => {
    const at = cloud.clock.now();
    const kept = { ...resource, body: structuredClone(resource.body) };
    dropSubscriptions(cloud, resource.id);
    deletedVaultsOf(cloud).add({ resource: kept, at, purgeAt: at + retentionMilliseconds(resource) });
  },
  /** A secret has no resource here, but roles may be assigned at it. */
  hasChild: (vault, [kind, name, ...more], cloud) =>
    kind?.toLowerCase() === "secrets" &&
    name !== undefined &&
    more.length === 0 &&
    contentsOf(cloud).get(nameOfVault(vault), name) !== undefined,
  children: async (_vault, [kind = ""]) => {
    const unserved: { readonly [path: string]: string } = {
      keys: "keys in vaults",
      secrets: "secrets as resources; set them at the vault's own host",
      accesspolicies: "access policies of vaults; use enableRbacAuthorization and roles",
      privateendpointconnections: "private endpoints of vaults",
    };
    const what = unserved[kind.toLowerCase()];
    if (what) throw unsupported(what);
    return undefined;
  },
};

function putVault({ id, wanted, previous, cloud }: PutContext): void {
  const sent: Body = wanted["properties"];
  const mode = String(sent["createMode"] ?? "default").toLowerCase();
  const name = String(wanted["name"]);
  refuseVaultName(name);
  const before = previous ?? deletedFor(cloud, id, name, mode, wanted);
  checkProperties(sent, before?.body["properties"] ?? {}, cloud);
  // From here on nothing is refused, so that a refused recovery leaves the deleted vault where it is.
  if (before && !previous) deletedVaultsOf(cloud).take(name);
  const { createMode: _, sku, ...properties } = sent;
  wanted["properties"] = {
    accessPolicies: [],
    enabledForDeployment: false,
    enableRbacAuthorization: false,
    publicNetworkAccess: "Enabled",
    // A recovered vault is the one that was deleted; what cannot be taken back stays.
    ...(mode === "recover" ? before?.body["properties"] : keptProperties(before)),
    ...properties,
    sku: { family: "A", ...sku },
    enableSoftDelete: true,
    softDeleteRetentionInDays:
      before?.body["properties"].softDeleteRetentionInDays ?? sent["softDeleteRetentionInDays"] ?? retentionDefault,
    vaultUri: `${originOfVault(cloud, name)}/`,
    provisioningState: "Succeeded",
  };
}

/** What a PUT that does not name it leaves as it is. */
const keptProperties = (before: Resource | undefined): Body => {
  const { enablePurgeProtection, enableRbacAuthorization } = before?.body["properties"] ?? {};
  return {
    ...(enablePurgeProtection ? { enablePurgeProtection } : {}),
    ...(enableRbacAuthorization === undefined ? {} : { enableRbacAuthorization }),
  };
};

/** Finds the deleted vault to recover. @throws ArmError when the name is not free, or no such vault is there */
function deletedFor(cloud: Cloud, id: string, name: string, mode: string, wanted: Body): Resource | undefined {
  if (vaultNamed(cloud, name)) throw new ArmError(409, "VaultAlreadyExists", takenName(name));
  const deleted = deletedVaultsOf(cloud).get(name)?.resource;
  const isHere =
    deleted?.id.toLowerCase() === id.toLowerCase() &&
    regionOf(deleted.body["location"]) === regionOf(wanted["location"]);
  if (mode !== "recover") {
    if (deleted && !isHere) throw new ArmError(409, "VaultAlreadyExists", takenName(name));
    if (deleted)
      throw new ArmError(
        409,
        "ConflictError",
        "A vault with the same name already exists in deleted state. You need to either recover or purge existing " +
          "key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft " +
          "delete.",
      );
    return undefined;
  }
  if (!isHere)
    throw new ArmError(404, "DeletedVaultNotFound", `There is no deleted vault '${name}' to recover in this place.`);
  return deleted;
}

/** Checks what a request sends against what the vault is. @throws ArmError 400 */
function checkProperties(sent: Body, before: Body, { store }: Cloud): void {
  const { tenantId, softDeleteRetentionInDays: days, publicNetworkAccess } = sent;
  if (String(tenantId).toLowerCase() !== tenant)
    throw badRequest(`An invalid value was provided for 'tenantId': the emulator's one directory is ${tenant}.`);
  if (sent["enableSoftDelete"] === false)
    throw badRequest(
      'The property "enableSoftDelete" can be set to false only for creating new vault. ' +
        "Enabling the 'soft delete' functionality is an irreversible action.",
    );
  if (sent["enablePurgeProtection"] === false)
    throw badRequest(
      'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an ' +
        "irreversible action.",
    );
  const daysBefore = before["softDeleteRetentionInDays"];
  if (days !== undefined && daysBefore !== undefined && days !== daysBefore)
    throw badRequest(`The property "softDeleteRetentionInDays" has been set already and it can't be modified.`);
  for (const { value } of (sent["networkAcls"]?.ipRules ?? []) as Body[])
    if (!isIPv4OrRange(value)) throw badRequest(`'${value}' is no IPv4 address and no range in CIDR.`);
  for (const rule of (sent["networkAcls"]?.virtualNetworkRules ?? []) as Body[]) checkSubnet(rule, store);
  if (publicNetworkAccess !== undefined && !/^(enabled|disabled)$/i.test(String(publicNetworkAccess)))
    throw refusedToo(`publicNetworkAccess must be 'enabled' or 'disabled', not '${publicNetworkAccess}'.`);
}

/** Checks that a subnet exists and can reach vaults by its service endpoint. @throws ArmError 400 */
function checkSubnet({ id, ignoreMissingVnetServiceEndpoint }: Body, store: Cloud["store"]): void {
  const subnet = store.get(String(id));
  if (subnet?.type !== "Microsoft.Network/virtualNetworks/subnets")
    throw badRequest(`The subnet '${id}' of networkAcls was not found.`);
  const endpoints = (subnet.body["properties"]?.serviceEndpoints ?? []) as Body[];
  if (ignoreMissingVnetServiceEndpoint === true) return;
  if (!endpoints.some(({ service }) => /^microsoft\.keyvault$/i.test(String(service))))
    throw badRequest(
      `Subnets ${id} do not have ServiceEndpoints for Microsoft.KeyVault resources configured. Add ` +
        "Microsoft.KeyVault to subnet's ServiceEndpoints collection before trying to ACL Microsoft.KeyVault " +
        "resources to these subnets.",
    );
}
