// An app that signs in to a partner's system with a rotated secret. A webhook of the program's owner changes it there.
import { CanaryApp, httpApp, WebhookCredential } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };
const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };

const partner = new WebhookCredential("partner", {
  ...place,
  controlPlane,
  credential: "partner",
  vault: { id: `${scope}/providers/Microsoft.KeyVault/vaults/secrets-ba11a57e`, name: "secrets-ba11a57e" },
  url: "https://rotate.example.com/partner", // verifies the signature of each call
  roles: { a: "shop-1", b: "shop-2" },
  consumers: [{ resourceGroup: "shop", app: "shop", probePath: "/orders" }],
});

const environmentId = `${scope}/providers/Microsoft.App/managedEnvironments/apps`;
const app = { resourceGroupName: "shop", containerAppName: "shop", environmentId, image: "ghcr.io/example/shop:2.1.0" };
const credentials = { PARTNER_SECRET: partner.value() };
const shop = new CanaryApp("shop", { ...httpApp(app), controlPlane, credentials });
export const { url } = shop;
