// The life of a credential in a program: declared, given its first versions once, changed, read and removed. It never
// rotates, and nothing that it keeps has a value.
import { expect, onTestFinished, test, vi } from "vitest";
import type { CredentialCalls, DeclaredCredential, PutCredential } from "../../client/credentials.ts";
import type { CallOptions } from "../../client/streams.ts";
import { read } from "../../engines/form.ts";
import { completedCredential } from "../../engines/rotation/declaration.ts";
import { credentialUnprepared, credentialVaultClosed } from "../../errors/api.ts";
import { controlPlaneUnreachable } from "../../errors/provider.ts";
import { declare, lookUp, planned, type Surroundings, withdraw } from "../../provider/credential/credential.ts";
import type { CredentialInputs } from "../../provider/credential/fields.ts";
import { diffOf, credential as resource } from "../../provider/credential/resource.ts";
import { unknownValue } from "../../provider/resource-type.ts";

const given = {
  endpoint: "https://control-plane.apps.example.net",
  audience: "api://ballast",
  vault: "kv",
  credential: "database",
  server: "shop.postgres.database.azure.com",
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  consumers: [{ resourceGroup: "shop", app: "storefront" }],
};
const inputs = resource.check(given).inputs as unknown as CredentialInputs;
const url = (slot: string, version = 1) => `https://kv.vault.azure.net/secrets/database-${slot}/${version}`;

const declaredAs = (change: Partial<DeclaredCredential> = {}): DeclaredCredential => {
  const { endpoint: _endpoint, audience: _audience, ...declaration } = given;
  const parsed = read(completedCredential, declaration);
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  return {
    vault: "kv",
    credential: "database",
    declaration: parsed.value,
    published: { slot: "a", version: "p", expiresAt: null },
    urls: { a: url("a"), b: url("b") },
    consumers: [],
    missing: [],
    plan: [],
    rotation: null,
    unread: null,
    ...change,
  };
};

/** Stands for the control plane: answers each put in turn, and a rotation that ends as a test says. */
function around(puts: readonly PutCredential[], more: Partial<CredentialCalls> = {}, result = "rotated") {
  const told: string[] = [];
  const rest = [...puts];
  const end = { kind: "ended", result, reason: result, message: `${result}: so it is` } as const;
  const surroundings = {
    credentials: {
      put: async () => rest.shift()!,
      show: async () => declaredAs(),
      remove: async () => undefined,
      ...more,
    },
    rotations: {
      async *follow() {
        yield { kind: "fact", fact: { kind: "VersionMade", isNoteworthy: true, message: "a version is in slot a" } };
        yield end;
      },
    },
    report: (line: string) => told.push(line),
    warn: (line: string) => told.push(`warning: ${line}`),
    cancel: new AbortController().signal,
  } as unknown as Surroundings;
  return { surroundings, told };
}

test("a new credential is followed until it has its first versions", async () => {
  const { surroundings, told } = around([{ declared: declaredAs({ rotation: "first1", urls: { a: null, b: null } }) }]);
  const { outputs, failure } = await declare(inputs, surroundings);
  expect([outputs.urls, failure]).toEqual([{ a: url("a"), b: url("b") }, undefined]);
  expect(told).toEqual(["database gets its first versions", "a version is in slot a"]);
});

test("an existing one is declared and nothing is followed", async () => {
  const { surroundings, told } = around([{ declared: declaredAs() }]);
  expect((await declare(inputs, surroundings)).outputs.urls.a).toBe(url("a"));
  expect(told).toEqual([]);
});

test("a vault whose right does not count yet is asked again", async () => {
  const refused = credentialVaultClosed({ credential: "database", vault: "kv", why: "403 Forbidden" });
  const { surroundings, told } = around([{ refused, retryAfterSeconds: 0.01 }, { declared: declaredAs() }]);
  expect((await declare(inputs, surroundings)).outputs.urls.b).toBe(url("b"));
  expect(told).toEqual([`${refused.message} Waiting.`]);
});

test("missing roles are refused at once, with the command of the job", async () => {
  const command = "az containerapp job start --resource-group shop --name shop-roles";
  const refused = credentialUnprepared({ credential: "database", server: "s", why: "no role shop_a", command });
  const { surroundings } = around([{ refused, retryAfterSeconds: undefined }]);
  await expect(declare(inputs, surroundings)).rejects.toMatchObject({ id: "credential-unprepared" });
});

