// Secrets of apps that refer to a vault, on a whole emulator: when the platform fetches them, what it restarts, what
// happens when it may not, and what keeps a secret from being removed. `npm run mutants` switches each behaviour off.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import { hostOfApp, latestOf, startVaultShop, type VaultShop } from "../../support/emulator/vault-app.ts";

let shop: VaultShop;
beforeAll(async () => {
  shop = await startVaultShop();
});
afterAll(() => shop?.at.close());

const reference = (keyVaultUrl: string, name = "key"): Body => ({ name, keyVaultUrl, identity: shop.reader });
const apps = "?api-version=2025-07-01";

test("a set reference is fetched at once, its version or the newest one", async () => {
  const first = await shop.setSecret("set", "one");
  const second = await shop.setSecret("set", "two");
  const { body } = await shop.put("set", { secrets: [reference(first)] });
  expect(body.properties.configuration.secrets).toEqual([reference(first)]);
  expect((await shop.replica(hostOfApp("set")))["KEY"]).toBe("one");
  await shop.patch("set", { configuration: { secrets: [reference(second)] } });
  expect(await shop.fetched("set")).toEqual({ key: "two" });
  await shop.setSecret("set", "three");
  await shop.patch("set", { configuration: { secrets: [reference(latestOf("set"))] } });
  expect(await shop.fetched("set")).toEqual({ key: "three" });
  // A write that names the same address again fetches it again; one that leaves the secrets alone does not.
  await shop.setSecret("set", "four");
  await shop.patch("set", { template: { scale: { minReplicas: 1, maxReplicas: 2 } } });
  expect(await shop.fetched("set")).toEqual({ key: "three" });
  await shop.patch("set", { configuration: { secrets: [reference(latestOf("set"))] } });
  expect(await shop.fetched("set")).toEqual({ key: "four" });
  await shop.setSecret("set", "five");
  await shop.put("set", { secrets: [reference(latestOf("set"))] });
  expect(await shop.fetched("set")).toEqual({ key: "five" });
});

test.each([
  ["is in no vault", () => reference("https://nobody.vault.azure.net/secrets/a")],
  ["does not exist", () => reference(latestOf("none"))],
  ["has no such version", () => reference(`${latestOf("set")}/${"0".repeat(32)}`)],
])("a reference that %s is accepted, and fails the operation in Azure's words", async (_, secret) => {
  await shop.setSecret("set", "one");
  const { body } = await shop.put("absent", { secrets: [secret()] });
  expect(body.error).toEqual({
    code: "InvalidParameterValueInContainerTemplate",
    message: expect.stringContaining(
      `Unable to get value using Managed identity ${shop.reader} for secret key. Error: unable to fetch secret 'key'`,
    ),
  });
});

test("an identity without the right to read fails the operation, as a first system identity always does", async () => {
  await shop.setSecret("guarded", "one");
  const secrets = [{ ...reference(latestOf("guarded")), identity: "system" }];
  const refused = await shop.put("guarded", { secrets, identity: { type: "SystemAssigned" } });
  expect(refused.body.error.message).toContain("using Managed identity system");
  const { body } = await shop.at.ask("GET", shop.appId("guarded") + apps);
  expect(body.properties.provisioningState).toBe("Failed");
});

test("a restart gives replicas the value that was fetched last, not the vault's latest", async () => {
  await shop.setSecret("restarted", "old");
  const { body } = await shop.put("restarted", { secrets: [reference(latestOf("restarted"))] });
  const revision = body.properties.latestRevisionName;
  const before = await shop.replica(hostOfApp("restarted"));
  await shop.setSecret("restarted", "new");
  await shop.at.ask("POST", `${shop.appId("restarted")}/revisions/${revision}/restart${apps}`);
  const pidOf = async () =>
    (await shop.at.ask("GET", `${hostOfApp("restarted")}/`, undefined, { token: null })).body.pid;
  await eventually(
    async () =>
      (await shop.at.ask("GET", "/_emulator/processes")).body.processes.find(
        (each: Body) => each["app"] === "restarted",
      ),
    ({ restarts, ready }) => restarts === 1 && ready,
  );
  expect(await pidOf()).toEqual(expect.any(Number));
  expect([before["KEY"], (await shop.replica(hostOfApp("restarted")))["KEY"]]).toEqual(["old", "old"]);
});

