// The job that gives users back to the stable revision when nothing has been heard of the control plane for four minutes.
import { DeadMansSwitch, ImageRegistry } from "ballast";

const subscription = "00000000-0000-0000-0000-0000ba11a57e", scope = `/subscriptions/${subscription}/resourceGroups/shop`;

const images = new ImageRegistry("images", { scope, subscription, resourceGroupName: "shop", location: "westeurope", registry: "shopimages" });

const dead = new DeadMansSwitch("dead-mans-switch", {
  scope, subscription,
  resourceGroupName: "shop",
  location: "westeurope",
  image: "shopimages.azurecr.io/dead-mans-switch:0.1.0",
  pull: images.pull,
  environmentId: `${scope}/providers/Microsoft.App/managedEnvironments/apps`,
  controlPlaneEndpoint: "https://control-plane.apps.example.net",
  resourceManager: "https://management.azure.com",
  inventory: [{ resourceGroup: "shop", app: "shop", id: `${scope}/providers/Microsoft.App/containerApps/shop` }],
  silenceSeconds: 240,
}, { dependsOn: images });

export const { job } = dead;
