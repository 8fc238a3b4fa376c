// What the adapter of the vault gives for a newest version that is there, missing or disabled. A system that makes its
// values itself must tell the last two apart: a disabled version may have the value that it shows.
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
