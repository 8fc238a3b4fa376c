// What a program or its stack ignores of an app that is released: a list, a single path, and what a transform adds.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { refuseOfTransforms } from "../../components/canary-app/ignored.ts";
import { splitOptions } from "../../components/canary-app/options.ts";

const urn = (type: string) => `urn:pulumi:dev::shop::${type}::shop`;
const asked = (type: string, parent: string | undefined, ignoreChanges: unknown) =>
  refuseOfTransforms({
    custom: true,
    type,
    name: "shop-app",
    props: {},
    opts: { ignoreChanges, ...(parent && { parent: { urn: pulumi.output(urn(parent)) } }) },
  } as unknown as pulumi.ResourceTransformArgs);
const [app, canaryApp] = ["azure-native:app:ContainerApp", "ballast:index:CanaryApp"];

test("canary-app-ignored-template: plain JavaScript may ignore a single path", () => {
  const given = (ignoreChanges: string) => splitOptions("shop", { ignoreChanges } as never);
  expect(() => given("template.containers[0].image")).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/^canary-app-ignored-template .*containers\[0\].image"/),
    }),
  );
  expect(given("tags").app.ignoreChanges).toEqual(["tags"]);
});

test.each([
  ["canary-app-ignored-template", "template"],
  ["canary-app-owned-field", "configuration.ingress"],
])("%s: a transform of the stack ignores it", async (id, path) => {
  await expect(asked(app, canaryApp, ["tags", path])).rejects.toThrow(
    expect.objectContaining({ message: expect.stringMatching(new RegExp(`^${id} .*"shop" .*"${path}"`)) }),
  );
});

test.each([
  ["another resource", "azure-native:app:Job", canaryApp, ["template"]],
  ["an app that is not released", app, undefined, ["template"]],
  ["an app of another component", app, "shop:index:Shop", ["template"]],
  ["another path", app, canaryApp, ["tags", "containerAppName"]],
  ["nothing", app, canaryApp, undefined],
] as const)("a transform may ignore what means %s", async (_what, type, parent, paths) =>
  expect(await asked(type, parent, paths)).toBeUndefined(),
);
