// The app in the state must be the one that the program names: another name is refused, another letter case is not.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { noRecreation, ofSameApp } from "../../components/canary-app/recreation.ts";
import { nothingThere, record, unknown, valueOf } from "../support/program/mocks.ts";

const group = "/subscriptions/s/resourceGroups/Shops";
const id = `${group}/providers/Microsoft.App/containerApps/shop1a2b3c`;
const live = {
  traffic: [],
  kept: {},
  slots: { named: {}, places: {} },
  found: { latestReadyRevisionName: "shop--a" },
  planned: () => ({}),
  serving: "shop--a",
};

/** What the program says of the app's place. */
type Said = readonly [pulumi.Input<string>, pulumi.Input<string>];
const placeOf = (said: Said) => pulumi.output(said) as unknown as pulumi.Output<readonly [string, string]>;

/** The app is compared in the hook of an update, and for an app that stays as it is: each way gives its own answer. */
const ways: readonly ((said: Said) => Promise<string>)[] = [
  async (said) => {
    const { beforeUpdate } = noRecreation("shop", placeOf(said), pulumi.output(live));
    const hook = beforeUpdate![0] as pulumi.ResourceHook;
    expect(hook.opts).toEqual({ onDryRun: true });
    await hook.callback({ id } as unknown as pulumi.ResourceHookArgs);
    return "passed";
  },
  (said) => valueOf(ofSameApp("shop", { id: pulumi.output(id), place: placeOf(said) }, pulumi.output("shop--a"))),
];
async function comparedWith(said: Said): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const way of ways)
    answers.push(
      await record(() => way(said), nothingThere, true).then(
        ({ made }) => made,
        (error: Error) => error.message,
      ),
    );
  return answers;
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
  const both = await comparedWith(said);
  expect(both).toHaveLength(2);
  for (const each of both) expect(each).toMatch(/^canary-app-moved /);
  for (const each of both) expect(each).toContain(why);
});

test("an app that does not exist yet has no name to compare", async () => {
  const { made } = await record(async () => {
    const place = pulumi.output(["Shops", "shop"] as const);
    return valueOf(ofSameApp("shop", { id: pulumi.output("made by a test"), place }, pulumi.output("")));
  }, nothingThere);
  expect(await made).toBe("");
});
