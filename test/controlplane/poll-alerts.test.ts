// The poll that takes alerts while the alerts API fails: how long it rests, and what the log shows of it.
import { expect, test } from "vitest";
import type { Alerts } from "../../controlplane/performers/remediation-ports.ts";
import { pollAlerts } from "../../controlplane/remediations.ts";
import { policyWith } from "../support/worlds/incident-scenario.ts";

const found = { ok: true, value: { alerts: [], leftOut: 0 } } as const;
const refused = { ok: false, reason: "the alerts cannot be read: 429" } as const;

test("rests as long as Azure asks, and logs an outage when it begins and when it is over", async () => {
  const answers: Awaited<ReturnType<Alerts["list"]>>[] = [
    found,
    refused,
    { ...refused, retryAfterSeconds: 240 },
    { ...refused, retryAfterSeconds: 5 },
    found,
  ];
  const closing = new AbortController();
  const rests: number[] = [];
  const logged: string[] = [];
  await pollAlerts(
    {
      declared: {
        targets: [],
        policies: [policyWith({ rule: "app-failing", targets: ["app/shop/storefront"] })],
      } as never,
      clock: { now: () => 0, until: async () => undefined },
      log: (message) => void logged.push(message),
    },
    { list: async () => answers[rests.length]! },
    { start: async () => "started" },
    closing.signal,
    60_000,
    {
      steady: () => 0,
      nap: async (milliseconds) => {
        rests.push(milliseconds);
        if (rests.length === answers.length) closing.abort();
      },
    },
  );
  expect(rests).toEqual([60_000, 60_000, 240_000, 60_000, 60_000]);
  expect(logged).toEqual([
    "taking alerts failed and will be tried again: the alerts cannot be read: 429",
    "taking alerts goes on after 3 tries in vain",
  ]);
});
