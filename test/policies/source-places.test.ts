// Where a program makes a resource, found in its sources: by type and name in any language, by the component's class
// for a part of a component, by the nearest parent otherwise.
import { expect, test } from "vitest";
import { folderOf } from "../../analysis/folder.ts";
import { sourcePlaces } from "../../policies/source-places.ts";

const otherwise = { file: "Pulumi.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };
const stackUrn = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev";

/** Gives `file:line` of each resource, given as `[token, name, parent's name]`. */
function places(
  files: Readonly<Record<string, string>>,
  ...resources: readonly (readonly [token: string, name: string, parent?: string])[]
): readonly string[] {
  const all = resources.map(([token, name, parent]) => ({
    urn: `urn:${name}`,
    token,
    name,
    parent: parent ? `urn:${parent}` : stackUrn,
  }));
  const placeOf = sourcePlaces(() => folderOf(files), new Map(all.map((each) => [each.urn, each])), otherwise);
  return all.map(({ urn }) => {
    const { file, line } = placeOf(urn);
    return `${file}:${line}`;
  });
}

const app = "azure-native:app:ContainerApp";

test.each([
  ["TypeScript", "index.ts", 'import * as app from "x";\nconst a = new app.ContainerApp(\n  "shop",\n  {},\n);\n'],
  ["JavaScript", "index.js", "\nnew ContainerApp('shop', {});\n"],
  ["Python", "__main__.py", '\nshop = app.ContainerApp("shop", name="x")\n'],
  ["Go", "main.go", '\n\t_, err := app.NewContainerApp(ctx, "shop", &app.ContainerAppArgs{})\n'],
  ["C#", "Program.cs", '\n  var shop = new ContainerApp("shop", new ContainerAppArgs {});\n'],
])("a call in %s is found by type and name", (_language, file, text) => {
  expect(places({ [file]: text }, [app, "shop"])).toEqual([`${file}:2`]);
});

test("a part of a component stands in the component's class, and its suffix decides between two", () => {
  const component = `class Shop {
  constructor(name) {
    new ContainerApp(child(name, "app"), {});
    new ContainerApp(\`\${name}-worker\`, {});
  }
}
class Other {
  constructor(name) {
    new ContainerApp(child(name, "app"), {});
  }
}
`;
  const files = { "index.ts": 'new Shop("eu", {});\n', "shop.ts": component };
  const shop = ["acme:index:Shop", "eu"] as const;
  expect(places(files, shop, [app, "eu-app", "eu"], [app, "eu-worker", "eu"])).toEqual([
    "index.ts:1",
    "shop.ts:3",
    "shop.ts:4",
  ]);
});

test("a resource that no source names stands where its parent does, and else at the project file", () => {
  const files = { "index.ts": '\nnew CanaryApp("shop", {});\n' };
  expect(places(files, ["ballast:index:CanaryApp", "shop"], [app, "shop-app", "shop"], [app, "alone"])).toEqual([
    "index.ts:2",
    "index.ts:2",
    "Pulumi.yaml:1",
  ]);
});

test("comments, tests, built files and strings that only look alike are not taken for the call", () => {
  const call = 'new ContainerApp("shop", {});\n';
  const files = {
    "a.ts": `// ${call}/*\n * ${call} */\n`,
    "a.test.ts": call,
    "dist/a.js": call,
    "b.ts": 'new ContainerApp("shop-2", {});\nnew ContainerAppJob("shop", {});\n',
  };
  expect(places(files, [app, "shop"])).toEqual(["Pulumi.yaml:1"]);
});

test("the same call in two files decides nothing", () => {
  const call = 'new ContainerApp("shop", {});\n';
  expect(places({ "a.ts": call, "b.ts": call }, [app, "shop"])).toEqual(["Pulumi.yaml:1"]);
});

test("a part that a component leaves to a function is in that function, unless two fit", () => {
  const rule = "export const declare = (name, id) => new Rule(child(name, `alert-${id}`), {});\n";
  const component = "class Alerts {\n  constructor(name) {\n    declare(name, 'slow');\n  }\n}\n";
  const files = { "index.ts": 'new Alerts("eu", {});\n', "alerts.ts": component, "rule.ts": `\n${rule}` };
  const resources = [
    ["acme:index:Alerts", "eu"],
    ["acme:index:Rule", "eu-alert-slow", "eu"],
  ] as const;
  expect(places(files, ...resources)).toEqual(["index.ts:1", "rule.ts:2"]);
  expect(places({ ...files, "again.ts": rule }, ...resources)).toEqual(["index.ts:1", "index.ts:1"]);
});
