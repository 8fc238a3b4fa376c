// Requests that no client of Microsoft's sends, to each of the emulator's endpoints: they are refused, they change
// nothing, and none ends the emulator, makes it hang, or is answered as a mistake of its own.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CloudForTests, management, type Reply, send, startCloudForTests } from "../support/emulator/cloud.ts";

const support = new URL("../support/emulator/", import.meta.url).pathname;
const version = "api-version=2025-07-01";
let at: CloudForTests;
let subscription: string;
let group: string;
let host: string;
let vaultToken: string;
let logsToken: string;
let workspace: string;

const idOf = (path: string): string => `${group}/providers/${path}`;
const environmentId = (): string => idOf("Microsoft.App/managedEnvironments/odd");
const container = (more: object = {}) => ({ name: "web", image: "registry.example/odd:1", ...more });
const appOf = (more: object = {}, secrets: readonly object[] = []) => ({
  location: "westeurope",
  properties: {
    managedEnvironmentId: environmentId(),
    configuration: { ingress: { external: true, targetPort: 8080 }, secrets },
    template: { containers: [container(more)], scale: { minReplicas: 1 } },
  },
});
const jobBody = () => ({
  location: "westeurope",
  properties: {
    environmentId: environmentId(),
    configuration: { triggerType: "Manual", replicaTimeout: 20 },
    template: { containers: [container({ env: [{ name: "A", value: "1" }] })] },
  },
});
const app = (): string => idOf("Microsoft.App/containerApps/odd");
const job = (): string => idOf("Microsoft.App/jobs/odd");

async function make(path: string, apiVersion: string, body: object): Promise<any> {
  const reply = await at.settle("PUT", `${idOf(path)}?api-version=${apiVersion}`, body);
  expect(reply.body?.error, path).toBeUndefined();
  return (await at.ask("GET", `${idOf(path)}?api-version=${apiVersion}`)).body;
}

beforeAll(async () => {
  at = await startCloudForTests({ images: { odd: { folder: support, entry: "odd.mjs" } } });
  subscription = `/subscriptions/${at.cloud.subscription}`;
  group = `${subscription}/resourceGroups/odd`;
  const here = { location: "westeurope" };
  await at.ask("PUT", `${group}?api-version=2024-03-01`, here);
  workspace = (await make("Microsoft.OperationalInsights/workspaces/odd-logs", "2023-09-01", here)).properties
    .customerId;
  await make("Microsoft.App/managedEnvironments/odd", "2025-07-01", { ...here, properties: {} });
  host = (await make("Microsoft.App/containerApps/odd", "2025-07-01", appOf())).properties.configuration.ingress.fqdn;
  await make("Microsoft.App/jobs/odd", "2025-07-01", jobBody());
  await make("Microsoft.KeyVault/vaults/odd-vault", "2024-11-01", {
    ...here,
    properties: { tenantId: at.cloud.tenant, sku: { name: "standard", family: "A" }, enableRbacAuthorization: true },
  });
  const role = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7`;
  const { oid } = JSON.parse(Buffer.from((await at.tokenFor("x")).split(".")[1]!, "base64url").toString("utf8")) as {
    readonly oid: string;
  };
  await at.ask(
    "PUT",
    `${group}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}?api-version=2022-04-01`,
    { properties: { roleDefinitionId: role, principalId: oid, principalType: "ServicePrincipal" } },
  );
  vaultToken = await at.tokenFor("https://vault.azure.net");
  logsToken = await at.tokenFor("https://api.loganalytics.io");
});
afterAll(async () => {
  // The emulator still answers after all of it.
  expect((await at.ask("GET", `${group}?api-version=2024-03-01`)).status).toBe(200);
  await at.close();
});

describe("the sign-in", () => {
  const form = (more: Record<string, string>): string =>
    new URLSearchParams({
      grant_type: "client_credentials",
      client_id: at.cloud.client.id,
      client_secret: at.cloud.client.secret,
      scope: "https://management.azure.com/.default",
      ...more,
    }).toString();
  const signIn = (text: string, path = at.cloud.tenant, headers: Record<string, string> = {}): Promise<Reply> =>
    send(at.agent, "POST", `https://login.ballast.localhost/${path}/oauth2/v2.0/token`, headers, text);

  test("takes a directory in any letter case", async () => {
    expect((await signIn(form({}), at.cloud.tenant.toUpperCase())).status).toBe(200);
  });

  test.each<[string, () => Promise<Reply>, number, string]>([
    ["two resources", () => signIn(form({ scope: "https://a.example/.default b/.default" })), 400, "AADSTS28000"],
    ["no resource", () => signIn(form({ scope: "/.default" })), 400, "AADSTS1002012"],
    ["no grant", () => signIn(form({ grant_type: "" })), 400, "AADSTS900144"],
    ["a parameter twice", () => signIn(`${form({})}&client_secret=x`), 400, "AADSTS9000411"],
    ["a body of JSON", () => signIn("{}"), 400, "AADSTS900144"],
    ["no directory", () => signIn(form({}), "organizations"), 400, "AADSTS50059"],
    ["an id beyond ASCII", () => signIn(form({ client_id: "é".repeat(36) })), 400, "AADSTS700016"],
    ["a secret beyond ASCII", () => signIn(form({ client_secret: "é".repeat(32) })), 401, "AADSTS7000215"],
    [
      "a header that is not well encoded",
      () =>
        signIn("grant_type=client_credentials&scope=a/.default", at.cloud.tenant, {
          authorization: `Basic ${Buffer.from("%zz:%zz").toString("base64")}`,
        }),
      400,
      "AADSTS700016",
    ],
  ])("is refused with %s", async (_, act, status, code) => {
    const reply = await act();
    expect([reply.status, reply.body.error_description]).toEqual([status, expect.stringContaining(code)]);
  });
});

