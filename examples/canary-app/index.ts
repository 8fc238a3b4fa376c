// A service that is released by canary: a change of its image or its variables is a release, which is carried out step by step and judged.
// The environment and the control plane are there already; their examples say how they come to be.
import { CanaryApp } from "ballast";

const shop = new CanaryApp("shop", {
  resourceGroup: "shop",
  location: "westeurope",
  environment: {
    id: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop/providers/Microsoft.App/managedEnvironments/apps",
    domain: "apps.example.net",
  },
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
  image: "shop.azurecr.io/shop:2.1.0",
  variables: { GREETING: "hello" },
  probePath: "/",
  pace: { weights: [5, 25, 50], bakeSeconds: 600 },
  limits: { failurePointsMax: 0.5 },
});

export const { url, revision, result, sentence } = shop;
