// A job of the emulated GitHub signs in to the emulator of Azure without a stored key, and everything that Azure
// refuses about the credentials behind it: the subject in another letter case, another form, another claim.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PutContext } from "../../../emulator/arm/resource.ts";
import { makeStore } from "../../../emulator/arm/store.ts";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import { githubIssuer, type Job, subjectOf } from "../../../emulator/github/oidc.ts";
import { federatedCredentialType } from "../../../emulator/managedidentity/federated-credentials.ts";
import { type CloudForTests, management, send, startCloudForTests } from "../../support/emulator/cloud.ts";

const audience = "api://AzureADTokenExchange";
const version = "?api-version=2023-01-31";
let c: CloudForTests;
let group: string;
let github: Github;
let folder: string;
let shop: Hosted;

beforeAll(async () => {
  c = await startCloudForTests();
  group = `${management}/subscriptions/${c.cloud.subscription}/resourceGroups/shop`;
  await c.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  folder = mkdtempSync(join(tmpdir(), "ballast-oidc-"));
  github = await startGithub(folder);
  await c.ask("POST", `${management}/_emulator/issuers`, { issuer: githubIssuer, keys: github.keys });
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await c.close();
  rmSync(folder, { recursive: true });
});
let count = 0;
beforeEach(() => {
  count += 1;
  shop = github.host(`Acme/shop-${count}`);
});

const identity = (): string => `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deploys-${count}`;
const put = (name: string, properties: object) =>
  c.ask("PUT", `${identity()}/federatedIdentityCredentials/${name}${version}`, { properties });
const trusting = (subject: string) => ({ issuer: githubIssuer, subject, audiences: [audience] });

async function makeIdentity(): Promise<string> {
  const { body } = await c.ask("PUT", identity() + version, { location: "westeurope" });
  return body.properties.clientId as string;
}

/** Signs a job in as azure/login does, and gives the error's code or "signed in". */
async function signIn(clientId: string, job: Omit<Job, "of">): Promise<string> {
  const variables = github.job({ of: shop, ...job });
  const given = await fetch(`${variables["ACTIONS_ID_TOKEN_REQUEST_URL"]}&audience=${encodeURIComponent(audience)}`, {
    headers: { authorization: `Bearer ${variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}` },
  });
  const { value } = (await given.json()) as { readonly value: string };
  return assert(clientId, value);
}

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Asks for a token of an identity by an assertion. */
function exchange(
  at: CloudForTests,
  clientId: string,
  assertion: string,
  {
    type = jwtBearer,
    scope = "https://management.azure.com",
  }: { readonly type?: string | null; readonly scope?: string },
) {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    ...(type === null ? {} : { client_assertion_type: type }),
    client_assertion: assertion,
    scope: `${scope}/.default`,
  });
  const to = `https://login.ballast.localhost/${at.cloud.tenant}/oauth2/v2.0/token`;
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return send(at.agent, "POST", to, headers, form.toString());
}

async function assert(
  clientId: string,
  assertion: string,
  at: CloudForTests = c,
  type: string | null = jwtBearer,
): Promise<string> {
  const { status, body } = await exchange(at, clientId, assertion, { type });
  if (status !== 200) return /^AADSTS\d+/.exec(body.error_description)?.[0] ?? JSON.stringify(body);
  // The token is the identity's, which nobody has given a role.
  const asked = await at.ask("GET", `${group}?api-version=2024-03-01`, undefined, { token: body.access_token });
  return asked.body.error.code === "AuthorizationFailed" ? "signed in" : JSON.stringify(asked.body);
}

const production: Omit<Job, "of"> = { event: "push", ref: "refs/heads/main", environment: "prod" };
const onMain: Omit<Job, "of"> = { event: "schedule", ref: "refs/heads/main" };
const ofPullRequest: Omit<Job, "of"> = { event: "pull_request", ref: "refs/pull/7/merge" };