test.each(["a b c", "[::1", "management.ballast.localhost:abc"])("the host '%s' is refused", async (odd) => {
  const reply = await at.ask("GET", `${management}${group}?api-version=2024-03-01`, undefined, {
    headers: { host: odd },
  });
  expect([reply.status, reply.body.error.code]).toEqual([400, "InvalidRequestUri"]);
});

test.each(["login", "eventgrid", "odd-vault.vault", "management"])(
  "a path of slashes at %s is refused",
  async (name) => {
    const reply = await at.ask("GET", `https://${name}.ballast.localhost//`, undefined, { token: null });
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
  },
);

describe("a path below a resource", () => {
  const revision = async (): Promise<string> =>
    (await at.ask("GET", `${app()}/revisions?${version}`)).body.value[0].name;
  const replica = async (): Promise<string> =>
    (await at.ask("GET", `${app()}/revisions/${await revision()}/replicas?${version}`)).body.value[0].name;
  const execution = async (): Promise<string> => (await at.ask("POST", `${job()}/start?${version}`)).body.name;

  test.each<[string, string, () => Promise<string>]>([
    ["an action with more behind it", "POST", async () => `${app()}/revisions/${await revision()}/activate/more`],
    [
      "a replica's containers",
      "GET",
      async () => `${app()}/revisions/${await revision()}/replicas/${await replica()}/x`,
    ],
    ["an execution's replicas", "GET", async () => `${job()}/executions/${await execution()}/replicas`],
    ["one of a group's resources", "GET", async () => `${group}/resources/more`],
  ])("that is none is refused: %s", async (_, method, path) => {
    const reply = await at.ask(method, `${await path()}?${version}`);
    expect(reply.status).toBeGreaterThanOrEqual(400);
  });

  test.each<[string, () => Promise<string>]>([
    ["replicas", async () => `${app()}/revisions/${await revision()}/replicas`],
    ["executions", async () => `${job()}/executions`],
  ])("a filter of %s is refused by name", async (_, path) => {
    const { body } = await at.ask("GET", `${await path()}?${version}&$filter=name eq 'x'`);
    expect(body.error).toMatchObject({ code: "EmulatorUnsupported", message: expect.stringContaining("the filter") });
  });

  test("an operation is found where it was started alone", async () => {
    const { headers } = await at.ask("PATCH", `${app()}?${version}`, { tags: { by: "odd" } });
    const found = String(headers["location"]);
    const others = [found.replace("Microsoft.App", "Microsoft.KeyVault"), found.replace("westeurope", "mars")];
    for (const other of others) expect((await at.ask("GET", other)).body.error.code).toBe("OperationNotFound");
    await expect.poll(async () => (await at.ask("GET", found)).status, { timeout: 20_000 }).toBe(200);
  });
});

