// The operations on the secrets of one vault, as Key Vault carries them out and answers them. Whether the caller may do
// it is decided before, in vault-host.ts.
import { randomBytes } from "node:crypto";
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { contentsOf, type Secret, type SecretVersion } from "./contents.ts";
import { nameOfVault, originOfVault } from "./deleted-vaults.ts";
import { badParameter, vaultError } from "./errors.ts";
import { newVersion } from "./secret-events.ts";
import { retentionDefault, retentionMilliseconds } from "./vaults.ts";

/** A vault that an operation is about. */
export interface VaultAt {
  readonly cloud: Cloud;
  readonly vault: Resource;
}

const tagsMax = 15;
const tagLengthMax = 512;
const valueBytesMax = 25_600;
const contentTypeMax = 255;
const secondsMax = Date.parse("9999-12-31T23:59:59Z") / 1000;
// Both with the read-only ones, which a client may send back.
const fields = ["value", "contentType", "tags", "attributes", "id", "kid", "managed"];
const attributeFields = ["enabled", "nbf", "exp", "created", "updated", "recoverableDays", "recoveryLevel"];

const seconds = (cloud: Cloud): number => Math.floor(cloud.clock.now() / 1000);
const originOf = ({ cloud, vault }: VaultAt): string => originOfVault(cloud, nameOfVault(vault));

/** Gives the level by which a deleted secret may be recovered, in Key Vault's words. */
function recoveryOf({ body }: Resource): Body {
  const { enablePurgeProtection, softDeleteRetentionInDays: recoverableDays } = body["properties"];
  const custom = recoverableDays === retentionDefault ? "" : "Customized";
  return { recoveryLevel: `${custom}Recoverable${enablePurgeProtection ? "" : "+Purgeable"}`, recoverableDays };
}

const attributesOf = ({ vault }: VaultAt, { enabled, nbf, exp, created, updated }: SecretVersion): Body => ({
  enabled,
  ...(nbf === undefined ? {} : { nbf }),
  ...(exp === undefined ? {} : { exp }),
  created,
  updated,
  ...recoveryOf(vault),
});

/** Gives a version as answers show it, without its value. */
const presented = (
  at: VaultAt,
  { name }: Secret,
  version: SecretVersion,
  isListed: "whole" | "listed" = "whole",
): Body => ({
  ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
  id: `${originOf(at)}/secrets/${name}${isListed === "whole" ? `/${version.id}` : ""}`,
  attributes: attributesOf(at, version),
  tags: version.tags,
});

const notFound = (name: string): Error =>
  vaultError(
    404,
    "SecretNotFound",
    `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be ` +
      "able to recover it using the correct recovery command. For help resolving this issue, please see " +
      "https://go.microsoft.com/fwlink/?linkid=2125182",
  );

/** Finds a secret that is not deleted. @throws ArmError 404 */
function secretOf({ cloud, vault }: VaultAt, name: string): Secret {
  const secret = contentsOf(cloud).get(nameOfVault(vault), name);
  if (!secret || secret.deleted) throw notFound(name);
  return secret;
}

function versionOf(secret: Secret, id: string | undefined): SecretVersion {
  const version =
    id === undefined ? secret.versions.at(-1) : secret.versions.find((each) => each.id === id.toLowerCase());
  if (!version) throw notFound(`${secret.name}/${id}`);
  return version;
}

/** Gives a version with its value. @throws ArmError 404, or 403 when it is disabled; expiry is for information only */
export function getSecret(at: VaultAt, name: string, id: string | undefined): Body {
  const secret = secretOf(at, name);
  const version = versionOf(secret, id);
  if (!version.enabled)
    throw vaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
  return { value: version.value, ...presented(at, secret, version) };
}

/** Makes a new version, which is the latest from then on. @throws ArmError 400, or 409 for a deleted secret's name */
export function setSecret(at: VaultAt, name: string, sent: Body): Body {
  const { cloud, vault } = at;
  const before = contentsOf(cloud).get(nameOfVault(vault), name);
  if (before?.deleted)
    throw vaultError(
      409,
      "Conflict",
      `Secret ${before.name} is currently in a deleted but recoverable state, and its name cannot be reused; in this ` +
        "state, the secret can only be recovered or purged.",
      "ObjectIsDeletedButRecoverable",
    );
  if (typeof sent["value"] !== "string") throw badParameter("The parameter 'value' must be a text.");
  if (Buffer.byteLength(sent["value"]) > valueBytesMax)
    throw badParameter(`The value of a secret must not be longer than ${valueBytesMax} bytes.`);
  const now = seconds(cloud);
  const version: SecretVersion = {
    enabled: true,
    tags: {},
    ...settingsIn(sent),
    id: randomBytes(16).toString("hex"),
    value: sent["value"],
    created: now,
    updated: now,
  };
  const secret = {
    vault: nameOfVault(vault),
    name: before?.name ?? name,
    versions: [...(before?.versions ?? []), version],
  };
  contentsOf(cloud).put(secret);
  newVersion(cloud, secret, version);
  return { value: version.value, ...presented(at, secret, version) };
}

/** Changes what is beside the value of a version. Tags are replaced whole. @throws ArmError 400 or 404 */
export function updateSecret(at: VaultAt, name: string, id: string | undefined, sent: Body): Body {
  const secret = secretOf(at, name);
  const version = versionOf(secret, id);
  if (sent["value"] !== undefined) throw badParameter("The value of a version cannot be changed.");
  const changed: SecretVersion = { ...version, ...settingsIn(sent), updated: seconds(at.cloud) };
  const versions = secret.versions.map((each) => (each === version ? changed : each));
  contentsOf(at.cloud).put({ ...secret, versions });
  return presented(at, secret, changed);
}

