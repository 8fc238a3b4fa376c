// What names a release: what the hook foresees of an update, and which runs are refused because their state is
// outdated.
import type { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { releaseKey } from "../../components/canary-app/release-key.ts";
import { nothingThere, record, valueOf } from "../support/program/mocks.ts";

/** How Pulumi hands an unknown value to a hook. */
const unknown = { __pulumiUnknown: true };
const template = { containers: [{ name: "web", image: "web:1" }], scale: { minReplicas: 1 } };
const other = { containers: [{ name: "web", image: "web:2" }], scale: { minReplicas: 1 } };

interface Run {
  /** What the hook gets of the template before the update. */
  readonly was?: unknown;
  /** What it gets after it; undefined if it does not run. */
  readonly will?: unknown;
  readonly isPreview: boolean;
  /** What the app says after its registration; undefined if it is not known. */
  readonly latest: string | undefined;
  readonly live?: string;
}

/** Gives the name of the release in one run; undefined if the run does not know it. */
async function keyOf({ was, will, isPreview, latest, live }: Run): Promise<string | undefined> {
  const { made } = await record(
    async () => {
      const { hooks, of } = releaseKey("shop", false);
      const hook = hooks.beforeUpdate![0] as pulumi.ResourceHook;
      expect([hooks.beforeCreate, hook.opts]).toEqual([[hook], { onDryRun: true }]);
      const args = {
        newInputs: { template: will },
        ...(was === undefined ? {} : { oldInputs: { template: was }, oldOutputs: { latestRevisionName: "shop--1" } }),
      };
      if (will !== undefined) await hook.callback(args as unknown as pulumi.ResourceHookArgs);
      const app = { urn: pulumi.output("urn"), latestRevisionName: pulumi.output(latest) } as unknown as ContainerApp;
      return await valueOf(of(app, pulumi.output(live)));
    },
    nothingThere,
    isPreview,
  );
  return made;
}

test.each([
  ["an update that leaves the template as it is", { was: template, will: template, latest: undefined }, "shop--1"],
  [
    "keys in another order",
    { was: template, will: { scale: template.scale, containers: template.containers }, latest: undefined },
    "shop--1",
  ],
  [
    "an empty suffix that is left out, as Azure shows it",
    { was: { ...template, revisionSuffix: "" }, will: template, latest: undefined },
    "shop--1",
  ],
  [
    "a suffix that is left out",
    { was: { ...template, revisionSuffix: "v1" }, will: template, latest: undefined },
    undefined,
  ],
  ["another template", { was: template, will: other, latest: undefined }, undefined],
  ["a template that is not known", { was: template, will: unknown, latest: undefined }, undefined],
  ["a part that is not known", { was: template, will: { ...template, scale: unknown }, latest: undefined }, undefined],
  [
    "a secret that stays",
    { was: pulumi.secret(template), will: pulumi.secret(template), latest: undefined },
    "shop--1",
  ],
  ["a secret that changes", { was: pulumi.secret(template), will: pulumi.secret(other), latest: undefined }, undefined],
  ["a new app", { will: template, latest: undefined }, undefined],
  ["an app that stays as it is", { latest: "shop--1" }, "shop--1"],
  [
    "a state that has not seen a rotation",
    { was: template, will: { ...other, revisionSuffix: "b-r1-1" }, latest: undefined, live: "shop--b-r1-1" },
    "shop--b-r1-1",
  ],
  [
    "a rotation's suffix that is not the latest revision's",
    { was: template, will: { ...other, revisionSuffix: "b-r1-1" }, latest: undefined, live: "shop--2" },
    undefined,
  ],
] as const)("a preview of %s", async (_what, run, key) => expect(await keyOf({ ...run, isPreview: true })).toBe(key));

test.each([
  ["leaves the template as it is", { was: template, will: template, latest: "shop--1" }, "shop--1"],
  ["changes the template", { was: template, will: other, latest: "shop--2" }, "shop--2"],
  ["changes a template of which Azure makes no revision", { was: template, will: other, latest: "shop--1" }, "shop--1"],
  ["creates the app", { will: template, latest: "shop--1" }, "shop--1"],
] as const)("an update that %s is named by the app itself", async (_what, run, key) =>
  expect(await keyOf({ ...run, isPreview: false, live: "shop--hotfix" })).toBe(key),
);

test.each([true, false])(
  "canary-app-outdated: a run that sees no revision of another client; preview: %s",
  async (isPreview) => {
    await expect(keyOf({ latest: "shop--1", live: "shop--hotfix", isPreview })).rejects.toThrow(
      /^canary-app-outdated .*"shop" is shop--hotfix, but the state has shop--1/,
    );
    expect(await keyOf({ latest: "shop--1", live: "shop--1", isPreview })).toBe("shop--1");
  },
);
