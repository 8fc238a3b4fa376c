// What Azure refuses of a flexible server beyond its published types (Learn: "Compute options", "Storage options",
// "Reliability", "Backup and restore" and "Supported versions" of Azure Database for PostgreSQL). Codes that are not
// public are our own.
import { sameText } from "../arm/bodies.ts";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body } from "../arm/resource.ts";

/** The versions in which a server may be created. Servers of earlier ones exist still. */
export const versionsOffered = ["14", "15", "16", "17", "18"];

/** Login names that Azure refuses, and PostgreSQL's own prefix. */
const reserved = /^(azure_superuser|azure_pg_admin|admin|administrator|root|guest|public|pg_.*|)$/i;

/** Databases that every server has from the start. */
export const isSystemDatabase = (name: string): boolean =>
  /^(azure_maintenance|azure_sys|template0|template1|postgres)$/i.test(name);

/** Checks the administrator's name. @throws ArmError 400 */
export function checkLogin(login: string): void {
  if (reserved.test(login)) throw new ArmError(400, "ReservedLoginName", `The login name '${login}' is reserved.`);
  if (!/^[a-z0-9_][-\w]{0,62}$/i.test(login))
    throw refusedToo(`The login name '${login}' is invalid: 1 to 63 letters, digits, '_' and '-'.`);
}

const kinds = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/];

/** Checks a password by the rules that the portal shows. The refusal does not repeat it. @throws ArmError 400 */
export function checkPassword(password: string, login: string): void {
  if (password.length < 8 || password.length > 128)
    throw refusedToo("The password of the administrator must have 8 to 128 characters.");
  if (kinds.filter((kind) => kind.test(password)).length < 3)
    throw refusedToo(
      "The password of the administrator needs three of these: capital letters, small letters, digits, others.",
    );
  if (password.toLowerCase().includes(login.toLowerCase()))
    throw refusedToo("The password of the administrator must not contain the login name.");
}

/** Checks a server's size, storage, zones, version and backup, and what may not change. @throws ArmError 400 */
export function checkServer({ sku, properties }: Body, previous: Body | undefined): void {
  checkSize(sku);
  checkVersion(properties.version, previous?.["properties"].version);
  checkStorage(properties.storage ?? {}, previous?.["properties"].storage ?? {});
  checkZones(sku, properties, previous?.["properties"]);
  const { backup = {}, maintenanceWindow } = properties;
  const { geoRedundantBackup = "Disabled" } = previous?.["properties"].backup ?? {};
  if (previous && backup.geoRedundantBackup && !sameText(backup.geoRedundantBackup, geoRedundantBackup))
    throw refusedToo("geoRedundantBackup cannot be changed after the server was created.");
  const window: unknown = maintenanceWindow?.customWindow;
  if (window !== undefined && !/^(enabled|disabled)$/i.test(String(window)))
    throw refusedToo(`maintenanceWindow.customWindow is 'Enabled' or 'Disabled', not '${window}'.`);
}

// Learn, "Compute options in Azure Database for PostgreSQL", its table of server types with the sixth series.
const cores = "2|4|8|16|32|48|64";
const sizesOf: { readonly [tier: string]: RegExp } = {
  burstable: /^Standard_B(1ms|2s|(2|4|8|12|16|20)ms)$/i,
  generalpurpose: sizes("D", cores, cores, `${cores}|96`),
  memoryoptimized: sizes("E", cores, `${cores}|20`, `${cores}|20|96`),
};

/** The sizes of a series by their numbers of cores: of the third, the fourth, and the later generations. */
function sizes(series: string, third: string, fourth: string, later: string): RegExp {
  return new RegExp(
    `^Standard_${series}((${third})s_v3|(${fourth})ds_v4|(${later})a?ds_v5|(${later})ads_v6|(${later}|128|192)ds_v6)$`,
    "i",
  );
}

function checkSize(sku: Body | undefined): void {
  if (!sku) return;
  if (!sizesOf[String(sku["tier"]).toLowerCase()]?.test(String(sku["name"])))
    throw refusedToo(`The tier ${sku["tier"]} has no size '${sku["name"]}'.`);
}

function checkVersion(version: unknown, before: unknown): void {
  if (version === undefined || sameText(version, before)) return;
  if (before !== undefined && Number(version) < Number(before))
    throw refusedToo(`A server of version ${before} cannot become one of version ${version}.`);
  // The message is that of a public answer.
  if (!versionsOffered.includes(String(version)))
    throw new ArmError(
      400,
      "ParameterOutOfRange",
      `The value of the 'Version' should be in: [${versionsOffered.join(",")}]. ` +
        "Verify that the specified parameter value is correct.",
    );
}

const diskSizes = [32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16_384, 32_767];

function checkStorage({ storageSizeGB: size, type = "Premium_LRS" }: Body, before: Body): void {
  if (size === undefined) return;
  if (sameText(type, "Premium_LRS") && !diskSizes.includes(size))
    throw refusedToo(`storageSizeGB is one of ${diskSizes.join(", ")} with Premium SSD, not ${size}.`);
  if (sameText(type, "PremiumV2_LRS") && !(size >= 32 && size <= 65_536))
    throw refusedToo(`storageSizeGB is 32 to 65,536 with Premium SSD v2, not ${size}.`);
  if (size < Number(before["storageSizeGB"] ?? 0))
    throw refusedToo(`The storage of a server cannot shrink from ${before["storageSizeGB"]} GB to ${size} GB.`);
}

function checkZones(
  sku: Body | undefined,
  { availabilityZone: zone, highAvailability = {} }: Body,
  before?: Body,
): void {
  const { mode = "Disabled", standbyAvailabilityZone: standby } = highAvailability;
  for (const each of [zone, standby])
    if (each && !/^[123]$/.test(each)) throw refusedToo(`'${each}' is no availability zone of the region.`);
  const { availabilityZone: zoneBefore, highAvailability: haBefore } = before ?? {};
  if (before && zone && zoneBefore && zone !== zoneBefore && zone !== haBefore?.standbyAvailabilityZone)
    throw refusedToo("The availability zone of a server can only be exchanged with that of its standby.");
  if (sameText(mode, "Disabled")) return;
  if (sameText(sku?.["tier"], "Burstable")) throw refusedToo("The tier Burstable has no high availability.");
  if (zone && standby && sameText(mode, "ZoneRedundant") === (zone === standby))
    throw refusedToo(`The mode ${mode} does not fit the zones ${zone} and ${standby}.`);
}