/** Reads attributes, content type and tags. @throws ArmError 400 */
function settingsIn(sent: Body): Partial<SecretVersion> {
  const { attributes, contentType, tags } = sent;
  if (attributes != null && (typeof attributes !== "object" || Array.isArray(attributes)))
    throw badParameter("'attributes' must be an object.");
  const { enabled, nbf, exp } = (attributes ?? {}) as Body;
  refuseUnknownFields(sent, fields, "a secret");
  refuseUnknownFields(attributes ?? {}, attributeFields, "a secret's attributes");
  if (enabled != null && typeof enabled !== "boolean") throw badParameter("'enabled' must be true or false.");
  for (const [name, time] of Object.entries({ nbf, exp }))
    if (time != null && !(Number.isInteger(time) && time >= 0 && time <= secondsMax))
      throw badParameter(`'${name}' must be seconds since 1970, and a whole number, up to the year 9999.`);
  if (contentType != null && (typeof contentType !== "string" || contentType.length > contentTypeMax))
    throw badParameter(`'contentType' must be a text of at most ${contentTypeMax} characters.`);
  return {
    ...(enabled == null ? {} : { enabled }),
    ...(nbf == null ? {} : { nbf }),
    ...(exp == null ? {} : { exp }),
    ...(contentType == null ? {} : { contentType }),
    ...(tags == null ? {} : { tags: tagsFrom(tags) }),
  };
}

/** Refuses a field that is none, which Azure mostly ignores. @throws ArmError 400 */
function refuseUnknownFields(sent: Body, known: readonly string[], of: string): void {
  const unknown = Object.keys(sent).find((name) => !known.includes(name));
  if (unknown !== undefined) throw vaultError(400, "EmulatorUnsupported", `'${unknown}' is not a property of ${of}.`);
}

function tagsFrom(tags: unknown): SecretVersion["tags"] {
  if (typeof tags !== "object" || tags === null || Array.isArray(tags)) throw badParameter("'tags' must be an object.");
  const entries = Object.entries(tags);
  if (entries.length > tagsMax) throw badParameter(`A secret may have at most ${tagsMax} tags, not ${entries.length}.`);
  for (const [name, value] of entries)
    if (typeof value !== "string" || name.length > tagLengthMax || value.length > tagLengthMax)
      throw badParameter(`A tag's name and value are texts of at most ${tagLengthMax} characters.`);
  return Object.fromEntries(entries);
}

/** Lists the latest version of each secret, without values. */
export const listSecrets = (at: VaultAt): readonly Body[] =>
  contentsOf(at.cloud)
    .of(nameOfVault(at.vault))
    .filter(({ deleted }) => !deleted)
    .map((secret) => presented(at, secret, secret.versions.at(-1)!, "listed"));

/** Lists the versions of a secret by their ids, which says nothing about their age. @throws ArmError 404 */
export function listVersions(at: VaultAt, name: string): readonly Body[] {
  const secret = secretOf(at, name);
  return secret.versions
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((version) => presented(at, secret, version));
}

const presentedDeleted = (at: VaultAt, secret: Secret, isListed: "whole" | "listed" = "whole"): Body => ({
  recoveryId: `${originOf(at)}/deletedsecrets/${secret.name}`,
  deletedDate: Math.floor(secret.deleted!.at / 1000),
  scheduledPurgeDate: Math.floor(secret.deleted!.purgeAt / 1000),
  ...presented(at, secret, secret.versions.at(-1)!, isListed),
});

/** Puts a secret aside with all its versions; there is no deletion of one version. @throws ArmError 404 */
export function deleteSecret(at: VaultAt, name: string): Body {
  const now = at.cloud.clock.now();
  const deleted = {
    ...secretOf(at, name),
    deleted: { at: now, purgeAt: now + retentionMilliseconds(at.vault) },
  };
  contentsOf(at.cloud).put(deleted);
  return presentedDeleted(at, deleted);
}

function deletedOf({ cloud, vault }: VaultAt, name: string): Secret {
  const secret = contentsOf(cloud).get(nameOfVault(vault), name);
  if (!secret?.deleted) throw vaultError(404, "SecretNotFound", `Deleted Secret not found: ${name}`);
  return secret;
}

/** Lists the deleted secrets. */
export const listDeleted = (at: VaultAt): readonly Body[] =>
  contentsOf(at.cloud)
    .of(nameOfVault(at.vault))
    .filter(({ deleted }) => deleted)
    .map((secret) => presentedDeleted(at, secret, "listed"));

/** Gives a deleted secret. @throws ArmError 404 */
export const getDeleted = (at: VaultAt, name: string): Body => presentedDeleted(at, deletedOf(at, name));

/** Brings a deleted secret back with all its versions. @throws ArmError 404 */
export function recoverSecret(at: VaultAt, name: string): Body {
  const { deleted: _, ...secret } = deletedOf(at, name);
  contentsOf(at.cloud).put(secret);
  return presented(at, secret, secret.versions.at(-1)!);
}

/** Removes a deleted secret for good. @throws ArmError 404, or 403 when the vault has purge protection */
export function purgeSecret(at: VaultAt, name: string): void {
  const secret = deletedOf(at, name);
  if (at.vault.body["properties"].enablePurgeProtection)
    throw vaultError(
      403,
      "Forbidden",
      'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will ' +
        "automatically purge it after the retention period has passed.",
      "ForbiddenByPolicy",
    );
  contentsOf(at.cloud).purge(secret);
}
