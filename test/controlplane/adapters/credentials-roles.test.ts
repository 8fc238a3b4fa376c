// The roles of a credential on a real PostgreSQL: a password is set without the server seeing it, a login is proven, a
// role is closed and opened, and nothing of a password is in the server's log or in what other sessions can see.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { passwordIn } from "../../../controlplane/adapters/credentials/password-in.ts";
import { prepareCredentialRoles } from "../../../controlplane/adapters/credentials/prepare-roles.ts";
import { createCredentialRoles } from "../../../controlplane/adapters/credentials/roles.ts";
import { verifierOf } from "../../../controlplane/adapters/credentials/scram.ts";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { read } from "../../../engines/form.ts";
import { publishedValue, valueFor } from "../../../engines/rotation/connection-value.ts";
import { completedCredential, valueForms } from "../../../engines/rotation/declaration.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";

const { fresh, pool } = postgresForTests();
const always = async (): Promise<boolean> => true;
const never = new AbortController().signal;
const passwordOf = (): string => randomBytes(24).toString("base64url");
/** Gives a version whose value has a password. */
const versionOf = (password: string) => ({ version: "1", url: "", value: valueFor(credential, "a", password) });

let database: Database;
let admin: pg.Pool;
let credential: Credential;
const rotatorPassword = passwordOf();

const credentialFor = (roles: { readonly a: string; readonly b: string }, rotator = "rotator"): Credential => {
  const parsed = read(completedCredential, {
    vault: "kv",
    credential: "database",
    server: database.host,
    port: database.port,
    database: database.name,
    roles,
    rotator,
    checks: ["select 1 from orders"],
    consumers: [{ resourceGroup: "shop", app: "web" }],
  });
  if ("value" in parsed) return parsed.value;
  throw new Error(parsed.complaints.join(" "));
};
const rolesOf = () => createCredentialRoles({ password: rotatorPassword, tls: "disable" });

async function prepare(a: string, b: string, owner = "shop_owner", migrator?: string): Promise<void> {
  const client = await admin.connect();
  await prepareCredentialRoles(client, { owner, a, b, rotator: "rotator", migrator });
  client.release();
}

beforeAll(async () => {
  database = await fresh();
  admin = pool(database);
  await prepare("shop_a", "shop_b");
  await admin.query(`alter role rotator password '${await verifierOf(rotatorPassword)}'`);
  await admin.query("create table orders (id int); grant select, insert on orders to shop_owner");
  await admin.query(`alter database ${database.name} set log_statement = 'ddl'`);
  credential = credentialFor({ a: "shop_a", b: "shop_b" });
});

/** Logs in as a role and runs a query. */
async function login(user: string, password: string, query = "select current_user::text as name"): Promise<string> {
  const client = new pg.Client({ ...database, database: database.name, user, password });
  await client.connect();
  try {
    return (await client.query<{ name: string }>(query)).rows[0]?.name ?? "";
  } finally {
    await client.end();
  }
}

/** Gives everything that the server has logged. */
async function serverLog(): Promise<string> {
  const [{ folder }] = (
    await admin.query<{ folder: string }>(
      "select current_setting('data_directory') || '/' || current_setting('log_directory') as folder",
    )
  ).rows as [{ folder: string }];
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("");
}

