// The two versions of tokens that Entra issues, as its documentation shows them, and which of them the control
// plane accepts. Entra's sign-in host leads to a server on loopback here, which signs the tokens and publishes its
// key as Entra does.
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { Agent } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Authenticate, createAuthenticate } from "../../../controlplane/api/authenticate.ts";

const authority = "https://login.microsoftonline.com";
const tenant = "66666666-7777-8888-9999-000000000000";
const audience = `api://${tenant}/ballast-dev`;
const clientId = "cccccccc-0000-0000-0000-000000000001";
const ann = "aaaaaaaa-0000-0000-0000-000000000001";
const workflow = "bbbbbbbb-0000-0000-0000-000000000001";
const keys = await generateKeyPair("RS256");
let server: http.Server;
let agent: Agent;
let authenticate: Authenticate;

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "ours", alg: "RS256", use: "sig" };
  server = http
    .createServer((request, response) => {
      const page = { issuer: `${authority}/${tenant}/v2.0`, jwks_uri: `${authority}/${tenant}/discovery/v2.0/keys` };
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify(request.url?.endsWith("/openid-configuration") ? page : { keys: [jwk] }));
    })
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  agent = new Agent({
    connect: (_options, connected) => {
      const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1", () => connected(null, socket));
    },
  });
  authenticate = createAuthenticate({ authority, tenant, audiences: [audience], requestSeconds: 10 }, agent);
});
afterAll(async () => {
  await agent.close();
  server.close();
});

/** A person's token from `az login`, and a token of a workflow or an identity. */
const first: JWTPayload = {
  iss: `https://sts.windows.net/${tenant}/`,
  aud: audience,
  tid: tenant,
  ver: "1.0",
  oid: ann,
  sub: "pairwise",
  appid: "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
  scp: "access",
  roles: ["Rollout.Read", "Rollout.Write"],
};
const ofWorkflow: JWTPayload = {
  ...first,
  oid: workflow,
  sub: workflow,
  appid: "dddddddd-0000-0000-0000-000000000001",
  appidacr: "2",
  idtyp: "app",
  scp: undefined,
};
const second: JWTPayload = {
  ...first,
  iss: `${authority}/${tenant}/v2.0`,
  ver: "2.0",
  appid: undefined,
  azp: "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
};

/** The application that a token was given to; the two shapes name it in different claims. */
const applicationIn = (claims: JWTPayload): unknown => claims["azp"] ?? claims["appid"];

async function asked(claims: JWTPayload): Promise<unknown> {
  const token = await new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "RS256", kid: "ours" })
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(keys.privateKey);
  const answer = await authenticate(
    new Request("https://control-plane.example/rollouts", { headers: { authorization: `Bearer ${token}` } }),
    "Rollout.Write",
  );
  return answer instanceof Response
    ? [answer.status, ((await answer.json()) as { error: { message: string } }).error.message]
    : answer;
}

test.each([
  ["a person's through Azure's command line, in the shape that the application asks for", first, ann],
  ["a workflow's or an identity's", ofWorkflow, workflow],
  ["one of the second shape, where it is for the audience", second, ann],
])("a token lets in: %s, under the name of its object", async (_what, claims, name) =>
  expect(await asked(claims)).toEqual({
    name,
    roles: ["Rollout.Read", "Rollout.Write"],
    application: applicationIn(claims),
  }),
);

test.each([
  ["a person's name", { ...first, name: "Ann Miller", preferred_username: "ann@shop.example" }, ann, "Ann Miller"],
  ["a person's user name", { ...second, name: " ", preferred_username: "ann@shop.example" }, ann, "ann@shop.example"],
  ["a person's user name of the first shape", { ...first, upn: "ann@shop.example" }, ann, "ann@shop.example"],
  ["an application's name", { ...ofWorkflow, app_displayname: "deploys-prod" }, workflow, "deploys-prod"],
  ["the person, not the tool they used", { ...first, name: "Ann", app_displayname: "Azure CLI" }, ann, "Ann"],
])("a token names its holder for people by %s, and by its id for programs", async (_what, claims, name, displayName) =>
  expect(await asked(claims)).toEqual({
    name,
    displayName,
    roles: ["Rollout.Read", "Rollout.Write"],
    application: applicationIn(claims),
  }),
);

test.each([
  [
    "of the first shape, of another tenant",
    { ...first, iss: `https://sts.windows.net/${clientId}/`, tid: clientId },
    401,
    "from another issuer",
  ],
  [
    "of the first shape, for another application",
    { ...first, aud: "https://graph.microsoft.com" },
    401,
    "for another audience",
  ],
  [
    "of the second shape, for the client id, as an application gives them that asks for no shape of ours",
    { ...second, aud: clientId },
    401,
    "for another audience",
  ],
  ["of a signed-in user without a role", { ...first, roles: undefined }, 403, `which ${ann} does not have`],
  [
    "of a user with a scope in place of a role",
    { ...first, roles: undefined, scp: "Rollout.Write" },
    403,
    "Rollout.Write",
  ],
  ["of a user who may only read", { ...first, roles: ["Rollout.Read"] }, 403, "requires the app role Rollout.Write"],
])("a token is refused: %s", async (_what, claims, status, says) =>
  expect(await asked(claims as JWTPayload)).toEqual([status, expect.stringContaining(says)]),
);
