// Identities and storages of container apps, over HTTPS on a whole emulator: what a client is shown, and what a
// container gets with it. Secrets by reference are in vault-references.test.ts.
import http from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, management, type Reply, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";

let c: CloudForTests;
let group: string;
const version = "?api-version=2025-07-01";
const idOf = (url: string): string => url.slice(management.length);
const app = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;
const environment = (): string => `${group}/providers/Microsoft.App/managedEnvironments/shop`;
const named = (): string => `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/named`;
const host = (name: string): string => `https://${name}.shop.westeurope.ballast.localhost`;

beforeAll(async () => {
  c = await startCloudForTests();
  group = `${management}/subscriptions/${c.cloud.subscription}/resourceGroups/shop`;
  await c.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await c.settle("PUT", environment() + version, { location: "westeurope", properties: {} });
  await c.ask("PUT", `${named()}?api-version=2023-01-31`, { location: "westeurope" });
});
afterAll(() => c.close());

const bodyOf = (identity: Body | undefined, configuration: Body = {}, container: Body = {}): Body => ({
  location: "westeurope",
  ...(identity ? { identity } : {}),
  properties: {
    managedEnvironmentId: idOf(environment()),
    configuration: { ingress: { external: true, targetPort: 8080 }, ...configuration },
    template: {
      containers: [
        {
          name: "web",
          image: "registry.example/web:1",
          probes: [{ type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 }],
          ...container,
        },
      ],
      scale: { minReplicas: 1, maxReplicas: 1 },
    },
  },
});

/** The id of the built-in role Reader. */
const readerRole = (): string => {
  const definitions = `/subscriptions/${c.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions`;
  return `${definitions}/acdd72a7-3385-48ef-bd42-f606fba81ae7`;
};

/** Puts an app and gives it as it is then. */
async function put(name: string, body: Body): Promise<Reply> {
  const reply = await c.settle("PUT", app(name) + version, body);
  return reply.body?.error ? reply : c.ask("GET", app(name) + version);
}
/** Gives the environment of the app's container once it serves. */
const variablesOf = (name: string): Promise<Record<string, string>> =>
  eventually(
    async () => (await c.ask("GET", `${host(name)}/environment`, undefined, { token: null })).body,
    (body) => typeof body === "object",
  );

const system = { type: "SystemAssigned" };

test("a system-assigned identity is a principal that lives as long as the app has it", async () => {
  const { identity } = (await put("own", bodyOf(system))).body;
  expect(identity).toEqual({ type: "SystemAssigned", principalId: expect.any(String), tenantId: c.cloud.tenant });
  expect((await put("own", bodyOf(system))).body.identity).toEqual(identity);
  expect((await put("own", bodyOf(undefined))).body.identity).toEqual({ type: "None" });
  expect((await put("own", bodyOf(system))).body.identity.principalId).not.toBe(identity.principalId);
});

test("a patch to the type None takes all identities away, and their principals with them", async () => {
  const both = { type: "SystemAssigned,UserAssigned", userAssignedIdentities: { [idOf(named())]: {} } };
  const { principalId } = (await put("gone", bodyOf(both))).body.identity;
  await c.settle("PATCH", app("gone") + version, { identity: { type: "None" } });
  expect((await c.ask("GET", app("gone") + version)).body.identity).toEqual({ type: "None" });
  const assignment = `${group}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-8000-8000-00000000000b`;
  const properties = { principalId, roleDefinitionId: readerRole() };
  const refused = await c.ask("PUT", `${assignment}?api-version=2022-04-01`, { properties });
  expect(refused.body.error.code).toBe("PrincipalNotFound");
});

test("user-assigned identities are shown with their ids", async () => {
  const { body } = await put(
    "both",
    bodyOf({
      type: "SystemAssigned, UserAssigned",
      userAssignedIdentities: { [idOf(named())]: {} },
    }),
  );
  const { principalId, clientId } = (await c.ask("GET", `${named()}?api-version=2023-01-31`)).body.properties;
  expect(body.identity.userAssignedIdentities).toEqual({ [idOf(named())]: { principalId, clientId } });
  expect(body.identity.principalId).toEqual(expect.any(String));
});

/** Gets a token at a container's identity endpoint. */
function tokenOf({ IDENTITY_ENDPOINT, IDENTITY_HEADER }: Record<string, string>, more = ""): Promise<Body> {
  return new Promise((resolve, reject) => {
    const url = `${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://management.azure.com/${more}`;
    http
      .get(url, { headers: { "x-identity-header": IDENTITY_HEADER } }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode, ...(JSON.parse(text) as Body) }));
      })
      .on("error", reject);
  });
}

test("a container gets a token of the system-assigned identity, which may do what it is assigned", async () => {
  const { principalId } = (await put("reader", bodyOf(system))).body.identity;
  const token: string = (await tokenOf(await variablesOf("reader")))["access_token"];
  const read = (): Promise<Reply> => c.ask("GET", `${group}?api-version=2024-03-01`, undefined, { token });
  expect((await read()).body.error.code).toBe("AuthorizationFailed");
  const assignment = `${group}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-8000-8000-00000000000a`;
  const assigned = await c.ask("PUT", `${assignment}?api-version=2022-04-01`, {
    properties: { principalId, roleDefinitionId: readerRole() },
  });
  expect([assigned.status, (await read()).status]).toEqual([201, 200]);
});

test("a container gets no token for an identity that its app does not have", async () => {
  await put("reader", bodyOf(system));
  const { clientId } = (await c.ask("GET", `${named()}?api-version=2023-01-31`)).body.properties;
  const refused = await tokenOf(await variablesOf("reader"), `&client_id=${clientId}`);
  expect([refused["status"], refused["access_token"]]).toEqual([400, undefined]);
});

test("identitySettings say which containers may use an identity", async () => {
  const settings = (lifecycle: string) => ({ identitySettings: [{ identity: "system", lifecycle }] });
  await put("settings", bodyOf(system, settings("Main")));
  expect((await variablesOf("settings"))["IDENTITY_HEADER"]).toEqual(expect.any(String));
  await put("unsettled", bodyOf(system, settings("None")));
  expect((await variablesOf("unsettled"))["IDENTITY_HEADER"]).toBeUndefined();
});

test("a storage of an environment is shown without its key, and a wrong one is refused", async () => {
  const storage = `${environment()}/storages/files${version}`;
  const azureFile = { accountName: "shop", accountKey: "hush", shareName: "files", accessMode: "ReadWrite" };
  const made = await c.ask("PUT", storage, { properties: { azureFile } });
  const { accountKey: _, ...shown } = azureFile;
  expect([made.status, made.body.properties.azureFile]).toEqual([201, shown]);
  for (const wrong of [{ accessMode: "Bananas" }, { accountName: "" }, { accountKey: null }]) {
    const { body } = await c.ask("PUT", storage, { properties: { azureFile: { ...azureFile, ...wrong } } });
    expect(body.error.code).toMatch(/EmulatorUnsupported|InvalidRequestContent/);
  }
  expect((await c.ask("PUT", storage, { properties: {} })).body.error.code).toBe("EmulatorUnsupported");
});
