// Lists: `$filter`, `$top` and pages are honoured, and everything else is refused by name. Then the routes of the
// subscription that clients sign in with, and that nothing is answered before the caller is authorised.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listReply } from "../../../emulator/arm/lists.ts";
import type { ArmRequest, Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";

const request = (query: Record<string, string>): ArmRequest => ({
  method: "GET",
  origin: "https://here",
  path: "/things",
  query: new URLSearchParams({ "api-version": "1", ...query }),
  apiVersion: "1",
  body: undefined,
});
const items = Array.from({ length: 23 }, (_, index) => ({ name: `n${index}`, kind: index % 2 ? "odd" : "even's" }));
const options = {
  filters: { name: ({ name }: Body) => name, kind: ({ kind }: Body) => kind },
  functions: { all: () => true },
};
const names = (query: Record<string, string>, more: object = {}): readonly string[] =>
  (listReply(request(query), items, { ...options, ...more }).body as { value: Body[] }).value.map(({ name }) => name);

describe("a list", () => {
  test("honours a filter, with quotes, not equal, and, and functions", () => {
    expect(names({ $filter: "name eq 'N3'" })).toEqual(["n3"]);
    expect(names({ $filter: "kind eq 'even''s' and name ne 'n0'" })).toHaveLength(11);
    expect(names({ $filter: "all() and kind eq 'odd'" })).toHaveLength(11);
    expect(names({ $filter: "" })).toHaveLength(23);
  });

  test.each([
    ["another field", { $filter: "colour eq 'red'" }, "the filter 'colour eq 'red''"],
    ["or", { $filter: "name eq 'n1' or name eq 'n2'" }, "the filter"],
    ["greater than", { $filter: "name gt 'n1'" }, "the filter"],
    ["a function", { $filter: "startswith(name, 'n')" }, "the filter"],
    ["an order", { $orderby: "name" }, "lists with $orderby"],
    ["an unknown expansion", { $expand: "createdTime" }, "lists with $expand=createdTime"],
    ["no number", { $top: "many" }, "$top must be a whole number"],
    ["none", { $top: "0" }, "$top must be a whole number"],
    ["a page of no list", { $skiptoken: "banana" }, "'banana' is of no list"],
  ])("refuses %s by name", (_, query, words) => {
    expect(() => names(query as Record<string, string>)).toThrow(words);
  });

  test("comes in pages that together are the first $top of what the filter admits, each once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (top, pageSize, odd) => {
          const query = { $top: String(top), ...(odd ? { $filter: "kind eq 'odd'" } : {}) };
          const seen: string[] = [];
          let asked = request(query);
          for (;;) {
            const { value, nextLink } = listReply(asked, items, { ...options, pageSize }).body as {
              value: Body[];
              nextLink?: string;
            };
            expect(value.length).toBeLessThanOrEqual(pageSize);
            seen.push(...value.map(({ name }) => name as string));
            if (nextLink === undefined) break;
            asked = { ...asked, query: new URL(nextLink).searchParams };
          }
          expect(seen).toEqual(names(odd ? { $filter: "kind eq 'odd'" } : {}).slice(0, top));
        },
      ),
    );
  });
});

