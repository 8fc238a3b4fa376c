// The job that gives users back to the stable revision when nothing has been heard of the control plane for four minutes.
import { DeadMansSwitch, ImageRegistry } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };

const images = new ImageRegistry("images", { ...place, registry: "shopimages" });

const dead = new DeadMansSwitch(
  "dead-mans-switch",
  {
    ...place,
    image: "shopimages.azurecr.io/dead-mans-switch:0.1.0",
    pull: images.pull,
    environmentId: `${scope}/providers/Microsoft.App/managedEnvironments/apps`,
    controlPlaneEndpoint: "https://control-plane.apps.example.net",
    inventory: [{ resourceGroup: "shop", app: "shop", id: `${scope}/providers/Microsoft.App/containerApps/shop` }],
  },
  { dependsOn: images },
);

export const { job } = dead;
