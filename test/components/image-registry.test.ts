// What an ImageRegistry deploys, with a registry of its own and with another stack's.
import { expect, test } from "vitest";
import { ImageRegistry } from "../../components/platform/image-registry.ts";
import { record } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const foreign = "/subscriptions/s/resourceGroups/other/providers/Microsoft.ContainerRegistry/registries/Shared1";
const images = (registry: string) =>
  record(
    () =>
      new ImageRegistry("images", {
        scope,
        resourceGroupName: "shop",
        location: "westeurope",
        subscription: "s",
        registry,
      }),
  );
const parent = "ballast:index:ImageRegistry";

test("its own registry has no passwords, and its identity may pull from it and do nothing else", async () => {
  const { declared, made } = await images("shop123");
  expect(declared).toMatchObject([
    { type: parent, name: "images", parent: "", outputs: ["server"] },
    {
      type: "azure-native:managedidentity:UserAssignedIdentity",
      name: "images-identity",
      parent,
      inputs: { resourceName: "images" },
    },
    {
      type: "azure-native:authorization:RoleAssignment",
      name: "images-pull-role",
      parent,
      inputs: {
        scope: "images-registry-id",
        principalId: "principal",
        principalType: "ServicePrincipal",
        roleDefinitionId:
          "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
      },
    },
    {
      type: "azure-native:containerregistry:Registry",
      name: "images-registry",
      parent,
      inputs: { registryName: "shop123", adminUserEnabled: false },
    },
  ]);
  expect(made.pull).toEqual({
    server: "shop123.azurecr.io",
    identity: `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/images`,
  });
});

test("another stack's registry is not created again; the identity gets its right there", async () => {
  const { declared, made } = await images(foreign);
  expect(declared.map(({ name }) => name)).toEqual(["images", "images-identity", "images-pull-role"]);
  expect(declared.at(-1)?.inputs).toMatchObject({ scope: foreign });
  expect(made.pull.server).toBe("shared1.azurecr.io");
});

test("a name that Azure would refuse is refused before anything is sent", () =>
  expect(images("my-registry")).rejects.toThrow("component-name-refused"));
