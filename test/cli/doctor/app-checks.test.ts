// The checks of an app, against an emulator: each passes on the shop, and fails once for the problem it is for.
import { expect, test, vi } from "vitest";
import { bindAudience } from "../../../bind-audience.ts";
import { appChecks, judgeFitness, type LiveApp } from "../../../cli/doctor/app-checks.ts";
import type { Ask } from "../../../cli/doctor/context.ts";
import { examine } from "../../../cli/doctor/finding.ts";
import { judgeIdle, type LiveRevision } from "../../../cli/doctor/idle-revisions.ts";
import { journalUnreachable } from "../../../errors/api.ts";
import { envelope, startFakeControlPlane, token } from "../../support/controlplane/fake-control-plane.ts";
import { apps, checkRunner, context, failure, image, shop, useDoctorShop } from "../../support/emulator/doctor-shop.ts";

useDoctorShop();
const { run, neverFailed } = checkRunner(appChecks);
const check = (name: string, subject = context) => run(name, subject);

test("all checks pass on an app that can be released", async () => {
  const findings = await examine(appChecks, context);
  expect(findings.map((finding) => [finding.check, finding.state])).toEqual([
    ["canary", "ok"],
    ["image", "ok"],
    ["request rows", "ok"],
    ["idle revisions", "ok"],
  ]);
});

