// What is wrong with a declared credential while no rotation runs.
import { expect, it } from "vitest";
import { slotDrifts, troublesOf } from "../../../engines/rotation/condition.ts";
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
  expect(slotDrifts({ vault: "kv", credential: "db" }, secrets)).toEqual(expected);
});
