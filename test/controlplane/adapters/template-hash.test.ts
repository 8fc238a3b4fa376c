// The key of a template, by which the control plane tells whether two revisions are the same release.
import fc from "fast-check";
import { expect, test } from "vitest";
import { templateHash } from "../../../controlplane/adapters/azure/traffic.ts";

test("leaves out the suffix, the order of fields, and what is not there", () =>
  expect(templateHash({ revisionSuffix: "a", scale: { minReplicas: 1, maxReplicas: 2 }, volumes: null })).toBe(
    templateHash({ scale: { maxReplicas: 2, minReplicas: 1 }, revisionSuffix: "b" }),
  ));

test.each([
  ["a variable's secret", { containers: [{ env: [{ name: "X", secretRef: "a" }] }] }, true],
  ["an init container's secret", { initContainers: [{ env: [{ name: "X", secretRef: "a" }] }] }, true],
  ["a volume's secret", { volumes: [{ secrets: [{ secretRef: "a" }] }] }, true],
  ["a scale rule's secret", { scale: { rules: [{ custom: { auth: [{ secretRef: "a" }] } }] } }, true],
  ["a value of a variable, which is no secret's name", { containers: [{ env: [{ name: "X", value: "a" }] }] }, false],
])("reads the two secrets of a credential as one, and only those: %s", (_title, one, isSame) => {
  const [other, foreign] = ["b", "c"].map((name) => JSON.parse(JSON.stringify(one).replace('"a"', `"${name}"`)));
  const slots = [["b", "a"]];
  expect(templateHash(one, slots) === templateHash(other, slots)).toBe(isSame);
  expect(templateHash(one, slots)).not.toBe(templateHash(foreign, slots));
  expect(templateHash(one)).not.toBe(templateHash(other));
});

test("ignores the letter case of an identity's id, and of no other text", () => {
  const rule = (identity: string) => ({ scale: { rules: [{ name: "q", custom: { identity } }] } });
  expect(templateHash(rule("/subscriptions/S/ids/Shop"))).toBe(templateHash(rule("/subscriptions/s/ids/shop")));
  const variable = (value: string) => ({ containers: [{ env: [{ name: "ID", value }] }] });
  expect(templateHash(variable("/subscriptions/S"))).not.toBe(templateHash(variable("/subscriptions/s")));
});

const word = fc.stringMatching(/^[a-z]{1,3}$/);
const variable = fc.oneof(fc.record({ name: word, value: word }), fc.record({ name: word, secretRef: word }));
const container = fc.record(
  { name: word, image: word, env: fc.array(variable, { maxLength: 2 }) },
  { requiredKeys: ["name", "image"] },
);
const templates = fc.record(
  {
    containers: fc.array(container, { minLength: 1, maxLength: 2 }),
    initContainers: fc.array(container, { maxLength: 1 }),
    scale: fc.record({ minReplicas: fc.nat(2), rules: fc.array(fc.record({ name: word }), { maxLength: 2 }) }),
    volumes: fc.array(fc.record({ name: word, storageType: fc.constantFrom("AzureFile", "EmptyDir") }), {
      maxLength: 1,
    }),
  },
  { requiredKeys: ["containers"] },
);

/** The same value with its fields the other way round. */
function turned(value: any): any {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([field, each]) => [field, turned(each)]),
  );
}

test("gives two different templates two keys, and equal ones one", () => {
  fc.assert(
    fc.property(templates, templates, word, (one, other, revisionSuffix) => {
      const plain = (value: unknown) => JSON.stringify(turned(turned(JSON.parse(JSON.stringify(value)))));
      const areEqual = plain(one) === plain(other);
      expect(templateHash({ ...turned(one), revisionSuffix })).toBe(templateHash(one));
      expect(templateHash(one) === templateHash(other)).toBe(areEqual);
      // A change of one part only, so that most pairs differ a little and not in everything.
      const changed = { ...one, containers: other.containers };
      expect(templateHash(one) === templateHash(changed)).toBe(plain(one.containers) === plain(changed.containers));
    }),
    { numRuns: 500 },
  );
});
