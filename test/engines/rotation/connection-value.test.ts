// The forms in which the value of a slot is written: each is read back as it was written, whatever is in it.
import fc from "fast-check";
import pg from "pg";
import { expect, it } from "vitest";
import { passwordIn } from "../../../controlplane/adapters/credentials/password-in.ts";
import { read } from "../../../engines/form.ts";
import { publishedValue, valueFor } from "../../../engines/rotation/connection-value.ts";
import { completedCredential, valueForms } from "../../../engines/rotation/declaration.ts";

const credentialIn = (form: (typeof valueForms)[number], change: object = {}) => {
  const parsed = read(completedCredential, {
    vault: "kv",
    credential: "database",
    server: "shop.postgres.database.azure.com",
    database: "shop",
    roles: { a: "shop_a", b: "shop_b" },
    consumers: [{ resourceGroup: "shop", app: "web" }],
    form,
    ...change,
  });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  return parsed.value;
};

it("a value is written as its driver reads it", () => {
  expect(valueForms.map((form) => valueFor(credentialIn(form), "b", "pass-word_1"))).toEqual([
    "postgresql://shop_b:pass-word_1@shop.postgres.database.azure.com:5432/shop?sslmode=require",
    "host=shop.postgres.database.azure.com port=5432 dbname=shop user=shop_b password=pass-word_1 sslmode=require",
    "Host=shop.postgres.database.azure.com;Port=5432;Database=shop;Username=shop_b;Password=pass-word_1;" +
      "SSL Mode=Require",
    "pass-word_1",
  ]);
});

it("what is published can be read without another secret", () => {
  const uri = "postgresql://shop_b:pass-word_1@shop.postgres.database.azure.com:5432/shop?sslmode=require";
  expect(publishedValue(credentialIn("apart"), "b", "pass-word_1")).toBe(uri);
  for (const form of ["uri", "key-value", "dotnet"] as const)
    expect(publishedValue(credentialIn(form), "b", "whatever it is")).toBe("whatever it is");
});

it("only the credential of a database has a role and a password apart", () => {
  const webhook = { form: "apart", server: undefined, database: undefined, webhook: { url: "https://rotate.test/x" } };
  expect(() => credentialIn("apart", webhook)).toThrow("form may be apart only for the credential of a database");
});

it.each(valueForms)("a password in the form %s is read back, whatever characters it and the names have", (form) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const words = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(words, words, words, (password, user, database) => {
      const credential = credentialIn(form, { roles: { a: user, b: `${user}_` }, database });
      expect(passwordIn(form, valueFor(credential, "a", password))).toBe(password);
    }),
    { seed, numRuns: 300 },
  );
});

it("a database is named as drivers decode it, also by those that decode as little as node-postgres", () => {
  const name = "a:b@c&d=e;f+g$h,i %41[é]'";
  const uri = (database: string) =>
    valueFor(credentialIn("uri", { database, server: "localhost", tls: "disable" }), "a", "x");
  expect(new pg.Client({ connectionString: uri(name) }).database).toBe(name);
  expect(decodeURIComponent(new URL(uri("a/b?c#d")).pathname.slice(1))).toBe("a/b?c#d");
});

it("a value without a password has none", () => {
  expect([passwordIn("uri", "postgresql://shop@host/db"), passwordIn("uri", "no address")]).toEqual([
    undefined,
    undefined,
  ]);
  expect([passwordIn("key-value", "host=x"), passwordIn("dotnet", "Host=x")]).toEqual([undefined, undefined]);
  expect(passwordIn("apart", "")).toBeUndefined();
});

it("a value that a person wrote is read with its spaces and quotes", () => {
  expect(passwordIn("key-value", "host = x password = 'it\\'s' user=y")).toBe("it's");
  expect(passwordIn("dotnet", "Host=x; Password = 'a;b' ;User Id=y")).toBe("a;b");
});
