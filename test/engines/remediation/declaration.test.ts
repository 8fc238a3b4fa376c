// What a program may declare about remediations, and what is refused by name before anything is deployed.
import { expect, test } from "vitest";
import { read } from "../../../engines/form.ts";
import { remediationsForm } from "../../../engines/remediation/declaration.ts";

const policy = {
  rule: "app-failing",
  owner: "shop team",
  targets: ["app/shop/web"],
  ladder: [{ runbook: "restart-revision" }],
  verification: {},
};
const promise = (target: string, goodPercent: number) => ({ target, measures: "availability", goodPercent });
const promised = (...objectives: readonly object[]) => ({
  targets: [
    { target: "app/shop/web", dependsOn: ["app/shop/api"] },
    { target: "app/shop/api", dependsOn: [] },
  ],
  policies: [],
  objectives,
});
const declared = (more: object = {}, targets: object[] = [{ target: "app/shop/web", dependsOn: [] }]) => ({
  targets,
  policies: [{ ...policy, ...more }],
});

test("limits that are not set have their defaults", () =>
  expect(read(remediationsForm, declared({ limits: { attemptsMax: 3 } }))).toMatchObject({
    value: {
      policies: [
        {
          ladder: [{ runbook: "restart-revision", approval: "none" }],
          limits: { attemptsMax: 3, blastRadiusMax: 1, cooldownSeconds: 3600 },
          verification: { measure: "requests", windowSeconds: 600 },
        },
      ],
    },
  }));

test("jobs without an undo fit into the usual maximum", () =>
  expect(
    read(remediationsForm, declared({ ladder: Array(4).fill({ runbook: "start-job", job: "warm" }) })),
  ).toHaveProperty("value"));

test("an action may wait for the error budget of an objective", () =>
  expect(
    read(remediationsForm, {
      ...declared({ limits: { actBelowPercent: 50 } }),
      objectives: [promise("app/shop/web", 99.9)],
    }),
  ).toHaveProperty("value"));

test.each([
  ["a policy without a verification", declared({ verification: undefined }), "verification is missing"],
  ["an action on a target that is not declared", declared({ targets: ["app/shop/cart"] }), "is not declared"],
  ["a cool-down shorter than the rule's look-back", declared({ limits: { cooldownSeconds: 60 } }), "lookBackSeconds"],
  ["an error budget that can never be met", declared({ limits: { actBelowPercent: 0 } }), "actBelowPercent"],
  ["a circuit that can never open", declared({ limits: { breakerFailuresMax: 9 } }), "could never open"],
  [
    "a maximum that the ladder exceeds",
    declared({ limits: { maximumSeconds: 60 } }),
    "maximumSeconds (60) is too short",
  ],
  [
    "a maximum that the ladder and its undo jobs exceed",
    declared({ ladder: Array(4).fill({ runbook: "start-job", job: "warm", undoJob: "drop" }) }),
    "maximumSeconds (14400) is too short",
  ],
  [
    "a window shorter than its interval",
    declared({ verification: { windowSeconds: 30 } }),
    "nothing could be verified",
  ],
  ["an unknown runbook", declared({ ladder: [{ runbook: "reboot" }] }), "runbook must be"],
  ["no rung", declared({ ladder: [] }), "ladder must be"],
  ["a job without a name", declared({ ladder: [{ runbook: "start-job" }] }), "needs the name of a job"],
  ["a job of another runbook", declared({ ladder: [{ runbook: "restart-revision", job: "x" }] }), "uses no job"],
  ["a credential that is not named", declared({ ladder: [{ runbook: "rotate-credential" }] }), "needs a credential"],
  ["a repository that is not named", declared({ ladder: [{ runbook: "open-issue" }] }), "needs a repository"],
  [
    "a repository of another runbook",
    declared({ ladder: [{ runbook: "restart-revision", repository: "a/b" }] }),
    "uses no repository",
  ],
  [
    "a restart of a server",
    declared({ targets: ["server/shop/db"] }, [{ target: "server/shop/db", dependsOn: [] }]),
    "restart-revision cannot act on server/shop/db",
  ],
  [
    "a job for a server on which no app depends",
    declared({ targets: ["server/shop/db"], ladder: [{ runbook: "start-job", job: "x" }] }, [
      { target: "server/shop/db", dependsOn: [] },
    ]),
    "can never verify an action on server/shop/db",
  ],
  ["restarts, which are not read", declared({ verification: { measure: "restarts" } }), "measures restarts"],
  [
    "blocked sessions, which are not read",
    declared({ verification: { measure: "blocked-sessions" } }),
    "measures blocked-sessions",
  ],
  [
    "a dependency that is not declared",
    declared({}, [{ target: "app/shop/web", dependsOn: ["server/x/y"] }]),
    "not declared",
  ],
  [
    "an action that waits for an error budget without an objective",
    declared({ limits: { actBelowPercent: 50 } }),
    "can never act on app/shop/web, which has no objective",
  ],
  ["two policies for one rule", { targets: declared().targets, policies: [policy, policy] }, "Two policies"],
  [
    "a promise that is stricter than that of what the app depends on",
    promised(promise("app/shop/web", 99.9), promise("app/shop/api", 99.5)),
    "The objective of app/shop/web (99.9 percent) can never be met: it depends on app/shop/api, which promises 99.5",
  ],
  [
    "an objective of a target that is not declared",
    promised(promise("app/shop/cart", 99)),
    "The objective of app/shop/cart is about a target that is not declared.",
  ],
  [
    "two objectives of one measure",
    promised(promise("app/shop/web", 99), promise("app/shop/web", 98)),
    "app/shop/web has two objectives of availability.",
  ],
  ["a misspelt limit", declared({ limits: { cooldown: 60 } }), "unknown field"],
])("%s is refused by name", (_what, given, message) =>
  expect(read(remediationsForm, JSON.parse(JSON.stringify(given)))).toMatchObject({
    complaints: expect.arrayContaining([expect.stringContaining(message)]),
  }),
);
