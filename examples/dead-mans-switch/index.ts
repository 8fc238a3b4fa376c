// The job that returns all traffic to the stable revision when the control plane has been silent for four minutes.
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
    managedTargets: [{ resourceGroup: "shop", app: "shop", id: `${scope}/providers/Microsoft.App/containerApps/shop` }],
  },
  { dependsOn: images },
);

export const { job } = dead;
