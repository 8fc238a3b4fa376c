// The app in the state must be the one that the program names: another name is refused, another letter case is not.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { noRecreation, ofSameApp } from "../../components/canary-app/recreation.ts";
import { nothingThere, record, valueOf } from "../support/program/mocks.ts";

const group = "/subscriptions/s/resourceGroups/Shops";
const id = `${group}/providers/Microsoft.App/containerApps/shop1a2b3c`;
const live = {
  traffic: [],
  kept: {},
  slots: { named: {}, places: {} },
  exists: true,
  revision: "shop--a",
  serving: "shop--a",
};

/** An output that a preview does not know. */
const unknown = (): any =>
  new (pulumi.Output as unknown as new (...parts: unknown[]) => unknown)(
    new Set(),
    Promise.resolve(undefined),
    Promise.resolve(false),
    Promise.resolve(false),
    Promise.resolve(new Set()),
  );

/** Compares in both ways: in the hook of an update, and for an app that stays as it is. */
async function comparedWith(
  said: readonly [pulumi.Input<string>, pulumi.Input<string>],
): Promise<readonly [string, string | undefined]> {
  const compared = record(
    async () => {
      const place = pulumi.output(said) as unknown as pulumi.Output<readonly [string, string]>;
      const { beforeUpdate } = noRecreation("shop", place, pulumi.output(live));
      const hook = beforeUpdate![0] as pulumi.ResourceHook;
      expect(hook.opts).toEqual({ onDryRun: true });
      const refused = await Promise.resolve(hook.callback({ id } as unknown as pulumi.ResourceHookArgs)).then(
        () => "passed",
        (error: Error) => error.message,
      );
      const value = valueOf(ofSameApp("shop", { id: pulumi.output(id), place }, pulumi.output("shop--a")));
      return [refused, await value.catch((error: Error) => error.message)] as const;
    },
    nothingThere,
    true,
  );
  return (await compared).made;
}

test.each([
  ["the app's own", ["Shops", "shop1a2b3c"]],
  ["in another letter case", ["shops", "Shop1A2B3C"]],
] as const)("a name that is %s passes", async (_what, said) =>
  expect(await comparedWith(said)).toEqual(["passed", "shop--a"]),
);

test("a name that is not known yet is compared by the update", async () =>
  expect(await comparedWith([unknown(), unknown()])).toEqual(["passed", "shop--a"]));

test.each([
  ["name", ["Shops", "shop"], "its name is shop1a2b3c, and the program says shop."],
  ["group", ["other", "shop1a2b3c"], "its resource group is Shops, and the program says other."],
] as const)("canary-app-moved: another %s is refused before the first write", async (_what, said, why) => {
  const both = await comparedWith(said).catch((error: Error) => [error.message]);
  for (const each of both) expect(each).toMatch(/^canary-app-moved /);
  expect(both[0]).toContain(why);
});

test("an app that does not exist yet has no name to compare", async () => {
  const { made } = await record(async () => {
    const place = pulumi.output(["Shops", "shop"] as const);
    return valueOf(ofSameApp("shop", { id: pulumi.output("made by a test"), place }, pulumi.output("")));
  }, nothingThere);
  expect(await made).toBe("");
});
