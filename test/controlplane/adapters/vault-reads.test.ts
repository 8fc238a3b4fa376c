// What the adapter of the vault gives for a newest version that is there, missing or disabled, and what it writes. A
// system that makes its values itself must tell the last two apart: a disabled version may have the value that it
// shows.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Connection } from "../../../controlplane/adapters/azure/connection.ts";
import { createVault } from "../../../controlplane/adapters/azure/key-vault.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { connectionTo, signsIn } from "../../support/controlplane/endless-azure.ts";
import { type EndlessServer, type Proper, startEndless } from "../../support/endless.ts";

const credential = { credential: "data", vault: "shop" } as never;
let server: EndlessServer;
let connection: Connection;
let answer: Proper;

beforeAll(async () => {
  server = await startEndless({ overTls: true });
  server.instead = (request) => signsIn(request) ?? answer;
  connection = connectionTo(server, 60);
});
afterAll(async () => {
  connection.close();
  await server[Symbol.asyncDispose]();
});

const error = (code: string, innererror?: object) => ({ error: { code, message: code, innererror } });

test.each<[string, Proper, string | null]>([
  ["is there", { body: { value: "x", id: "https://shop.vault.azure.net/secrets/data-b/1" } }, "x"],
  ["is missing", { status: 404, body: error("SecretNotFound") }, null],
  ["is disabled", { status: 403, body: error("Forbidden", { code: "SecretDisabled" }) }, ""],
])("one that %s", async (_what, given, value) => {
  answer = given;
  const vault = createVault({ connection, patience: patienceOf(60), suffix: "vaults.endless.test" });
  expect(await vault.read(credential, "b", undefined, new AbortController().signal)).toEqual({ ok: true, value });
});

test("one that nobody may read is a failure", async () => {
  answer = { status: 403, body: error("Forbidden", { code: "ForbiddenByRbac" }) };
  const vault = createVault({ connection, patience: patienceOf(60), suffix: "vaults.endless.test" });
  expect(await vault.read(credential, "b", undefined, new AbortController().signal)).toMatchObject({ ok: false });
});

const version = (name: string, value: string) => ({
  body: { value, id: `https://shop.vault.azure.net/secrets/${name}/1` },
});

/** How values are written, who stands in the role's secret, and the requests that make a version. */
test.each<[string, string, Proper, readonly string[]]>([
  [
    "apart",
    "nobody",
    { status: 404, body: error("SecretNotFound") },
    ["GET data-b-user", "PUT data-b-user", "PUT data-b"],
  ],
  ["apart", "another role", version("data-b-user", "old_b"), ["GET data-b-user", "PUT data-b-user", "PUT data-b"]],
  ["apart", "that role", version("data-b-user", "shop_b"), ["GET data-b-user", "PUT data-b"]],
  ["uri", "nobody", { status: 404, body: error("SecretNotFound") }, ["PUT data-b"]],
])("a version in the form %s, where %s stands in the role's secret", async (form, _who, user, requests) => {
  server.instead = (request) => {
    const { method, url = "" } = request;
    if (url.includes("/versions")) return { body: { value: [] } };
    if (method === "GET" && url.includes("/data-b-user")) return signsIn(request) ?? user;
    return signsIn(request) ?? version("data-b", "x");
  };
  server.asked.length = 0;
  const vault = createVault({ connection, patience: patienceOf(60), suffix: "vaults.endless.test" });
  const declared = { credential: "data", vault: "shop", form, roles: { a: "shop_a", b: "shop_b" } } as never;
  const value = async () => ({ ok: true, value: "secret" }) as const;
  const making = { rotation: "r1", generation: 1, expiresAt: Date.parse("2030-01-01T00:00:00Z"), value };
  expect(await vault.make(declared, "b", making, async () => true)).toMatchObject({
    ok: true,
    value: { version: "1" },
  });
  const asked = server.asked.filter((each) => each.includes("/secrets/") && !each.includes("/versions"));
  expect(asked.map((each) => each.replace(/ \/secrets\/([^/?]+).*/, " $1"))).toEqual(requests);
});

test("a secret that was deleted and may be recovered gets no version, and the reason has no value", async () => {
  const message =
    "Secret data-b is currently in a deleted but recoverable state, and its name cannot be reused; in this state, " +
    "the secret can only be recovered or purged.";
  const conflict = { error: { code: "Conflict", message, innererror: { code: "ObjectIsDeletedButRecoverable" } } };
  server.instead = (request) =>
    signsIn(request) ??
    (request.method === "PUT" ? { status: 409, body: conflict } : { status: 404, body: error("SecretNotFound") });
  server.asked.length = 0;
  const vault = createVault({ connection, patience: patienceOf(60), suffix: "vaults.endless.test" });
  const declared = { credential: "data", vault: "shop", form: "uri", roles: { a: "shop_a", b: "shop_b" } } as never;
  const value = async () => ({ ok: true, value: "hunter2" }) as const;
  const making = { rotation: "r1", generation: 1, expiresAt: Date.parse("2030-01-01T00:00:00Z"), value };
  const made = await vault.make(declared, "b", making, async () => true);
  expect(made).toMatchObject({ ok: false, reason: expect.stringContaining("in a deleted but recoverable state") });
  expect(JSON.stringify(made)).not.toContain("hunter2");
  expect(server.asked.filter((each) => each.startsWith("PUT"))).toHaveLength(1);
});
