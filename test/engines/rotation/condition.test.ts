// What is wrong with a declared credential while no rotation runs.
import { expect, it } from "vitest";
import { isRotatedBy, rightsLacking, slotDrifts, troublesOf } from "../../../engines/rotation/condition.ts";
import type { DeclaredCredential } from "../../../engines/rotation/declared.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

const { credential } = scenarioOf("replaces-a-version-that-is-due");
const day = 86_400_000;
const now = Date.parse("2026-01-05T12:00:00Z"); // a Monday
const expiresIn = (days: number) => ({ slot: "a", version: "1", expiresAt: now + days * day }) as const;
const consumers = [{ resourceGroup: "shop", app: "storefront", slot: "a" }] as const;
const well: DeclaredCredential = {
  vault: "kv",
  credential: "database",
  declaration: credential,
  published: expiresIn(50),
  urls: { a: "a", b: "b" },
  consumers,
  missing: [],
  plan: [],
  rotation: null,
  unread: null,
};
const tuesdays = { days: ["tuesday"], from: "02:00", until: "04:00" } as const;
const frozen = { from: "2025-12-01T00:00:00Z", until: "2026-01-05T11:00:00Z", why: "the holidays" };
const named = (slot: "b" | null) => [{ ...consumers[0], slot }];

it.each<[string, Partial<DeclaredCredential>, readonly string[]]>([
  ["that is well", {}, []],
  ["that became due a moment ago", { published: expiresIn(29.5) }, []],
  [
    "that nobody replaced in time",
    { published: expiresIn(28) },
    ["its version expires in 28 days, and no rotation has replaced it"],
  ],
  ["that has expired", { published: expiresIn(-1) }, ["its version has expired, and no rotation has replaced it"]],
  ["that waits for its window", { published: expiresIn(28), declaration: { ...credential, window: tuesdays } }, []],
  [
    "that nobody replaced in an earlier window",
    { published: expiresIn(20), declaration: { ...credential, window: tuesdays } },
    ["its version expires in 20 days, and no rotation has replaced it"],
  ],
  [
    "that waits for its window after a freeze",
    { published: expiresIn(20), declaration: { ...credential, window: tuesdays, freezes: [frozen] } },
    [],
  ],
  [
    "that expired in a freeze",
    { published: expiresIn(-1), declaration: { ...credential, freezes: [frozen] } },
    ["its version has expired"],
  ],
  [
    "without an expiry",
    { published: { ...expiresIn(1), expiresAt: null } },
    ["its version has no expiry, so it is never replaced"],
  ],
  ["without a version", { published: null }, ["no version of it is published"]],
  ["that cannot be read", { unread: "403: Forbidden" }, ["it cannot be read (403: Forbidden)"]],
  [
    "whose roles differ",
    { missing: ["SELECT on orders", "USAGE on schema app"] },
    ["the rights of its roles differ: one lacks SELECT on orders, USAGE on schema app"],
  ],
  [
    "whose app names the other slot",
    { consumers: named("b") },
    ["the serving revision of storefront names slot b, but slot a is published"],
  ],
  [
    "whose app names no slot",
    { consumers: named(null) },
    ["the serving revision of storefront names neither slot, or both, but slot a is published"],
  ],
])("of a credential %s", (_what, change, troubles) => {
  expect(troublesOf({ ...well, ...change }, now)).toEqual(troubles);
});

const slotUrl = (secret: string, vault = "kv"): string => `https://${vault}.vault.azure.net/secrets/${secret}/1`;

it.each<[string, Record<string, string | null>, readonly string[], readonly string[]]>([
  ["both slots and names one", { "db-a": slotUrl("db-a"), "db-b": slotUrl("DB-B", "KV") }, ["db-a"], []],
  ["one slot without a version", { "db-a": "https://kv.vault.azure.net/secrets/db-a" }, ["db-a"], []],
  ["neither", { other: slotUrl("other") }, ["other"], ["it has neither db-a nor db-b among its secrets"]],
  ["a value", { "db-a": null }, ["db-a"], ["its secret db-a is a value of its own"]],
  [
    "a slot of another vault",
    { "db-a": slotUrl("db-a", "kv2") },
    ["db-a"],
    ["its secret db-a is a reference to another secret"],
  ],
  ["the other slot's URL", { "db-a": slotUrl("db-b") }, [], ["its secret db-a is a reference to another secret"]],
  [
    "a key of the slot's name",
    { "db-a": "https://kv.vault.azure.net/keys/db-a" },
    [],
    ["its secret db-a is a reference to another secret"],
  ],
  ["a URL that is none", { "db-a": "kv/db-a" }, [], ["its secret db-a is a reference to another secret"]],
  [
    "both and names both",
    { "db-a": slotUrl("db-a"), "db-b": slotUrl("db-b") },
    ["db-a", "db-b"],
    ["its containers name both slots at once"],
  ],
])("an app with %s is judged by its slots", (_what, urls, mentioned, expected) => {
  const secrets = { urls: new Map(Object.entries(urls)), named: mentioned };
  expect(slotDrifts({ vault: "kv", credential: "db", form: "uri" }, secrets)).toEqual(expected);
});

