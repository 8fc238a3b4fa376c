// Acceptance probes that other emulators for Azure fail, each by Microsoft's client and by a raw request if both can
// see it. A client fills in missing fields, so that it alone would not notice a dropped one.

import { readFileSync } from "node:fs";
import type { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { schemaOf } from "../../emulator/arm/schema.ts";
import { makeArmClient } from "../../emulator/provider/arm-client.ts";
import { type CloudForTests, management, startCloudForTests } from "../support/emulator/cloud.ts";
import { sdkClient } from "../support/emulator/sdk-client.ts";

let at: CloudForTests;
let sdk: ContainerAppsAPIClient;
let group: string;
const apps = "api-version=2025-07-01";
const groups = "api-version=2024-03-01";
const app = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;
const url = (name: string, rest = ""): string => `${app(name)}${rest}?${apps}`;
const quick = { updateIntervalInMs: 50 };
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "no failure",
    ({ statusCode, code }: { statusCode: number; code: string }) => [statusCode, code],
  );
const wanted = (environment = "probes") => ({
  location: "westeurope",
  managedEnvironmentId: `${group}/providers/Microsoft.App/managedEnvironments/${environment}`,
  configuration: {
    activeRevisionsMode: "Multiple",
    secrets: [{ name: "key", value: "hush-hush" }],
    ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
  },
  template: { containers: [{ name: "web", image: "registry.example/web:1" }], scale: { minReplicas: 1 } },
});

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/probes`;
  sdk = sdkClient(at.cloud, at.agent);
  await at.settle("PUT", `${group}?${groups}`, { location: "westeurope", tags: { of: "probes" } });
  await at.settle("PUT", `${group}/providers/Microsoft.App/managedEnvironments/probes?${apps}`, {
    location: "westeurope",
    properties: {},
  });
  await sdk.containerApps.createOrUpdate("probes", "web", wanted(), quick);
});
afterAll(() => at.close());

test("a revision that does not exist is 404 for the client and on the wire", async () => {
  expect(await failure(sdk.containerAppsRevisions.getRevision("probes", "web", "web--nowhere"))).toEqual([
    404,
    "ResourceNotFound",
  ]);
  expect(await at.ask("GET", url("web", "/revisions/web--nowhere"))).toMatchObject({
    status: 404,
    body: { error: { code: "ResourceNotFound" } },
  });
});

test("listing secrets repeatedly gives the same secrets and changes nothing", async () => {
  const expected = [{ name: "key", value: "hush-hush" }];
  for (let time = 0; time < 2; time++)
    expect((await sdk.containerApps.listSecrets("probes", "web")).value).toMatchObject(expected);
  expect((await at.ask("POST", url("web", "/listSecrets"))).body).toEqual({ value: expected });
  expect((await at.ask("GET", url("web"))).body.properties.configuration.secrets).toEqual([{ name: "key" }]);
});

test("weights of 150 are refused for the client and on the wire, and no traffic moves", async () => {
  const { latestRevisionName: revisionName } = await sdk.containerApps.get("probes", "web");
  const traffic = [
    { revisionName: revisionName!, weight: 90 },
    { latestRevision: true, weight: 60 },
  ];
  expect(
    await failure(
      sdk.containerApps.update(
        "probes",
        "web",
        { location: "westeurope", configuration: { ingress: { traffic } } },
        quick,
      ) as Promise<unknown>,
    ),
  ).toEqual([400, "ContainerAppInvalidTrafficWeight"]);
  expect((await at.ask("PATCH", url("web"), { properties: { configuration: { ingress: { traffic } } } })).status).toBe(
    400,
  );
  expect((await at.ask("GET", url("web"))).body.properties.configuration.ingress.traffic).toEqual([
    { latestRevision: true, weight: 100 },
  ]);
});

test("a PATCH of traffic by the client keeps target port, mode and secrets on the wire", async () => {
  const { latestRevisionName: revisionName } = await sdk.containerApps.get("probes", "web");
  await sdk.containerApps.update(
    "probes",
    "web",
    { location: "westeurope", configuration: { ingress: { traffic: [{ revisionName: revisionName!, weight: 100 }] } } },
    quick,
  );
  expect((await at.ask("GET", url("web"))).body.properties.configuration).toMatchObject({
    activeRevisionsMode: "Multiple",
    secrets: [{ name: "key" }],
    ingress: { targetPort: 8080, external: true, traffic: [{ revisionName, weight: 100 }] },
  });
});

test("an app in an environment that does not exist is refused with 400 and not created", async () => {
  expect(
    await failure(sdk.containerApps.createOrUpdate("probes", "orphan", wanted("nowhere"), quick) as Promise<unknown>),
  ).toEqual([400, "ManagedEnvironmentNotFound"]);
  const { location, ...properties } = wanted("nowhere");
  expect((await at.ask("PUT", url("orphan"), { location, properties })).status).toBe(400);
  expect((await at.ask("GET", url("orphan"))).status).toBe(404);
});

test("a resource group is found in any casing of its path, and listed once", async () => {
  for (const path of [
    `${group}`,
    group.replace("probes", "PROBES"),
    group.replace("resourceGroups", "resourcegroups"),
  ]) {
    expect(await at.ask("GET", `${path}?${groups}`)).toMatchObject({
      status: 200,
      body: { id: group, name: "probes", tags: { of: "probes" } },
    });
  }
  expect(
    (
      await at.ask("PUT", `${group.replace("probes", "Probes")}?${groups}`, {
        location: "westeurope",
        tags: { of: "probes" },
      })
    ).status,
  ).toBe(200);
  expect(
    (await at.ask("GET", `/subscriptions/${at.cloud.subscription}/resourcegroups?${groups}`)).body.value,
  ).toHaveLength(1);
  expect((await sdk.containerApps.get("PROBES", "web")).name).toBe("web");
});

test.each(["GET", "PUT", "PATCH", "POST", "DELETE"])(
  "%s without an api-version is refused before anything changes",
  async (method) => {
    expect(await at.ask(method, app("web"), method === "GET" || method === "DELETE" ? undefined : {})).toMatchObject({
      status: 400,
      body: { error: { code: "MissingApiVersionParameter" } },
    });
    expect((await at.ask("GET", url("web"))).status).toBe(200);
  },
);

test("the polling URL has the client's scheme and host, in either header", async () => {
  const { location, ...properties } = wanted();
  const put = await at.ask("PUT", url("polled"), { location, properties });
  const polled = new RegExp(`^${management}/subscriptions/`);
  expect(put.headers["azure-asyncoperation"]).toMatch(polled);
  await expect
    .poll(async () => (await at.ask("GET", String(put.headers["azure-asyncoperation"]))).body.status)
    .toBe("Succeeded");
  const removed = await at.ask("DELETE", url("polled"));
  expect(removed.headers["location"]).toMatch(polled);
  await expect.poll(async () => (await at.ask("GET", String(removed.headers["location"]))).status).toBe(204);
});

test("a path with two leading slashes is answered without a redirect, and no id has two", async () => {
  expect((await at.ask("GET", `${management}/${url("web")}`)).body.id).toBe(app("web"));
  expect((await at.ask("GET", `${management}/${url("web")}`, undefined, { token: null })).status).toBe(401);
});

test.each([
  ["an unknown host", "https://nobody.ballast.localhost/x", 404],
  ["an unknown route", `/x?${groups}`, 404],
  ["a broken escape", `/subscriptions/%zz?${groups}`, 400],
  ["an unknown control", "/_emulator/nothing", 404],
  ["an unknown log path", "https://api.loganalytics.ballast.localhost/v1/x", 404],
])("%s is answered with Azure's error envelope as JSON", async (_, where, status) => {
  const token = where.includes("loganalytics") ? await at.tokenFor("https://api.loganalytics.io") : undefined;
  const reply = await at.ask("GET", where, undefined, token === undefined ? {} : { token });
  expect(reply).toMatchObject({
    status,
    body: { error: { code: expect.stringMatching(/^[A-Z]\w+$/), message: expect.any(String) } },
  });
  expect([
    reply.headers["content-type"],
    reply.headers["x-ms-request-id"],
    reply.headers["x-ms-correlation-request-id"],
  ]).toEqual(["application/json; charset=utf-8", expect.any(String), expect.any(String)]);
});

test("deleting a group deletes its apps and environments and ends their processes", async () => {
  const doomed = group.replace("probes", "doomed");
  const inside = `${doomed}/providers/Microsoft.App`;
  await at.settle("PUT", `${doomed}?${groups}`, { location: "westeurope" });
  await at.settle("PUT", `${inside}/managedEnvironments/doomed?${apps}`, { location: "westeurope", properties: {} });
  const { location, managedEnvironmentId: _, ...properties } = wanted();
  await at.settle("PUT", `${inside}/containerApps/doomed?${apps}`, {
    location,
    properties: { ...properties, managedEnvironmentId: `${inside}/managedEnvironments/doomed` },
  });
  await at.settle("DELETE", `${doomed}?${groups}`);
  expect((await at.ask("GET", `${inside}/containerApps/doomed?${apps}`)).body.error.code).toBe("ResourceGroupNotFound");
  await at.settle("PUT", `${doomed}?${groups}`, { location: "westeurope" });
  expect((await at.ask("GET", `${doomed}/resources?${groups}`)).body).toEqual({ value: [] });
  expect(
    (await at.ask("GET", "/_emulator/processes")).body.processes.filter(
      (each: { app: string }) => each.app === "doomed",
    ),
  ).toEqual([]);
});

test("deleting a missing app answers 204, and the client's delete succeeds", async () => {
  expect((await at.ask("DELETE", url("never"))).status).toBe(204);
  await sdk.containerApps.delete("probes", "never", quick);
});

test("the provider's delete of a missing group succeeds", async () => {
  const { port, caFile, suffix, tenant, client } = at.cloud;
  const arm = makeArmClient(
    { port, caPem: readFileSync(caFile, "utf8"), suffix },
    { tenantId: tenant, clientId: client.id, proof: async () => ({ client_secret: client.secret }) },
  );
  expect((await at.ask("DELETE", `${group.replace("probes", "never")}?${groups}`)).status).toBe(404);
  await arm.remove(group.replace("probes", "never"), "2024-03-01");
});

test("a workspace has two different keys that do not change, readable by POST only", async () => {
  const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/keys`;
  const version = "api-version=2023-09-01";
  await at.settle("PUT", `${workspace}?${version}`, { location: "westeurope", properties: {} });
  const { body } = await at.ask("POST", `${workspace}/sharedKeys?${version}`);
  expect(body).toEqual({
    primarySharedKey: expect.stringMatching(/^[\w+/]{86}==$/),
    secondarySharedKey: expect.stringMatching(/^[\w+/]{86}==$/),
  });
  expect(body.primarySharedKey).not.toBe(body.secondarySharedKey);
  expect((await at.ask("POST", `${workspace}/sharedKeys?${version}`)).body).toEqual(body);
  expect(JSON.stringify((await at.ask("GET", `${workspace}?${version}`)).body)).not.toContain(body.primarySharedKey);
});