test.each([
  ["an environment", production, (name: string) => `repo:${name}:environment:prod`, "signed in"],
  ["a pull request", ofPullRequest, (name: string) => `repo:${name}:pull_request`, "signed in"],
  ["a branch", onMain, (name: string) => `repo:${name}:ref:refs/heads/main`, "signed in"],
  ["another environment", production, (name: string) => `repo:${name}:environment:dev`, "AADSTS700213"],
  [
    "its branch, though it has an environment",
    production,
    (name: string) => `repo:${name}:ref:refs/heads/main`,
    "AADSTS700213",
  ],
  [
    "its name in another letter case",
    production,
    (name: string) => `repo:${name.toLowerCase()}:environment:prod`,
    "AADSTS7002138",
  ],
  [
    "its environment in another letter case",
    production,
    (name: string) => `repo:${name}:environment:Prod`,
    "AADSTS7002138",
  ],
  ["any environment", production, (name: string) => `repo:${name}:environment:*`, "AADSTS700213"],
] as const)("a job whose identity trusts %s", async (_what, job, subject, end) => {
  const clientId = await makeIdentity();
  expect((await put("github", trusting(subject(shop.name)))).status).toBe(201);
  expect(await signIn(clientId, job)).toBe(end);
});

test("a repository of 2026 has ids in its subject: the form by name is worth nothing, both may stand", async () => {
  const clientId = await makeIdentity();
  shop.hasImmutableSubject = true;
  await put("by-name", trusting(`repo:${shop.name}:environment:prod`));
  expect(await signIn(clientId, production)).toBe("AADSTS700213");
  const [owner, name] = shop.name.split("/");
  await put("by-id", trusting(`repo:${owner}@${shop.ownerId}/${name}@${shop.id}:environment:prod`));
  expect(await signIn(clientId, production)).toBe("signed in");
  shop.hasImmutableSubject = false;
  expect(await signIn(clientId, production)).toBe("signed in");
});

test.each([
  [["repo", "context"], (name: string) => `repo:${name}:environment:prod`],
  [["repository_owner", "environment"], () => "repository_owner:Acme:environment:prod"],
  [["context", "job_workflow_ref"], () => "environment:prod:job_workflow_ref:acme/w/.github/workflows/up.yml@v1"],
  [["ref"], () => "ref:refs/heads/main"],
])(
  "a repository that has chosen the claims %j has a subject of them, and every old credential is worth nothing",
  async (keys, subject) => {
    const clientId = await makeIdentity();
    shop.settings.subject = { use_default: false, include_claim_keys: keys };
    const job = { ...production, workflowRef: "acme/w/.github/workflows/up.yml@v1" };
    expect(subjectOf({ of: shop, ...job })).toBe(subject(shop.name));
    await put("github", trusting(subject(shop.name)));
    expect(await signIn(clientId, job)).toBe("signed in");
    shop.settings.subject = { use_default: true };
    expect(await signIn(clientId, job)).toBe(keys[0] === "repo" ? "signed in" : "AADSTS700213");
  },
);

test("a colon within a claim is no border between two", () => {
  shop.settings.subject = { use_default: false, include_claim_keys: ["environment", "ref"] };
  expect(subjectOf({ of: shop, ...production, environment: "a:ref:b" })).toBe(
    "environment:a%3Aref%3Ab:ref:refs/heads/main",
  );
});

test("issuer, audience and identity are compared too, and no credential is enough by its name", async () => {
  const clientId = await makeIdentity();
  expect(await signIn(clientId, production)).toBe("AADSTS700211");
  const subject = `repo:${shop.name}:environment:prod`;
  await put("github", { ...trusting(subject), issuer: `${githubIssuer}/` });
  expect(await signIn(clientId, production)).toBe("AADSTS700211");
  await put("github", { ...trusting(subject), audiences: ["api://other"] });
  expect(await signIn(clientId, production)).toBe("AADSTS700212");
  expect(await signIn("00000000-0000-0000-0000-00000000dead", production)).toBe("AADSTS700016");
  await put("github", trusting(subject));
  expect(await signIn(clientId, production)).toBe("signed in");
  await c.ask("DELETE", `${identity()}/federatedIdentityCredentials/github${version}`);
  expect(await signIn(clientId, production)).toBe("AADSTS700211");
});

