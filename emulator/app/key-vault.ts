// The vaults behind secrets by reference: read-only, with fixed secrets from a file in the emulator's folder, until
// the emulator has Key Vault itself. `vaults.json` is `{ "<vault>": { "<secret>": "<value>" } }`. The identity that a
// secret names must be the app's, which contract/ checks; that it may read the vault is not checked.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArmError, type Body, type Cloud } from "../arm/resource.ts";
import { readVaultUrl } from "./contract/configuration.ts";

type Vaults = { readonly [vault: string]: { readonly [secret: string]: string } };

function readVaults({ options }: Cloud): Vaults {
  const file = path.join(options.folder, "vaults.json");
  if (options.folder === "" || !existsSync(file)) return {};
  return JSON.parse(readFileSync(file, "utf8")) as Vaults;
}

/** Gives the value of a secret of an app: its own, or the vault's. @throws ArmError 400 when the vault has none */
function valueOf(cloud: Cloud, { name, value, keyVaultUrl, identity }: Body): string {
  if (!keyVaultUrl) return String(value ?? "");
  const found = readVaultUrl(String(keyVaultUrl), cloud.suffix);
  const byName = <Found>(all: { readonly [key: string]: Found } | undefined, wanted: string): Found | undefined =>
    Object.entries(all ?? {}).find(([key]) => key.toLowerCase() === wanted.toLowerCase())?.[1];
  const secret = found && byName(byName(readVaults(cloud), found.vault), found.secret);
  // The file has one version of each secret, which has no name.
  if (secret !== undefined && found?.version === undefined) return secret;
  throw new ArmError(
    400,
    "InvalidParameterValueInContainerTemplate",
    "The following field(s) are either invalid or missing. Field 'configuration.secrets' is invalid with details: " +
      `'Invalid value: "${name}": Unable to get value using Managed identity ${identity} for secret ${name}. ` +
      `Error: unable to fetch secret '${name}' using Managed identity '${identity}'';.`,
  );
}

/** Gives the values of an app's secrets, by name. @throws ArmError 400 when a vault does not have one */
export const secretValues = (cloud: Cloud, configuration: Body): ReadonlyMap<string, string> =>
  new Map(((configuration["secrets"] ?? []) as Body[]).map((secret) => [secret["name"], valueOf(cloud, secret)]));
