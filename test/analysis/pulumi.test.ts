// The reading of Pulumi: programs in YAML, settings, states, previews, checkpoints and event logs; what is secret, what
// is unknown, where a resource stands, and what never reaches the graph's JSON.
import { expect, test } from "vitest";
import { analyze, readGraph } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { type Graph, nodesOf } from "../../analysis/graph.ts";
import type { Files } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { stackRules } from "../../analysis/stack-rules.ts";
import { environmentOf, nameOf, typeOf } from "../../analysis/systems/pulumi/names.ts";
import { placeOfPosition } from "../../analysis/systems/pulumi/source-position.ts";
import { Sealed, shown, unknown } from "../../analysis/systems/pulumi/value.ts";
import { isPulumiRule, judgeStacks, StacksView } from "../../analysis/systems/pulumi/view.ts";
import { sealed, valueOf } from "../../analysis/systems/pulumi/wire-values.ts";

const graphOf = (files: Files): Promise<Graph> => readGraph(folderOf(files), { scope: ["pulumi"] });
const rulesIn = async (files: Files): Promise<readonly string[]> =>
  (await analyze(folderOf(files), { scope: ["pulumi"] })).findings.map(
    ({ rule, place }) => `${rule} ${place.file}:${place.line}`,
  );
const secretOf = (rest: object): object => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ...rest,
});
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const urnOf = (type: string, name: string, stack = "prod"): string => `urn:pulumi:${stack}::shop::${type}::${name}`;
const app = "azure-native:app:ContainerApp";

/** A state with resources, as `pulumi stack export` writes it. */
const stateOf = (...resources: readonly object[]): string =>
  JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }, null, 2);
const appOf = (name: string, inputs: object, more: object = {}): object => ({
  urn: urnOf(app, name),
  type: app,
  custom: true,
  id: `/subscriptions/1/resourceGroups/shop/providers/Microsoft.App/containerApps/${name}`,
  inputs,
  ...more,
});
const withImage = (image: unknown): object => ({ template: { containers: [{ name: "shop", image }] } });

test("the list of rules about stacks is that of the rulebook", () => {
  expect(stackRules).toEqual(rulebook.filter(isPulumiRule));
});

test("types lose provider and version, and names of resources keep their colons", () => {
  expect(
    [
      "azure-native:app:ContainerApp",
      "azure-native:app/v20250701:ContainerApp",
      "azure-native_app_v20250701:app:ContainerApp",
      "azure-native:insights:ActionGroup",
      "azure-native:monitor:ActionGroup",
      "aws:s3/bucket:Bucket",
    ].map(typeOf),
  ).toEqual([...Array(3).fill("app:ContainerApp"), ...Array(2).fill("monitor:ActionGroup"), "aws:s3/bucket:Bucket"]);
  expect(nameOf("urn:pulumi:prod::shop::a:b:C$d:e:F::name::with::colons")).toBe("name::with::colons");
});

test("an environment is a whole word of a name, and two of them say nothing", () => {
  expect(
    ["prod", "acme-prod2", "eu-staging-1", "product", "devprod-dev-prod", "shop"].map((name) => environmentOf(name)),
  ).toEqual(["production", "production", "staging", undefined, undefined, undefined]);
});

test("a secret is sealed: it can be tested, and neither JSON nor a template shows it", () => {
  const value = valueOf(secretOf({ value: "hunter2-hunter2" })) as Sealed;
  expect(value).toBeInstanceOf(Sealed);
  expect(value.passes((text) => text === "hunter2-hunter2")).toBe(true);
  expect(`${JSON.stringify({ value })}${value}`).not.toContain("hunter2");
  expect((valueOf(secretOf({ ciphertext: "v1:abc" })) as Sealed).passes(() => true)).toBe(undefined);
  expect((valueOf(secretOf({ plaintext: '"hunter2-hunter2"' })) as Sealed).passes((text) => text.length === 15)).toBe(
    true,
  );
});

test("of a secret object the structure stays and no part is sure to be the secret", () => {
  const value = sealed({ mode: "Single", external: true, ports: [8080] }) as any;
  expect([value.external, value.mode.isSure, value.ports[0]]).toEqual([true, false, 8080]);
  expect([sealed("alone"), sealed(7)].map((each) => (each as Sealed).isSure)).toEqual([true, true]);
});

