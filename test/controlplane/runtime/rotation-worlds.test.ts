// Scenarios of rotations once more, under the virtual clock: with the durable loop on PostgreSQL, and with the shipped
// adapters against the emulator and real roles. The journals must be those of the world of plain objects, line for
// line. After each run every revision that an app ever had logs in, whoever wakes it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { restore } from "../../../deadman/restore.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";
import { openRotationShop, type RotationShop } from "../../support/worlds/rotation-emulator.ts";
import { runIn } from "../../support/worlds/rotation-run.ts";
import { render, scenarioOf } from "../../support/worlds/rotation-scenario.ts";
import { type OpenStores, storesInPostgres } from "../../support/worlds/run-stores.ts";

const postgres = postgresForTests();

describe("with the durable loop on PostgreSQL", () => {
  let stores: OpenStores & { readonly close: () => Promise<void> };
  beforeAll(async () => {
    const database = await postgres.fresh();
    stores = await storesInPostgres(postgres.pool(database), database);
  });
  afterAll(() => stores?.close());

  // One whole order; the others end before readers are watched, about whom the journal has a fact a minute.
  it.each([
    "stops-when-the-second-of-three-consumers-rolls-back",
    "returns-after-the-second-of-three-consumers-rolled-back",
    "returns-while-a-cut-over-runs",
    "fills-both-slots-of-a-new-credential",
    "closes-a-leaked-role-at-once",
    "makes-another-version-after-three-refused-logins",
    "repeats-the-first-versions-whose-answers-were-lost",
    "lets-a-release-wait-while-the-old-slot-is-renewed",
    "opens-no-leaked-role-for-a-release",
  ])("%s", async (name) => {
    const scenario = scenarioOf(name);
    const { journal, world } = await runIn(scenario, { stores });
    expect(render(journal)).toBe(scenario.expected);
    expect(world.failures).toEqual([]);
  });
});

describe("with the adapters against the emulator", () => {
  let shop: RotationShop;
  beforeAll(async () => {
    const database = await postgres.fresh();
    shop = await openRotationShop(database, postgres.pool(database));
  });
  afterAll(() => shop?.close());

  const play = async (name: string) => {
    const scenario = shop.staged(scenarioOf(name));
    const { journal, world } = await runIn(scenario, { stores: shop.stores, cloud: shop.cloud });
    expect(render(journal)).toBe(scenario.expected);
    expect(world.failures).toEqual([]);
  };

  /** Asks Resource Manager as the dead man's switch does. */
  const ask = async (method: string, path: string, body?: object) => ({
    ...(await shop.shop.arm(method, path, body)),
    retryAfterSeconds: 0,
  });

  it("three consumers of which the second rolls back: after the retry every revision logs in", async () => {
    await play("stops-when-the-second-of-three-consumers-rolls-back");
    expect(await shop.loginsOf("storefront")).toEqual({ "storefront--1": "shop_a", "storefront--b-r1-1": "shop_b" });
    // A release that is tried again wakes the revision that was rolled back.
    expect(await shop.loginsOf("checkout")).toEqual({
      "checkout--1": "shop_a",
      "checkout--b-r1-2": "shop_b",
      "checkout--b-r1-3": "shop_b",
    });
    expect(await shop.loginsOf("orders")).toEqual({ "orders--1": "shop_a", "orders--b-r1-4": "shop_b" });
  });

  it("an old revision that is woken, and the one to which the dead man's switch returns, log in", async () => {
    const [old, stable] = ["orders--1", "orders--b-r1-4"];
    const { containerApps, containerAppsRevisions } = shop.shop.connection.apps;
    await containerAppsRevisions.activateRevision("shop", "orders", old);
    expect(await shop.loginOfReplica(old)).toBe("shop_a");
    const traffic = [
      { revisionName: stable, weight: 50, label: "stable" },
      { revisionName: old, weight: 50 },
    ];
    const configuration = { ingress: { external: true, targetPort: 8080, traffic } };
    await containerApps.update("shop", "orders", { location: "westeurope", configuration }).pollUntilDone();
    const outcome = await restore(
      ask,
      shop.shop.cloud.subscription,
      { resourceGroup: "shop", app: "orders" },
      30,
      async () => false,
    );
    expect(outcome).toMatchObject({ what: "restored", message: expect.stringContaining(`${stable} has 100 percent`) });
    expect(await shop.loginOfReplica("orders")).toBe("shop_b");
  });

  it("a consumer that sleeps at zero replicas wakes after a rotation, whichever revision, and logs in", async () => {
    await play("replaces-a-version-that-is-due");
    const [old, serving] = ["storefront--1", "storefront--b-r1-1"];
    await shop.shop.connection.apps.containerAppsRevisions.activateRevision("shop", "storefront", old);
    await shop.sleeps("storefront", [old, serving]);
    expect(await shop.loginOfReplica("storefront")).toBe("shop_b");
    expect(await shop.loginOfReplica(old)).toBe("shop_a");
  });

  it("a release that is tried again during the grace gets its role back first, and logs in until it ends", async () => {
    await play("opens-the-role-for-a-release-that-is-tried-again");
    const target = { resourceGroup: "shop", app: "storefront" };
    const view = await createContainerApps(shop.shop.connection, patienceOf(10)).inspect(
      { target },
      AbortSignal.timeout(10_000),
    );
    expect(view.ok && view.value.revisions.map(({ name, secrets }) => [name, secrets]).toSorted()).toEqual([
      ["storefront--1", ["database-a"]],
      ["storefront--b-r1-1", ["database-b"]],
    ]);
  });

  it("a release that is tried again while the slot is renewed waits, and starts with the new password", () =>
    play("lets-a-release-wait-while-the-old-slot-is-renewed"));

  it("a leaked password is replaced at once, and every revision logs in", async () => {
    await play("closes-a-leaked-role-at-once");
    expect(await shop.loginsOf("storefront")).toEqual({ "storefront--1": "shop_a", "storefront--b-r1-1": "shop_b" });
    expect(await shop.loginOfReplica("storefront")).toBe("shop_b");
  });
});
