// Policies of passwords: which are refused when they are declared, and what the passwords of the others are like.
import { randomInt } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { completed, read } from "../../../engines/form.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import {
  makePassword,
  objectionsToPolicy,
  type PasswordPolicy,
  passwordPolicyForm,
  usualPolicy,
} from "../../../engines/rotation/password-policy.ts";

const declared = {
  vault: "kv",
  credential: "database",
  server: "s.example.net",
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  consumers: [{ resourceGroup: "shop", app: "web" }],
};
const complaintsOf = (change: object): string => {
  const parsed = read(completedCredential, { ...declared, ...change });
  return "complaints" in parsed ? parsed.complaints.join(" ") : "";
};

it.each([
  ["no alphabet meets", { alphabet: "abcdef0123456789", length: 40, needs: ["upper"] }, "needs a upper"],
  ["has no symbol to give", { needs: ["symbol"], alphabet: "abcABC0123456789", length: 40 }, "needs a symbol"],
  ["is guessed", { length: 8 }, "passwordPolicy is too weak: 8 characters of 64 have 48 random bits"],
  ["has one character again and again", { alphabet: "aaaa", length: 128 }, "128 characters of 1 have 0 random bits"],
  ["is shorter than any password", { length: 4 }, "passwordPolicy.length must be"],
  ["has a blank", { alphabet: "ab cdefghijklmnop" }, "passwordPolicy.alphabet must be visible characters of ASCII"],
  ["has letters beyond ASCII", { alphabet: "äöüabcdefghijk" }, "passwordPolicy.alphabet must be visible characters"],
  ["needs a class that there is none of", { needs: ["emoji"] }, "passwordPolicy.needs[0] must be"],
  ["has a misspelt field", { lenght: 20 }, 'unknown field "lenght"'],
])("a policy that %s is refused by name", (_what, passwordPolicy, words) =>
  expect(complaintsOf({ passwordPolicy })).toContain(words),
);

it("a storage account, which makes its keys itself, has no policy", () => {
  const { server: _server, database: _database, ...rest } = declared;
  const storage = { resourceGroup: "shop", account: "shopdata" };
  const roles = { a: "key1", b: "key2" };
  expect(complaintsOf({})).toBe("");
  const parsed = read(completedCredential, { ...rest, storage, roles, passwordPolicy: {} });
  expect("complaints" in parsed && parsed.complaints.join(" ")).toContain("passwordPolicy is of no use");
});

const form = completed(passwordPolicyForm);
const needs = fc.uniqueArray(fc.constantFrom("lower", "upper", "digit", "symbol"));
const alphabet = fc
  .uniqueArray(fc.integer({ min: 33, max: 126 }), { minLength: 1 })
  .map((codes) => String.fromCharCode(...codes));
const policies = fc.record({ length: fc.integer({ min: 8, max: 128 }), alphabet, needs });
const patterns = { lower: /[a-z]/, upper: /[A-Z]/, digit: /\d/, symbol: /[^a-zA-Z\d]/ };

it("every policy without objections has passwords, which meet it and differ", () => {
  fc.assert(
    fc.property(policies, (given) => {
      const parsed = read(form, given);
      if (!("value" in parsed)) throw new Error(parsed.complaints.join(" "));
      const policy: PasswordPolicy = parsed.value;
      if (objectionsToPolicy(policy).length > 0) return;
      const passwords = [makePassword(policy, randomInt), makePassword(policy, randomInt)];
      expect(passwords[0]).not.toBe(passwords[1]);
      for (const password of passwords) {
        expect(password).toHaveLength(policy.length);
        expect([...password].filter((character) => !policy.alphabet.includes(character))).toEqual([]);
        for (const each of policy.needs) expect(password).toMatch(patterns[each]);
      }
    }),
  );
});

it("the usual policy has no objection, and its characters need no quoting in a URL", () => {
  expect(objectionsToPolicy(usualPolicy)).toEqual([]);
  expect(encodeURIComponent(usualPolicy.alphabet)).toBe(usualPolicy.alphabet);
  expect(read(form, {})).toEqual({ value: usualPolicy });
});

it("each character is as likely as another one", () => {
  const policy: PasswordPolicy = { length: 100, alphabet: "abcd", needs: [] };
  const all = Array.from({ length: 100 }, (_, index) => makePassword(policy, (limit) => index % limit)).join("");
  expect(Object.values(Object.groupBy(all, (character) => character)).map((same) => same!.length)).toEqual([
    2_500, 2_500, 2_500, 2_500,
  ]);
});