test("a reference without a version is fetched every half hour, at a steady phase; a pinned one never", async () => {
  const pinned = await shop.setSecret("synced", "one");
  await shop.put("synced", { secrets: [reference(latestOf("synced"))] });
  await shop.put("pinned", { secrets: [reference(pinned)] });
  const due = async () =>
    (await shop.at.ask("GET", "/_emulator/schedule")).body.due.filter(({ key }: Body) =>
      /vault-sync .*\/(synced|pinned)$/.test(key),
    );
  const [{ at: first }] = await due();
  expect(await due()).toHaveLength(1);
  await shop.setSecret("synced", "two");
  await shop.advance(29);
  expect(await shop.fetched("synced")).toEqual({ key: "one" });
  await shop.advance(1);
  await eventually(
    () => shop.fetched("synced"),
    ({ key }) => key === "two",
  );
  expect(await shop.fetched("pinned")).toEqual({ key: "one" });
  await shop.setSecret("synced", "three");
  // The clock jumps over several half hours at once.
  await shop.advance(100);
  await eventually(
    () => shop.fetched("synced"),
    ({ key }) => key === "three",
  );
  const [{ at: later }] = await due();
  expect((Date.parse(later) - Date.parse(first)) % 1_800_000).toBe(0);
});

test("a fetched value that has changed restarts stable and canary at once, and makes no revision", async () => {
  await shop.setSecret("both", "old");
  const secrets = [reference(latestOf("both")), { name: "other", value: "own" }];
  const stable = (await shop.put("both", { secrets })).body.properties.latestRevisionName;
  const canary = (await shop.put("both", { secrets, revisionSuffix: "canary" })).body.properties.latestRevisionName;
  const aside = (await shop.put("both", { secrets, secretRef: "other", revisionSuffix: "aside" })).body.properties
    .latestRevisionName;
  const at = (revision: string): string => hostOfApp(revision);
  const seen = async (revision: string) => {
    const { KEY } = await shop.replica(at(revision));
    return { KEY, pid: (await shop.at.ask("GET", `${at(revision)}/`, undefined, { token: null })).body.pid };
  };
  const before = await Promise.all([stable, canary, aside].map(seen));
  expect(before.map(({ KEY }) => KEY)).toEqual(["old", "old", "own"]);
  await shop.setSecret("both", "new");
  await shop.advance(31);
  for (const revision of [stable, canary]) await shop.replica(at(revision), ({ KEY }) => KEY === "new");
  // The revision that does not name the secret runs on.
  expect((await seen(aside)).pid).toBe(before[2]!.pid);
  expect((await shop.revisions("both")).map(({ name }) => name)).toEqual([stable, canary, aside]);
  const rows = await shop.systemRows("both");
  expect(rows.map(([reason, revision]) => [reason, revision])).toEqual([
    ["SyncingSecretFromAzureKeyVaultForContainerAppSucceeded", ""],
    ["RevisionRestartWithNewSecrets", stable],
    ["RevisionRestartWithNewSecrets", canary],
  ]);
});

test("a reference that is set again with the same value restarts nothing", async () => {
  const first = await shop.setSecret("same", "same");
  const second = await shop.setSecret("same", "same");
  await shop.put("same", { secrets: [reference(first)] });
  await shop.replica(hostOfApp("same"));
  await shop.patch("same", { configuration: { secrets: [reference(second)] } });
  expect(await shop.systemRows("same")).toEqual([]);
  const { processes } = (await shop.at.ask("GET", "/_emulator/processes")).body;
  expect(processes.filter((each: Body) => each["app"] === "same").map((each: Body) => each["restarts"])).toEqual([0]);
});

