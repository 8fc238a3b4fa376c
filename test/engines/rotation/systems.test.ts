// What a declaration may say about the system that a credential is for. Each contradiction is refused by name.
import { expect, it } from "vitest";
import { read } from "../../../engines/form.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import { planRotation } from "../../../engines/rotation/plan.ts";
import { placeOf, systemOf } from "../../../engines/rotation/systems.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";

const common = { vault: "kv", credential: "data", consumers: [{ resourceGroup: "shop", app: "web" }] };
const keys = { a: "key1", b: "key2" };
const storage = { resourceGroup: "shop", account: "shopdata" };
const webhook = { url: "https://partner.example/rotate" };
const database = { server: "db.example", database: "shop" };
const parse = (given: object) => read(completedCredential, { ...common, ...given });
const declared = (given: object): Credential => {
  const parsed = parse(given);
  if ("value" in parsed) return parsed.value;
  throw new Error(parsed.complaints.join(" "));
};

it.each([
  ["database", { ...database, roles: { a: "x", b: "y" } }, "db.example"],
  ["storage", { storage, roles: keys }, "the storage account shopdata"],
  ["webhook", { webhook, roles: { a: "x", b: "y" } }, "the system behind partner.example"],
])("is for a %s", (name, given, place) => {
  const credential = declared(given);
  expect([systemOf(credential), placeOf(credential)]).toEqual([name, place]);
});

it.each<readonly [string, object, string]>([
  ["nothing", { roles: keys }, "server and database are required"],
  ["a server without a database", { server: "db.example", roles: keys }, "server and database are required"],
  ["two systems", { storage, webhook, roles: keys }, "not for both"],
  ["an account and a server", { storage, ...database, roles: keys }, "are about a database"],
  ["a webhook and a query", { webhook, checks: ["select 1"], roles: keys }, "are about a database"],
  ["other keys of an account", { storage, roles: { a: "key2", b: "key1" } }, "must be key1 in slot a"],
  ["an account with capitals", { storage: { ...storage, account: "ShopData" }, roles: keys }, "lower-case letters"],
  ["a webhook without TLS", { webhook: { url: "http://partner.example/" }, roles: keys }, "an https address"],
  ["a webhook with a password", { webhook: { url: "https://a:b@partner.example/" }, roles: keys }, "an https address"],
  ["a webhook without a host", { webhook: { url: "https://" }, roles: keys }, "an https address"],
  ["a webhook at a host like loopback", { webhook: { url: "http://127.0.0.1.example/" }, roles: keys }, "an https"],
  ...["code=hunter2", "a=1&sig=hunter2", "x-api-key=hunter2", "access_token=hunter2", "Password=hunter2"].map(
    (query): readonly [string, object, string] => [
      `a webhook with ${query}`,
      { webhook: { url: `https://partner.example/f?${query}` }, roles: keys },
      "which would put a secret into states and logs",
    ],
  ),
])("that is for %s is refused", (_what, given, complaint) => {
  const parsed = parse(given);
  expect("complaints" in parsed && parsed.complaints.join(" ")).toContain(complaint);
});

it("is for a webhook with parameters that open nothing", () => {
  const url = "https://partner.example/f?tenant=shop&keyName=b&zip-code=1";
  expect(systemOf(declared({ webhook: { url }, roles: { a: "x", b: "y" } }))).toBe("webhook");
});

it("does not plan to close what cannot be closed", () => {
  const published = { slot: "a" as const, version: "1", of: "1", enabled: true, expiresAt: null };
  const steps = (given: object) => planRotation({ declaration: declared(given), published }).map(({ step }) => step);
  expect(steps({ storage, roles: keys }).filter((step) => step.startsWith("close"))).toEqual([]);
  expect(steps({ webhook, roles: { a: "x", b: "y" } }).filter((step) => step.startsWith("close"))).toEqual(["close x"]);
});
