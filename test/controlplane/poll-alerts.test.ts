// The poll that takes alerts while the alerts API fails: how long it rests, and what the log shows of it.
import { expect, test } from "vitest";
import type { Alerts } from "../../controlplane/performers/remediation-ports.ts";
import { openHints, pollAlerts } from "../../controlplane/remediations.ts";
import type { Hint } from "../../engines/remediation/alerts/delivery.ts";
import { deliveryOf } from "../support/controlplane/deliveries.ts";
import { policyWith } from "../support/worlds/incident-scenario.ts";

const found = { ok: true, value: { alerts: [], leftOut: 0 } } as const;
const refused = { ok: false, reason: "the alerts cannot be read: 429" } as const;
const target = "app/shop/storefront";
const declared = {
  targets: [{ target, dependsOn: [] }],
  policies: [policyWith({ rule: "app-failing", targets: [target] })],
} as never;

/** Polls once for each answer, and gives how long it rested after each, and what was logged. */
async function poll(
  answers: readonly Awaited<ReturnType<Alerts["list"]>>[],
  deliver: (poll: number) => void = () => {},
) {
  const closing = new AbortController();
  const rests: number[] = [];
  const logged: string[] = [];
  const clock = { now: () => Date.parse("2031-01-01T12:00:30Z"), until: async () => undefined };
  const hints = openHints({ declared, clock });
  const list: Alerts["list"] = async () => {
    rests.push(0);
    deliverTo = hints.hint;
    deliver(rests.length);
    return answers[rests.length - 1]!;
  };
  await pollAlerts(
    { declared, clock, log: (message) => void logged.push(message) },
    { list },
    { start: async () => "started" },
    closing.signal,
    60_000,
    hints,
    {
      steady: () => 0,
      nap: async (milliseconds, cancel) => {
        if (!cancel.aborted) rests[rests.length - 1]! += milliseconds;
        if (rests.length === answers.length) closing.abort();
      },
    },
  );
  return { rests, logged };
}
let deliverTo: (payload: unknown) => Hint;

test("rests as long as Azure asks, and logs an outage when it begins and when it is over", async () => {
  const { rests, logged } = await poll([
    found,
    refused,
    { ...refused, retryAfterSeconds: 240 },
    { ...refused, retryAfterSeconds: 5 },
    found,
    found,
  ]);
  expect(rests.slice(0, -1)).toEqual([60_000, 60_000, 240_000, 60_000, 60_000]);
  expect(logged).toEqual([
    "taking alerts failed and will be tried again: the alerts cannot be read: 429",
    "taking alerts goes on after 3 tries in vain",
  ]);
});

test("a delivery ends the rest, but neither the least rest nor one that Azure asks for", async () => {
  const delivered = (many: number) => (nth: number) => {
    for (let each = 0; nth < 3 && each < many; each++) deliverTo(deliveryOf());
  };
  expect((await poll([found, found, found, found], delivered(1))).rests.slice(0, -1)).toEqual([5_000, 5_000, 60_000]);
  expect((await poll([found, found, found, found], delivered(1_500))).rests.slice(0, -1), "a storm").toEqual([
    5_000, 5_000, 60_000,
  ]);
  const asked = { ...refused, retryAfterSeconds: 90 };
  expect((await poll([asked, asked, found], delivered(1))).rests.slice(0, -1)).toEqual([90_000, 90_000]);
});
