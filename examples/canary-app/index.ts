// A service that is released by canary: each change of its template is a release, judged at every step. The arguments
// are those of azure-native's ContainerApp; `httpApp` is the short form for an app with one container. The environment
// and the control plane exist already; they have examples of their own.
import { CanaryApp, httpApp } from "ballast";

const group = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const shop = new CanaryApp("shop", {
  ...httpApp({
    containerAppName: "shop",
    resourceGroupName: "shop",
    location: "westeurope",
    environmentId: `${group}/providers/Microsoft.App/managedEnvironments/apps`,
    image: "ghcr.io/example/shop:2.1.0", // public; a private registry also needs `registries`
    variables: { GREETING: "hello" },
  }),
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
  strategy: { weights: [5, 25, 50], bakeSeconds: 600 },
  thresholds: { failurePointsMax: 0.5 },
});

export const { url, revision, result, message } = shop;
