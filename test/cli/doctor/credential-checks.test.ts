// The doctor's check of declared credentials, against a control plane with canned answers.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { credentialChecks } from "../../../cli/doctor/credential-checks.ts";
import type { DeclaredCredential } from "../../../client/credentials.ts";
import type { Credential } from "../../../engines/rotation/declaration.ts";
import { roleMissing } from "../../../errors/api.ts";
import {
  envelope,
  type FakeControlPlane,
  startFakeControlPlane,
  token,
} from "../../support/controlplane/fake-control-plane.ts";
import { checkRunner, contextAt, failure } from "../../support/emulator/doctor-shop.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

let plane: FakeControlPlane;
const { run, neverFailed } = checkRunner(credentialChecks);
const { credential } = scenarioOf("replaces-a-version-that-is-due");

beforeAll(async () => {
  vi.stubEnv("BALLAST_TOKEN", token);
  plane = await startFakeControlPlane();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await plane.stop();
});

/** Lets the control plane answer by path, and gives what the check finds. */
async function found(answers: Readonly<Record<string, readonly [number, object]>>) {
  plane.answerInstead = ({ url = "" }: IncomingMessage, response: ServerResponse) => {
    const [status, body] = answers[url] ?? [404, {}];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return run("credentials", contextAt(plane.endpoint));
}

const shown = (change: Partial<DeclaredCredential>): DeclaredCredential => ({
  vault: "kv",
  credential: "database",
  declaration: credential,
  published: { slot: "a", version: "1", expiresAt: Date.now() + 50 * 86_400_000 },
  urls: { a: "a", b: "b" },
  consumers: [],
  missing: [],
  plan: [],
  rotation: null,
  unread: null,
  ...change,
});
const declared = (change: Partial<DeclaredCredential> = {}) => ({
  "/credentials": [200, { credentials: [credential] }] as const,
  "/credentials/kv/database": [200, shown(change)] as const,
});

test("credentials that are well are counted, and none is no trouble", async () => {
  expect(await found(declared())).toMatchObject({ state: "ok", message: "1 declared, each published and in time" });
  expect(await found({ "/credentials": [200, { credentials: [] }] })).toMatchObject({
    state: "ok",
    message: "none is declared",
  });
});

test("what is wrong with a credential is reported with its name", async () => {
  expect(await found(declared({ missing: ["SELECT on orders"] }))).toMatchObject(
    failure("doctor-credentials-unwell", "kv/database: the rights of its roles differ: one lacks SELECT on orders."),
  );
});

test.each(["/credentials", "/credentials/kv/database"])(
  "a control plane that does not answer %s is the finding of another check",
  async (path) => {
    expect(
      await found({ ...declared(), [path]: [403, envelope(roleMissing({ role: "Rollout.Read", caller: "ann" }))] }),
    ).toMatchObject({
      state: "unknown",
      message: expect.stringContaining("they cannot be read"),
    });
  },
);

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";
const group = `${subscription}/resourceGroups/shop`;
const appId = `${group}/providers/Microsoft.App/containerApps/storefront`;
const vaults = `${subscription}/providers/Microsoft.KeyVault/vaults`;
const vaultId = `${group}/providers/Microsoft.KeyVault/vaults/kv`;
const accountId = `${group}/providers/Microsoft.Storage/storageAccounts/shopdata`;
const definitions = join(import.meta.dirname, "../../../emulator/azure-specs/authorization/role-definitions");
/** Gives a built-in role as Azure shows it. */
const builtIn = (role: string) => ({
  properties: JSON.parse(readFileSync(join(definitions, `${role}.json`), "utf8")) as object,
});

/** What Azure answers by path; an absent path is 404, and a number is a status without a body. */
type Azure = Readonly<Record<string, object | number>>;

/** Gives what a check finds of a declared credential in an Azure of these answers. */
async function foundIn(name: string, azure: Azure, change: Partial<Credential> = {}) {
  plane.answerInstead = (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ credentials: [{ ...credential, vault: "kv", credential: "database", ...change }] }));
  };
  const ask = async (_method: string, path: string) => {
    const body = azure[path] ?? 404;
    return typeof body === "number" ? { status: body, body: {} } : { status: 200, body };
  };
  return run(name, { ...contextAt(plane.endpoint), ask });
}

const appWith = (secrets: readonly object[], used: string): object => ({
  properties: { configuration: { secrets }, template: { containers: [{ env: [{ secretRef: used }] }] } },
});
const reference = (name: string, vault = "kv") => ({
  name,
  keyVaultUrl: `https://${vault}.vault.azure.net/secrets/${name}/1`,
});
const slots = [reference("database-a"), reference("database-b")];

test.each<[string, Azure, Partial<Credential>, object]>([
  ["both slots", { [appId]: appWith(slots, "database-b") }, {}, { state: "ok" }],
  [
    "a value",
    { [appId]: appWith([{ name: "database-a" }], "database-a") },
    {},
    failure("doctor-credentials-unwell", "storefront, .* drifted: its secret database-a is a value of its own"),
  ],
  [
    "another vault's slot",
    { [appId]: appWith([reference("database-a", "kv-old"), slots[1]!], "database-a") },
    {},
    failure("doctor-credentials-unwell", "its secret database-a is a reference to another secret"),
  ],
  [
    "a password without its role",
    { [appId]: appWith(slots, "database-a") },
    { form: "apart" },
    failure("doctor-credentials-unwell", "it has database-a without database-a-user"),
  ],
  ["no settings", { [appId]: { properties: {} } }, {}, failure("doctor-credentials-unwell", "it has neither")],
  ["nothing, for it is gone", {}, {}, failure("doctor-credentials-unwell", "storefront, .* does not exist")],
  ["what the caller may not see", { [appId]: 403 }, {}, { state: "unknown" }],
])("an app in Azure with %s is compared with its credential", async (_what, azure, change, expected) => {
  const consumers = [{ ...credential.consumers[0]!, resourceGroup: "shop", app: "storefront" }];
  expect(await foundIn("credential apps", azure, { consumers, ...change })).toMatchObject(expected);
});

