// The quirks of vaults and of references to them switched off, or in their other form: what a naive cloud does instead.
// What Azure does is in vault-references.test.ts and keyvault/.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import { clientObjectId, hostOf, vaultVersion } from "../../support/emulator/vault.ts";
import { hostOfApp, latestOf, startVaultShop, type VaultShop } from "../../support/emulator/vault-app.ts";

let shop: VaultShop;
let initial: Body;
beforeAll(async () => {
  shop = await startVaultShop();
  const { quirks } = (await shop.at.ask("GET", "/_emulator/quirks")).body;
  initial = Object.fromEntries(quirks.map(({ name, setting }: Body) => [name, setting]));
});
afterAll(() => shop?.at.close());
beforeEach(() => choose(initial));

const choose = (choice: Body): Promise<unknown> => shop.at.ask("POST", "/_emulator/quirks", choice);
const key = (url: string): Body => ({ name: "key", keyVaultUrl: url, identity: shop.reader });
const apps = "?api-version=2025-07-01";
/** Puts an app that refers to the latest version of the secret of its name, and gives its revision. */
async function release(name: string, more: Body = {}): Promise<string> {
  await shop.setSecret(name, "old");
  const { body } = await shop.put(name, { secrets: [key(latestOf(name)), { name: "other", value: "own" }], ...more });
  await shop.replica(hostOfApp(name));
  return body.properties.latestRevisionName;
}

test("a naive cloud accepts a reference that cannot be fetched, and the secret has no value until it can", async () => {
  await choose({ "reference-must-exist": false });
  expect((await shop.put("early", { secrets: [key(latestOf("early"))] })).body.error).toBeUndefined();
  expect((await shop.replica(hostOfApp("early")))["KEY"]).toBe("");
  await shop.setSecret("early", "late");
  await shop.advance(31);
  await eventually(
    () => shop.fetched("early"),
    (fetched) => fetched["key"] === "late",
  );
});

test("a naive cloud fetches a moved address at the next half hour", async () => {
  await release("moved");
  const next = await shop.setSecret("moved", "new");
  await choose({ "set-reference-syncs-at-once": false });
  await shop.patch("moved", { configuration: { secrets: [key(next), { name: "other", value: "own" }] } });
  expect(await shop.fetched("moved")).toMatchObject({ key: "old" });
});

test("a naive cloud reads the vault when a replica is restarted", async () => {
  const revision = await release("reread");
  await shop.setSecret("reread", "new");
  await choose({ "restart-keeps-the-synced-value": false });
  await shop.at.ask("POST", `${shop.appId("reread")}/revisions/${revision}/restart${apps}`);
  await shop.replica(hostOfApp("reread"), ({ KEY }) => KEY === "new");
});

test("a naive cloud does not fetch again", async () => {
  await release("once");
  await shop.setSecret("once", "new");
  await choose({ "versionless-syncs-each-half-hour": false });
  const due = async () =>
    (await shop.at.ask("GET", "/_emulator/schedule")).body.due.find((each: Body) =>
      String(each["key"]).endsWith("/once"),
    );
  const before = await due();
  await shop.advance(31);
  // The half hour has passed, since the next one is due.
  await eventually(due, (after) => after["at"] !== before["at"]);
  expect(await shop.fetched("once")).toMatchObject({ key: "old" });
});

test("a naive cloud restarts nothing after a sync; in the form `all` every active revision is restarted", async () => {
  await release("restless");
  const aside = (
    await shop.put("restless", {
      secrets: [key(latestOf("restless")), { name: "other", value: "own" }],
      secretRef: "other",
    })
  ).body.properties.latestRevisionName;
  await shop.replica(hostOfApp(aside), ({ KEY }) => KEY === "own");
  const restarts = async (): Promise<number> => {
    const rows = await shop.systemRows("restless");
    return rows.filter(([reason]) => reason === "RevisionRestartWithNewSecrets").length;
  };
  const sync = async (value: string): Promise<void> => {
    await shop.setSecret("restless", value);
    await shop.advance(31);
    await eventually(
      () => shop.fetched("restless"),
      (fetched) => fetched["key"] === value,
    );
  };
  await choose({ "sync-restarts-active-revisions": false });
  await sync("new");
  expect(await restarts()).toBe(0);
  await choose({ "sync-restarts-active-revisions": "all" });
  await sync("newer");
  await eventually(restarts, (count) => count === 2);
});

test("a naive cloud takes away the value of a sync that fails", async () => {
  await release("lost");
  await choose({ "failed-sync-keeps-the-value": false });
  const token = await shop.at.tokenFor("https://vault.azure.net");
  await shop.at.ask("DELETE", `${hostOf("shop")}/secrets/lost?api-version=7.4`, undefined, { token });
  await shop.advance(31);
  await eventually(
    () => shop.fetched("lost"),
    (fetched) => fetched["key"] === "",
  );
});

test("a naive cloud removes a secret that a revision names; in the form `refused` the write is refused", async () => {
  await release("freed");
  const secrets = [{ name: "other", value: "own" }];
  await shop.put("freed", { secrets: [key(latestOf("freed")), ...secrets], secretRef: "other" });
  await choose({ "revisions-hold-their-secrets": "refused" });
  const { body } = await shop.patch("freed", { configuration: { secrets } });
  expect(body.error).toMatchObject({ code: "ContainerAppSecretInvalid", message: expect.stringContaining("'key'") });
  await choose({ "revisions-hold-their-secrets": false });
  expect((await shop.patch("freed", { configuration: { secrets } })).status).toBe(200);
  expect(await shop.fetched("freed")).toEqual({ other: "own" });
});

test("on a naive cloud an owner of the subscription needs no role for secrets", async () => {
  const client = await clientObjectId(shop.at);
  const list = `${shop.vaultId}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`;
  const own = (await shop.at.ask("GET", list)).body.value.find(
    (each: Body) => each["properties"].principalId === client,
  );
  await shop.at.ask("DELETE", `${own.id}?api-version=2022-04-01`);
  const token = await shop.at.tokenFor("https://vault.azure.net");
  const read = async () =>
    (await shop.at.ask("GET", `${hostOf("shop")}/secrets?api-version=7.4`, undefined, { token })).status;
  expect(await read()).toBe(403);
  await choose({ "owners-need-data-roles": false });
  expect(await read()).toBe(200);
});

test("a naive cloud's vault answers any number of requests", async () => {
  await choose({ "owners-need-data-roles": false, "vault-throttles": false });
  const body = {
    location: "westeurope",
    properties: {
      tenantId: shop.at.cloud.tenant,
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
    },
  };
  await shop.at.ask("PUT", `${shop.vaultId.replace(/shop$/, "idle")}?${vaultVersion}`, body);
  const token = await shop.at.tokenFor("https://vault.azure.net");
  await shop.at.ask("POST", "/_emulator/clock", { at: Date.parse("2040-01-01T12:00:00Z") });
  const statuses = await Promise.all(
    [...Array(301).keys()].map(async (number) => {
      const url = `${hostOf("idle")}/secrets/s${number}?api-version=7.4`;
      return (await shop.at.ask("PUT", url, { value: "x" }, { token })).status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
});
