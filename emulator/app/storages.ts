// Microsoft.App/managedEnvironments/storages: the Azure file shares of an environment. On the emulator a share is a
// folder that stays as long as the emulator's folder does, and nobody asks the storage account for anything.
import { tmpdir } from "node:os";
import path from "node:path";
import type { Body, Cloud, ResourceType } from "../arm/resource.ts";
import { storageFields } from "./contract/environment-fields.ts";
import { refuseLikeAzure } from "./contract/refusals.ts";
import type { AppRuntime } from "./revisions.ts";

/** Storages of environments, as Resource Manager serves them. */
export const storageType: ResourceType = {
  type: "Microsoft.App/managedEnvironments/storages",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  fields: storageFields,
  noPatch: true,
  onPut: async ({ wanted, cloud }) => {
    const { azureFile }: Body = wanted["properties"];
    if (!/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(String(wanted["name"])))
      refuseLikeAzure(`The storage name '${wanted["name"]}' is invalid: at most 32 lower case letters, digits or '-'.`);
    if (!azureFile) refuseLikeAzure(`The storage '${wanted["name"]}' needs azureFile.`);
    const { accountName, shareName, accessMode, accountKey } = azureFile;
    if (!accountName || !shareName || !accountKey)
      refuseLikeAzure(`The storage '${wanted["name"]}' needs an accountName, a shareName and an accountKey.`);
    if (!/^[a-z0-9]{3,24}$/.test(String(accountName)))
      refuseLikeAzure(`The storage account '${accountName}' is invalid: 3 to 24 lower case letters and digits.`);
    if (!/^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(String(shareName)))
      refuseLikeAzure(
        `The share '${shareName}' is invalid: 3 to 63 lower case letters, digits and single hyphens between them.`,
      );
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(String(accountKey)))
      refuseLikeAzure(`The accountKey of the storage '${wanted["name"]}' is not in base 64.`);
    if (!["readonly", "readwrite"].includes(String(accessMode).toLowerCase()))
      refuseLikeAzure(
        `The storage '${wanted["name"]}' has the accessMode '${accessMode}', and not ReadOnly or ReadWrite.`,
      );
    cloud.log(`the storage ${wanted["name"]} is a folder; ${accessMode} is not enforced`);
  },
  present: ({ body }) => {
    const shown = structuredClone(body);
    delete shown["properties"].azureFile?.accountKey;
    return shown;
  },
};

/** Gives the folder of the storages of an app's environment. */
export const storageFolderOf = ({ options }: Cloud, { environmentName }: AppRuntime): string =>
  path.join(options.folder || tmpdir(), "storages", environmentName.toLowerCase());
