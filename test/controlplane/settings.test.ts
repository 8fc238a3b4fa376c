// The control plane's settings: Azure's defaults, all complaints at once, and a process that does not start
// with bad settings.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { readPreparation, readSettings } from "../../controlplane/settings.ts";
import { BallastError } from "../../errors/catalogue.ts";

describe("the settings", () => {
  const good = {
    BALLAST_SUBSCRIPTION: "s",
    BALLAST_TENANT: "t",
    BALLAST_AUDIENCE: "api://ballast, 11111111-2222-3333-4444-555555555555",
    BALLAST_MANAGED_TARGETS: '[{"resourceGroup":"shop","app":"api"}]',
    BALLAST_WORKSPACE: "w",
    AZURE_CLIENT_ID: "c",
    BALLAST_DATABASE_HOST: "127.0.0.1",
    BALLAST_DATABASE_NAME: "ballast",
    BALLAST_DATABASE_USER: "ballast",
  };
  const complaintsOf = (environment: Record<string, string | undefined>): string => {
    try {
      readSettings(environment);
    } catch (thrown) {
      if (thrown instanceof BallastError && thrown.id === "control-plane-settings-wrong") return thrown.message;
      throw thrown;
    }
    throw new Error("the settings were accepted");
  };

  test("default to Azure's public addresses", () => {
    expect(readSettings(good)).toMatchObject({
      resourceManager: "https://management.azure.com",
      logs: "https://api.loganalytics.io",
      authority: "https://login.microsoftonline.com",
      leaseSeconds: 60,
      requestSeconds: 30,
      ingestionSeconds: 180,
      audiences: ["api://ballast", "11111111-2222-3333-4444-555555555555"],
      managedTargets: [{ resourceGroup: "shop", app: "api" }],
      host: "127.0.0.1",
      port: 8080,
      database: { port: 5432, tls: "require", password: undefined },
    });
  });

  test("are all complained about at once, by name", () => {
    const message = complaintsOf({});
    for (const name of Object.keys(good)) expect(message).toContain(`${name} is missing.`);
  });

  for (const [what, wrong, words] of [
    [
      "a policy whose cool-down is shorter than its rule looks back",
      {
        BALLAST_REMEDIATIONS: JSON.stringify({
          targets: [{ target: "app/shop/api", dependsOn: [] }],
          policies: [
            {
              rule: "app-failing",
              owner: "shop",
              targets: ["app/shop/api"],
              ladder: [{ runbook: "restart-revision" }],
              verification: {},
              limits: { cooldownSeconds: 60 },
            },
          ],
        }),
      },
      "cooldownSeconds (60) is shorter than lookBackSeconds",
    ],
    ["remediations that are no JSON", { BALLAST_REMEDIATIONS: "yes" }, "BALLAST_REMEDIATIONS is not what it must be"],
    [
      "a lease that a request can outlive",
      { BALLAST_LEASE_SECONDS: "4", BALLAST_REQUEST_SECONDS: "4" },
      "longer than BALLAST_REQUEST_SECONDS",
    ],
    [
      "an unencrypted database elsewhere",
      { BALLAST_DATABASE_HOST: "db.example", BALLAST_DATABASE_TLS: "disable" },
      "loopback",
    ],
    ["an unencrypted endpoint", { BALLAST_RESOURCE_MANAGER: "http://management.azure.com" }, "https"],
    [
      "managed targets without their groups",
      { BALLAST_MANAGED_TARGETS: '[{"app":"api"}]' },
      "[0].resourceGroup is missing.",
    ],
    ["a port that is not one", { PORT: "eighty" }, "PORT"],
  ] as const) {
    test(`refuse ${what}`, () => expect(complaintsOf({ ...good, ...wrong })).toContain(words));
  }

  test("of a preparation are read if there is a grantee, and are all complained about at once", () => {
    const objectId = "11111111-2222-3333-4444-555555555555";
    const whom = { BALLAST_DATABASE_GRANTEE: "plane", BALLAST_DATABASE_GRANTEE_OBJECT: objectId };
    expect(readPreparation(good)).toBeUndefined();
    expect(readPreparation({ ...good, ...whom })).toMatchObject({
      clientId: "c",
      grantee: { name: "plane", objectId },
      database: { user: "ballast", password: undefined, tls: "require" },
    });
    expect(() => readPreparation({ ...whom, BALLAST_DATABASE_GRANTEE_OBJECT: "plane" })).toThrow(
      /BALLAST_DATABASE_GRANTEE_OBJECT \("plane"\).*AZURE_CLIENT_ID is missing.*BALLAST_DATABASE_USER is missing/,
    );
  });

  test("of a preparation for credentials name who changes the schema, and refuse a role that is none", () => {
    const whom = { ...good, BALLAST_DATABASE_GRANTEE: "plane" };
    const pairs = (by: object) => JSON.stringify([{ owner: "o", a: "a", b: "b", migrator: by }]);
    const migrator = { name: "shop-migrate", objectId: "11111111-2222-3333-4444-555555555555" };
    expect(readPreparation({ ...whom, BALLAST_DATABASE_CREDENTIALS: pairs(migrator) })?.credentials).toEqual([
      { owner: "o", a: "a", b: "b", migrator },
    ]);
    expect(() => readPreparation({ ...whom, BALLAST_DATABASE_CREDENTIALS: pairs({ objectId: "none" }) })).toThrow(
      /migrator\.name is missing.*migrator\.objectId/,
    );
    const both = (owner: string) =>
      JSON.stringify([
        { owner: "o", a: "a", b: "b", migrator },
        { owner, a: "c", b: "d", migrator },
      ]);
    expect(readPreparation({ ...whom, BALLAST_DATABASE_CREDENTIALS: both("o") })?.credentials).toHaveLength(2);
    expect(() => readPreparation({ ...whom, BALLAST_DATABASE_CREDENTIALS: both("p") })).toThrow(
      /shop-migrate cannot act as two owners/,
    );
  });

  test("that are missing end the process with one line of JSON that names them", async () => {
    const child = spawn(process.execPath, ["controlplane/main.ts"], {
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const [code] = await once(child, "exit");
    expect(code).toBe(1);
    expect(JSON.parse(said)).toMatchObject({ what: "stopped", id: "control-plane-settings-wrong" });
  });
});
