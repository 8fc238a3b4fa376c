// The emulator, called by Microsoft's own clients: sign-in by secret, by environment and by managed identity, the
// Container Apps client, and what role assignments let an identity do.

import { readFileSync } from "node:fs";
import tls from "node:tls";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import {
  ClientSecretCredential,
  EnvironmentCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from "@azure/identity";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { fetch as undiciFetch } from "undici";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fetchDispatcher } from "../../connect-to.ts";
import { type CloudForTests, management, startCloudForTests } from "../support/emulator/cloud.ts";
import { throughAgent } from "../support/emulator/sdk-client.ts";

let at: CloudForTests;
let group: string;
const authority = "https://login.ballast.localhost";
const apps = "api-version=2025-07-01";
const scope = "https://management.azure.com/.default";
const app = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;
const authorization = "providers/Microsoft.Authorization";
const roleIds = {
  apps: "358470bc-b998-42bd-ab17-a7e34c199c0f",
  logs: "73c42c96-874c-492b-b04d-ab87d138a893",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
};

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString("utf8"));

async function makeIdentity(
  name: string,
): Promise<{ readonly id: string; readonly clientId: string; readonly principalId: string }> {
  const { body } = await at.ask(
    "PUT",
    `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}?api-version=2023-01-31`,
    { location: "westeurope" },
  );
  return { id: body.id, ...body.properties };
}

const assign = (
  principalId: string,
  role: keyof typeof roleIds,
  where = group,
  name: string = crypto.randomUUID(),
  principalType = "ServicePrincipal",
) =>
  at.ask("PUT", `${where}/${authorization}/roleAssignments/${name}?api-version=2022-04-01`, {
    properties: {
      principalId,
      principalType,
      roleDefinitionId: `/subscriptions/${at.cloud.subscription}/${authorization}/roleDefinitions/${roleIds[role]}`,
    },
  });

/** The variables of a replica with an identity. */
async function tokenOfIdentity(
  clientId: string,
  resource = "https://management.azure.com/",
): Promise<string | undefined> {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = await replicaEnvironment();
  const reply = await fetch(
    `${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}&client_id=${clientId}`,
    { headers: { "X-IDENTITY-HEADER": IDENTITY_HEADER } },
  );
  return ((await reply.json()) as { access_token?: string }).access_token;
}

/** Reads these variables from a real replica, whose image answers with its environment. */
async function replicaEnvironment(): Promise<{ readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string }> {
  return expect
    .poll(
      async () =>
        (await at.ask("GET", "https://teller.clients.westeurope.ballast.localhost/environment").catch(() => undefined))
          ?.body,
      { timeout: 15_000 },
    )
    .toMatchObject({ IDENTITY_HEADER: expect.any(String) })
    .then(async () => (await at.ask("GET", "https://teller.clients.westeurope.ballast.localhost/environment")).body);
}

