// Which changes of a release's inputs need a new rollout, which a replacement, and which only a warning.
import { expect, test } from "vitest";
import { cautions, diff, refuses } from "../../provider/release/inputs.ts";
import { planned } from "../../provider/release/release.ts";
import { unknownValue } from "../../provider/resource-type.ts";
import { isRefresh, withoutTurn, withTurn } from "../../provider/turn.ts";

const before = { app: "a", resourceGroup: "rg", release: "one", revision: "r1", wait: true };
test.each([
  ["a new release is carried out", { release: "two" }, "promoted", "update"],
  ["a release that a preview does not know may be a new one", { release: unknownValue }, "promoted", "update"],
  ["the revision's new name alone is no release", { revision: "r2" }, "promoted", "none"],
  ["a name that a preview does not know is no release", { revision: unknownValue }, "unchanged", "none"],
  ["another app is another resource", { app: "b" }, "promoted", "replace"],
  ["another group is another resource", { resourceGroup: "other" }, "promoted", "replace"],
  ["a group that a preview does not know is no replacement", { resourceGroup: unknownValue }, "promoted", "none"],
  ["an app that a preview does not know is no replacement", { app: unknownValue }, "promoted", "none"],
  ["an unknown group hides no new release", { resourceGroup: unknownValue, release: "two" }, "promoted", "update"],
  ["letter case is nothing to Azure", { resourceGroup: "RG", app: "A" }, "promoted", "none"],
  ["a rolled-back release is carried out again by an unchanged program", {}, "rolled-back", "update"],
  ["one that was left in flight is taken up again", {}, "in-flight", "update"],
  ["one that is in flight because `wait` is false is left alone", { wait: false }, "in-flight", "none"],
  ["one that was never started is started", { wait: false }, "not-started", "update"],
  ["a revision that serves stands", { serving: "R1" }, "promoted", "none"],
  ["one from which another client took the traffic is released again", { serving: "r0" }, "promoted", "update"],
  ["one that shares the traffic with another is not as it was left", { serving: "" }, "promoted", "update"],
  ["a preview that does not know who serves shows no release", { serving: unknownValue }, "promoted", "none"],
  ["an unchanged release leaves who served before", { serving: "r0" }, "unchanged", "none"],
  ["another one after an unchanged release", { serving: "r5" }, "unchanged", "update"],
  ["during a rollout others have traffic", { wait: false, serving: "r0" }, "in-flight", "none"],
])("%s", (_title, change, result, kind) => {
  expect(diff(before, { ...before, serving: "r0", result }, { ...before, ...change }).kind).toBe(kind);
});

test("a release that took a canary back left whoever serves: the traffic was shared when it was asked for", () => {
  const old = { ...before, serving: "", result: "unchanged" };
  expect(diff(before, old, { ...before, serving: "r0" })).toEqual({ kind: "none" });
});

test("a revision that a rotation made is no release, and may serve", () => {
  const credentialSlots = [["database-a", "database-b"]];
  const after = { release: "a--b-r1-1", revision: "a--b-r1-1", serving: "a--b-r1-1" };
  const old = { ...before, result: "promoted", serving: "r1" };
  expect(diff(before, old, { ...before, ...after, credentialSlots }).kind).toBe("none");
  expect(diff(before, old, { ...before, ...after }).kind, "an app without slots").toBe("update");
  expect(diff(before, old, { ...before, ...after, release: "a--0000003", credentialSlots }).kind).toBe("update");
});

test.each([
  ["a gate added to a finished release", undefined, { beforePercent: 50 }, {}, "promoted", ["has ended"]],
  ["a gate added to one in flight", undefined, { beforePercent: 50 }, { wait: false }, "in-flight", ["is in flight"]],
  ["a gate that is removed", { beforePercent: 50 }, undefined, {}, "promoted", ["has ended"]],
  ["a gate that is changed", { beforePercent: 50 }, { beforePercent: 30 }, {}, "unchanged", ["has ended"]],
  ["the same gate", { beforePercent: 50 }, { beforePercent: 50 }, {}, "promoted", []],
  ["a gate that comes with a new release", undefined, { beforePercent: 50 }, { release: "two" }, "promoted", []],
])("%s is warned of, unless it applies at once", (_title, gate, newGate, change, result, words) => {
  const old = { ...before, ...(gate && { gate }) };
  const said = cautions(old, { ...old, result }, { ...before, ...change, ...(newGate && { gate: newGate }) });
  expect(said).toEqual(words.map((each) => expect.stringMatching(new RegExp(`^release-plan-later .*${each}`))));
});