test("request rows that a test puts are read back, and deleted on request", async () => {
  await at.ask("POST", "/_emulator/rows", { rows: [{ ContainerAppName: "made-up", RequestId: "one" }] });
  expect((await at.ask("GET", "/_emulator/rows?app=made-up")).body.rows).toMatchObject([{ RequestId: "one" }]);
  await at.ask("DELETE", "/_emulator/rows");
  expect((await at.ask("GET", "/_emulator/rows")).body.rows).toEqual([]);
});

test.each<[string, string, string, object, string | undefined]>([
  [
    "whole",
    "Microsoft.App/containerApps",
    "2025-07-01",
    { location: "x", properties: { provisioningState: "Succeeded" } },
    undefined,
  ],
  [
    "with a property that Azure has not",
    "Microsoft.App/containerApps",
    "2025-07-01",
    { location: "x", properties: { wieght: 1 } },
    "'properties.wieght' is not a property",
  ],
  [
    "with a password in it",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "2025-08-01",
    { location: "x", properties: { administratorLoginPassword: "p" } },
    "is write-only",
  ],
  [
    "with a word of our own in an open enumeration",
    "Microsoft.App/containerApps",
    "2025-07-01",
    { location: "x", properties: { configuration: { activeRevisionsMode: "Triple" } } },
    "none of the published Multiple, Single",
  ],
  [
    "without what is required",
    "Microsoft.App/containerApps",
    "2025-07-01",
    { properties: {} },
    "'location' is required",
  ],
  [
    "without its type",
    "Microsoft.App/containerApps",
    "2025-07-01",
    { location: "x", type: undefined },
    "'type' is missing",
  ],
])("in tests an answer of the emulator %s is checked against Azure's schema", (_, type, version, body, problem) => {
  const said = schemaOf(type, version).refuseAnswer({ id: "/i", name: "name", type, ...body });
  if (problem === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(problem);
});