beforeAll(async () => {
  at = await startCloudForTests();
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/clients`;
  await at.settle("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", `${group}/providers/Microsoft.App/managedEnvironments/clients?${apps}`, {
    location: "westeurope",
    properties: {},
  });
  // The app has all identities of this file, since a replica gets tokens only for its own.
  const identities = await Promise.all(["signer", "operator", "neighbour", "reader"].map(makeIdentity));
  await at.settle("PUT", `${app("teller")}?${apps}`, {
    location: "westeurope",
    identity: {
      type: "UserAssigned",
      userAssignedIdentities: Object.fromEntries(identities.map(({ id }) => [id, {}])),
    },
    properties: {
      managedEnvironmentId: `${group}/providers/Microsoft.App/managedEnvironments/clients`,
      configuration: {
        activeRevisionsMode: "Multiple",
        ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
      },
      template: { containers: [{ name: "web", image: "web:1" }], scale: { minReplicas: 1 } },
    },
  });
});
afterAll(() => at.close());

test("a client secret gets a token that the published keys verify, with the roles of the client", async () => {
  const { client, tenant } = at.cloud;
  const credential = new ClientSecretCredential(tenant, client.id, client.secret, {
    authorityHost: authority,
    disableInstanceDiscovery: true,
    ...throughAgent(at.agent),
  });
  const { token } = (await credential.getToken("api://ballast/.default"))!;
  const dispatcher = fetchDispatcher({ suffix: at.cloud.suffix, host: "127.0.0.1", port: at.cloud.port });
  const known = (await (
    await undiciFetch(`${authority}/${tenant}/v2.0/.well-known/openid-configuration`, { dispatcher })
  ).json()) as { jwks_uri: string; issuer: string };
  const keys = createRemoteJWKSet(new URL(known.jwks_uri), {
    [customFetch]: (url: string, init: object) => undiciFetch(url, { ...init, dispatcher }) as never,
  });
  const { payload } = await jwtVerify(token, keys, {
    issuer: `${authority}/${tenant}/v2.0`,
    audience: "api://ballast",
  });
  expect(payload).toMatchObject({
    roles: ["Rollout.Read", "Rollout.Write", "Rollout.Approve", "Remediation.Approve"],
    tid: tenant,
    azp: client.id,
  });
  await dispatcher.close();
});

test("the environment credential signs in with the variables that the cloud gives", async () => {
  for (const [name, value] of Object.entries(at.cloud.environment))
    if (name.startsWith("AZURE_")) vi.stubEnv(name, value);
  const credential = new EnvironmentCredential({ disableInstanceDiscovery: true, ...throughAgent(at.agent) });
  expect(claimsOf((await credential.getToken(scope))!.token).aud).toBe("https://management.azure.com");
  vi.unstubAllEnvs();
});

test("a wrong secret is refused with the directory's own code", async () => {
  const credential = new ClientSecretCredential(at.cloud.tenant, at.cloud.client.id, "wrong", {
    authorityHost: authority,
    disableInstanceDiscovery: true,
    ...throughAgent(at.agent),
  });
  await expect(credential.getToken(scope)).rejects.toThrow(/AADSTS7000215/);
});

test("a replica's managed identity gets a token with its own object id and no roles", async () => {
  const identity = await makeIdentity("signer");
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = await replicaEnvironment();
  vi.stubEnv("IDENTITY_ENDPOINT", IDENTITY_ENDPOINT);
  vi.stubEnv("IDENTITY_HEADER", IDENTITY_HEADER);
  const { token } = (await new ManagedIdentityCredential({ clientId: identity.clientId }).getToken(scope))!;
  expect(claimsOf(token)).toMatchObject({ oid: identity.principalId, xms_mirid: identity.id });
  expect(claimsOf(token).roles).toBeUndefined();
  const forged = await fetch(`${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=x&client_id=${identity.clientId}`, {
    headers: { "X-IDENTITY-HEADER": "forged" },
  });
  expect(forged.status).toBe(401);
  vi.unstubAllEnvs();
});

test("a replica gets no token for an identity that is not its app's", async () => {
  const stranger = await makeIdentity("stranger");
  expect(await tokenOfIdentity(stranger.clientId)).toBeUndefined();
});

test.each([
  ["no token", async () => null, "AuthenticationFailed"],
  [
    "a forged token",
    async () => `${(await at.tokenFor("https://management.azure.com")).slice(0, -8)}AAAAAAAA`,
    "InvalidAuthenticationToken",
  ],
  ["a token for another door", () => at.tokenFor("api://ballast"), "InvalidAuthenticationTokenAudience"],
])("with %s Resource Manager answers 401", async (_, token, code) => {
  const reply = await at.ask("GET", `${group}?api-version=2024-03-01`, undefined, { token: await token() });
  expect(reply).toMatchObject({ status: 401, body: { error: { code } } });
  expect(reply.headers["www-authenticate"]).toContain("Bearer");
});

test("the Container Apps client creates, reads, patches, lists and deletes an app", async () => {
  const { client, tenant, subscription } = at.cloud;
  const credential: TokenCredential = new ClientSecretCredential(tenant, client.id, client.secret, {
    authorityHost: authority,
    disableInstanceDiscovery: true,
    ...throughAgent(at.agent),
  });
  const sdk = new ContainerAppsAPIClient(credential, subscription, {
    endpoint: management,
    apiVersion: "2025-07-01",
    credentials: { scopes: [`${management}/.default`] },
    ...throughAgent(at.agent),
  });
  const made = await sdk.containerApps.createOrUpdate(
    "clients",
    "sdk",
    {
      location: "westeurope",
      managedEnvironmentId: `${group}/providers/Microsoft.App/managedEnvironments/clients`,
      configuration: {
        activeRevisionsMode: "Multiple",
        ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
      },
      template: { containers: [{ name: "web", image: "registry.example/web:1" }], scale: { minReplicas: 1 } },
    },
    { updateIntervalInMs: 50 },
  );
  expect(made).toMatchObject({ provisioningState: "Succeeded", name: "sdk" });
  const revisions: string[] = [];
  for await (const revision of sdk.containerAppsRevisions.listRevisions("clients", "sdk"))
    revisions.push(revision.name!);
  expect(revisions).toEqual([made.latestRevisionName]);
  const traffic = [{ revisionName: made.latestRevisionName!, weight: 100 }];
  await sdk.containerApps.update(
    "clients",
    "sdk",
    { location: "westeurope", configuration: { ingress: { traffic } } },
    { updateIntervalInMs: 50 },
  );
  const raw = (await at.ask("GET", `${app("sdk")}?${apps}`)).body.properties.configuration;
  expect(raw).toMatchObject({ activeRevisionsMode: "Multiple", ingress: { targetPort: 8080, traffic } });
  await sdk.containerApps.delete("clients", "sdk", { updateIntervalInMs: 50 });
  await expect(sdk.containerApps.get("clients", "sdk")).rejects.toMatchObject({
    statusCode: 404,
    code: "ResourceNotFound",
  });
});

test("an identity may do what a role assignment at the scope or above it says, and nothing else", async () => {
  const { clientId, principalId } = await makeIdentity("operator");
  const token = (await tokenOfIdentity(clientId))!;
  const read = () => at.ask("GET", `${app("teller")}?${apps}`, undefined, { token });
  const refused = await read();
  expect(refused).toMatchObject({ status: 403, body: { error: { code: "AuthorizationFailed" } } });
  expect(refused.body.error.message).toContain(
    `object id '${principalId}' does not have authorization ` +
      `to perform action 'Microsoft.App/containerApps/read' over scope '${app("teller")}'`,
  );
  expect((await assign(principalId, "reader")).status).toBe(201);
  expect((await read()).status).toBe(200);
  const patch = () => at.ask("PATCH", `${app("teller")}?${apps}`, { tags: { by: "operator" } }, { token });
  expect((await patch()).status).toBe(403);
  await assign(principalId, "apps");
  expect((await patch()).status).toBe(202);
  const { latestRevisionName } = (await read()).body.properties;
  expect(
    (await at.ask("GET", `${app("teller")}/revisions/${latestRevisionName}?${apps}`, undefined, { token })).status,
  ).toBe(200);
  expect(
    (
      await at.ask(
        "PUT",
        `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/x?api-version=2023-01-31`,
        { location: "westeurope" },
        { token },
      )
    ).status,
  ).toBe(403);
  expect((await at.ask("GET", "/_emulator/requests", undefined, { token })).status).toBe(403);
});

test("an assignment at one resource does not reach its neighbour", async () => {
  const { clientId, principalId } = await makeIdentity("neighbour");
  await assign(principalId, "reader", app("teller"));
  const token = (await tokenOfIdentity(clientId))!;
  expect((await at.ask("GET", `${app("teller")}?${apps}`, undefined, { token })).status).toBe(200);
  expect((await at.ask("GET", `${app("tellers")}?${apps}`, undefined, { token })).status).toBe(403);
  expect((await at.ask("GET", `${group}?api-version=2024-03-01`, undefined, { token })).status).toBe(403);
});

test("log queries need a token for the query service and a role on the workspace", async () => {
  const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/rows`;
  const { customerId } = (
    await at.ask("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} })
  ).body.properties;
  const { clientId, principalId } = await makeIdentity("reader");
  const token = (await tokenOfIdentity(clientId, "https://api.loganalytics.io"))!;
  const query = (with_: string) =>
    at.ask(
      "POST",
      `https://api.loganalytics.ballast.localhost/v1/workspaces/${customerId}/query`,
      { query: "ContainerAppHTTPLogs | take 1" },
      { token: with_ },
    );
  expect(await query(token)).toMatchObject({ status: 403, body: { error: { code: "InsufficientAccessError" } } });
  expect((await query((await tokenOfIdentity(clientId))!)).status).toBe(401);
  await assign(principalId, "logs", workspace);
  expect((await query(token)).status).not.toBe(403);
});

test("role assignments are refused as Azure refuses them", async () => {
  const { principalId } = await makeIdentity("assigned");
  const name = crypto.randomUUID();
  expect((await assign(principalId, "reader", group, name)).status).toBe(201);
  expect((await assign(principalId, "reader", group, name)).status).toBe(200);
  expect((await assign(principalId, "reader")).body.error.code).toBe("RoleAssignmentExists");
  expect((await assign(principalId, "apps", group, name)).body.error.code).toBe("RoleAssignmentUpdateNotPermitted");
  expect((await assign(crypto.randomUUID(), "reader")).body.error.code).toBe("PrincipalNotFound");
  expect((await assign(principalId, "logs", group, undefined, "User")).body.error.code).toBe("UnmatchedPrincipalType");
  const unknown = {
    properties: { principalId, roleDefinitionId: `/${authorization}/roleDefinitions/${crypto.randomUUID()}` },
  };
  expect(
    (
      await at.ask(
        "PUT",
        `${group}/${authorization}/roleAssignments/${crypto.randomUUID()}?api-version=2022-04-01`,
        unknown,
      )
    ).body.error.code,
  ).toBe("RoleDefinitionDoesNotExist");
});
