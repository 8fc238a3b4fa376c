// The aliases of a CanaryApp: which of them mean the app below it, and which the component.
import type * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { type CanaryAppOptions, splitOptions } from "../../components/canary-app/options.ts";

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
