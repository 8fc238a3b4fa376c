// The benchmark of alerts, on two of its weeks: what docs/evidence/alerts.md says about who wins and who loses.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { contest } from "../../bench/alerts/contest.ts";
import { burnRates, singleWindow } from "../../bench/alerts/contestants.ts";
import { drawWeek, kinds } from "../../bench/alerts/week.ts";

test("a week has each of the twelve kinds once, and the same seed draws the same week", () => {
  const week = drawWeek(7);
  expect(new Set(week.incidents.map(({ kind }) => kind.name)).size).toBe(12);
  expect(kinds).toHaveLength(12);
  expect(drawWeek(7).incidents).toEqual(week.incidents);
  expect(drawWeek(8).incidents).not.toEqual(week.incidents);
});

test("burn rates find every incident and call fewer people, later and with more failed requests", () => {
  const ours = contest(burnRates, "Ballast", 2);
  const theirs = contest(singleWindow, "a Function that restarts", 2);
  const nobody = contest(burnRates, "nobody", 2);
  expect(ours.recall).toBe(1);
  expect(theirs.recall).toBeLessThan(1);
  expect(ours.pagesPerIncident).toBeLessThan(theirs.pagesPerIncident);
  expect(ours.actions).toBeLessThan(theirs.actions);
  expect(ours.failedRequests).toBeLessThan(nobody.failedRequests);
  // The losses that the page names:
  expect(ours.detectionMinutes).toBeGreaterThan(theirs.detectionMinutes);
  expect(ours.failedRequests).toBeGreaterThan(theirs.failedRequests);
  expect(readFileSync("docs/evidence/alerts.md", "utf8")).toContain("**Where it loses.**");
});