test("outputs are read by their value, and without one they are unknown; assets have no text", () => {
  const output = (rest: object): object => ({
    "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4",
    ...rest,
  });
  expect([valueOf(output({ value: "a" })), valueOf(output({})), valueOf(unknownText)]).toEqual(["a", unknown, unknown]);
  expect(valueOf(output({ value: "a", secret: true }))).toBeInstanceOf(Sealed);
  expect(valueOf({ "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", text: "a" })).toBe(null);
});

test("the graph's JSON holds no value of a state, because a state may hold secrets that nobody marked", async () => {
  const graph = await graphOf({
    "stack.json": stateOf(appOf("shop", { note: "do-not-show-1", env: secretOf({ value: "do-not-show-2" }) })),
  });
  expect(nodesOf(graph, "resource")).toHaveLength(1);
  expect(JSON.stringify(graph)).not.toContain("do-not-show");
  const settings = await graphOf({
    "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
    "Pulumi.prod.yaml": "config:\n  shop:key: do-not-show-3\n",
  });
  expect(nodesOf(settings, "stack")).toHaveLength(1);
  expect(JSON.stringify(settings)).not.toContain("do-not-show");
});

test("messages show a text without its credentials", () => {
  expect(shown("postgres://shop:pass@db:5432/x?sig=abc&y=1")).toBe("postgres://…@db:5432/x?sig=…&y=1");
  expect(shown("a".repeat(300)).length).toBe(120);
});

test.each([
  ["an export", (state: string) => ["stack.json", state] as const],
  [
    "a checkpoint of a file backend",
    (state: string) =>
      [
        ".pulumi/stacks/shop/prod.json",
        JSON.stringify({ version: 3, checkpoint: { stack: "prod", latest: JSON.parse(state).deployment } }, null, 2),
      ] as const,
  ],
  [
    "a preview",
    (state: string) =>
      [
        "preview.json",
        JSON.stringify(
          {
            config: {},
            steps: JSON.parse(state).deployment.resources.map((newState: any) => ({
              op: "create",
              urn: newState.urn,
              newState,
            })),
            changeSummary: { create: 1 },
          },
          null,
          2,
        ),
      ] as const,
  ],
])("resources are read from %s, at the line of their URN", async (_what, make) => {
  const [file, text] = make(stateOf(appOf("shop", withImage("shop.azurecr.io/shop:1"))));
  const line = text.split("\n").findIndex((each) => each.includes('"urn"')) + 1;
  expect(await rulesIn({ [file]: text })).toEqual([`image-by-digest ${file}:${line}`]);
});

test("deleted, external and foreign things are no resources of a stack", async () => {
  const image = withImage("shop.azurecr.io/shop:1");
  expect(await rulesIn({ "stack.json": stateOf(appOf("gone", image, { delete: true })) })).toEqual([]);
  expect(
    await rulesIn({ "state.json": '{"version":3,"deployment":"none"}', "stack.json": "[1, 2", "preview.json": "{}" }),
  ).toEqual([]);
});

test("a source position is used if its file is in the folder, and no absolute path is ever shown", () => {
  const files = new Set(["components/a.ts", "index.ts", "infra/index.ts"]);
  const at = (position: unknown, project = ""): string | undefined => {
    const place = placeOfPosition(position, files, project);
    return place && `${place.file}:${place.line}:${place.column}`;
  };
  expect([
    at("project:///index.ts#3,9"),
    at("project:///index.ts#3,9", "infra"),
    at("project:///file:/builds/ann/shop/components/a.ts#91,7"),
    at("project:///file:/C:/shop/components/a.ts#91,7"),
    at("project:///node_modules/@pulumi/pulumi/runtime/stack.js#75,28"),
    at("project:///file:/builds/ann/other/b.ts#1,1"),
    at(undefined),
  ]).toEqual([
    "index.ts:3:9",
    "infra/index.ts:3:9",
    "components/a.ts:91:7",
    "components/a.ts:91:7",
    undefined,
    undefined,
    undefined,
  ]);
});

