// An app that signs in to a storage account with a rotated key. Neither the program nor its state ever has the key.
import { CanaryApp, httpApp, StorageCredential } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };
const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };

const blobs = new StorageCredential("data", {
  ...place,
  controlPlane,
  credential: "data",
  vault: { id: `${scope}/providers/Microsoft.KeyVault/vaults/secrets-ba11a57e`, name: "secrets-ba11a57e" },
  account: {
    id: `${scope}/providers/Microsoft.Storage/storageAccounts/shopdata`,
    resourceGroup: "shop",
    name: "shopdata",
  },
  operator: "00000000-0000-0000-0000-00000000000a", // the output `identityObjectId` of `ControlPlane`
  workspaceId: `${scope}/providers/Microsoft.OperationalInsights/workspaces/apps`,
  consumers: [{ resourceGroup: "shop", app: "shop", probePath: "/orders" }],
});

const environmentId = `${scope}/providers/Microsoft.App/managedEnvironments/apps`;
const app = { resourceGroupName: "shop", containerAppName: "shop", environmentId, image: "ghcr.io/example/shop:2.1.0" };
const credentials = { STORAGE_CONNECTION: blobs.connectionString() };
const shop = new CanaryApp("shop", { ...httpApp(app), controlPlane, credentials });
export const { url } = shop;