describe("a start of a job", () => {
  const own = { env: [{ name: "A", value: "1" }] };
  test.each<[string, unknown, string]>([
    ["a field that there is not", { containers: [container({ ...own, banana: 1 })] }, "banana' is not a property"],
    ["probes", { containers: [container({ ...own, probes: [] })] }, "'probes'"],
    ["variables that are no list", { containers: [container({ env: "x" })] }, "must be an array"],
    ["containers that are no list", { containers: container(own) }, "must be an array"],
    ["an unknown secret", { containers: [container({ env: [{ name: "A", secretRef: "none" }] })] }, "'none'"],
    ["too many CPUs", { containers: [container({ ...own, resources: { cpu: 99, memory: "198Gi" } })] }, "CPU: 99"],
    ["a name that is none", { containers: [container({ ...own, name: "A_b" })] }, "container name"],
    ["another image", { containers: [container({ ...own, image: "registry.example/x:1" })] }, "another image"],
    ["what leaves out the job's variables", { containers: [container()] }, "leaves out its 'env'"],
    ["init containers", { initContainers: [] }, "initContainers"],
    ["a template", { template: {} }, "'properties.template.template'"],
  ])("is refused with %s", async (_, body, words) => {
    const before = (await at.ask("GET", `${job()}/executions?${version}`)).body.value.length;
    const reply = await at.ask("POST", `${job()}/start?${version}`, body);
    expect([reply.status, JSON.stringify(reply.body)]).toEqual([400, expect.stringContaining(words)]);
    expect((await at.ask("GET", `${job()}/executions?${version}`)).body.value).toHaveLength(before);
  });
});

describe("a container that cannot start", () => {
  const [nul, long] = ["a\u0000b", "a".repeat(200_000)];
  test.each<[string, object, string]>([
    ["a variable with a NUL", { env: [{ name: "A", value: nul }] }, "NUL"],
    ["a secret with a NUL", { env: [{ name: "A", secretRef: "one" }] }, "NUL"],
    ["an argument with a NUL", { args: [nul] }, "NUL"],
    ["an empty program", { command: [""] }, "empty"],
    ["a variable beyond the machine's limit", { env: [{ name: "A", value: long }] }, "too long"],
  ])("has %s: its replica does not become ready, and says why", async (_, more, words) => {
    const name = `odd${crypto.randomUUID().slice(0, 8)}`;
    const id = idOf(`Microsoft.App/containerApps/${name}`);
    await at.settle("PUT", `${id}?${version}`, appOf(more, [{ name: "one", value: nul }]));
    const endOf = async (): Promise<string> =>
      (await at.ask("GET", "/_emulator/processes")).body.processes.find((each: any) => each.app === name)?.lastEnd ??
      "";
    await expect.poll(endOf, { timeout: 20_000 }).toContain(words);
    expect(await endOf()).not.toContain("a\u0000b");
    await at.settle("DELETE", `${id}?${version}`);
  });

  test("has a probe that no request can be: its replica does not become ready", async () => {
    const id = idOf("Microsoft.App/containerApps/odd-probe");
    const probes = [{ type: "Readiness", periodSeconds: 1, httpGet: { port: 8080, path: "/\u0100\n" } }];
    await at.settle("PUT", `${id}?${version}`, appOf({ probes }));
    const ready = async (): Promise<unknown> =>
      (await at.ask("GET", "/_emulator/processes")).body.processes.find((each: any) => each.app === "odd-probe");
    await expect.poll(ready, { timeout: 20_000 }).toMatchObject({ pid: expect.any(Number), ready: false });
    await at.settle("DELETE", `${id}?${version}`);
  });

  test("fails its execution of a job", async () => {
    const body = jobBody();
    body.properties.template.containers = [container({ env: [{ name: "A", value: nul }] })] as never;
    await make("Microsoft.App/jobs/odd-start", "2025-07-01", body);
    const id = idOf("Microsoft.App/jobs/odd-start");
    const { name } = (await at.ask("POST", `${id}/start?${version}`)).body;
    const statusOf = async () => (await at.ask("GET", `${id}/executions/${name}?${version}`)).body.properties.status;
    await expect.poll(statusOf, { timeout: 20_000 }).toBe("Failed");
  });
});

