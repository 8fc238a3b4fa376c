// An app that logs in with a rotated password. Neither the program nor its state ever has the password.
import { CanaryApp, DatabaseCredential, httpApp } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };
const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };

const database = new DatabaseCredential("database", {
  ...place,
  controlPlane,
  credential: "database",
  vault: { id: `${scope}/providers/Microsoft.KeyVault/vaults/secrets-ba11a57e`, name: "secrets-ba11a57e" },
  server: { host: "shop.postgres.database.azure.com" },
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  rotator: "control-plane", // the output `identityName` of `ControlPlane`
  preparedBy: { resourceGroup: "shop", job: "shop-roles" }, // a `DatabaseRole` with `credentials`
  consumers: [{ resourceGroup: "shop", app: "shop", probePath: "/orders" }],
});

const environmentId = `${scope}/providers/Microsoft.App/managedEnvironments/apps`;
const app = { resourceGroupName: "shop", containerAppName: "shop", environmentId, image: "ghcr.io/example/shop:2.1.0" };
const credentials = { DATABASE_URL: database.uri() };
const shop = new CanaryApp("shop", { ...httpApp(app), controlPlane, credentials });
export const { url } = shop;
