// Microsoft.App/managedEnvironments/storages: the Azure file shares of an environment. On the emulator a share is a
// folder that stays as long as the emulator's folder does, and nobody asks the storage account for anything.
import { tmpdir } from "node:os";
import path from "node:path";
import type { Body, Cloud, ResourceType } from "../arm/resource.ts";
import { refuseLikeAzure, refuseUnsupported } from "./contract/refusals.ts";
import type { AppRuntime } from "./revisions.ts";

/** Storages of environments, as Resource Manager serves them. */
export const storageType: ResourceType = {
  type: "Microsoft.App/managedEnvironments/storages",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  onPut: async ({ wanted, cloud }) => {
    const { azureFile, ...others }: Body = wanted["properties"];
    for (const [name, value] of Object.entries(others))
      if (value != null && ["nfsAzureFile", "smb"].includes(name)) refuseUnsupported(`storages of the kind ${name}`);
    if (!azureFile) refuseLikeAzure(`The storage '${wanted["name"]}' needs azureFile.`);
    const { accountName, shareName, accessMode, accountKey, accountKeyVaultProperties } = azureFile;
    if (accountKeyVaultProperties) refuseUnsupported("storages whose key is in a vault");
    if (!accountName || !shareName || !accountKey)
      refuseLikeAzure(`The storage '${wanted["name"]}' needs an accountName, a shareName and an accountKey.`);
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
