// The aliases of a CanaryApp: which of them mean the app below it, and which the component.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { type CanaryAppOptions, splitOptions, withVersionedTypes } from "../../components/canary-app/options.ts";

const root = { toString: () => "the stack" } as unknown as pulumi.Resource;
const outer = { toString: () => "a component of the program" } as unknown as pulumi.Resource;
const urn = "urn:pulumi:dev::shop::azure-native:app:ContainerApp::store";
const ofComponent = "urn:pulumi:dev::shop::ballast:index:CanaryApp::store";
test.each([
  ["none", {}, [], [{ name: "shop", parent: undefined }]],
  ["none below a component", { parent: outer }, [], [{ name: "shop", parent: outer }]],
  [
    "an earlier name",
    { parent: outer, aliases: [{ name: "store" }] },
    [{ name: "store" }],
    [
      { name: "shop", parent: outer },
      { name: "store", parent: outer },
    ],
  ],
  [
    "an earlier name at the top of a program",
    { aliases: [{ name: "store" }] },
    [{ name: "store" }],
    [
      { name: "shop", parent: undefined },
      { name: "store", parent: undefined },
    ],
  ],
  [
    "the top of the program as an earlier parent",
    { parent: outer, aliases: [{ parent: undefined }] },
    [{ parent: undefined }],
    [
      { name: "shop", parent: outer },
      { name: "shop", parent: undefined },
    ],
  ],
  [
    "another parent",
    { aliases: [{ parent: outer }] },
    [{ parent: outer }],
    [
      { name: "shop", parent: undefined },
      { name: "shop", parent: outer },
    ],
  ],
  [
    "another type",
    { parent: root, aliases: [{ type: "azure-native:app/v20250101:ContainerApp" }] },
    [],
    [
      { name: "shop", parent: root },
      { name: "shop", parent: root, type: "azure-native:app/v20250101:ContainerApp" },
    ],
  ],
  ["the URN of an app", { aliases: [urn] }, [], [{ name: "shop", parent: undefined }, urn]],
  ["the URN of a component", { aliases: [ofComponent] }, [ofComponent], [{ name: "shop", parent: undefined }]],
] as readonly (readonly [string, CanaryAppOptions, readonly unknown[], readonly unknown[]])[])(
  "the aliases of the app and of its component: %s",
  (_what, options, ofTheComponent, ofTheApp) => {
    const { component, app } = splitOptions("shop", options);
    // A parent that is undefined means the stack, and none at all the component.
    expect([component.aliases ?? [], app.aliases]).toStrictEqual([ofTheComponent, ofTheApp]);
  },
);

/** What the SDK keeps of a component. */
const group = (name: string, aliases: readonly string[], within?: unknown): pulumi.Resource =>
  ({ __name: name, __pulumiType: "shop:index:Group", __aliases: aliases, __parentResource: within }) as never;
const known = (value: unknown): Promise<unknown> =>
  pulumi.Output.isInstance(value)
    ? (value as unknown as { promise: () => Promise<unknown> }).promise()
    : Promise.resolve(value);

test("an app is also found below the names that the components around it had before", async () => {
  const around = group("outer", ["urn:pulumi:dev::shop::shop:index:Group::out"]);
  const inner = group("shop", ["urn:pulumi:dev::shop::shop:index:Group::web"], around);
  const { aliases = [] } = splitOptions("shop-api", { parent: inner }).app;
  const places = (aliases as readonly pulumi.Alias[]).map(({ name, parent }) =>
    Promise.all([name, parent === inner ? "as it is now" : parent].map(known)),
  );
  // A name that begins with the component's changes with it, as Pulumi has it for children of its own.
  expect(await Promise.all(places)).toEqual([
    ["shop-api", "as it is now"],
    ["web-api", "urn:pulumi:dev::shop::shop:index:Group::web"],
    ["shop-api", "urn:pulumi:dev::shop::shop:index:Group$shop:index:Group::shop"],
  ]);
});

test("each place where the app was is also tried with the types that azure-native gives it as earlier ones", () => {
  const older = "azure-native:app/v20240301:ContainerApp";
  const oldest = "azure-native:app/v20220301:ContainerApp";
  const own = splitOptions("shop", { aliases: [{ name: "store" }] }).app.aliases!;
  const opts = { aliases: [...own, urn, { type: older }, { type: oldest }] };
  const changed = withVersionedTypes({ resource: root, type: "", name: "", props: { a: 1 }, opts })!;
  const places = ["shop", "store"].map((name) => ({ name, parent: undefined }));
  const typed = places.flatMap((place) => [older, oldest].map((type) => ({ ...place, type })));
  expect(changed).toStrictEqual({ props: { a: 1 }, opts: { aliases: [...opts.aliases, ...typed] } });
});
