// Microsoft.Storage/storageAccounts: an account with its two keys, which are listed and made anew one at a time. What
// its blob service answers is in blob-host.ts.
import { randomBytes } from "node:crypto";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import { ArmError, type ArmReply, type Body, type Cloud, type Resource, type ResourceType } from "../arm/resource.ts";
import { storageAccountFields } from "./fields.ts";

/** One key of an account. */
interface Key {
  readonly keyName: string;
  readonly value: string;
  readonly creationTime: string;
}

const type = "Microsoft.Storage/storageAccounts";

/** Gives the keys of an account. They are kept in its body, and no answer but that of `listKeys` shows them. */
export const keysOf = ({ body }: Resource): readonly Key[] => body["properties"].keys;

/** Finds an account by its name, which is unique in all of Azure. */
export const accountNamed = (cloud: Pick<Cloud, "store">, name: string): Resource | undefined =>
  cloud.store.list().find((each) => each.type === type && each.body["name"] === name);

const newKey = (keyName: string, cloud: Cloud): Key => ({
  keyName,
  value: randomBytes(64).toString("base64"),
  creationTime: new Date(cloud.clock.now()).toISOString(),
});

const shown = (account: Resource): ArmReply => ({
  status: 200,
  body: { keys: keysOf(account).map((key) => ({ ...key, permissions: "FULL" })) },
});

/** Storage accounts, as Resource Manager serves them. */
export const storageAccountType: ResourceType = {
  type,
  apiVersions: ["2024-01-01"],
  fields: storageAccountFields,
  created: 200,
  onPut: async ({ id, wanted, previous, cloud }) => {
    const name = String(wanted["name"]);
    refuseName(name);
    const namesake = accountNamed(cloud, name);
    if (namesake !== undefined && namesake.id !== id.toLowerCase())
      throw new ArmError(409, "StorageAccountAlreadyTaken", `The storage account named ${name} is already taken.`);
    if (previous !== undefined && previous.body["kind"] !== wanted["kind"])
      throw refusedToo(`The kind of a storage account does not change from ${previous.body["kind"]} here.`);
    const keys = previous === undefined ? ["key1", "key2"].map((key) => newKey(key, cloud)) : keysOf(previous);
    const [tier] = String(wanted["sku"].name).split("_");
    wanted["sku"] = { ...wanted["sku"], tier };
    wanted["properties"] = {
      accessTier: "Hot",
      minimumTlsVersion: "TLS1_0",
      supportsHttpsTrafficOnly: true,
      ...wanted["properties"],
      creationTime: previous?.body["properties"].creationTime ?? new Date(cloud.clock.now()).toISOString(),
      primaryEndpoints: { blob: `https://${name}.blob.storage.${cloud.suffix}/` },
      primaryLocation: wanted["location"],
      statusOfPrimary: "available",
      provisioningState: "Succeeded",
      keys,
    };
  },
  present: ({ body }) => {
    const { keys, ...properties } = body["properties"] as Body & { readonly keys: readonly Key[] };
    const times = Object.fromEntries(keys.map(({ keyName, creationTime }) => [keyName, creationTime]));
    return { ...body, properties: { ...properties, keyCreationTime: times } };
  },
  actions: {
    listkeys: async (account) => shown(account),
    regeneratekey: async (account, cloud, { body, twist }) => {
      const { keyName } = body ?? {};
      if (/^kerb[12]$/.test(String(keyName))) throw unsupported("Kerberos keys of storage accounts");
      if (!keysOf(account).some((key) => key.keyName === keyName))
        throw new ArmError(
          400,
          "InvalidValuesForRequestParameters",
          "Values for request parameters are invalid: keyName.",
        );
      if (twist !== undefined && twist !== "forgotten") throw twist;
      if (twist === undefined) {
        const keys = keysOf(account).map((key) => (key.keyName === keyName ? newKey(key.keyName, cloud) : key));
        cloud.store.put({ ...account, body: { ...account.body, properties: { ...account.body["properties"], keys } } });
      }
      return shown(cloud.store.get(account.id)!);
    },
  },
  hasChild: (_account, rest) => rest.join("/").toLowerCase() === "blobservices/default",
  children: async (_account, [kind = ""]) => {
    const services = ["blobservices", "queueservices", "tableservices", "fileservices"];
    if (services.includes(kind.toLowerCase())) throw unsupported("services of storage accounts as resources");
    return undefined;
  },
};

function refuseName(name: string): void {
  if (/^[a-z0-9]{3,24}$/.test(name)) return;
  throw new ArmError(
    400,
    "AccountNameInvalid",
    `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length ` +
      "and use numbers and lower-case letters only.",
  );
}
