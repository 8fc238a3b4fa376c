// What people read of a fact that holds a policy: the ladder, and how far its actions may go.
import { expect, test } from "vitest";
import { messageOf } from "../../../engines/remediation/tell.ts";
import { policyWith } from "../../support/worlds/incident-scenario.ts";

test("the limits of a policy are told with its ladder", () => {
  const policy = policyWith({ rule: "app-failing", targets: ["app/shop/web"] });
  const limits = { ...policy.limits, attemptsMax: 3, cooldownSeconds: 5400, blastRadiusMax: 2, actBelowPercent: 50 };
  expect(messageOf({ kind: "PolicyLoaded", at: 0, graph: [], policy: { ...policy, limits } })).toBe(
    "policy of shop team: restart-revision; acts once an alert has been fired for 2m, 3 actions on a target within " +
      "24h, cool-down 1h 30m, 2 targets at once, acts while at most 50 percent of the error budget are left, circuit " +
      "opens for 6h after 2 failures in a row, a storm is more than 5 targets, calls a person after 4h",
  );
});