test("an event log gives each resource of its stack how long its operation took", async () => {
  const event = (timestamp: number, rest: object): string => JSON.stringify({ sequence: 1, timestamp, ...rest });
  const urn = urnOf(app, "shop");
  const log = [
    event(100, { resourcePreEvent: { metadata: { urn, op: "update" } } }),
    event(117, { resOutputsEvent: { metadata: { urn, op: "update" } } }),
    event(117, { resourcePreEvent: { metadata: { urn: urnOf(app, "same"), op: "same" } } }),
    event(119, { resOutputsEvent: { metadata: { urn: urnOf(app, "same"), op: "same" } } }),
    "not json",
  ].join("\n");
  const state = stateOf(appOf("shop", {}), appOf("same", {}));
  const graph = await graphOf({ "stack.json": state, "update-events.jsonl": log });
  expect(nodesOf(graph, "resource").map(({ name, seconds }) => [name, seconds])).toEqual([
    ["same", undefined],
    ["shop", 17],
  ]);
});

test("what is unknown, or encrypted as a whole, is counted for the rule that asked, and is no finding", async () => {
  const graph = await graphOf({
    "stack.json": stateOf(
      appOf("new", withImage(unknownText)),
      appOf("hidden", { configuration: secretOf({ ciphertext: "v1:abc" }) }),
    ),
  });
  const { findings, unjudged } = judgeStacks(graph, stackRules);
  expect(findings).toEqual([]);
  expect(unjudged.get("image-by-digest")).toEqual([{ urn: urnOf(app, "new"), path: "template.containers[0].image" }]);
  expect(unjudged.get("secret-by-reference")).toEqual([{ urn: urnOf(app, "hidden"), path: "configuration" }]);
});

test("an item whose value is unknown is an item: an alert with an unknown action group has one", async () => {
  const type = "azure-native:monitor:ScheduledQueryRule";
  const alert = {
    urn: urnOf(type, "errors"),
    type,
    custom: true,
    inputs: { actions: { actionGroups: [unknownText], customProperties: { owner: "shop team", runbook: "errors" } } },
  };
  const { findings, unjudged } = judgeStacks(await graphOf({ "stack.json": stateOf(alert) }), stackRules);
  expect([findings, [...unjudged.keys()]]).toEqual([[], []]);
});

test("ignoreChanges covers what is below it, with any form of index", async () => {
  const image = withImage("shop.azurecr.io/shop:1");
  const ignoring = (...ignoreChanges: readonly string[]) =>
    rulesIn({ "stack.json": stateOf(appOf("shop", image, { ignoreChanges })) });
  for (const path of [
    "template",
    "template.containers[0].image",
    'template.containers["0"].image',
    "template.containers[*]",
    "*",
  ])
    expect(await ignoring(path), path).toEqual([]);
  for (const path of ["template.scale", "template.containers[0].imagePullPolicy", "temp"])
    expect(await ignoring(path), path).toHaveLength(1);
});

test("an app whose revisions a control plane judges is managed, and its traffic is left to that", async () => {
  const traffic = {
    containerAppName: "shop",
    configuration: { ingress: { traffic: [{ weight: 40 }], transport: "tcp" } },
  };
  const release = (name: string): object => ({
    urn: urnOf("ballast:index:Release", "shop-release"),
    type: "ballast:index:Release",
    custom: true,
    inputs: { app: name },
    propertyDependencies: { revision: [urnOf(app, "shop")] },
  });
  expect(await rulesIn({ "stack.json": stateOf(appOf("shop", traffic)) })).toHaveLength(1);
  expect(await rulesIn({ "stack.json": stateOf(appOf("shop", traffic), release("shop")) })).toEqual([]);
  expect(await rulesIn({ "stack.json": stateOf(appOf("shop", traffic), release("other")) })).toHaveLength(1);
});

test("a copy of a secret is found by its text, and parts of a secret object are not taken for the secret", async () => {
  const secret = "Tr0ub4dor-and-3";
  const copy = { note: `token ${secret}` };
  const marked = (value: unknown): object => ({ password: secretOf({ value }) });
  const found = async (value: unknown): Promise<readonly string[]> =>
    judgeStacks(await graphOf({ "stack.json": stateOf(appOf("a", marked(value)), appOf("b", copy)) }), stackRules)
      .findings.filter(({ rule }) => rule === "secret-not-marked")
      .map(({ message }) => message);
  expect(await found(secret)).toEqual([expect.stringContaining("contains a secret of this stack")]);
  expect((await found(secret)).join()).not.toContain(secret);
  expect(await found({ inner: secret })).toEqual([]);
  expect(await found("token")).toEqual([]);
});

