// The checks of an app, against an emulator: each passes on the shop, and fails once for the problem it is for.
import { expect, test } from "vitest";
import { appChecks, judgeFitness, type LiveApp } from "../../../cli/doctor/app-checks.ts";
import { examine } from "../../../cli/doctor/finding.ts";
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
  ]);
});

test("all checks are unknown, not failed, for an app that does not exist yet", async () => {
  const missing = { ...context.app, id: shop.appId.replace("storefront", "nobody") };
  const findings = await examine(appChecks, { ...context, app: missing });
  expect(findings.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]);
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

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
