// The emulator's Resource Manager on the wire, compared with Azure's: the acceptance probes that
// other emulators fail, one claim in each test.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, management, startCloudForTests } from "../../support/emulator/cloud.ts";

let at: CloudForTests;
let subscription: string;
let group: string;
const apps = "api-version=2025-07-01";
const groups = "api-version=2024-03-01";
const environment = (name = "shop"): string => `${group}/providers/Microsoft.App/managedEnvironments/${name}`;
const app = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;
const appBody = (release = "1", ingress: object = {}): object => ({
  location: "westeurope",
  properties: {
    managedEnvironmentId: environment(),
    configuration: {
      activeRevisionsMode: "Multiple",
      secrets: [{ name: "key", value: "s3cret" }],
      ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }], ...ingress },
    },
    template: { containers: [{ name: "web", image: `registry.example/web:${release}` }], scale: { minReplicas: 1 } },
  },
});

beforeAll(async () => {
  at = await startCloudForTests();
  subscription = `/subscriptions/${at.cloud.subscription}`;
  group = `${subscription}/resourceGroups/shop`;
  await at.settle("PUT", `${group}?${groups}`, { location: "westeurope" });
  await at.settle("PUT", `${environment()}?${apps}`, { location: "westeurope", properties: {} });
});
afterAll(() => at.close());

test("a resource group is found in any casing and keeps the casing of its creation", async () => {
  const reply = await at.ask("GET", `${subscription}/resourcegroups/SHOP?${groups}`);
  expect(reply).toMatchObject({
    status: 200,
    body: {
      id: group,
      name: "shop",
      type: "Microsoft.Resources/resourceGroups",
      properties: { provisioningState: "Succeeded" },
    },
  });
});

test("a path with two leading slashes is corrected without a redirect", async () => {
  expect((await at.ask("GET", `${management}/${group}?${groups}`)).body.id).toBe(group);
});