test("credential-unseeded: the state keeps a credential without versions, and the next update goes on", async () => {
  const nothing = declaredAs({ rotation: "first1", urls: { a: null, b: null } });
  const { outputs, failure } = await declare(inputs, around([{ declared: nothing }], {}, "rejected").surroundings);
  expect(failure).toMatchObject({ id: "credential-unseeded", message: expect.stringContaining("rejected: so it is") });
  expect(diffOf({ ...inputs }, { ...outputs }, { ...inputs })).toEqual({ kind: "update", because: ["urls"] });
});

test("credential-unread: a slot that cannot be read fails the update", async () => {
  const closed = declaredAs({ urls: { a: null, b: null }, unread: "403 Forbidden" });
  await expect(declare(inputs, around([{ declared: closed }]).surroundings)).rejects.toMatchObject({
    id: "credential-unread",
    message: expect.stringContaining("403 Forbidden"),
  });
});

test.each([
  ["nothing", {}, "none"],
  ["where the control plane is", { endpoint: "https://other.example.net" }, "none"],
  ["a period", { validDays: 90 }, "update"],
  ["a consumer", { consumers: [{ resourceGroup: "shop", app: "other" }] }, "update"],
  ["the vault", { vault: "other" }, "replace"],
  ["the vault's letter case", { vault: "KV" }, "none"],
  ["a vault that a preview does not know", { vault: unknownValue }, "none"],
])("a change of %s is %s", (_what, change, kind) => {
  const news = resource.check({ ...given, ...change }).inputs;
  expect(diffOf({ ...inputs }, { ...inputs, urls: { a: url("a"), b: url("b") } }, news).kind).toBe(kind);
});

test("a refresh reads the slots' present versions, and keeps what it has if nothing answers", async () => {
  const old = { ...inputs, urls: { a: url("a"), b: url("b") } };
  const moved = { show: async () => declaredAs({ urls: { a: url("a"), b: url("b", 2) } }) };
  expect(await lookUp({ ...inputs }, old, around([], moved).surroundings)).toMatchObject({ urls: { b: url("b", 2) } });
  const unreachable = controlPlaneUnreachable({ endpoint: given.endpoint, reason: "refused" });
  const { surroundings, told } = around([], { show: () => Promise.reject(unreachable) });
  expect(await lookUp({ ...inputs }, old, surroundings)).toEqual(old);
  expect(told).toEqual([expect.stringContaining("warning: The credential database could not be read")]);
});

test("a delete removes the declaration and says what stays, also if nothing answers", async () => {
  const stays = "the secrets of database in kv and the roles shop_a and shop_b stay as they are";
  const removed = around([]);
  await withdraw(inputs, removed.surroundings);
  expect(removed.told).toEqual([`database is no longer rotated; ${stays}`]);
  const unreachable = controlPlaneUnreachable({ endpoint: given.endpoint, reason: "refused" });
  const alone = around([], { remove: () => Promise.reject(unreachable) });
  await withdraw(inputs, alone.surroundings);
  expect(alone.told).toEqual([expect.stringContaining(`The declaration was not removed; ${stays}.`)]);
});

test("an update and a delete outlast the failover of the journal's database", async () => {
  const outlasting: string[] = [];
  const note = (call: string, result?: DeclaredCredential) => async (_: unknown, options?: CallOptions) => {
    if (options?.persistent) outlasting.push(call);
    return result as never;
  };
  const calls = { show: note("show", declaredAs()), remove: note("remove") };
  await declare(inputs, around([{ declared: declaredAs({ rotation: "first1" }) }], calls).surroundings);
  await withdraw(inputs, around([], calls).surroundings);
  expect(outlasting).toEqual(["show", "remove"]);
});

test.each([
  ["2026-11-30", 3_650, []],
  ["2030-01-01", 3_650, ["validDays"]],
  ["2037-12-31", 60, ["validDays"]],
  ["2037-12-31", 10, []],
])("on %s a preview refuses a version of %i days if it would expire after 2038-01-19", (day, validDays, refused) => {
  vi.useFakeTimers({ now: Date.parse(`${day}T00:00:00Z`), toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const { failures } = resource.check({ ...given, validDays, dueDays: 5 });
  expect(failures.map(({ property }) => property)).toEqual(refused);
  for (const { reason } of failures)
    expect(reason).toContain(`valid for ${validDays} days would expire after 2038-01-19`);
});

test("a check fills in defaults, refuses an unknown field and lets placeholders pass", () => {
  expect(inputs).toMatchObject({ validDays: 60, form: "uri", tls: "require", port: 5432 });
  expect(resource.check({ ...given, password: "hunter2" }).failures).toMatchObject([{ property: "password" }]);
  expect(resource.check({ ...given, server: unknownValue, vault: unknownValue }).failures).toEqual([]);
  expect(planned(given)).toContain("would declare database in kv for the roles shop_a and shop_b");
});