test("the idle slot's address is moved and no revision that serves is restarted", async () => {
  const [a, b] = [await shop.setSecret("slot-a", "a1"), await shop.setSecret("slot-b", "b1")];
  const slots = (of: string): Body[] => [reference(a, "key"), reference(of, "idle")];
  await shop.put("slots", { secrets: slots(b) });
  await shop.replica(hostOfApp("slots"));
  await shop.patch("slots", { configuration: { secrets: slots(await shop.setSecret("slot-b", "b2")) } });
  expect(await shop.fetched("slots")).toEqual({ key: "a1", idle: "b2" });
  expect(await shop.systemRows("slots")).toEqual([]);
});

test("a sync that fails keeps the value, restarts nothing, and says so once a cycle", async () => {
  const lone = await startVaultShop();
  try {
    await lone.setSecret("kept", "old");
    await lone.put("kept", { secrets: [{ name: "key", keyVaultUrl: latestOf("kept"), identity: lone.reader }] });
    await lone.replica(hostOfApp("kept"));
    await lone.setSecret("kept", "new");
    await lone.at.ask("DELETE", `${lone.assignment}?api-version=2022-04-01`);
    await lone.advance(31);
    const rows = await eventually(
      () => lone.systemRows("kept"),
      (found) => found.length > 0,
    );
    expect(rows).toEqual([
      ["SyncingSecretFromAzureKeyVaultForContainerAppFailed", "", expect.stringContaining("ForbiddenByRbac")],
    ]);
    expect(rows[0]![2]).toContain(`Failed to sync secret 'key' from Azure Key Vault '${latestOf("kept")}'`);
    expect(await lone.fetched("kept")).toEqual({ key: "old" });
    expect((await lone.replica(hostOfApp("kept")))["KEY"]).toBe("old");
    await lone.advance(30);
    await eventually(
      () => lone.systemRows("kept"),
      (found) => found.length === 2,
    );
  } finally {
    await lone.at.close();
  }
});

test("a secret that an inactive revision names cannot be removed: the operation hangs, and expires", async () => {
  await shop.setSecret("held", "one");
  const secrets = [reference(latestOf("held")), { name: "other", value: "own" }];
  const first = (await shop.put("held", { secrets })).body.properties.latestRevisionName;
  await shop.put("held", { secrets, secretRef: "other" });
  await shop.at.ask("POST", `${shop.appId("held")}/revisions/${first}/deactivate${apps}`);
  const body = { properties: { configuration: { secrets: [secrets[1]] } } };
  const { status, headers } = await shop.at.ask("PATCH", shop.appId("held") + apps, body);
  expect(status).toBe(202);
  const state = async () => (await shop.at.ask("GET", String(headers["location"]))).status;
  await shop.advance(9);
  expect(await state()).toBe(202);
  await shop.advance(1.1);
  await eventually(state, (seen) => seen !== 202);
  expect((await shop.at.ask("GET", String(headers["location"]))).body.error.message).toContain("Operation expired");
  expect(await shop.fetched("held")).toMatchObject({ other: "own" });
});

test("a job reads its reference when it starts, with its own identity", async () => {
  await shop.setSecret("of-job", "one");
  const job = shop.appId("nightly").replace("containerApps", "jobs");
  const put = (url: string) =>
    shop.at.settle("PUT", job + apps, {
      location: "westeurope",
      identity: { type: "UserAssigned", userAssignedIdentities: { [shop.reader]: {} } },
      properties: {
        environmentId: shop.appId("x").replace("containerApps/x", "managedEnvironments/shop"),
        configuration: { triggerType: "Manual", replicaTimeout: 60, secrets: [reference(url)] },
        template: {
          containers: [
            {
              name: "web",
              image: "registry.example/web:1",
              command: ["node", "-e", "console.log('has ' + process.env.KEY)"],
              env: [{ name: "KEY", secretRef: "key" }],
            },
          ],
        },
      },
    });
  expect((await put(latestOf("none"))).body.error.code).toBe("InvalidParameterValueInContainerTemplate");
  expect((await put(latestOf("of-job"))).body.error).toBeUndefined();
  await shop.at.ask("POST", `${job}/start${apps}`);
  await eventually(
    async () => (await shop.at.ask("GET", "/_emulator/logs?app=nightly")).body.lines,
    (lines) => lines.some(({ text }: Body) => text === "has one"),
  );
});
