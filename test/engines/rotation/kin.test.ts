// Which credentials manage others, in which order they are looked at, and which circles are refused.
import { expect, it } from "vitest";
import { kinOf, managersFirst, objectionsToManagers } from "../../../engines/rotation/kin.ts";
import { amongKin } from "../../../engines/rotation/opening.ts";

const declared = (credential: string, managedBy?: string) => ({ vault: "KV", credential, managedBy });
const names = (some: readonly { readonly credential: string }[]) => some.map(({ credential }) => credential);
const [leaf, branch, root] = [declared("leaf", "kv/branch"), declared("branch", "KV/root"), declared("root")];

it("the kin of a credential are the one that manages it and those that it manages", () => {
  const all = [leaf, branch, root];
  expect(kinOf(leaf, all)).toEqual({ manager: "kv/branch", managed: [] });
  expect(kinOf(branch, all)).toEqual({ manager: "kv/root", managed: ["kv/leaf"] });
  expect(kinOf(root, all)).toEqual({ manager: undefined, managed: ["kv/branch"] });
});

it("each comes after the one that manages it, and others stay in their order", () => {
  const [first, last] = [declared("first"), declared("last")];
  expect(names(managersFirst([leaf, first, branch, root, last]))).toEqual(["first", "root", "last", "branch", "leaf"]);
});

it.each([
  ["itself", [declared("one", "kv/one")], ["kv/one"]],
  ["another that it manages", [declared("one", "kv/two"), declared("two", "kv/one")], ["kv/one", "kv/two"]],
  ["a circle above it", [leaf, declared("branch", "kv/root"), declared("root", "kv/branch")], ["kv/branch", "kv/root"]],
  ["one that nobody declares", [declared("one", "kv/elsewhere")], []],
])("a credential that is managed by %s", (_whom, all, refused) =>
  expect(objectionsToManagers(all)).toEqual(
    refused.map((name) => `The credential ${name} manages itself by way of managedBy.`),
  ),
);

it("a rotation waits while one of its kin is rotated, and says which", () => {
  expect(amongKin({ kin: ["kv/root"] }, 1_000)).toEqual({
    reason: "manager-busy",
    message: "waits for kv/root: a managing credential and one that it manages are never rotated at once",
    until: 61_000,
  });
  expect(amongKin({ kin: [] }, 1_000)).toBeUndefined();
});
