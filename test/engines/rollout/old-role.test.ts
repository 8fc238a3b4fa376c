// A release whose revision logs in with a role that a rotation retires: the rollout asks for that role before it starts
// the revision, waits for it within its own time, and ends before any traffic if the role stays closed.
import { expect, it, test } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { ReleaseIntent, RolloutEvent, RolloutObservation } from "../../../engines/rollout/vocabulary.ts";

const target = { resourceGroup: "shop", app: "web" };
const stream = "rotation/kv/database/r1";
const intent: ReleaseIntent = {
  target,
  revision: "web--2",
  release: "two",
  strategy: defaultStrategy,
  thresholds: defaultThresholds,
  probePath: "/",
  requestedBy: "ann",
};
const revision = (name: string, secrets?: readonly string[]) => ({
  name,
  active: name === "web--1",
  running: "Running",
  health: "Healthy",
  templateHash: name,
  ...(secrets && { secrets }),
});
const view = (secrets?: readonly string[]) => ({
  weights: [{ revision: "web--1", percent: 100 }],
  revisions: [revision("web--1", ["database-b"]), revision("web--2", secrets)],
  retired: [{ secret: "database-a", rotation: stream }],
});

const told = (journal: readonly RolloutEvent[], observation: RolloutObservation): readonly RolloutEvent[] => [
  ...journal,
  ...rollout.decide(fold(rollout, journal), observation),
];
const inspected = (asked: Partial<ReleaseIntent> = {}, secrets: readonly string[] | null = ["database-a"]) =>
  told(told([], { kind: "Request", at: 0, intent: { ...intent, ...asked } }), {
    kind: "Outcome",
    of: "Inspect",
    at: 1_000,
    found: { ok: true, value: view(secrets ?? undefined) },
  });
const answered = (journal: readonly RolloutEvent[], standing: "open" | "soon" | "never", at: number) =>
  told(journal, {
    kind: "Outcome",
    of: "OpenRole",
    at,
    found: { ok: true, value: { standing, message: "shop_a is asked" } },
  });
const next = (journal: readonly RolloutEvent[]) => rollout.react(fold(rollout, journal));

it.each([
  ["that names the old slot asks for its role first", {}, ["database-a"], "OpenRole"],
  ["that names it in other letters does so too", {}, ["Database-A"], "OpenRole"],
  ["that names the new slot does not", {}, ["database-b"], "Activate"],
  ["that names no secret does not", {}, null, "Activate"],
  ["to which a remediation returns does so too", { returns: "app-failing" }, ["database-a"], "OpenRole"],
])("a release %s", (_which, asked, secrets, kind) => {
  const journal = inspected(asked, secrets);
  expect(next(journal)).toMatchObject({ kind });
  expect(replay(journal)).toBeUndefined();
});

it("leaves the role of its own cut-over to the rotation that asked for it", () => {
  const purpose = { secret: "database-a", replaces: "database-b", url: "https://kv.vault.azure.net/secrets/a/1" };
  const made = told(told([], { kind: "Request", at: 0, intent: { ...intent, purpose } }), {
    kind: "Outcome",
    of: "Repoint",
    at: 1,
    found: { ok: true, value: null },
  });
  const found = { ok: true, value: view(["database-a"]) } as const;
  expect(next(told(made, { kind: "Outcome", of: "Inspect", at: 2, found }))).toMatchObject({ kind: "Activate" });
});

test("the role is asked for again after an interval, and the revision starts once it is open", () => {
  const soon = answered(inspected(), "soon", 2_000);
  expect(soon.at(-1)).toMatchObject({ kind: "Waiting", reason: "role-closed" });
  const until = 2_000 + intent.strategy.intervalSeconds * 1000;
  expect(next(soon)).toEqual({ kind: "Wait", until });
  const waited = told(soon, { kind: "Outcome", of: "Wait", at: until, found: { ok: true, value: null } });
  expect(next(waited)).toMatchObject({ kind: "OpenRole", rotation: stream });
  const open = answered(waited, "open", until + 1);
  expect(next(open)).toMatchObject({ kind: "Activate", revision: "web--2" });
  expect(fold(rollout, open).waiting).toBeUndefined();
  expect(replay(open)).toBeUndefined();
});

it.each([
  ["stays closed", "never", 2_000, "role-closed"],
  ["is not open within the rollout's time", "soon", intent.strategy.maximumSeconds * 1000, "time-expired"],
] as const)("a release whose role %s is rejected before any traffic", (_why, standing, at, reason) => {
  const journal = answered(inspected(), standing, at);
  expect(fold(rollout, journal).ending).toMatchObject({ result: "rejected", reason });
  expect(next(journal)).toMatchObject({ kind: "Deactivate", revision: "web--2" });
});

test("a retry asks again", () => {
  const rejected = told(answered(inspected(), "never", 2_000), {
    kind: "Outcome",
    of: "Deactivate",
    at: 3_000,
    found: { ok: true, value: null },
  });
  const retried = told(rejected, { kind: "Signal", at: 4_000, signal: "retry", by: "ann", message: "once more" });
  const found = { ok: true, value: view(["database-a"]) } as const;
  expect(next(told(retried, { kind: "Outcome", of: "Inspect", at: 5_000, found }))).toMatchObject({ kind: "OpenRole" });
});

test("an abort while it waits leaves the revision deactivated", () => {
  const soon = answered(inspected(), "soon", 2_000);
  const aborted = told(soon, { kind: "Signal", at: 3_000, signal: "abort", by: "ann", message: "not now" });
  expect(fold(rollout, aborted).ending).toMatchObject({ result: "rejected" });
  expect(next(aborted)).toMatchObject({ kind: "Deactivate" });
});