describe("a replica that hardly speaks HTTP", () => {
  const ask = (path: string): Promise<Reply> => at.ask("GET", `https://${host}${path}`, undefined, { token: null });
  const refused = (reason: string) =>
    `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`;

  test.each([
    ["/status-below-100", "protocol error"],
    ["/upgrade", "protocol error"],
    ["/no-http", "protocol error"],
    ["/two-lengths", "protocol error"],
    ["/nothing", "connection termination"],
  ])("at %s the ingress answers 503: %s", async (path, reason) => {
    await expect.poll(async () => (await ask("/")).status, { timeout: 20_000 }).toBe(200);
    expect(await ask(path)).toMatchObject({ status: 503, body: refused(reason) });
  });

  test("may say of its status what it wants, and gets as large headers as the proxy takes", async () => {
    expect(await ask("/control-character")).toMatchObject({ status: 200, body: "hi" });
    const large = { "x-large": "a".repeat(30_000) };
    expect((await at.ask("GET", `https://${host}/`, undefined, { token: null, headers: large })).status).toBe(200);
  });
});

describe("a vault", () => {
  const set = (attributes: unknown): Promise<Reply> =>
    at.ask(
      "PUT",
      "https://odd-vault.vault.ballast.localhost/secrets/a?api-version=7.5",
      { value: "1", attributes },
      { token: vaultToken },
    );

  test.each<[string, unknown]>([
    ["no object", []],
    ["a text", "enabled"],
    ["an end after the year 9999", { exp: 1e18 }],
    ["an end that is a text", { exp: "soon" }],
  ])("refuses attributes that are %s", async (_, attributes) => {
    expect((await set(attributes)).body.error.code).toBe("BadParameter");
    expect((await set({ exp: 253_402_300_799 })).status).toBe(200);
  });
});

describe("log queries", () => {
  const url = (id = workspace): string => `https://api.loganalytics.ballast.localhost/v1/workspaces/${id}/query`;
  const ask = (method: string, to: string, body?: object): Promise<Reply> =>
    at.ask(method, to, body, { token: logsToken });

  test("are answered to a GET as well, and to the workspace in any letter case", async () => {
    const query = "ContainerAppConsoleLogs | count";
    const posted = await ask("POST", url(workspace.toUpperCase()), { query });
    expect(posted.body.tables[0].columns).toEqual([{ name: "Count", type: "long" }]);
    expect((await ask("GET", `${url()}?query=${encodeURIComponent(query)}`)).status).toBe(200);
  });

  test.each<[string, string, object]>([
    ["another method", "PUT", { query: "ContainerAppConsoleLogs" }],
    [
      "a time that ends before it starts",
      "POST",
      { query: "ContainerAppConsoleLogs", timespan: "2026-02-01/2026-01-01" },
    ],
    ["brackets without end", "POST", { query: `ContainerAppConsoleLogs | where ${"(".repeat(5000)}true` }],
    ["a sum without end", "POST", { query: `ContainerAppConsoleLogs | extend a = ${"1+".repeat(20_000)}1` }],
    ["a list without end", "POST", { query: `ContainerAppConsoleLogs | where 1 in (${"1,".repeat(60_000)}1)` }],
  ])("are refused with %s", async (_, method, body) => {
    const { status } = await ask(method, url(), body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

describe("the emulator's controls", () => {
  const nowhere = "http://127.0.0.1:1/";
  test.each<[string, string, string, object | undefined]>([
    ["a clock that is not asked for anything", "POST", "clock", {}],
    ["a clock with a field that there is not", "POST", "clock", { advance: 5 }],
    ["a clock at no time", "POST", "clock", { at: "soon" }],
    ["a clock at a time that no date has", "POST", "clock", { at: 1e300 }],
    ["a clock that is advanced beyond all dates", "POST", "clock", { advanceSeconds: 1e20 }],
    ["another method for faults", "PUT", "faults", { faults: [] }],
    ["another method for requests", "DELETE", "requests", undefined],
    [
      "a delivery with a header that HTTP has not",
      "POST",
      "deliveries",
      { to: nowhere, body: "", headers: { "a b": "x" } },
    ],
    [
      "a delivery with a value that HTTP has not",
      "POST",
      "deliveries",
      { to: nowhere, body: "", headers: { a: "x\ny" } },
    ],
    ["rows that are none", "POST", "rows", { rows: [null] }],
    ["a fault of no status", "POST", "faults", { faults: [{ path: "x", status: 99 }] }],
  ])("refuse %s", async (_, method, route, body) => {
    expect((await at.ask(method, `/_emulator/${route}`, body)).status).toBeGreaterThanOrEqual(400);
    expect((await at.ask("GET", "/_emulator/clock")).body.rate).toBe(1);
  });
});
