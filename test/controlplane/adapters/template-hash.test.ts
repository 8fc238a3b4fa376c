// The key of a template, by which the control plane tells whether two revisions are the same release.
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
