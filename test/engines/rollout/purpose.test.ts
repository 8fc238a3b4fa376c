// Rollouts that differ in what they are asked for: by a rotation, by a remediation, and once more after their end.
import { expect, it } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { finishes } from "../../../engines/rollout/facts.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { ReleaseIntent, RolloutEvent, RolloutObservation } from "../../../engines/rollout/vocabulary.ts";

const target = { resourceGroup: "shop", app: "web" };
const purpose = {
  secret: "database-b",
  replaces: "database-a",
  url: "https://kv.vault.azure.net/secrets/database-b/2",
};
const intent: ReleaseIntent = {
  target,
  revision: "web--b-r1-1",
  release: "credential database, slot b",
  strategy: defaultStrategy,
  thresholds: defaultThresholds,
  probePath: "/",
  purpose,
  requestedBy: "ann",
};

const told = (journal: readonly RolloutEvent[], observation: RolloutObservation): readonly RolloutEvent[] => [
  ...journal,
  ...rollout.decide(fold(rollout, journal), observation),
];
const planned = told([], { kind: "Request", at: 0, intent });
const repointed = told(planned, { kind: "Outcome", of: "Repoint", at: 1, found: { ok: true, value: null } });

it("makes its revision before it looks at the app", () => {
  expect(rollout.react(fold(rollout, planned))).toEqual({
    kind: "Repoint",
    target,
    revision: "web--b-r1-1",
    purpose,
  });
  expect(rollout.react(fold(rollout, repointed))).toEqual({ kind: "Inspect", target });
});

const revision = (name: string) => ({
  name,
  active: true,
  running: "Running",
  health: "Healthy",
  templateHash: "same",
});

it("is judged although its template has the key of the one that serves", () => {
  const view = { weights: [{ revision: "web--1", percent: 100 }], revisions: ["web--1", "web--b-r1-1"].map(revision) };
  const inspected = told(repointed, { kind: "Outcome", of: "Inspect", at: 2, found: { ok: true, value: view } });
  expect(inspected.at(-1)).toMatchObject({ kind: "Started", stable: "web--1" });
  expect(replay(inspected)).toBeUndefined();
});

it("is rejected, and deactivates what it may have made, if the revision cannot be made", () => {
  let journal = planned;
  for (let at = 1; at <= 5; at++)
    journal = told(journal, { kind: "Outcome", of: "Repoint", at, found: { ok: false, reason: "no such secret" } });
  expect(journal.at(-1)).toMatchObject({ kind: "Aborted", reason: "effect-failed" });
  const view = {
    weights: [{ revision: "web--1", percent: 100 }],
    revisions: [{ name: "web--1", active: true, running: "Running", health: "Healthy", templateHash: "old" }],
  };
  journal = told(journal, { kind: "Outcome", of: "Inspect", at: 100_000, found: { ok: true, value: view } });
  expect(rollout.react(fold(rollout, journal))).toMatchObject({ kind: "Deactivate", revision: "web--b-r1-1" });
  journal = told(journal, { kind: "Outcome", of: "Deactivate", at: 100_001, found: { ok: true, value: null } });
  expect(journal.at(-1)).toMatchObject({ kind: "Finished", result: "rejected" });
});

it("is not judged if a remediation asked for it, since stable fails: it gets all traffic after its smoke test", () => {
  const view = { weights: [{ revision: "web--1", percent: 100 }], revisions: ["web--1", "web--b-r1-1"].map(revision) };
  const asked = told([], { kind: "Request", at: 0, intent: { ...intent, repairs: "app-failing" } });
  const made = told(asked, { kind: "Outcome", of: "Repoint", at: 1, found: { ok: true, value: null } });
  const started = told(made, { kind: "Outcome", of: "Inspect", at: 2, found: { ok: true, value: view } });
  const probed = told(started, {
    kind: "Outcome",
    of: "Probe",
    at: 3,
    found: { ok: true, value: { running: "Running", good: true, detail: "answered 200" } },
  });
  expect(rollout.react(fold(rollout, probed))).toMatchObject({
    kind: "ShiftTraffic",
    weights: [{ revision: "web--b-r1-1", percent: 100 }],
  });
  const shifted = [{ revision: "web--b-r1-1", percent: 100 }];
  let journal = told(probed, {
    kind: "Outcome",
    of: "ShiftTraffic",
    at: 4,
    found: { ok: true, value: { weights: shifted } },
  });
  journal = told(journal, {
    kind: "Outcome",
    of: "VerifyTraffic",
    at: 5,
    found: { ok: true, value: { weights: shifted } },
  });
  expect(journal.at(-1)).toMatchObject({
    kind: "StepPassed",
    percent: 100,
    message: "a remediation of app-failing cuts over to it",
  });
  expect(fold(rollout, journal).ending).toMatchObject({ result: "promoted", reason: "repaired" });
});

const { purpose: _purpose, ...plain } = intent;
const slots = [["database-a", "database-b"]];

it("compares templates without the slots of its app's credentials", () => {
  const journal = told([], { kind: "Request", at: 0, intent: { ...plain, credentialSlots: slots } });
  expect(rollout.react(fold(rollout, journal))).toEqual({ kind: "Inspect", target, credentialSlots: slots });
});

it.each([
  ["a release of a template that serves already has nothing to do", {}, "FoundUnchanged"],
  ["a return to the revision before a rotation moves the traffic", { returns: "many-failures" }, "Started"],
])("%s", (_title, change, kind) => {
  const journal = told([], { kind: "Request", at: 0, intent: { ...plain, credentialSlots: slots, ...change } });
  const view = { weights: [{ revision: "web--1", percent: 100 }], revisions: ["web--1", "web--b-r1-1"].map(revision) };
  const found = told(journal, { kind: "Outcome", of: "Inspect", at: 2, found: { ok: true, value: view } });
  expect(found.at(-1)).toMatchObject({ kind });
});

it("begins again after its end if the request says so, with what is asked then and nothing that it knew", () => {
  const view = { weights: [{ revision: "web--1", percent: 100 }], revisions: ["web--1", "web--b-r1-1"].map(revision) };
  let journal = told([], { kind: "Request", at: 0, intent: plain });
  journal = told(journal, { kind: "Outcome", of: "Inspect", at: 2, found: { ok: true, value: view } });
  journal = told(journal, { kind: "Outcome", of: "Deactivate", at: 3, found: { ok: true, value: null } });
  expect(journal.at(-1)).toMatchObject({ kind: "Finished", result: "unchanged" });
  const request = { kind: "Request", at: 9, intent: { ...plain, probePath: "/other" } } as const;
  expect(told(journal, request).at(-1)).toMatchObject({ kind: "Disregarded" });
  const again = told(journal, { ...request, again: true });
  expect(fold(rollout, again)).toMatchObject({
    phase: "inspecting",
    attempt: 2,
    stable: null,
    ending: undefined,
    intent: { probePath: "/other" },
  });
  expect([finishes(journal), finishes(again), replay(again)]).toEqual([true, false, undefined]);
});
