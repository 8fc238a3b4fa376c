// A service that is released by canary: each change of its image or variables is a release, judged at every step. The
// environment and the control plane exist already; they have examples of their own.
import { CanaryApp } from "ballast";

const group = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const shop = new CanaryApp("shop", {
  resourceGroup: "shop",
  location: "westeurope",
  environment: { id: `${group}/providers/Microsoft.App/managedEnvironments/apps`, domain: "apps.example.net" },
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
  image: "ghcr.io/example/shop:2.1.0", // public; a private registry also needs `registries`
  variables: { GREETING: "hello" },
  probePath: "/",
  strategy: { weights: [5, 25, 50], bakeSeconds: 600 },
  thresholds: { failurePointsMax: 0.5 },
});

export const { url, revision, result, message } = shop;
