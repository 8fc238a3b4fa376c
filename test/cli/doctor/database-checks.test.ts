// The checks of the database, against an emulator with a PostgreSQL: each passes, and fails once for each thing
// it looks for.
import { expect, test } from "vitest";
import { databaseChecks, whyUnoffered } from "../../../cli/doctor/database-checks.ts";
import { physicalName } from "../../../components/conventions.ts";
import type { Settings } from "../../../config.ts";
import { startPostgres } from "../../../toolchain/postgres.ts";
import { checkRunner, failure, shop, useDoctorShop } from "../../support/emulator/doctor-shop.ts";

useDoctorShop(startPostgres);
const { run, neverFailed } = checkRunner(databaseChecks);

test("the stack's database is compared with what the region offers", async () => {
  const size = (changes: Partial<Settings>) =>
    run("database size", shop.contextWith({ databaseSku: "Standard_B1ms", zoneRedundant: false, ...changes }));
  expect(await size({})).toMatchObject({ state: "ok", message: "westeurope offers Standard_B1ms with PostgreSQL 18" });
  expect(await size({ databaseSku: "Standard_D2ds_v5", zoneRedundant: true })).toMatchObject({
    state: "ok",
    message: expect.stringContaining("and a standby in another zone"),
  });
  expect(await size({ databaseSku: "Standard_B20ms" })).toMatchObject(
    failure(
      "doctor-database-unoffered",
      "in westeurope: the region has no size Standard_B20ms; similar sizes: Standard_B1ms, Standard_B2s, Standard_B2ms",
    ),
  );
  expect(await size({ zoneRedundant: true })).toMatchObject(
    failure("doctor-database-unoffered", "no standby in another zone for Standard_B1ms"),
  );
});

test("a region's restrictions, versions, disabled sizes and availability modes are compared", () => {
  const wanted = { version: "18", sku: "Standard_B1ms", zoneRedundant: false };
  const sizes = (...supportedServerSkus: readonly { name: string; status?: string; supportedHaMode?: string }[]) => ({
    supportedServerEditions: [{ supportedServerSkus }],
    supportedServerVersions: [{ name: "18" }],
  });
  expect(whyUnoffered(wanted, { restricted: "Enabled", reason: "ask for quota" })).toBe(
    "this subscription may not create database servers there: ask for quota",
  );
  expect(whyUnoffered(wanted, { ...sizes({ name: "Standard_B1ms" }), supportedServerVersions: [{ name: "17" }] })).toBe(
    "the region has no PostgreSQL 18",
  );
  expect(whyUnoffered(wanted, sizes({ name: "Standard_B1ms", status: "Disabled" }))).toBe(
    "the region has no size Standard_B1ms",
  );
  const zoneRedundant = sizes({ name: "standard_b1ms", supportedHaMode: "ZoneRedundant" });
  expect(whyUnoffered({ ...wanted, zoneRedundant: true }, zoneRedundant)).toBeUndefined();
});

test("a missing database, login or administrator is reported", async () => {
  const role = (databaseAuthentication: Settings["databaseAuthentication"]) =>
    run("database role", shop.contextWith({ databaseAuthentication }));
  expect(await role("password")).toMatchObject({
    state: "unknown",
    message: expect.stringMatching(/^the server journal-[0-9a-f]{8} does not exist yet/),
  });
  const name = physicalName("server", "journal", shop.group);
  const server = `${shop.group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}?api-version=2025-08-01`;
  const database = server.replace("?", "/databases/ballast?");
  const createServer = (administratorLogin: string) =>
    shop.write("PUT", server, {
      location: "westeurope",
      sku: { name: "Standard_B1ms", tier: "Burstable" },
      properties: {
        version: "18",
        administratorLogin,
        administratorLoginPassword: crypto.randomUUID(),
        storage: { storageSizeGB: 32 },
      },
    });
  const createDatabase = () =>
    shop.write("PUT", database, { properties: { charset: "UTF8", collation: "en_US.utf8" } });
  await createServer("somebody");
  expect(await role("password")).toMatchObject(
    failure("doctor-database-role-missing", `${name} has no database ballast. `),
  );
  await createDatabase();
  expect(await role("password")).toMatchObject(failure("doctor-database-role-missing", "no login ballast"));
  expect(await role("entra")).toMatchObject(failure("doctor-database-role-missing", "no administrator database-role"));
  await shop.at.settle("DELETE", server);
  await createServer("ballast");
  await createDatabase();
  expect(await role("password")).toMatchObject({ state: "ok", message: `${name} has the login ballast` });
  await shop.at.settle("DELETE", server);
});

test("every check has failed in one of these tests", () => expect(neverFailed()).toEqual([]));