/** Gives an Azure in which the control plane's identity has a role at a place. */
const withRole = (role: string, at: string, scope = at): Azure => ({
  [contextAt(plane.endpoint).stack.identities.plane!]: { properties: { principalId: "the-plane" } },
  [vaults]: { value: [{ id: vaultId, name: "kv" }] },
  [`${vaultId}/providers/Microsoft.Authorization/roleAssignments`]: { value: [] },
  [`${at}/providers/Microsoft.Authorization/roleAssignments`]: {
    value: [{ properties: { principalId: "the-plane", roleDefinitionId: role, scope } }],
  },
  [role]: builtIn(role),
});
const storage = { resourceGroup: "shop", account: "shopdata" };

test.each<[string, () => Azure, Partial<Credential>, object]>([
  ["Secrets Officer at the vault", () => withRole("KeyVaultSecretsOfficer", vaultId), {}, { state: "ok" }],
  ["the same at the group", () => withRole("KeyVaultSecretsOfficer", vaultId, group), {}, { state: "ok" }],
  [
    "Secrets User at the vault",
    () => withRole("KeyVaultSecretsUser", vaultId),
    {},
    failure(
      "doctor-identity-rights-missing",
      /permits what it does: Microsoft\.KeyVault\/vaults\/secrets\/setSecret\/action\.$/,
    ),
  ],
  [
    "Owner, which has no data actions",
    () => withRole("Owner", vaultId),
    {},
    failure("doctor-identity-rights-missing", /getSecret\/action, .*setSecret\/action, /),
  ],
  [
    "Secrets Officer at one secret",
    () => withRole("KeyVaultSecretsOfficer", vaultId, `${vaultId}/secrets/database-a`),
    {},
    failure("doctor-identity-rights-missing", "getSecret"),
  ],
  [
    "no role at the storage account",
    () => ({
      ...withRole("KeyVaultSecretsOfficer", vaultId),
      [`${accountId}/providers/Microsoft.Authorization/roleAssignments`]: { value: [] },
    }),
    { storage },
    failure("doctor-identity-rights-missing", /shopdata that permits .*listkeys\/action, .*regeneratekey\/action/),
  ],
  [
    "Key Operator at the storage account",
    () => ({
      ...withRole("KeyVaultSecretsOfficer", vaultId),
      ...Object.fromEntries(
        Object.entries(withRole("StorageAccountKeyOperatorServiceRole", accountId)).filter(
          ([path]) => !path.startsWith(vaultId),
        ),
      ),
    }),
    { storage },
    { state: "ok" },
  ],
  [
    "a vault that the caller does not see",
    () => ({ ...withRole("KeyVaultSecretsOfficer", vaultId), [vaults]: { value: [] } }),
    {},
    { state: "unknown", message: "you have no access to the vault kv in this subscription" },
  ],
])(
  "the control plane's identity with %s is judged by what a rotation needs",
  async (_what, azure, change, expected) => {
    expect(await foundIn("credential rights", azure(), change)).toMatchObject(expected);
  },
);

const inDays = (days: number): number => Math.floor(Date.now() / 1000) + days * 86_400;
const listed = (name: string, attributes: object): Azure => ({
  [vaults]: { value: [{ id: vaultId, name: "KV" }] },
  [`${vaultId}/secrets`]: { value: [{ name, properties: { attributes } }] },
});

test.each<[string, Azure, object]>([
  [
    "another secret expires soon",
    listed("smtp", { enabled: true, exp: inDays(9) }),
    failure(
      "doctor-credentials-unwell",
      /^KV\/smtp expires on \d{4}-\d{2}-\d{2}, and no declared credential rotates it/,
    ),
  ],
  ["another secret has expired", listed("smtp", { exp: inDays(-9) }), failure("doctor-credentials-unwell", "KV/smtp")],
  ["another secret expires later", listed("smtp", { exp: inDays(40) }), { state: "ok" }],
  ["another secret never expires", listed("smtp", { enabled: true }), { state: "ok" }],
  ["another secret is disabled", listed("smtp", { enabled: false, exp: inDays(9) }), { state: "ok" }],
  ["a slot expires soon", listed("database-B", { exp: inDays(9) }), { state: "ok" }],
  ["the caller may not list it", { ...listed("smtp", {}), [`${vaultId}/secrets`]: 403 }, { state: "unknown" }],
])("a vault in which %s is judged by who replaces it", async (_what, azure, expected) => {
  expect(await foundIn("vault expiries", azure)).toMatchObject(expected);
});

test.each(["credential apps", "credential rights", "vault expiries"])(
  "%s are unknown or well where none is declared",
  async (name) => {
    plane.answerInstead = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ credentials: [] }));
    };
    expect(await run(name, contextAt(plane.endpoint))).toMatchObject({
      state: "ok",
      message: "no credential is declared",
    });
    expect(await run(name, contextAt())).toMatchObject({ state: "unknown" });
  },
);

test("no token is sent to an address that is not the bound one", async () => {
  let asked = 0;
  plane.answerInstead = (_request, response) => {
    asked++;
    response.writeHead(200).end();
  };
  const elsewhere = contextAt(plane.endpoint, {}, "of another host");
  expect(await run("credentials", elsewhere)).toMatchObject({ state: "unknown" });
  expect(asked).toBe(0);
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