const apart = ["db-a", "db-a-user", "db-b", "db-b-user"].map(
  (name) => [name, slotUrl(name).replace(/1$/, "")] as const,
);
const without = (...names: readonly string[]) => apart.filter(([name]) => !names.includes(name));

it.each<[string, readonly (readonly [string, string | null])[], readonly string[], readonly string[]]>([
  ["all four and names two of one slot", apart, ["db-b", "db-b-user"], []],
  ["one slot and its role", without("db-b", "db-b-user"), ["db-a", "db-a-user"], []],
  ["a password without its role", without("db-a-user"), ["db-b", "db-b-user"], ["it has db-a without db-a-user"]],
  ["a role without its password", without("db-b"), ["db-a", "db-a-user"], ["it has db-b-user without db-b"]],
  [
    "a role as a value",
    [...without("db-a-user"), ["db-a-user", null]],
    ["db-a", "db-a-user"],
    ["its secret db-a-user is a value of its own"],
  ],
  [
    "a role of another credential",
    [...without("db-a-user"), ["db-a-user", slotUrl("db2-a-user")]],
    ["db-a", "db-a-user"],
    ["its secret db-a-user is a reference to another secret"],
  ],
  ["all four and names a password alone", apart, ["db-a"], ["its containers name db-a without db-a-user"]],
  [
    "all four and names the password of one slot and the role of the other",
    apart,
    ["db-a", "db-b-user"],
    [
      "its containers name db-a without db-a-user",
      "its containers name db-b-user without db-b",
      "its containers name both slots at once",
    ],
  ],
])("an app that gets role and password apart, with %s, is judged by both", (_what, urls, mentioned, expected) => {
  const credentialApart = { vault: "kv", credential: "db", form: "apart" } as const;
  expect(slotDrifts(credentialApart, { urls: new Map(urls), named: mentioned })).toEqual(expected);
});

it.each([
  ["kv", "db", true],
  ["KV", "DB-a", true],
  ["kv", "db-b-user", true],
  ["kv", "db-c", false],
  ["kv", "db-a-b", false],
  ["kv2", "db", false],
])("of the vault %s, the secret %s is rotated with the credential: %s", (vault, secret, expected) => {
  expect(isRotatedBy({ vault: "kv", credential: "db" }, { vault, secret })).toBe(expected);
});

const pair = { a: "db_a", b: "db_b" };
const righted = {
  vault: "kv",
  credential: "db",
  roles: pair,
  storage: { resourceGroup: "shop", account: "data" },
  rotator: "plane",
};
const granted = {
  isVaultWritten: true,
  areKeysMade: true,
  prepared: { job: "roles", pairs: [pair], rotator: "plane" },
};
const unsaid = { isVaultWritten: undefined, areKeysMade: undefined, prepared: undefined };

it.each<[string, object, readonly string[]]>([
  ["every right", granted, []],
  ["no right, and says so of none", unsaid, []],
  ["nobody the vault", { ...granted, isVaultWritten: false }, ["no identity may write secrets in the vault kv"]],
  [
    "nobody the account",
    { ...granted, areKeysMade: false },
    ["no identity may make the keys of the storage account data anew"],
  ],
  [
    "the rotator another pair",
    { ...granted, prepared: { ...granted.prepared, pairs: [{ a: "db_a", b: "db_c" }] } },
    ["the job roles does not prepare db_a and db_b"],
  ],
  [
    "another rotator the pair",
    { ...granted, prepared: { ...granted.prepared, rotator: "other" } },
    ["the job roles lets other change the roles, and the credential is rotated as plane"],
  ],
  ["an unknown rotator the pair", { ...granted, prepared: { ...granted.prepared, rotator: undefined } }, []],
])("a program that gives %s lacks what is named", (_what, grants, expected) => {
  expect(rightsLacking(righted, grants as typeof granted)).toEqual(expected);
});