test.each([
  ["without an api-version", () => group, 400, "MissingApiVersionParameter"],
  ["with an unknown api-version", () => `${group}?api-version=1999-01-01`, 400, "InvalidApiVersionParameter"],
  [
    "of another subscription",
    () => `/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/shop?${groups}`,
    404,
    "SubscriptionNotFound",
  ],
  ["of an unknown group", () => `${subscription}/resourceGroups/nowhere?${groups}`, 404, "ResourceGroupNotFound"],
  [
    "of an app in an unknown group",
    () => `${subscription}/resourceGroups/nowhere/providers/Microsoft.App/containerApps/a?${apps}`,
    404,
    "ResourceGroupNotFound",
  ],
  ["of an unknown app", () => `${app("nobody")}?${apps}`, 404, "ResourceNotFound"],
  [
    "of a child of an unknown server",
    () => `${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/none/databases/d?api-version=2025-08-01`,
    404,
    "ParentResourceNotFound",
  ],
  [
    "of a type that is not served",
    () => `${group}/providers/Microsoft.Compute/virtualMachines/a?api-version=2024-07-01`,
    400,
    "NoRegisteredProviderFound",
  ],
  ["of nothing", () => `/nothing/at/all?${groups}`, 404, "InvalidRequestUri"],
])("a request %s is refused in Azure's envelope", async (_, url, status, code) => {
  const reply = await at.ask("GET", url());
  expect(reply).toMatchObject({ status, body: { error: { code } } });
  expect(reply.headers["content-type"]).toMatch(/^application\/json/);
  expect(reply.headers["x-ms-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
});

test("an unknown api-version is refused with the list of served ones", async () => {
  expect((await at.ask("GET", `${app("a")}?api-version=2031-07-01`)).body.error.message).toContain(
    "2025-01-01,2025-02-02-preview,2025-07-01,2026-07-01",
  );
});

test.each([
  ["an app", "2026-07-01", () => environment()],
  ["a group", "2025-04-01", () => group],
])(
  "%s is served in the version that today's clients send, held to another version's schema",
  async (_, version, id) => {
    expect((await at.ask("GET", `${id()}?api-version=${version}`)).status).toBe(200);
    const wrong = { location: "westeurope", properties: { newInThisVersion: 1 } };
    expect((await at.ask("PUT", `${id()}2?api-version=${version}`, wrong)).body.error.message).toContain(
      "newInThisVersion",
    );
  },
);

test.each([
  [
    "an unknown property",
    { location: "westeurope", properties: { managedEnvironmentName: "x" } },
    "properties.managedEnvironmentName",
  ],
  ["a required property left out", { properties: {} }, "location"],
  [
    "a value of the wrong kind",
    { location: "westeurope", properties: { configuration: { ingress: { traffic: [{ latestRevision: "yes" }] } } } },
    "properties.configuration.ingress.traffic[0].latestRevision",
  ],
])("a body with %s is refused by name", async (_, body, named) => {
  const reply = await at.ask("PUT", `${app("wrong")}?${apps}`, body);
  expect(reply).toMatchObject({ status: 400, body: { error: { code: "InvalidRequestContent" } } });
  expect(reply.body.error.message).toContain(`'${named}'`);
  expect((await at.ask("GET", `${app("wrong")}?${apps}`)).status).toBe(404);
});

test("a property is read without regard to case, and shown as Azure spells it", async () => {
  const other = `${group.replace("shop", "spelled")}?${groups}`;
  expect((await at.ask("PUT", other, { Location: "westeurope", TAGS: { Of: "x" } })).body).toMatchObject({
    location: "westeurope",
    tags: { Of: "x" },
  });
});

test("a null in a whole body is an absent property, and a required one is missed", async () => {
  const other = group.replace("shop", "nulls");
  const put = async (body: object) => (await at.ask("PUT", `${other}?${groups}`, body)).body;
  expect(await put({ location: "westeurope", tags: null })).not.toHaveProperty("tags");
  expect((await put({ location: null })).error.message).toContain("'location' is required");
});

test("a body that is not JSON is refused, not swallowed", async () => {
  expect(await at.ask("PUT", `${app("wrong")}?${apps}`, "{")).toMatchObject({
    status: 400,
    body: { error: { code: "InvalidRequestContent" } },
  });
});

test("a body is checked against the requested version", async () => {
  const body = {
    location: "westeurope",
    properties: { managedEnvironmentId: environment(), patchingConfiguration: { patchingMode: "Manual" } },
  };
  expect((await at.ask("PUT", `${app("versions")}?${apps}`, body)).body.error.message).toContain(
    "patchingConfiguration",
  );
  expect((await at.ask("PUT", `${app("versions")}?api-version=2025-02-02-preview`, body)).body.error.code).not.toBe(
    "InvalidRequestContent",
  );
});

test("an app in an unknown environment is refused", async () => {
  const body = {
    location: "westeurope",
    properties: {
      managedEnvironmentId: environment("none"),
      template: { containers: [{ name: "web", image: "web:1" }] },
    },
  };
  expect((await at.ask("PUT", `${app("orphan")}?${apps}`, body)).status).toBe(400);
});

test("PUT of an app starts an operation at the client's own host, and answers 201 only the first time", async () => {
  const first = await at.ask("PUT", `${app("operated")}?${apps}`, appBody());
  expect(first).toMatchObject({ status: 201, body: { properties: { provisioningState: "InProgress" } } });
  expect(first.headers["azure-asyncoperation"]).toMatch(
    /^https:\/\/management\.ballast\.localhost\/subscriptions\/.+api-version=2025-07-01$/,
  );
  expect(await at.ask("PUT", `${app("operated")}?${apps}`, appBody())).toMatchObject({
    status: 409,
    body: { error: { code: "ContainerAppOperationInProgress" } },
  });
  await expect
    .poll(async () => (await at.ask("GET", String(first.headers["azure-asyncoperation"]))).body.status)
    .toBe("Succeeded");
  expect((await at.ask("GET", `${app("operated")}?${apps}`)).body.properties.provisioningState).toBe("Succeeded");
  expect((await at.ask("PUT", `${app("operated")}?${apps}`, appBody())).status).toBe(200);
});

test("a failed operation shows its code, and the app shows Failed", async () => {
  const body = {
    location: "westeurope",
    properties: {
      managedEnvironmentId: environment(),
      template: { containers: [{ name: "web", image: "registry.example/unknown:1" }] },
    },
  };
  const ended = await at.settle("PUT", `${app("failing")}?${apps}`, body);
  expect(ended.body).toMatchObject({ status: "Failed", error: { code: "InvalidParameterValueInContainerTemplate" } });
  expect((await at.ask("GET", `${app("failing")}?${apps}`)).body.properties.provisioningState).toBe("Failed");
});

test("a PATCH cannot take the location away, and takes away a tag by null", async () => {
  await at.settle("PUT", `${app("placed")}?${apps}`, { ...appBody(), tags: { a: "1", b: "2" } });
  expect(await at.ask("PATCH", `${app("placed")}?${apps}`, { location: null })).toMatchObject({
    status: 400,
    body: { error: { code: "LocationRequired" } },
  });
  await at.settle("PATCH", `${app("placed")}?${apps}`, { tags: { a: null } });
  expect((await at.ask("GET", `${app("placed")}?${apps}`)).body).toMatchObject({
    location: "westeurope",
    tags: { b: "2" },
  });
  expect((await at.ask("GET", `${app("placed")}?${apps}`)).body.tags).not.toHaveProperty("a");
});

test("a PATCH of traffic alone keeps target port, mode and secrets, and answers with a Location", async () => {
  await at.settle("PUT", `${app("patched")}?${apps}`, appBody());
  const { body: before } = await at.ask("GET", `${app("patched")}?${apps}`);
  const traffic = [{ revisionName: before.properties.latestRevisionName, weight: 100 }];
  const reply = await at.ask("PATCH", `${app("patched")}?${apps}`, {
    properties: { configuration: { ingress: { traffic } } },
  });
  expect(reply.status).toBe(202);
  expect(reply.headers["location"]).toMatch(/^https:\/\/management\.ballast\.localhost\//);
  await expect.poll(async () => (await at.ask("GET", String(reply.headers["location"]))).status).toBe(200);
  const { body: after } = await at.ask("GET", `${app("patched")}?${apps}`);
  expect(after.properties.configuration).toMatchObject({
    activeRevisionsMode: "Multiple",
    secrets: [{ name: "key" }],
    ingress: { targetPort: 8080, external: true, traffic },
  });
  expect(after.properties.latestRevisionName).toBe(before.properties.latestRevisionName);
  const { body: secrets } = await at.ask("POST", `${app("patched")}/listSecrets?${apps}`);
  expect(secrets).toEqual({ value: [{ name: "key", value: "s3cret" }] });
});

test("a secret's value is never shown by GET", async () => {
  await at.settle("PUT", `${app("secretive")}?${apps}`, appBody());
  expect(JSON.stringify((await at.ask("GET", `${app("secretive")}?${apps}`)).body)).not.toContain("s3cret");
});

test("read-only properties in a body are ignored", async () => {
  await at.settle("PUT", `${environment("other")}?${apps}`, {
    location: "westeurope",
    properties: { defaultDomain: "evil.example" },
  });
  expect((await at.ask("GET", `${environment("other")}?${apps}`)).body.properties.defaultDomain).toBe(
    "other.westeurope.ballast.localhost",
  );
  await at.settle("DELETE", `${environment("other")}?${apps}`);
});

test("deleting a missing app answers 204, and an app is gone once its Location has answered", async () => {
  expect((await at.ask("DELETE", `${app("never")}?${apps}`)).status).toBe(204);
  await at.settle("PUT", `${app("shortlived")}?${apps}`, appBody());
  expect((await at.settle("DELETE", `${app("shortlived")}?${apps}`)).status).toBe(204);
  expect((await at.ask("GET", `${app("shortlived")}?${apps}`)).status).toBe(404);
});

test("an environment that contains apps is not deleted", async () => {
  await at.settle("PUT", `${app("tenant")}?${apps}`, appBody());
  expect(await at.ask("DELETE", `${environment()}?${apps}`)).toMatchObject({
    status: 409,
    body: { error: { code: "ManagedEnvironmentNotEmpty" } },
  });
  expect((await at.ask("GET", `${environment()}?${apps}`)).status).toBe(200);
});

test("a list has the resources below its path and no others", async () => {
  await at.settle("PUT", `${subscription}/resourceGroups/empty?${groups}`, { location: "westeurope" });
  expect(
    (await at.ask("GET", `${subscription}/resourceGroups/empty/providers/Microsoft.App/containerApps?${apps}`)).body,
  ).toEqual({ value: [] });
  const { body } = await at.ask("GET", `${subscription}/providers/Microsoft.App/managedEnvironments?${apps}`);
  expect(body.value.map(({ name }: { name: string }) => name)).toContain("shop");
});

test("a diagnostic setting does not change the resource that it extends", async () => {
  const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  await at.settle("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  const before = (await at.ask("GET", `${environment()}?${apps}`)).body;
  const settings = `${environment()}/providers/Microsoft.Insights/diagnosticSettings`;
  const setting = `${settings}/rows?api-version=2021-05-01-preview`;
  const logs = [{ category: "ContainerAppHTTPLogs", enabled: true }];
  expect((await at.ask("PUT", setting, { properties: { logs } })).body.code).toBe("BadRequest");
  expect(
    (
      await at.ask("PUT", setting, {
        properties: { workspaceId: workspace, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] },
      })
    ).body,
  ).toMatchObject({
    name: "rows",
    type: "Microsoft.Insights/diagnosticSettings",
    properties: { workspaceId: workspace },
  });
  expect((await at.ask("GET", `${environment()}?${apps}`)).body).toEqual(before);
});

test("deleting a group deletes everything in it", async () => {
  const doomed = `${subscription}/resourceGroups/doomed`;
  await at.settle("PUT", `${doomed}?${groups}`, { location: "westeurope" });
  await at.settle(
    "PUT",
    `${doomed}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/who?api-version=2023-01-31`,
    { location: "westeurope" },
  );
  await at.settle("DELETE", `${doomed}?${groups}`);
  await at.settle("PUT", `${doomed}?${groups}`, { location: "westeurope" });
  expect((await at.ask("GET", `${doomed}/resources?${groups}`)).body).toEqual({ value: [] });
});

test("an app serves requests at its address and at each revision's own", async () => {
  await at.settle("PUT", `${app("serving")}?${apps}`, appBody());
  const { latestRevisionName, latestRevisionFqdn, configuration } = (await at.ask("GET", `${app("serving")}?${apps}`))
    .body.properties;
  for (const host of [configuration.ingress.fqdn, latestRevisionFqdn]) {
    await expect
      .poll(async () => (await at.ask("GET", `https://${host}/`).catch(() => undefined))?.body?.revision, {
        timeout: 15_000,
      })
      .toBe(latestRevisionName);
  }
});

test("an unknown host is answered with Azure's error envelope", async () => {
  expect(await at.ask("GET", "https://nowhere.ballast.localhost/")).toMatchObject({
    status: 404,
    body: { error: { code: "HostNotFound" } },
  });
});

test("the management host names the cloud's other hosts", async () => {
  const { body } = await at.ask("GET", "/metadata/endpoints?api-version=2022-09-01", undefined, { token: null });
  expect(body).toMatchObject({
    authentication: { loginEndpoint: "https://login.ballast.localhost/" },
    resourceManager: `${management}/`,
  });
});
