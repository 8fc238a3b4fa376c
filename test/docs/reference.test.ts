// What the package exports is said in full, in its types and on the pages of docs/reference, and the pages are what the types say today.
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultLimits, defaultPace } from "../../engines/rollout/plan.ts";
import { type Exported, exportedTypes } from "../../toolchain/package/exported-types.ts";
import { pages } from "../../toolchain/package/reference.ts";

const root = join(import.meta.dirname, "..", "..");
const exported = exportedTypes(root);
const components = exported.filter(({ kind }) => kind === "component");

/** Lists what has no docstring, and what may be left out without saying what is taken then. */
const unsaid = (all: readonly Exported[]): readonly string[] =>
  all.flatMap(({ name, documentation, members }) => [
    ...(documentation === "" ? [name] : []),
    ...members.filter((member) => member.documentation === "").map((member) => `${name}.${member.name}`),
    ...members
      .filter((member) => member.optional && member.byDefault === undefined)
      .map((member) => `${name}.${member.name} by default`),
  ]);

test("every export, every argument down to the innermost, every field and every output says what it is, and what it is by default", () =>
  expect(unsaid(exported)).toEqual([]));

test("what says nothing is named", () => {
  const member = { name: "a", type: "string", optional: false, documentation: "Says it." };
  const bad: Exported = {
    name: "Bad",
    kind: "type",
    documentation: "",
    members: [member, { ...member, name: "b.c", documentation: "" }, { ...member, name: "d", optional: true }],
  };
  expect(unsaid([bad])).toEqual(["Bad", "Bad.b.c", "Bad.d by default"]);
});

test("arguments are read down to the innermost, with their defaults", () => {
  const args = exported.find(({ name }) => name === "ControlPlaneArgs")!.members;
  expect(args.find(({ name }) => name === "database.login.password")).toMatchObject({
    type: "pulumi.Input<string>",
    optional: false,
    documentation: expect.stringContaining("secret"),
  });
  expect(args.find(({ name }) => name === "inventory[].app")).toMatchObject({ type: "string" });
  expect(
    exported.find(({ name }) => name === "CanaryAppArgs")!.members.find(({ name }) => name === "targetPort"),
  ).toMatchObject({ optional: true, byDefault: "8080" });
});

test.each([
  ["Pace", defaultPace],
  ["Limits", defaultLimits],
])("the defaults that %s tells are those that are taken", (type, defaults) => {
  const { members } = exported.find(({ name }) => name === type)!;
  expect(Object.fromEntries(members.map(({ name, byDefault }) => [name, JSON.parse(byDefault!)]))).toEqual(defaults);
});

test("every component of components/ is exported with its arguments, and nothing but components and types is", async () => {
  const written = globSync("components/*/*.ts", { cwd: root }).flatMap(
    (name) =>
      /export class (\w+) extends pulumi\.ComponentResource/.exec(readFileSync(join(root, name), "utf8"))?.[1] ?? [],
  );
  expect(components.map(({ name }) => name)).toEqual(written.toSorted());
  expect(exported.map(({ name }) => name)).toEqual(expect.arrayContaining(written.map((name) => `${name}Args`)));
  expect(Object.keys(await import("../../package.ts"))).toEqual(components.map(({ name }) => name));
});

test("docs/reference is what `npm run docs:api` writes, a page a component with its example", () => {
  const folder = join(root, "docs", "reference", "components");
  const expected = pages(exported);
  expect(readdirSync(folder).toSorted()).toEqual([...expected.keys()].toSorted());
  for (const [name, text] of expected)
    expect(readFileSync(join(folder, name), "utf8"), `${name} is out of date: run \`npm run docs:api\``).toBe(text);
});
