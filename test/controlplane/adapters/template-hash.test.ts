// The key of a template, by which the control plane tells whether two revisions are the same release.
import fc from "fast-check";
import { expect, test } from "vitest";
import { templateHash } from "../../../controlplane/adapters/azure/traffic.ts";
import { templates } from "../../support/program/container-app-arguments.ts";

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

const plain = (value: any): any => JSON.parse(JSON.stringify(value));
const textOf = (value: unknown): string => JSON.stringify(turned(turned(plain(value))));

/** The paths of all values in a template that are neither objects nor lists. */
const leavesOf = (value: any, at: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value === "object" ? Object.entries(value).flatMap(([field, each]) => leavesOf(each, [...at, field])) : [at];

/** The same value with another leaf at a path. */
function changedAt(value: any, [field, ...rest]: readonly string[]): any {
  if (field === undefined) return typeof value === "string" ? `${value}x` : Number(value) + 1;
  const changed = changedAt(value[field], rest);
  return Array.isArray(value) ? value.with(Number(field), changed) : { ...value, [field]: changed };
}

test("gives two different templates two keys, and equal ones one", () => {
  fc.assert(
    fc.property(templates, templates, word, fc.nat(), (first, second, revisionSuffix, draw) => {
      const [one, other] = [plain(first), plain(second)];
      expect(templateHash({ ...turned(one), revisionSuffix })).toBe(templateHash(one));
      expect(templateHash(one) === templateHash(other)).toBe(textOf(one) === textOf(other));
      const leaves = leavesOf(one);
      expect(templateHash(changedAt(one, leaves[draw % leaves.length]!))).not.toBe(templateHash(one));
    }),
    { numRuns: 500 },
  );
});
