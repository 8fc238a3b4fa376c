// Which ends of a remediation leave something to do in an issue: none if its ladder has written one already.
import { expect, test } from "vitest";
import { glance } from "../../../engines/remediation/glance.ts";
import { notificationOf } from "../../../engines/remediation/notifications.ts";
import type { RemediationEvent } from "../../../engines/remediation/vocabulary.ts";
import { incidentOn, policyWith } from "../../support/worlds/incident-scenario.ts";

const target = "app/shop/web";
const incident = incidentOn(target);
const last = { kind: "Finished", result: "person-called", reason: "ladder-exhausted", message: "look" } as const;

test.each([
  ["open-issue", ["issue: acme/shop#7"], false],
  ["open-issue", [], true],
  ["open-issue", ["9 requests answered: issue: acme/shop#7"], true],
  ["collect-diagnostics", ["issue: acme/shop#7"], true],
] as const)("after %s with the evidence %j an issue is left to write: %j", (runbook, evidence, isLeft) => {
  const rung = { runbook, approval: "none", repository: "acme/shop" } as const;
  const policy = { ...policyWith({ rule: "app-failing", targets: [target] }), ladder: [rung] };
  const events: readonly RemediationEvent[] = [
    { at: 0, kind: "Reported", incident },
    { at: 1, kind: "PolicyLoaded", policy, graph: [] },
    { at: 2, kind: "Reserved", rung: 0, runbook, plan: "report" },
    { at: 3, kind: "Acted", receipt: { message: "reported", evidence: [...evidence] } },
    { at: 4, ...last },
  ];
  const seen = events.reduce(glance.evolve, glance.initial);
  const told = notificationOf("remediation/app/shop/web/a1", 4, events.at(-1)!, seen);
  expect([told?.kind, told?.todo !== undefined]).toEqual(["person-called", isLeft]);
});
