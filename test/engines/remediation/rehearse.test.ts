// Past alerts, decided with limits that may differ from those of their time.
import { expect, test } from "vitest";
import { read } from "../../../engines/form.ts";
import { remediationsForm } from "../../../engines/remediation/declaration.ts";
import { type Foresight, rehearse } from "../../../engines/remediation/rehearse.ts";
import type { Sighting } from "../../../engines/remediation/vocabulary.ts";

const start = Date.parse("2026-01-05T09:00:00Z");
const at = (minutes: number): number => start + minutes * 60_000;
const apps = ["web", "cart", "api"].map((name) => `app/shop/${name}`);
const declared = (limits: object = {}) => {
  const parsed = read(remediationsForm, {
    targets: [
      ...apps.map((target) => ({ target, dependsOn: ["server/shop/db"] })),
      { target: "server/shop/db", dependsOn: [] },
    ],
    policies: [
      {
        rule: "app-failing",
        owner: "shop team",
        targets: apps,
        ladder: [{ runbook: "restart-revision" }, { runbook: "collect-diagnostics" }],
        verification: {},
        limits,
      },
    ],
  });
  if ("value" in parsed) return parsed.value;
  throw new Error(parsed.complaints.join(" "));
};
let count = 0;
const alert = (minutes: number, resolves: number | null, target: string | null = "app/shop/web"): Sighting => ({
  id: `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`,
  kind: "log",
  rule: "app-failing",
  severity: 1,
  target,
  covered: target !== null,
  firedAt: at(minutes),
  resolvedAt: resolves === null ? null : at(resolves),
});
const works: Foresight = () => "worked";
const outcomes = (alerts: readonly Sighting[], limits: object = {}, foresee: Foresight = works) =>
  rehearse(alerts, declared(limits), foresee).map(({ facts }) => {
    const last = facts.at(-1);
    const done = facts.filter((fact) => fact.kind === "Cleared" && fact.runbook === "restart-revision").length;
    return [done, last?.kind === "Finished" ? last.reason : last?.kind];
  });

test("an alert leads to an action that is verified, and one that was over before its turn to nothing", () => {
  expect(outcomes([alert(0, 30)])).toEqual([[1, "verified"]]);
  expect(outcomes([alert(0, 0.5)])).toEqual([]);
  expect(outcomes([alert(0, 1.5)])).toEqual([[0, "cleared-by-itself"]]);
  expect(outcomes([alert(0, 30, null)])).toEqual([]);
});

test("other limits decide differently: a longer settle delay leaves the alert to itself", () => {
  const alerts = [alert(0, 10)];
  expect(outcomes(alerts)).toEqual([[1, "verified"]]);
  expect(outcomes(alerts, { settleSeconds: 900 })).toEqual([[0, "cleared-by-itself"]]);
});

test("actions before count: the third incident of a day calls a person, and a circuit opens if they come back", () => {
  const far = [alert(0, 30), alert(300, 330), alert(600, 630)];
  expect(outcomes(far)).toEqual([
    [1, "verified"],
    [1, "verified"],
    [0, "attempts-exhausted"],
  ]);
  expect(outcomes(far, { attemptsMax: 9, recurrenceSeconds: 86_400 }).at(-1)).toEqual([0, "circuit-open"]);
});

test("what several targets depend on is the cause: one person is called, and nothing is done", () => {
  const shared = apps.map((target) => alert(0, 60, target));
  expect(outcomes(shared).map(([done]) => done)).toEqual([0, 0, 0]);
  expect(outcomes(shared).map(([, reason]) => reason)).toEqual(["common-cause", "common-cause", "common-cause"]);
});

test("an action that would not have helped leads to the next rung and to a person", () =>
  expect(outcomes([alert(0, null)], {}, () => "did-not")).toEqual([[1, "ladder-exhausted"]]));