test.each([
  ["thresholds", { failurePointsMax: 0.5 }, { failurePointsMax: 1 }],
  ["strategy", { weights: [5, 100] }, { weights: [50, 100] }],
  ["dryRun", undefined, { failurePointsMax: 1 }],
  ["probePath", "/", "/health"],
  ["probe", { host: "shop.example" }, undefined],
  ["outsideWeights", "adopt", "restore"],
])("%s of a finished release, if changed, apply to the next one", (field, was, is) => {
  const old = { ...before, [field]: was };
  const news = { ...before, [field]: is };
  const ended = { ...old, result: "promoted" };
  expect(cautions(old, ended, news)).toEqual([expect.stringContaining(`The update changes ${field} of a.`)]);
  expect(cautions(old, ended, { ...news, release: "two" }), "with a new release").toEqual([]);
  expect(cautions(news, { ...news, result: "promoted" }, news), "unchanged").toEqual([]);
  expect(cautions(old, ended, { ...before, [field]: unknownValue }), "unknown at preview").toEqual([]);
});

test("all that was changed is said at once", () =>
  expect(
    cautions(before, { ...before, result: "in-flight" }, { ...before, wait: false, gate: {}, thresholds: {} }),
  ).toEqual([expect.stringMatching(/changes gate, thresholds of a\..*is in flight as it was requested/)]));

test("a revert is released even if a retry of the failed release has succeeded since", () => {
  expect(
    diff(
      { ...before, release: "one" },
      { ...before, release: "two", result: "promoted" },
      { ...before, release: "one" },
    ).kind,
  ).toBe("update");
  expect(
    diff(
      { ...before, release: "one" },
      { ...before, release: "two", result: "promoted" },
      { ...before, release: "two" },
    ).kind,
  ).toBe("none");
});

const below = "urn:pulumi:dev::shop::ballast:index:CanaryApp$ballast:index:Release::shop-release";
test.each([
  ["another app", { app: "b" }, "its name is a, and the program says b"],
  ["another group", { resourceGroup: "other" }, "its resource group is rg, and the program says other"],
])(
  "canary-app-moved: %s is refused for the release of a CanaryApp, whose app would be replaced",
  (_what, change, says) => {
    const news = { ...before, ...change };
    expect(String(refuses(below, before, news))).toMatch(
      new RegExp(`^canary-app-moved .*"a" would be deleted .*${says}`),
    );
    expect(refuses("urn:pulumi:dev::shop::ballast:index:Release::shop", before, news)).toBeUndefined();
  },
);
test.each([{ app: "A" }, { app: unknownValue }, { release: "two" }])("%j moves no app", (change) =>
  expect(refuses(below, before, { ...before, ...change })).toBeUndefined(),
);

test("a refresh compares a state with itself, and an update what a program says, also if that says the same", () => {
  const said = { release: "a--2", serving: "a--1" };
  const first = withTurn(said, {});
  const second = withTurn(said, first);
  expect([first, second].map(withoutTurn)).toEqual([said, said]);
  expect(isRefresh(first, first)).toBe(true);
  expect([isRefresh(first, second), isRefresh(second, withTurn(said, second))]).toEqual([false, false]);
  expect(isRefresh(said, first), "a state of an earlier version").toBe(false);
  expect(isRefresh(said, said), "inputs without a mark").toBe(false);
});

test.each([
  ["a--1", "a--1", "would record a--1 of a as released: it serves already, and no traffic moves"],
  ["a--2", "a--1", "would release a--2 of a: 50 → 100 %, 5 s of bake each"],
  [unknownValue, unknownValue, "would release a new revision of a: 50 → 100 %"],
])("a preview says of %s what an update would do while %s serves", (release, serving, says) => {
  expect(planned({ app: "a", release, serving, strategy: { weights: [50], bakeSeconds: 5 } })).toContain(says);
});