test("what only looks like another environment or like a secret is quiet", async () => {
  const settings = (stack: string, key: string, value: string) =>
    rulesIn({
      "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
      [`Pulumi.${stack}.yaml`]: `config:\n  shop:${key}: ${value}\n`,
    });
  const quiet: readonly (readonly [stack: string, key: string, value: string])[] = [
    ["prod", "home", "https://shop.example.dev/start"],
    ["staging", "probe", "https://shop-staging.example.com/health/live"],
    ["staging", "probe", "https://shop.example.com/health/live"],
    ["prod", "docs", "https://github.com/acme/dev-tools"],
    ["prod", "both", "https://dev-to-prod.example.com"],
    ["prod", "registry", "https://acmedev.azurecr.io"],
    ["prod", "image", "acme-dev.azurecr.io/shop:1"],
    ["prod", "note", "was made by the dev team"],
    ["dev", "shared", "https://shop-test.example.com"],
    ["prod", "tlsSecret", "shop-tls-certificate"],
    ["prod", "tlsSecretName", "Tr0ub4dor-and-3"],
    ["prod", "apiKey", "arn:aws:secretsmanager:eu-west-1:1:secret:shop-1"],
    ["prod", "clientSecret", "https://shop.vault.azure.net/secrets/client"],
    ["prod", "password", "<your password>"],
    ["prod", "requirePassword", "true"],
  ];
  for (const [stack, key, value] of quiet) expect(await settings(stack, key, value), value).toEqual([]);
  const found: typeof quiet = [
    ["prod", "home", "https://shop.dev.example.com"],
    ["staging", "vault", "https://shop-prod.vault.azure.net"],
    ["prod", "group", "/subscriptions/1/resourceGroups/shop-dev/providers/Microsoft.Storage/storageAccounts/a"],
    ["prod", "apiKey", "k3y-0f-the-shop"],
    ["prod", "dbPassword", "postgres"],
  ];
  for (const [stack, key, value] of found) expect(await settings(stack, key, value), value).toHaveLength(1);
});

test("programs and states in folders of examples and tests are not live", async () => {
  const program = "name: a\nruntime: yaml\nresources:\n  v:\n    type: azure-native:keyvault:Secret\n";
  expect(await rulesIn({ "Pulumi.yaml": program })).toHaveLength(1);
  for (const folder of ["examples", "test", "a/fixtures", "templates"])
    expect(await rulesIn({ [`${folder}/Pulumi.yaml`]: program }), folder).toEqual([]);
});

test("a broken project file is not judged, with the reason, and everything else is", async () => {
  const graph = await graphOf({ "Pulumi.yaml": "name: [a\n", "b/Pulumi.yaml": "name: b\nruntime: nodejs\n" });
  expect(graph.notJudged.map(({ file }) => file)).toEqual(["Pulumi.yaml"]);
  expect(graph.judged).toEqual(["b/Pulumi.yaml"]);
});

test("YAML programs: references are dependencies, variables and defaults values, functions unknown", async () => {
  const graph = await graphOf({
    "Pulumi.yaml": `name: shop
runtime: { name: yaml }
config:
  region: { default: westeurope }
variables:
  tag: "1.0-\${region}"
resources:
  group: { type: "azure-native:resources:ResourceGroup", properties: { location: "\${region}" } }
  shop:
    type: ${app}
    options: { parent: "\${group}", dependsOn: ["\${group}"] }
    properties:
      resourceGroupName: \${group.name}
      plain: $\${not.a.reference}
      tag: \${tag}
      computed: { "fn::toJSON": { a: "\${group.id}" } }
`,
  });
  const view = new StacksView(graph);
  const [shop] = view.ofType("app:ContainerApp");
  const group = "urn:pulumi:::shop::azure-native:resources:ResourceGroup::group";
  expect(shop).toMatchObject({ parent: group, needs: { resourceGroupName: [group], computed: [group] } });
  expect(shop!.urn).toBe(`urn:pulumi:::shop::azure-native:resources:ResourceGroup$${app}::shop`);
  expect(shop!.inputs.root).toMatchObject({ plain: "${not.a.reference}", tag: "1.0-westeurope", computed: unknown });
});
