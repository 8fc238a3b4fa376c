// A registry for a shop's images, and an identity that may pull from it.
import { ImageRegistry } from "ballast";

const images = new ImageRegistry("images", {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
  registry: "shopimages",
});

export const { pull } = images;