describe("on the wire", () => {
  let at: CloudForTests;
  let group: string;
  let subscription: string;
  const get = (path: string, version = "2025-04-01", token?: string) =>
    at.ask("GET", `${path}${path.includes("?") ? "&" : "?"}api-version=${version}`, undefined, token ? { token } : {});

  beforeAll(async () => {
    at = await startCloudForTests();
    subscription = `/subscriptions/${at.cloud.subscription}`;
    group = `${subscription}/resourceGroups/lists`;
    await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
    for (const name of ["one", "two"])
      await at.ask(
        "PUT",
        `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}?api-version=2024-11-30`,
        {
          location: "westeurope",
        },
      );
  });
  afterAll(() => at.close());

  test("resources are filtered by type and name, in the subscription and in a group", async () => {
    const filter = encodeURIComponent(
      "resourceType eq 'Microsoft.ManagedIdentity/userAssignedIdentities' and name eq 'two'",
    );
    for (const where of [subscription, group])
      expect((await get(`${where}/resources?$filter=${filter}`)).body.value).toMatchObject([{ name: "two" }]);
    expect((await get(`${group}/resources?$top=1`)).body.value).toHaveLength(1);
    expect((await get(`${group}/resources?$filter=substringof('x', name)`)).body.error.code).toBe(
      "EmulatorUnsupported",
    );
  });

  test("a resource shows when it was created only if the list is asked for that", async () => {
    const [plain] = (await get(`${group}/resources`)).body.value;
    const [more] = (await get(`${group}/resources?$expand=createdTime,changedTime,provisioningState`)).body.value;
    expect(plain).not.toHaveProperty("createdTime");
    const times = { createdTime: expect.stringMatching(/^20/), changedTime: expect.any(String) };
    expect(more).toMatchObject({ ...plain, ...times });
  });

  test("built-in roles are found by their names, and assignments by their principals", async () => {
    const roles = `${subscription}/providers/Microsoft.Authorization/roleDefinitions`;
    const { value } = (await get(`${roles}?$filter=${encodeURIComponent("roleName eq 'AcrPull'")}`, "2022-04-01")).body;
    expect(value).toMatchObject([
      { name: "7f951dda-4ed3-4680-a7ca-43fe172d538d", properties: { type: "BuiltInRole" } },
    ]);
    const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one`;
    const { principalId } = (await get(identity, "2023-01-31")).body.properties;
    const assignments = `${group}/providers/Microsoft.Authorization/roleAssignments`;
    await at.ask("PUT", `${assignments}/${randomUUID()}?api-version=2022-04-01`, {
      properties: { principalId, roleDefinitionId: value[0].id },
    });
    const of = async (id: string) =>
      (await get(`${assignments}?$filter=${encodeURIComponent(`assignedTo('${id}')`)}`, "2022-04-01")).body.value
        .length;
    expect([await of(principalId), await of(randomUUID())]).toEqual([1, 0]);
  });

  test("a client that signs in finds its tenant, its subscription, the region and the providers", async () => {
    const only = async (path: string) => (await get(path, "2022-12-01")).body.value;
    expect(await only("/subscriptions")).toMatchObject([
      { subscriptionId: at.cloud.subscription, tenantId: at.cloud.tenant, state: "Enabled" },
    ]);
    expect(await only("/tenants")).toMatchObject([{ tenantId: at.cloud.tenant }]);
    expect(await only(`${subscription}/locations`)).toMatchObject([{ name: "westeurope" }]);
    for (const path of ["/providers", `${subscription}/providers`])
      expect(await only(path)).toContainEqual(
        expect.objectContaining({
          namespace: "Microsoft.App",
          registrationState: "Registered",
          resourceTypes: expect.arrayContaining([
            expect.objectContaining({
              resourceType: "containerApps",
              apiVersions: ["2026-07-01", "2025-07-01", "2025-02-02-preview", "2025-01-01"],
            }),
          ]),
        }),
      );
    expect((await get("/subscriptions", "soon")).body.error.code).toBe("InvalidApiVersionParameter");
  });

  test("nobody without a token, and nobody without a role, is answered", async () => {
    const stranger = await tokenOfStranger();
    for (const path of [
      subscription,
      `${subscription}/locations`,
      `${subscription}/providers`,
      `${subscription}/resources`,
      `${subscription}/providers/Microsoft.App`,
      `${subscription}/providers/Microsoft.App/locations/westeurope/usages`,
      `${subscription}/providers/Microsoft.DBforPostgreSQL/locations/westeurope/capabilities`,
      `${subscription}/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d`,
      `${subscription}/nothing`,
    ]) {
      expect([
        path,
        (await at.ask("GET", `${path}?api-version=2025-04-01`, undefined, { token: null })).status,
      ]).toEqual([path, 401]);
      expect([path, (await get(path, "2025-04-01", stranger)).status]).toEqual([path, 403]);
    }
    expect((await get("/subscriptions", "2022-12-01", stranger)).body).toEqual({ value: [] });
  });

  test("an operation is followed only by those who may read its resource", async () => {
    const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/images1?api-version=2023-01-01-preview`;
    const started = await at.ask("PUT", registry, { location: "westeurope", sku: { name: "Basic" } });
    const url = String(started.headers["azure-asyncoperation"]);
    expect((await at.ask("GET", url, undefined, { token: await tokenOfStranger() })).status).toBe(403);
    expect((await at.ask("GET", url)).status).toBe(200);
  });

  /** Gives the token of an identity without a role. Only a replica gets one, so that one is started. */
  async function tokenOfStranger(): Promise<string> {
    const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/two`;
    const environment = `${group}/providers/Microsoft.App/managedEnvironments/lists`;
    const app = `${group}/providers/Microsoft.App/containerApps/stranger`;
    await at.settle("PUT", `${environment}?api-version=2025-07-01`, { location: "westeurope", properties: {} });
    await at.settle("PUT", `${app}?api-version=2025-07-01`, {
      location: "westeurope",
      identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
      properties: {
        managedEnvironmentId: environment,
        configuration: { ingress: { external: true, targetPort: 8080 } },
        template: { containers: [{ name: "web", image: "registry.example/web:1" }], scale: { minReplicas: 1 } },
      },
    });
    let said: any;
    await expect
      .poll(
        async () => {
          said = (await at.ask("GET", "https://stranger.lists.westeurope.ballast.localhost/environment")).body;
          return said?.IDENTITY_ENDPOINT;
        },
        { timeout: 20_000 },
      )
      .toBeDefined();
    const reply = await fetch(
      `${said.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${encodeURIComponent("https://management.azure.com")}`,
      { headers: { "X-IDENTITY-HEADER": said.IDENTITY_HEADER } },
    );
    return ((await reply.json()) as { access_token: string }).access_token;
  }
});
