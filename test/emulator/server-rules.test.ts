// What Azure refuses of a flexible server, as pure functions of its body and of the one before.
import { describe, expect, test } from "vitest";
import type { Body } from "../../emulator/arm/resource.ts";
import { checkLogin, checkPassword, checkServer } from "../../emulator/dbforpostgresql/server-rules.ts";

const server = (properties: Body = {}, sku: Body = { name: "Standard_D2ds_v5", tier: "GeneralPurpose" }): Body => ({
  sku,
  properties: { version: "17", storage: { storageSizeGB: 64 }, availabilityZone: "1", ...properties },
});
const burstable: Body = { name: "Standard_B1ms", tier: "Burstable" };
const standby = (mode: string, zone?: string): Body => ({
  highAvailability: { mode, ...(zone === undefined ? {} : { standbyAvailabilityZone: zone }) },
});

describe("a password", () => {
  test.each([
    ["short", "Short-1", /8 to 128/],
    ["too long", `Aa1-${"x".repeat(125)}`, /8 to 128/],
    ["of one kind", "abcdefghijkl", /three of these/],
    ["of two kinds", "abcdefgh1234", /three of these/],
    ["with the login", "Aa1-my-BOSS", /login name/],
  ])("that is %s is refused, and not repeated", (_, password, words) => {
    expect(() => checkPassword(password, "boss")).toThrow(words);
    expect(() => checkPassword(password, "boss")).not.toThrow(password);
  });

  test.each(["Correct-Horse-7", "abc-defg-1", "ABCDEF-12", "Abcdefg1"])("like %s is accepted", (password) => {
    expect(() => checkPassword(password, "boss")).not.toThrow();
  });
});

test.each(["azure_superuser", "Root", "pg_boss", "", "my boss", "boss@shop", "a".repeat(64), "-boss", 'o"x'])(
  "the login name %j is refused",
  (login) => {
    expect(() => checkLogin(login)).toThrow();
  },
);

test.each(["boss", "a".repeat(63), "shop_admin", "Shop-Admin-7"])("the login name %s is accepted", (login) => {
  expect(() => checkLogin(login)).not.toThrow();
});

test.each([
  ["a size of another tier", server({}, { name: "Standard_D2ds_v5", tier: "Burstable" }), /no size/],
  ["a size that there is not", server({}, { name: "Banana", tier: "GeneralPurpose" }), /no size/],
  ["an odd number of cores", server({}, { name: "Standard_D3ds_v5", tier: "GeneralPurpose" }), /no size/],
  ["20 cores of the third generation", server({}, { name: "Standard_E20s_v3", tier: "MemoryOptimized" }), /no size/],
  ["20 cores without more memory", server({}, { name: "Standard_D20ds_v5", tier: "GeneralPurpose" }), /no size/],
  ["96 cores of the fourth generation", server({}, { name: "Standard_D96ds_v4", tier: "GeneralPurpose" }), /no size/],
  ["128 cores of AMD", server({}, { name: "Standard_D128ads_v6", tier: "GeneralPurpose" }), /no size/],
  ["too little of Premium SSD v2", server({ storage: { storageSizeGB: 1, type: "PremiumV2_LRS" } }), /32 to 65,536/],
  ["a version that is not offered any more", server({ version: "12" }), /should be in: \[14,15,16,17,18\]/],
  ["storage of a size that there is not", server({ storage: { storageSizeGB: 33 } }), /storageSizeGB/],
  ["a zone that there is not", server({ availabilityZone: "4" }), /no availability zone/],
  ["a standby in no zone", server(standby("ZoneRedundant", "x")), /no availability zone/],
  ["a standby of a Burstable server", server(standby("ZoneRedundant"), burstable), /no high availability/],
  ["a standby of another zone in the same one", server(standby("ZoneRedundant", "1")), /does not fit/],
  ["a standby of the same zone in another one", server(standby("SameZone", "2")), /does not fit/],
  ["a window that is none", server({ maintenanceWindow: { customWindow: "Banana" } }), /customWindow/],
])("a server with %s is refused", (_, body, words) => {
  expect(() => checkServer(body, undefined)).toThrow(words);
});

test.each([
  ["to less storage", { storage: { storageSizeGB: 32 } }, /cannot shrink/],
  ["to an earlier version", { version: "16" }, /cannot become/],
  ["to copies in another region", { backup: { geoRedundantBackup: "Enabled" } }, /geoRedundantBackup/],
  ["to another zone", { availabilityZone: "2" }, /availability zone/],
])("a change %s is refused", (_, properties, words) => {
  expect(() => checkServer(server(properties), server())).toThrow(words);
});

test.each([
  ["a Burstable server", server({}, burstable), undefined],
  ["any size of Premium SSD v2", server({ storage: { storageSizeGB: 33, type: "PremiumV2_LRS" } }), undefined],
  ["a standby in another zone", server(standby("ZoneRedundant", "2")), undefined],
  ["a standby in the same zone", server(standby("SameZone", "1")), undefined],
  ["the zones exchanged", server({ availabilityZone: "2" }), server(standby("ZoneRedundant", "2"))],
  ["more storage and a later version", server({ storage: { storageSizeGB: 128 }, version: "18" }), server()],
  ["an old server as it is", server({ version: "13" }), server({ version: "13" })],
  ["the same backup said again", server({ backup: { geoRedundantBackup: "disabled" } }), server()],
])("%s is accepted", (_, body, previous) => {
  expect(() => checkServer(body, previous)).not.toThrow();
});

test.each([
  ["Burstable", "Standard_B20ms"],
  ["GeneralPurpose", "Standard_D64s_v3"],
  ["GeneralPurpose", "Standard_D96ads_v5"],
  ["GeneralPurpose", "Standard_D192ds_v6"],
  ["MemoryOptimized", "Standard_E20ds_v4"],
  ["MemoryOptimized", "Standard_E96ads_v6"],
])("a server of the tier %s may have the size %s", (tier, name) => {
  expect(() => checkServer(server({}, { name, tier }), undefined)).not.toThrow();
});