test("a token that another has signed, or that is none signs nobody in", async () => {
  const clientId = await makeIdentity();
  const subject = `repo:${shop.name}:environment:prod`;
  await put("github", trusting(subject));
  const { privateKey } = await generateKeyPair("RS256");
  const forged = await new SignJWT({})
    .setProtectedHeader({ alg: "RS256", kid: github.keys.keys[0]!.kid! })
    .setIssuer(githubIssuer)
    .setSubject(subject)
    .setAudience(audience)
    .setExpirationTime("1h")
    .sign(privateKey);
  expect(await assert(clientId, forged)).toBe("AADSTS50027");
  expect(await assert(clientId, "not a token")).toBe("AADSTS50027");
  expect(await signIn(clientId, production)).toBe("signed in");
});

/** Makes an issuer of its own, and what signs its tokens. */
async function makeIssuer(): Promise<{
  readonly keys: object;
  readonly token: (expires: string | undefined, subject: string) => Promise<string>;
}> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  return {
    keys: { keys: [{ ...(await exportJWK(publicKey)), kid: "one" }] },
    token: (expires, subject) => {
      const token = new SignJWT({}).setProtectedHeader({ alg: "RS256", kid: "one" }).setIssuer("https://ci.example");
      if (expires) token.setExpirationTime(expires);
      return token.setSubject(subject).setAudience(audience).sign(privateKey);
    },
  };
}

const ofOwnIssuer = { issuer: "https://ci.example", subject: "deploys", audiences: [audience] };

test.each([
  ["that says when it expires signs in", "1h", jwtBearer, "signed in"],
  ["without an expiry is refused", undefined, jwtBearer, "AADSTS50027"],
  ["that has expired is refused", "-1m", jwtBearer, "AADSTS700024"],
  ["without the type of an assertion is refused", "1h", null, "AADSTS900144"],
  ["with another type of assertion is refused", "1h", "saml2-bearer", "AADSTS90023"],
])("a token %s", async (_what, expires, type, end) => {
  const { keys, token } = await makeIssuer();
  await c.ask("POST", `${management}/_emulator/issuers`, { issuer: ofOwnIssuer.issuer, keys });
  const clientId = await makeIdentity();
  await put("own", ofOwnIssuer);
  expect(await assert(clientId, await token(expires, "deploys"), c, type)).toBe(end);
});

test("keys that are none, or private, are refused", async () => {
  const { keys } = github;
  for (const wrong of [
    { issuer: githubIssuer, keys: [] },
    { issuer: githubIssuer, keys: { keys: [] } },
    { issuer: githubIssuer, keys: { keys: [{ ...keys.keys[0], d: "AQAB" }] } },
    { issuer: "ci", keys },
  ])
    expect((await c.ask("POST", `${management}/_emulator/issuers`, wrong)).status).toBe(400);
});

test.each([
  {},
  { principalId: "p", audience: "api://ballast" },
  { principalId: "p", audience: "api://ballast", roles: "Rollout.Read" },
  { principalId: "p", audience: "api://ballast", roles: [""] },
  { principalId: 1, audience: "api://ballast", roles: [] },
])("app roles %j are refused", async (wrong) => {
  expect((await c.ask("POST", `${management}/_emulator/app-roles`, wrong)).status).toBe(400);
});

