// The rules about rotated credentials on states: a credential that a resource declares is judged as one in the control
// plane's variable, and what is unknown until the update is left alone.
import { expect, test } from "vitest";
import { analyze } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";

const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const urnOf = (type: string, name: string): string => `urn:pulumi:prod::shop::${type}::${name}`;
const app = "azure-native:app:ContainerApp";

/** A declared credential as its resource has it, and an app that logs in with it. */
const declaredBy = (change: object = {}): object => ({
  urn: urnOf("ballast:index:Credential", "database"),
  type: "ballast:index:Credential",
  custom: true,
  id: "kv-shop/database",
  inputs: {
    endpoint: "https://plane.example.com",
    audience: "api://ballast",
    vault: "kv-shop",
    credential: "database",
    server: unknownText,
    roles: { a: "shop_a", b: "shop_b" },
    consumers: [{ resourceGroup: "shop", app: "web" }],
    ...change,
  },
});
const reading = (names: readonly string[], used: readonly string[], vault = "kv-shop") => ({
  urn: urnOf(app, "web"),
  type: app,
  custom: true,
  inputs: {
    containerAppName: "web",
    resourceGroupName: "shop",
    configuration: {
      secrets: names.map((name) => ({
        name,
        identity: "system",
        keyVaultUrl: `https://${vault}.vault.azure.net/secrets/${name}${name.endsWith("-user") ? "" : version}`,
      })),
    },
    template: { containers: [{ name: "web", env: used.map((secretRef) => ({ name: secretRef, secretRef })) }] },
  },
});
const version = `/${"0123456789abcdef".repeat(2)}`;
const both = ["database-a", "database-b"];
const four = both.flatMap((name) => [name, `${name}-user`]);

test.each<[string, readonly object[], readonly string[]]>([
  ["an app with both slots", [declaredBy(), reading(both, ["database-b"])], []],
  ["an app of another vault", [declaredBy(), reading(both, ["database-b"], "kv-old")], ["credential-slot-drifted"]],
  ["an app without the slots", [declaredBy(), reading([], [])], ["credential-slot-drifted"]],
  ["an app with role and password apart", [declaredBy({ form: "apart" }), reading(four, four.slice(0, 2))], []],
  [
    "an app with the role of the other slot",
    [declaredBy({ form: "apart" }), reading(four, ["database-a", "database-b-user"])],
    ["credential-slot-drifted"],
  ],
  ["a credential whose vault is unknown", [declaredBy({ vault: unknownText }), reading([], [])], []],
  [
    "a vault in which nobody may write",
    [
      declaredBy(),
      reading(both, ["database-a"]),
      {
        urn: urnOf("azure-native:keyvault:Vault", "vault"),
        type: "azure-native:keyvault:Vault",
        custom: true,
        inputs: { vaultName: "kv-shop", properties: { enableRbacAuthorization: true } },
      },
    ],
    ["credential-rights-missing"],
  ],
])("of a credential that a resource declares, %s is judged", async (_what, resources, expected) => {
  const state = JSON.stringify({ version: 3, deployment: { manifest: {}, resources } });
  const { findings } = await analyze(folderOf({ "state.json": state }), { scope: ["pulumi"] });
  const about = findings.map(({ rule }) => rule).filter((rule) => !/probes|image/.test(rule));
  expect([...new Set(about)]).toEqual(expected);
});
