// What a StorageCredential and a WebhookCredential deploy, what they add to an app, and what a preview refuses by name.
import { expect, test } from "vitest";
import { CanaryApp } from "../../components/canary-app/canary-app.ts";
import { StorageCredential, type StorageCredentialArgs } from "../../components/credentials/storage-credential.ts";
import { WebhookCredential, type WebhookCredentialArgs } from "../../components/credentials/webhook-credential.ts";
import { inputsForm } from "../../provider/credential/fields.ts";
import { credential as resource } from "../../provider/credential/resource.ts";
import { nothingThere, record } from "../support/program/mocks.ts";

const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };
const rotated = {
  scope: "/subscriptions/s/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
  controlPlane,
  vault: { id: "/vaults/kv", name: "kv" },
  consumers: [{ resourceGroup: "shop", app: "storefront" }],
};
const storage: StorageCredentialArgs = {
  ...rotated,
  credential: "data",
  account: { id: "/accounts/shopdata", resourceGroup: "shop", name: "shopdata" },
  operator: "plane",
};
const webhook: WebhookCredentialArgs = {
  ...rotated,
  credential: "partner",
  url: "https://rotate.example.com/partner",
  roles: { a: "shop-1", b: "shop-2" },
};
const storageOf = (change: object = {}) => new StorageCredential("data", { ...storage, ...change });
const webhookOf = (change: object = {}) => new WebhookCredential("partner", { ...webhook, ...change });
const app = {
  containerAppName: "storefront",
  resourceGroupName: "shop",
  environmentId: "apps",
  controlPlane,
  configuration: { ingress: { external: true, targetPort: 8080 } },
  template: { containers: [{ name: "web", image: "web:1" }] },
};

test.each([
  [
    "a storage account",
    storageOf,
    { roles: { a: "key1", b: "key2" }, storage: { resourceGroup: "shop", account: "shopdata" } },
  ],
  ["a webhook", webhookOf, { roles: { a: "shop-1", b: "shop-2" }, webhook: { url: webhook.url } }],
])("the provider takes the declaration of %s, and no database in it", async (_what, credentialOf, own) => {
  const { declared } = await record(() => credentialOf());
  const { inputs } = declared.find(({ type }) => type === resource.token)!;
  expect(resource.check(inputs).failures).toEqual([]);
  expect(Object.keys(inputs).filter((name) => !Object.hasOwn(inputsForm.fields, name))).toEqual([]);
  expect(inputs).toMatchObject(own);
  for (const absent of ["server", "database", "rotator", "checks"]) expect(inputs).not.toHaveProperty(absent);
});

test("the operator may make the keys of the account anew, and one identity may read the two slots", async () => {
  const { declared } = await record(() => storageOf({ workspaceId: "/workspaces/apps" }));
  expect(
    declared
      .filter(({ type }) => type.endsWith("RoleAssignment"))
      .map(({ inputs }) => [inputs["scope"], inputs["principalId"], inputs["roleDefinitionId"].split("/").at(-1)]),
  ).toEqual([
    ["/accounts/shopdata", "plane", "81a9662b-bebf-436f-a333-f67b29880f12"],
    ["/vaults/kv/secrets/data-a", "principal", "4633458b-17de-408a-b874-0445c86b69e6"],
    ["/vaults/kv/secrets/data-b", "principal", "4633458b-17de-408a-b874-0445c86b69e6"],
  ]);
  expect(declared.find(({ type }) => type.endsWith("DiagnosticSetting"))!.inputs).toMatchObject({
    resourceUri: "/accounts/shopdata/blobServices/default",
    workspaceId: "/workspaces/apps",
    logs: ["StorageRead", "StorageWrite", "StorageDelete"].map((category) => ({ category, enabled: true })),
  });
  expect(new Set(declared.filter(({ parent }) => parent !== "").map(({ parent }) => parent))).toEqual(
    new Set(["ballast:index:StorageCredential"]),
  );
});

test("a setting of one's own is left alone", async () => {
  const { declared } = await record(() => storageOf());
  expect(declared.filter(({ type }) => type.endsWith("DiagnosticSetting"))).toEqual([]);
});

test("an app takes both kinds at once, each with its slots, its identity and its variable", async () => {
  const { declared } = await record(() => {
    const credentials = { STORAGE: storageOf().connectionString(), PARTNER: webhookOf().value() };
    return new CanaryApp("storefront", { ...app, credentials });
  }, nothingThere);
  const inputs = (name: string) => declared.find((each) => each.name === name)!.inputs;
  const { configuration, template, identity } = inputs("storefront-app");
  expect(configuration.secrets.map(({ name }: { name: string }) => name)).toEqual([
    "data-a",
    "data-b",
    "partner-a",
    "partner-b",
  ]);
  expect(template.containers[0].env).toEqual([
    { name: "STORAGE", secretRef: "data-a" },
    { name: "PARTNER", secretRef: "partner-a" },
  ]);
  expect(identity.userAssignedIdentities).toEqual(["data-identity-id", "partner-identity-id"]);
  expect(inputs("storefront-release")["credentialSlots"]).toEqual([
    ["data-a", "data-b"],
    ["partner-a", "partner-b"],
  ]);
});

test.each<[string, () => unknown, string]>([
  [
    "an account's name that Azure has not",
    () => storageOf({ account: { ...storage.account, name: "Shop-Data" } }),
    "3 to 24",
  ],
  ["an account without an id", () => storageOf({ account: { ...storage.account, id: "" } }), "account.id"],
  ["a database's argument", () => storageOf({ database: "shop" }), 'unknown field "database"'],
  ["nobody who makes keys", () => storageOf({ operator: undefined }), "operator"],
  [
    "a version that is due at once",
    () => storageOf({ validDays: 20 }),
    "dueDays (30) must be less than validDays (20)",
  ],
  [
    "an address with a key",
    () => webhookOf({ url: "https://f.example.com/r?code=x" }),
    "webhook.url has the parameter code",
  ],
  [
    "an address with a key that is written otherwise",
    () => webhookOf({ url: "https://f.example.com/r?a=1&s%69g=x" }),
    "webhook.url has the parameter sig",
  ],
  [
    "an address with a password",
    () => webhookOf({ url: "https://u:p@f.example.com/r" }),
    "url must be an https address",
  ],
  ["an address without TLS", () => webhookOf({ url: "http://f.example.com/r" }), "url must be an https address"],
  ["one account for both slots", () => webhookOf({ roles: { a: "x", b: "x" } }), "roles.a and roles.b must differ"],
  ["a consumer twice", () => webhookOf({ consumers: [...rotated.consumers, ...rotated.consumers] }), "is listed twice"],
  ["a period shorter than a rotation takes", () => webhookOf({ dueDays: 0.01 }), "dueDays (0.01) is too short"],
])("a preview refuses %s by name", async (_what, program, words) => {
  await expect(record(program)).rejects.toThrow(words);
});

test("an app that is not a consumer is refused by name", async () => {
  const consumers = [{ resourceGroup: "shop", app: "other" }];
  const program = () =>
    new CanaryApp("storefront", { ...app, credentials: { STORAGE: storageOf({ consumers }).connectionString() } });
  await expect(record(program, nothingThere)).rejects.toThrow("it is not among the consumers of data");
});