describe("the roles of a credential", () => {
  it("log in with the password that was set, and act as their owner", async () => {
    const roles = rolesOf();
    const password = passwordOf();
    expect(await roles.accept(credential, "b", versionOf(password), always)).toEqual({ ok: true, value: null });
    expect(await login("shop_b", password)).toBe("shop_owner");
    await expect(login("shop_b", passwordOf())).rejects.toMatchObject({ code: "28P01" });
  });

  it("log in with a new password after their old one has expired", async () => {
    const password = passwordOf();
    await admin.query("alter role shop_b valid until '2020-01-01'");
    await rolesOf().accept(credential, "b", versionOf(password), always);
    expect(await login("shop_b", password)).toBe("shop_owner");
  });

  it.each([
    ["uri", "shop_a", "shop_b"],
    ["key-value", "k'v \\ a", "k'v \\ b"],
    ["dotnet", 'd"n;t=a', 'd"n;t=b'],
    ["apart", "apart:a@x/?#", "apart:b@x/?#"],
  ] as const)("are rotated with values as %s, and both roles log in before one is closed", async (form, a, b) => {
    await prepare(a, b);
    const roles = rolesOf();
    const own = { ...credentialFor({ a, b }), form };
    const versions = await Promise.all(
      (["a", "b"] as const).map(async (slot) => {
        const made = await roles.newValue(own, slot, async () => ({ ok: true, value: null }), always);
        if (!made.ok) throw new Error(made.reason);
        return { slot, accepted: { version: slot, url: "", value: made.value } };
      }),
    );
    for (const { slot, accepted } of versions) {
      expect(await roles.accept(own, slot, accepted, always)).toEqual({ ok: true, value: null });
      expect(await roles.prove(own, slot, accepted, never)).toMatchObject({ value: { login: true, missing: [] } });
      // What a reader of the published secret gets, who knows no role.
      const published = passwordIn(form === "apart" ? "uri" : form, publishedValue(own, slot, accepted.value));
      expect(await login(own.roles[slot], published!)).toBe("shop_owner");
    }
    const old = passwordIn(form, versions[0]!.accepted.value)!;
    await roles.setLogin(own, "a", false, always);
    await expect(login(a, old)).rejects.toMatchObject({ code: "28000" });
    expect(await roles.prove(own, "b", versions[1]!.accepted, never)).toMatchObject({ value: { login: true } });
  });

  it("are rotated in a database of any name, with any password in any form, two credentials at once", async () => {
    const odd = `d"b'/%41?#[@]&=:; é\\`;
    await admin.query(`create database ${pg.escapeIdentifier(odd)}`);
    const inside = new pg.Client({ ...database, database: odd });
    await inside.connect();
    const pairs = valueForms.map((form) => ({ form, a: `odd ${form} a`, b: `odd ${form} b` }));
    for (const { form, a, b } of pairs)
      await prepareCredentialRoles(inside, { owner: `odd ${form}`, a, b, rotator: "rotator" });
    await inside.end();
    const password = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index));
    const all = pairs.flatMap(({ form, ...pair }) => {
      const own = { ...credentialFor(pair), database: odd, form, checks: ["select current_database()"] };
      return (["a", "b"] as const).map((slot) => ({ own, slot, value: valueFor(own, slot, password) }));
    });
    const roles = rolesOf();
    const proofs = all.map(async ({ own, slot, value }) => {
      const version = { version: "1", url: "", value };
      return [await roles.accept(own, slot, version, always), await roles.prove(own, slot, version, never)];
    });
    const proven = { ok: true, value: { login: true, missing: [], detail: "logged in" } };
    expect(await Promise.all(proofs)).toEqual(all.map(() => [{ ok: true, value: null }, proven]));
    const uri = new URL(all.find(({ own }) => own.form === "uri")!.value);
    const [user, secret, name] = [uri.username, uri.password, uri.pathname.slice(1)].map(decodeURIComponent);
    const reader = new pg.Client({ ...database, user, password: secret, database: name });
    await reader.connect();
    expect((await reader.query("select current_database() as name")).rows).toEqual([{ name: odd }]);
    await reader.end();
  });

  it("of which one existed lose nothing, if the owner gets what that one owns before they are prepared", async () => {
    const [old, other] = [passwordOf(), passwordOf()];
    const carts = "select count(*)::text as name from carts";
    await admin.query(`create role cart_a login password '${await verifierOf(old)}'`);
    await admin.query("create table carts (id int); alter table carts owner to cart_a");
    await admin.query("create role cart_owner nologin; grant cart_owner to cart_a");
    await admin.query("reassign owned by cart_a to cart_owner");
    await admin.query("create table labels (id int); grant select on labels to cart_a");
    expect(await login("cart_a", old, carts)).toBe("0");
    await prepare("cart_a", "cart_b", "cart_owner");
    expect(await login("cart_a", old, carts)).toBe("0");
    await expect(login("cart_a", old, "select id from labels")).rejects.toMatchObject({ code: "42501" });
    await rolesOf().accept(credentialFor({ a: "cart_a", b: "cart_b" }), "b", versionOf(other), always);
    expect(await login("cart_b", other, carts)).toBe("0");
  });

  it("are proven by a login and by their rights, of which a missing one is named", async () => {
    const roles = rolesOf();
    const password = passwordOf();
    await roles.accept(credential, "b", versionOf(password), always);
    const prove = () => roles.prove(credential, "b", versionOf(password), never);
    expect(await prove()).toEqual({ ok: true, value: { login: true, missing: [], detail: "logged in" } });
    await admin.query("create table invoices (id int); grant select on invoices to shop_a");
    expect(await prove()).toMatchObject({ value: { login: true, missing: ["SELECT on invoices"] } });
    await admin.query("drop table invoices");
    await admin.query("revoke select on orders from shop_owner");
    expect(await prove()).toMatchObject({
      value: { missing: ["check 1 (42501: permission denied for table orders)"] },
    });
    await admin.query("grant select on orders to shop_owner");
    expect(await roles.prove(credential, "b", versionOf("wrong"), never)).toMatchObject({
      ok: true,
      value: { login: false, detail: expect.stringContaining("28P01") },
    });
  });

  it("say when to ask again if the server is gone for a moment, and not if a role is missing", async () => {
    const gone = { ...credential, port: 1 };
    expect(await rolesOf().look(gone, "a", never)).toMatchObject({ ok: false, retryAfterSeconds: 5 });
    const absent = { ...credential, roles: { a: "shop_a", b: "nobody" } };
    expect(await rolesOf().look(absent, "a", never)).toEqual({ ok: false, reason: "the role nobody does not exist" });
  });

  it.each([
    ["revoke shop_b from rotator", "ADMIN OPTION on the role shop_b"],
    ["revoke admin option for shop_a from rotator", "ADMIN OPTION on the role shop_a"],
    ["alter role rotator nocreaterole", "CREATEROLE"],
    ["revoke pg_signal_backend from rotator", "membership in pg_signal_backend"],
    [
      "revoke execute on function ballast_rotation.set_verifier(text, text) from rotator",
      "EXECUTE on ballast_rotation.set_verifier(text, text)",
    ],
    ["revoke usage on schema ballast_rotation from rotator", "EXECUTE on ballast_rotation.set_verifier(text, text)"],
    [
      "alter schema ballast_rotation rename to elsewhere",
      "EXECUTE on ballast_rotation.set_verifier(text, text)",
      "alter schema elsewhere rename to ballast_rotation",
    ],
  ])("cannot be rotated after %s, and a look says what the rotator lacks", async (revoked, lack, undo = "select 1") => {
    await admin.query(revoked);
    const seen = await rolesOf().look(credential, "a", never);
    await admin.query(undo);
    await prepare("shop_a", "shop_b");
    expect(seen).toEqual({ ok: false, reason: `the role rotator lacks ${lack}` });
    expect(await rolesOf().look(credential, "a", never)).toMatchObject({ ok: true });
  });

  it("are closed without losing their password, and opened again", async () => {
    const roles = rolesOf();
    const password = passwordOf();
    await roles.accept(credential, "a", versionOf(password), always);
    await roles.setLogin(credential, "a", false, always);
    await expect(login("shop_a", password)).rejects.toMatchObject({
      code: "28000",
      message: 'role "shop_a" is not permitted to log in',
    });
    expect(await roles.look(credential, "b", never)).toMatchObject({ value: { login: { a: false, b: true } } });
    await roles.setLogin(credential, "a", true, always);
    expect(await login("shop_a", password)).toBe("shop_owner");
  });

  it("have their sessions counted and ended", async () => {
    const roles = rolesOf();
    const password = passwordOf();
    await roles.accept(credential, "a", versionOf(password), always);
    const open = new pg.Client({ ...database, database: database.name, user: "shop_a", password });
    const errors: unknown[] = [];
    open.on("error", (error) => errors.push(error));
    const ended = new Promise((resolve) => open.once("end", resolve));
    await open.connect();
    expect(await roles.sessions(credential, "a", never)).toEqual({ ok: true, value: 1 });
    expect(await roles.endSessions(credential, "a", always)).toEqual({ ok: true, value: 1 });
    await ended;
    expect(errors[0]).toMatchObject({ code: "57P01" });
  });

  it("are not changed by a process that has lost its claim", async () => {
    const roles = rolesOf();
    const password = passwordOf();
    await roles.accept(credential, "a", versionOf(password), always);
    const lost = async () => false;
    for (const refused of [
      await roles.accept(credential, "a", versionOf(passwordOf()), lost),
      await roles.setLogin(credential, "a", false, lost),
      await roles.endSessions(credential, "a", lost),
    ])
      expect(refused.ok).toBe(false);
    expect(await login("shop_a", password)).toBe("shop_owner");
  });

  it("share what each of them creates", async () => {
    const roles = rolesOf();
    const [a, b] = [passwordOf(), passwordOf()];
    await admin.query("grant create on schema public to shop_owner");
    await roles.accept(credential, "a", versionOf(a), always);
    await roles.accept(credential, "b", versionOf(b), always);
    await login("shop_a", a, "create table made_by_a (id int)");
    expect(await login("shop_b", b, "select count(*)::text as name from made_by_a")).toBe("0");
    await login("shop_b", b, "drop table made_by_a");
  });

  it("own what a migrator creates, who acts as their owner and has no other right", async () => {
    const roles = rolesOf();
    const [a, migrator] = [passwordOf(), passwordOf()];
    await admin.query(`create role migrator login password '${await verifierOf(migrator)}'`);
    for (const _again of ["once", "twice"]) await prepare("shop_a", "shop_b", "shop_owner", "migrator");
    await roles.accept(credential, "a", versionOf(a), always);
    await login("migrator", migrator, "create table made_by_migrator (id int)");
    expect(await login("shop_a", a, "select count(*)::text as name from made_by_migrator")).toBe("0");
    expect(await login("migrator", migrator)).toBe("shop_owner");
    for (const refused of ["create role another", "alter role shop_a password 'x'", "set role rotator"])
      await expect(login("migrator", migrator, refused)).rejects.toMatchObject({ code: "42501" });
    await login("migrator", migrator, "drop table made_by_migrator");
  });

  it("may have any name", async () => {
    const roles = rolesOf();
    const name = fc
      .string({ unit: fc.constantFrom(..."aB_-\"'$\\;% é{}"), minLength: 1, maxLength: 20 })
      .filter((each) => each.trim() !== "");
    await fc.assert(
      fc.asyncProperty(name, async (drawn) => {
        const [a, b] = [`x${drawn}a`, `x${drawn}b`];
        await prepare(a, b);
        const password = passwordOf();
        const odd = credentialFor({ a, b });
        expect(await roles.accept(odd, "a", versionOf(password), always)).toEqual({ ok: true, value: null });
        expect(await roles.setLogin(odd, "a", true, always)).toEqual({ ok: true, value: null });
        expect(await login(a, password)).toBe("shop_owner");
      }),
      { numRuns: 12 },
    );
  });
});

describe("a password", () => {
  it("and its verifier are in no log of the server and in no view of it, also after a failure", async () => {
    const roles = rolesOf();
    const password = passwordOf();
    await roles.accept(credential, "b", versionOf(password), always);
    const foreign = { ...credential, roles: { a: "postgres", b: "postgres" } };
    const failed = await roles.accept(foreign, "b", versionOf(password), always);
    expect(failed).toMatchObject({ ok: false, reason: expect.stringContaining("42501") });
    const verifiers = (
      await admin.query<{ rolpassword: string }>("select rolpassword from pg_authid where rolname = 'shop_b'")
    ).rows.map(({ rolpassword }) => rolpassword);
    const seen = JSON.stringify((await admin.query("select * from pg_stat_activity")).rows);
    const log = await serverLog();
    expect(log).toContain("the verifier could not be set (42501)");
    for (const secret of [password, ...verifiers, "SCRAM-SHA-256$4096"]) {
      expect(log).not.toContain(secret);
      expect(seen).not.toContain(secret);
      expect(JSON.stringify(failed)).not.toContain(secret);
    }
  });
});
