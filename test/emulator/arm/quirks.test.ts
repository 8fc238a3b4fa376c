// The quirks that need Resource Manager, each in force and switched off, by raw requests and by Microsoft's own client
// if it can see them; and how a whole run switches one off.
import type { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { quirks } from "../../../emulator/controls/quirks.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import { sdkClient } from "../../support/emulator/sdk-client.ts";

let at: CloudForTests;
let group: string;
let app: string;
let client: ContainerAppsAPIClient;
const apps = "api-version=2025-07-01";
const set = (choice: object) => at.ask("POST", "/_emulator/quirks", choice);
const web = (release: string, suffix?: string) => ({
  containers: [{ name: "web", image: "web:1", env: [{ name: "RELEASE", value: release }] }],
  scale: { minReplicas: 1 },
  ...(suffix ? { revisionSuffix: suffix } : {}),
});
const properties = (release: string, suffix?: string) => ({
  managedEnvironmentId: `${group}/providers/Microsoft.App/managedEnvironments/env`,
  configuration: {
    activeRevisionsMode: "Multiple",
    secrets: [{ name: "key", value: "hush" }],
    ingress: { external: true, targetPort: 8080 },
  },
  template: web(release, suffix),
});
const put = (release: string, suffix?: string) =>
  at.settle("PUT", `${app}?${apps}`, { location: "westeurope", properties: properties(release, suffix) });
const patchTraffic = (traffic: readonly object[]) =>
  at.settle("PATCH", `${app}?${apps}`, { properties: { configuration: { ingress: { traffic } } } });
const shown = async () => (await at.ask("GET", `${app}?${apps}`)).body.properties;

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/quirks`;
  app = `${group}/providers/Microsoft.App/containerApps/shop`;
  await at.settle("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", `${group}/providers/Microsoft.App/managedEnvironments/env?${apps}`, {
    location: "westeurope",
    properties: {},
  });
  client = sdkClient(at.cloud, at.agent, { retryOptions: { maxRetries: 0 } });
});
beforeEach(async () => {
  await set(Object.fromEntries(Object.keys(quirks).map((name) => [name, true])));
  await at.settle("DELETE", `${app}?${apps}`);
  await put("1", "first");
});
afterAll(() => at.close());

test("a patch is merged at every depth; a naive cloud loses the values that it does not repeat", async () => {
  const all = [{ revisionName: "shop--first", weight: 100 }];
  await patchTraffic(all);
  expect((await shown()).configuration).toMatchObject({
    activeRevisionsMode: "Multiple",
    secrets: [{ name: "key" }],
    ingress: { targetPort: 8080, external: true, traffic: all },
  });
  await set({ "patch-merges-deeply": false });
  await patchTraffic(all);
  expect((await shown()).configuration).toMatchObject({ activeRevisionsMode: "Single", ingress: { external: false } });
  expect((await shown()).configuration).not.toHaveProperty("secrets");
});

test("a list in a patch replaces the whole list; a naive cloud adds to it", async () => {
  await put("2", "second");
  await patchTraffic([{ revisionName: "shop--first", weight: 100, label: "stable" }]);
  await patchTraffic([{ revisionName: "shop--second", weight: 100 }]);
  expect((await shown()).configuration.ingress.traffic).toEqual([{ revisionName: "shop--second", weight: 100 }]);
  await set({ "patch-replaces-arrays": false });
  await patchTraffic([{ revisionName: "shop--first", weight: 0 }]);
  expect((await shown()).configuration.ingress.traffic).toEqual([
    { revisionName: "shop--second", weight: 100 },
    { revisionName: "shop--first", weight: 0 },
  ]);
});

test("there is no conditional write; a naive cloud has ETags and refuses with 412", async () => {
  const write = (ifMatch: string) =>
    at.ask(
      "PUT",
      `${app}?${apps}`,
      { location: "westeurope", properties: properties("1", "first") },
      { headers: { "if-match": ifMatch } },
    );
  const settled = () =>
    eventually(
      () => at.ask("GET", `${app}?${apps}`),
      ({ body }) => body.properties.provisioningState === "Succeeded",
    );
  expect((await write('"stale"')).status).toBe(200);
  expect((await settled()).headers["etag"]).toBeUndefined();
  await set({ "no-if-match": false });
  const {
    headers: { etag },
  } = await settled();
  expect([(await write('"stale"')).status, (await write(String(etag))).status]).toEqual([412, 200]);
});

test("a second write fails with 409 in Microsoft's client; a naive cloud accepts it", async () => {
  // On a busy machine the first write may end before the second is sent; then both are sent again.
  const refusal = async (): Promise<unknown> => {
    await settledWithout();
    await at.ask("PUT", `${app}?${apps}`, { location: "westeurope", properties: properties(crypto.randomUUID()) });
    return client.containerApps.update("quirks", "shop", { location: "westeurope", tags: { a: "b" } } as never).then(
      () => undefined,
      (error: unknown) => error,
    );
  };
  expect(await eventually(refusal, (error) => error !== undefined)).toMatchObject({
    statusCode: 409,
    code: "ContainerAppOperationInProgress",
  });
  await settledWithout();
  await set({ "one-write-at-a-time": false });
  await at.ask("PUT", `${app}?${apps}`, { location: "westeurope", properties: properties("3") });
  expect((await at.ask("PATCH", `${app}?${apps}`, { tags: { a: "b" } })).status).toBe(202);
  await settledWithout();
});
const settledWithout = () => eventually(shown, ({ provisioningState }) => provisioningState !== "InProgress");

test("Microsoft's client sees a taken suffix as a 2xx whose operation fails, or as nothing if silent", async () => {
  await put("2", "second");
  const again = () =>
    client.containerApps.createOrUpdate(
      "quirks",
      "shop",
      { location: "westeurope", ...properties("3", "first") } as never,
      { updateIntervalInMs: 20 },
    );
  await expect(again()).rejects.toThrow(/'first' already exists/);
  await client.containerAppsRevisions.deactivateRevision("quirks", "shop", "shop--first");
  await set({ "suffix-taken-for-life": "silent" });
  expect(await again()).toMatchObject({ provisioningState: "Succeeded", latestRevisionName: "shop--second" });
  await set({ "suffix-taken-for-life": false });
  expect(await again()).toMatchObject({ provisioningState: "Succeeded", latestRevisionName: "shop--first" });
});

test("Microsoft's client reads all pages of a list, and sees states that its types do not know", async () => {
  for (let number = 2; number <= 12; number += 1) {
    await put(String(number), `r${number}`);
    if (number < 12) await client.containerAppsRevisions.deactivateRevision("quirks", "shop", `shop--r${number}`);
  }
  const page = (await at.ask("GET", `${app}/revisions?${apps}`)).body;
  expect([page.value.length, (await at.ask("GET", page.nextLink)).body.value.length]).toEqual([10, 2]);
  const names: string[] = [];
  for await (const { name } of client.containerAppsRevisions.listRevisions("quirks", "shop")) names.push(name!);
  expect(names).toHaveLength(12);
  await set({ "lists-are-paged": false });
  expect((await at.ask("GET", `${app}/revisions?${apps}`)).body).toMatchObject({ value: { length: 12 } });
  await client.containerAppsRevisions.activateRevision("quirks", "shop", "shop--r5");
  expect((await client.containerAppsRevisions.getRevision("quirks", "shop", "shop--r5")).runningState).toMatch(
    /Activating|Running/,
  );
});

test("Microsoft's client sees a revision at zero and a purged one, and a request starts the first", async () => {
  await at.settle("PATCH", `${app}?${apps}`, { properties: { configuration: { maxInactiveRevisions: 0 } } });
  await at.settle("PATCH", `${app}?${apps}`, {
    properties: { template: { ...web("2", "idle"), scale: { minReplicas: 0 } } },
  });
  const stateOf = async (name: string) =>
    (
      await client.containerAppsRevisions
        .getRevision("quirks", "shop", `shop--${name}`)
        .catch(({ code }) => ({ runningState: code }))
    ).runningState;
  await eventually(
    () => stateOf("idle"),
    (state) => state === "Running",
  );
  await client.containerAppsRevisions.deactivateRevision("quirks", "shop", "shop--first");
  await at.ask("POST", "/_emulator/clock", { at: Date.now() + 901_000 });
  await eventually(
    () => stateOf("idle"),
    (state) => state === "ScaledToZero",
  );
  await eventually(
    () => stateOf("first"),
    (state) => state === "ResourceNotFound",
  );
  expect((await at.ask("GET", `https://shop--idle.env.westeurope.ballast.localhost/`)).body).toMatchObject({
    revision: "shop--idle",
  });
  await at.ask("POST", "/_emulator/clock", { at: null });
});

test("an environment variable switches a quirk off for a whole run, and an unknown name fails the start", async () => {
  vi.stubEnv("BALLAST_EMULATOR_WITHOUT", "no-if-match, lists-are-paged");
  const other = await startCloudForTests({ quirks: { "lists-are-paged": true } });
  const { quirks: all } = (await other.ask("GET", "/_emulator/quirks")).body;
  await other.close();
  const off = all.filter(({ setting }: { setting: boolean }) => !setting).map(({ name }: { name: string }) => name);
  expect(off).toEqual(["no-if-match", "roles-come-late"]);
  vi.stubEnv("BALLAST_EMULATOR_WITHOUT", "no-if-macht");
  await expect(startCloudForTests()).rejects.toThrow(/no quirk 'no-if-macht'/);
  vi.unstubAllEnvs();
});
