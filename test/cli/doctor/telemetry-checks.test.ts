// The check of telemetry, against an emulator, with reports and ages of the control plane made up.
// test/components/alerts.test.ts sees it pass on a control plane that reports.
import { expect, test } from "vitest";
import type { AppContext } from "../../../cli/doctor/context.ts";
import { telemetryChecks } from "../../../cli/doctor/telemetry-checks.ts";
import { checkRunner, context, failure, shop, useDoctorShop } from "../../support/emulator/doctor-shop.ts";

useDoctorShop();
const { run, neverFailed } = checkRunner(telemetryChecks);

test("missing telemetry fails once the control plane is old enough to have reported", async () => {
  const planeId = `${shop.group}/providers/Microsoft.App/containerApps/control-plane`;
  const now = Date.now();
  const telemetry = (rows: readonly unknown[], ageMinutes: number, changes: object = {}) =>
    run("telemetry", {
      ...context,
      stack: { ...context.stack, ...changes },
      query: async () => ({ status: 200, body: { tables: [{ rows: [rows] }] } }),
      ask: async (method, id, version) =>
        id === planeId
          ? { status: 200, body: { systemData: { createdAt: new Date(now - ageMinutes * 60_000).toISOString() } } }
          : context.ask(method, id, version),
    } satisfies AppContext);
  expect(await telemetry([0, null], 60)).toMatchObject({
    state: "unknown",
    message: "telemetry does not exist yet: `pulumi up` creates it",
  });
  await shop.write("PUT", `${shop.group}/providers/Microsoft.Insights/components/telemetry?api-version=2020-02-02`, {
    location: "westeurope",
    kind: "web",
    properties: {
      Application_Type: "web",
      WorkspaceResourceId: `${shop.group}/providers/Microsoft.OperationalInsights/workspaces/logs`,
    },
  });
  expect(await telemetry([3, 0.7], 60)).toMatchObject({
    state: "ok",
    message: "the control plane's last report arrived 42 s ago",
  });
  await shop.write(
    "PUT",
    `${shop.group}/providers/Microsoft.Insights/actionGroups/people?api-version=2024-10-01-preview`,
    {
      location: "Global",
      properties: {
        groupShortName: "people",
        enabled: true,
        emailReceivers: [{ name: "ann", emailAddress: "ann@example.com", useCommonAlertSchema: true }],
      },
    },
  );
  expect(await telemetry([3, 0.7], 60)).toMatchObject({
    state: "ok",
    message: expect.stringContaining("; ann@example.com get alerts only if the one-time code of each was entered"),
  });
  expect(await telemetry([0, null], 14)).toMatchObject({
    state: "unknown",
    message: "no recent report, but the control plane is only 14 minutes old",
  });
  expect(await telemetry([0, null], 16)).toMatchObject(
    failure("doctor-telemetry-silent", "in telemetry: no report of the control plane arrived in the last day"),
  );
  expect(await telemetry([90, 11], 60)).toMatchObject(
    failure("doctor-telemetry-silent", "the control plane's last report arrived 11 minutes ago"),
  );
  expect(await telemetry([], 60, { insights: undefined })).toMatchObject({
    state: "ok",
    message: "the control plane is deployed without telemetry",
  });
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