test("a kept cloud knows its issuers and app roles after a restart; a token has those of its application", async () => {
  const { keys, token } = await makeIssuer();
  const kept = { folder: join(folder, "kept"), keep: true };
  const first = await startCloudForTests(kept);
  const ofIdentity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/kept`;
  await first.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  const made = await first.ask("PUT", ofIdentity + version, { location: "westeurope" });
  const { clientId, principalId } = made.body.properties;
  await first.ask("PUT", `${ofIdentity}/federatedIdentityCredentials/own${version}`, { properties: ofOwnIssuer });
  await first.ask("POST", `${management}/_emulator/issuers`, { issuer: ofOwnIssuer.issuer, keys });
  for (const roles of [["Rollout.Write"], ["Rollout.Read"]])
    await first.ask("POST", `${management}/_emulator/app-roles`, { principalId, audience: "api://ballast", roles });
  await first.close();
  const second = await startCloudForTests(kept);
  const rolesAt = async (scope: string): Promise<unknown> => {
    const { body } = await exchange(second, clientId, await token("1h", "deploys"), { scope });
    return decodeJwt(body.access_token)["roles"];
  };
  try {
    expect(await assert(clientId, await token("1h", "deploys"), second)).toBe("signed in");
    // What is assigned last holds. Entra leaves the claim out where there is no role.
    expect([await rolesAt("api://ballast"), await rolesAt("api://other")]).toEqual([["Rollout.Read"], undefined]);
  } finally {
    await second.close();
  }
});

describe("a credential", () => {
  test.each([
    ["without an audience", { audiences: [] }, /exactly one audience/],
    ["with two audiences", { audiences: [audience, "api://other"] }, /exactly one audience/],
    ["with an issuer that is no https address", { issuer: "http://127.0.0.1" }, /no https address/],
    ["without a subject", { subject: "" }, /0 characters/],
    ["with a subject that is too long", { subject: "x".repeat(601) }, /601 characters/],
  ])("%s is refused", async (_what, wrong, words) => {
    await makeIdentity();
    const { status, body } = await put("github", { ...trusting("repo:a/b:pull_request"), ...wrong });
    expect(status).toBe(400);
    expect(body.error.message).toMatch(words);
  });

  test.each(["ab", "-ab", "a b", "a".repeat(121)])("named %j is refused", async (name) => {
    await makeIdentity();
    expect((await put(encodeURIComponent(name), trusting("repo:a/b:pull_request"))).status).toBe(400);
  });

  test("of an identity that does not exist is refused", async () => {
    expect((await put("github", trusting("repo:a/b:pull_request"))).status).toBe(404);
  });

  test("that repeats issuer and subject is refused; the same one may be written again", async () => {
    await makeIdentity();
    expect((await put("one", trusting("repo:a/b:pull_request"))).status).toBe(201);
    expect((await put("one", trusting("repo:a/b:pull_request"))).status).toBe(200);
    const { status, body } = await put("two", trusting("repo:a/b:pull_request"));
    expect([status, body.error.message]).toEqual([
      409,
      "Issuer and subject combination already exists for this Managed Identity.",
    ]);
    expect((await put("two", trusting("repo:A/b:pull_request"))).status).toBe(201);
  });

  test("is one of at most twenty", async () => {
    await makeIdentity();
    for (let number = 1; number <= 20; number++)
      expect((await put(`number-${number}`, trusting(`repo:a/b:environment:${number}`))).status).toBe(201);
    expect((await put("number-21", trusting("repo:a/b:environment:21"))).body.error.message).toMatch(/at most 20/);
    const list = await c.ask("GET", `${identity()}/federatedIdentityCredentials${version}`);
    expect(list.body.value).toHaveLength(20);
  });

  test("is written alone: a second write to the identity is refused until the first has ended", async () => {
    const store = makeStore(() => undefined);
    const write = (name: string, of = "one") => {
      const id = `/subscriptions/s/providers/x/userAssignedIdentities/${of}/federatedIdentityCredentials/${name}`;
      const context = { id, wanted: { properties: trusting(`repo:a/b:environment:${name}`) }, cloud: { store } };
      return federatedCredentialType.onPut!(context as unknown as PutContext);
    };
    const first = write("a");
    expect(() => write("b")).toThrow(
      expect.objectContaining({
        status: 409,
        code: "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
      }),
    );
    await Promise.all([first, write("a", "another")]);
    await write("b");
  });
});