test("all checks are unknown, not failed, for an app that does not exist yet", async () => {
  const missing = { ...context.app, id: shop.appId.replace("storefront", "nobody") };
  const findings = await examine(appChecks, { ...context, app: missing });
  expect(findings.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown", "unknown"]);
  expect(findings[0]).toMatchObject({ message: "nobody does not exist yet: the first `pulumi up` creates it" });
});

test("a canary needs Multiple mode, an ingress, HTTP, and no sticky sessions", async () => {
  const setMode = (activeRevisionsMode: string) =>
    shop.write("PATCH", `${shop.appId}?${apps}`, { properties: { configuration: { activeRevisionsMode } } });
  await setMode("Single");
  expect(await check("canary")).toMatchObject(failure("doctor-app-unfit", "Single revision mode"));
  await setMode("Multiple");
  expect((await check("canary")).state).toBe("ok");
  const judged = (configuration: object) =>
    judgeFitness("storefront", {
      properties: { configuration: { activeRevisionsMode: "Multiple", ...configuration } },
    } as unknown as LiveApp);
  expect(judged({ ingress: null })).toMatchObject(failure("doctor-app-unfit", "no ingress"));
  expect(judged({ ingress: { transport: "Tcp" } })).toMatchObject(failure("doctor-app-unfit", "TCP"));
  expect(judged({ ingress: { stickySessions: { affinity: "sticky" } } })).toMatchObject(
    failure("doctor-app-unfit", "sticky sessions"),
  );
});

test("an image cannot be pulled once the app's identity has lost its role", async () => {
  await shop.forbidPull();
  expect(await check("image")).toMatchObject(
    failure("doctor-image-unpullable", `storefront cannot pull ${image}: its identity images has no role`),
  );
  await shop.permitPull();
  expect((await check("image")).state).toBe("ok");
});

test("requests are not recorded in an environment without a diagnostic setting", async () => {
  await shop.disconnectRows();
  expect(await check("request rows")).toMatchObject(
    failure("doctor-rows-unwired", "The environment shop has no diagnostic setting"),
  );
  await shop.connectRows();
});

test.each([
  ["arrived after", 2, 1],
  ["had not arrived after", 600, 0.5],
])("a row that %s more than ingestionSeconds is reported as late", async (message, lag, ingestionSeconds) => {
  await shop.setIngestion(lag);
  expect(await check("request rows", shop.contextWith({ ingestionSeconds }))).toMatchObject(
    failure("doctor-rows-late", message),
  );
  await shop.setIngestion(0.3);
});

test.each<readonly [string, object, object, "ok" | "failed"]>([
  ["one without traffic, as a killed update leaves it", {}, {}, "failed"],
  ["one of which Azure gives no weight", { trafficWeight: undefined }, {}, "failed"],
  ["one that serves", { trafficWeight: 1 }, {}, "ok"],
  ["one that was deactivated", { active: false }, {}, "ok"],
  ["one with a label, which has an address of its own", {}, { labelled: ["Shop--2"] }, "ok"],
  ["one beside another with a label", {}, { labelled: ["shop--3"] }, "failed"],
  ["one whose release may be about to be asked for", { createdTime: "2026-01-05T09:50:01Z" }, {}, "ok"],
])("a revision that runs for nobody is reported, and not %s", (_what, changes, needs, state) => {
  const properties = { active: true, trafficWeight: 0, createdTime: "2026-01-05T09:00:00Z", ...changes };
  const found = judgeIdle(
    { app: "shop", labelled: [], ...needs },
    [{ name: "shop--2", properties } as LiveRevision],
    Date.parse("2026-01-05T10:00:00Z"),
  );
  expect(found.state).toBe(state);
});

test("a revision that no release asked for is found once it is ten minutes old, until it is stopped", async () => {
  const before = (await shop.write("GET", `${shop.appId}?${apps}`)).properties.latestRevisionName;
  const template = { containers: [{ name: "web", image, env: [{ name: "RELEASE", value: "2" }] }] };
  const traffic = [{ revisionName: before, weight: 100 }];
  await shop.write("PATCH", `${shop.appId}?${apps}`, {
    properties: { configuration: { ingress: { traffic } }, template },
  });
  expect((await check("idle revisions")).state).toBe("ok");
  const orphan = (await shop.write("GET", `${shop.appId}?${apps}`)).properties.latestRevisionName;
  expect(orphan).not.toBe(before);
  const old: Ask = async (...of) => {
    const answer = await context.ask(...of);
    for (const { properties } of answer.body.value ?? [])
      properties.createdTime = new Date(Date.parse(properties.createdTime) - 600_000).toISOString();
    return answer;
  };
  const later = { ...context, ask: old };
  expect(await check("idle revisions", later)).toMatchObject(failure("doctor-revisions-idle", orphan));
  const elsewhere = { ...later, stack: { ...context.stack, endpoint: "https://127.0.0.1:1", binding: "another" } };
  expect((await check("idle revisions", elsewhere)).state).toBe("unknown");
  await shop.at.ask("POST", `${shop.appId}/revisions/${orphan}/deactivate?${apps}`);
  expect((await check("idle revisions", later)).state).toBe("ok");
});

const inGroup = "rollout/shop/storefront/storefront--2";
test.each<readonly [string, string, "rollouts" | "unreadable", "ok" | "unknown" | "failed"]>([
  ["the app is being released, which may need its stable again", inGroup, "rollouts", "ok"],
  ["an app of the same name in another group is being released", inGroup.replace("shop", "b"), "rollouts", "failed"],
  ["an app whose name begins alike is being released", inGroup.replace("t/", "t-2/"), "rollouts", "failed"],
  ["a rollout of the app cannot be read", inGroup, "unreadable", "unknown"],
  ["a rollout of another app cannot be read", inGroup.replace("storefront", "web"), "unreadable", "failed"],
])("revisions without traffic while %s", async (_what, id, listed, state) => {
  const plane = await startFakeControlPlane();
  vi.stubEnv("BALLAST_TOKEN", token);
  const [, resourceGroup, app] = id.split("/");
  const target = { resourceGroup, app };
  const one = listed === "rollouts" ? { id, target } : { id, ...envelope(journalUnreachable()) };
  plane.answerInstead = (_request, response) =>
    void response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ rollouts: [], unreadable: [], next: null, [listed]: [one] }));
  const revision = (name: string, trafficWeight: number) => ({
    name,
    properties: { active: true, trafficWeight, createdTime: "2026-01-05T09:00:00Z" },
  });
  const body = { value: [revision("storefront--2", 100), revision("storefront--1", 0)] };
  const ask: Ask = async (...of) => (of[1].includes("/revisions") ? { status: 200, body } : context.ask(...of));
  const { endpoint } = plane;
  const stack = { ...context.stack, endpoint, binding: bindAudience(endpoint, context.stack.audience) };
  const found = await check("idle revisions", { ...context, ask, stack });
  vi.unstubAllEnvs();
  await plane.stop();
  expect(found.state).toBe(state);
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
