// A team with an app that was made by hand, and a program that has installed the package: the situation at the start of
// docs/start/adopting.md. The cloud is the emulator with a real PostgreSQL, and the Pulumi CLI is the real one. The
// package is what `npm pack` would hold, installed by links, and the program is examples/existing-app as it is.
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { images } from "../../../demo/ground.ts";
import { type Ended, runChild } from "../../../toolchain/child.ts";
import { startPostgres } from "../../../toolchain/postgres.ts";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";
import { type CloudForTests, management, startCloudForTests } from "../emulator/cloud.ts";
import { eventually } from "../postgres/postgres.ts";
import { cloneInto } from "../repository/clone.ts";

const root = join(import.meta.dirname, "..", "..", "..");

export interface Team {
  readonly cloud: CloudForTests;
  /** Where the database behind its servers listens. */
  readonly postgresPort: number;
  /** The id of the group that the app is in; everything of the team's is in it. */
  readonly group: string;
  /** The folder of the program. */
  readonly program: string;
  /**
   * Runs a command line in the program's folder with `pulumi` and `ballast` on PATH, and passes every line to `onLine`.
   */
  readonly shell: (line: string, onLine?: (line: string) => void) => Promise<Ended>;
  /** Gives the live app as Azure returns it. */
  readonly live: () => Promise<any>;
  /** Sends a user's request to the app, and gives the status. */
  readonly visit: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Starts everything, and returns once the app answers. */
export async function assembleTeam(): Promise<Team> {
  const folder = mkdtempSync(join(tmpdir(), "ballast-adopting-"));
  const program = join(folder, "program");
  const commands = join(folder, "bin");
  const [pulumiCli, postgres] = await Promise.all([bringPulumi(), startPostgres()]);
  const { host, port, user, password } = postgres;
  const cloud = await startCloudForTests({ images, postgres: { host, port, user, password } });
  await installPackage(folder, program);
  mkdirSync(commands);
  const launched = join(program, "node_modules", "ballast", "dist", "cli", "main.js");
  writeFileSync(join(commands, "ballast"), `#!/bin/sh\nexec "${process.execPath}" "${launched}" "$@"\n`, {
    mode: 0o755,
  });
  const environment = {
    ...process.env,
    ...cloud.cloud.environment,
    ...pulumiCli.environment,
    PATH: `${commands}:${pulumiCli.environment["PATH"] ?? process.env["PATH"]}`,
    BALLAST_NODE: process.execPath,
    PULUMI_HOME: join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const group = `/subscriptions/${cloud.cloud.subscription}/resourceGroups/shop`;
  const live = async (): Promise<any> =>
    (await cloud.ask("GET", `${management}${group}/providers/Microsoft.App/containerApps/shop?api-version=2025-07-01`))
      .body;
  const visit = (): Promise<number> =>
    new Promise((resolve, reject) => {
      https
        .get(
          "https://shop.shop-apps.westeurope.ballast.localhost/",
          { agent: cloud.agent, timeout: 10_000 },
          (response) => resolve(response.resume().statusCode!),
        )
        .on("error", reject);
    });
  await makeByHand(cloud, group);
  await eventually(async () => (await visit().catch(() => 0)) === 200, "the app made by hand to answer");
  return {
    cloud,
    group,
    program,
    live,
    visit,
    postgresPort: port,
    shell: (line, onLine) => runChild("sh", ["-c", line], { cwd: program, environment, ...(onLine && { onLine }) }),
    close: async () => {
      await cloud.close();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Makes the program's folder, with the package in it as it would be packed. */
async function installPackage(folder: string, program: string): Promise<void> {
  const ballast = join(folder, "ballast");
  const modules = join(program, "node_modules");
  for (const each of [ballast, join(folder, "state"), join(modules, "@pulumi")]) mkdirSync(each, { recursive: true });
  cloneInto(ballast);
  const emitted = await runChild(process.execPath, [join("toolchain", "package", "emit.ts")], { cwd: ballast });
  if (emitted.code !== 0 || !existsSync(join(ballast, "dist", "package.js")))
    throw new Error(`the package could not be built: ${emitted.output}`);
  symlinkSync(ballast, join(modules, "ballast"));
  for (const name of ["@pulumi/pulumi", "@pulumi/azure-native", "typescript", ".bin"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  for (const file of ["Pulumi.yaml", "index.ts"])
    cpSync(join(root, "examples", "existing-app", file), join(program, file));
}

/**
 * Makes the team's resources: a group, a workspace, an environment with request rows, a registry, and the app as
 * `az containerapp create` makes one.
 */
async function makeByHand(cloud: CloudForTests, group: string): Promise<void> {
  const put = async (path: string, version: string, body: object): Promise<void> => {
    const { status, body: said } = await cloud.settle(
      "PUT",
      `${management}${group}${path}?api-version=${version}`,
      body,
    );
    if (status >= 300) throw new Error(`${path} was refused with ${status}: ${JSON.stringify(said)}`);
  };
  const location = "westeurope";
  const workspace = "/providers/Microsoft.OperationalInsights/workspaces/shop-logs";
  const apps = "/providers/Microsoft.App/managedEnvironments/shop-apps";
  await put("", "2024-03-01", { location });
  await put(workspace, "2023-09-01", { location, properties: { sku: { name: "PerGB2018" } } });
  await put(apps, "2025-07-01", { location, properties: { appLogsConfiguration: { destination: "azure-monitor" } } });
  await put(`${apps}/providers/Microsoft.Insights/diagnosticSettings/request-logs`, "2021-05-01-preview", {
    properties: { workspaceId: `${group}${workspace}`, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] },
  });
  await put("/providers/Microsoft.ContainerRegistry/registries/shopimages", "2023-01-01-preview", {
    location,
    sku: { name: "Standard" },
  });
  const registry = "/providers/Microsoft.ContainerRegistry/registries/shopimages";
  const puller = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shop-pulls";
  await put(puller, "2023-01-31", { location });
  const { principalId } = (await cloud.ask("GET", `${management}${group}${puller}?api-version=2023-01-31`)).body
    .properties;
  const roles = `/subscriptions/${cloud.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions`;
  const pull = `${roles}/7f951dda-4ed3-4680-a7ca-43fe172d538d`;
  await put(`${registry}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, "2022-04-01", {
    properties: { roleDefinitionId: pull, principalId, principalType: "ServicePrincipal" },
  });
  await put("/providers/Microsoft.App/containerApps/shop", "2025-07-01", {
    location,
    identity: { type: "UserAssigned", userAssignedIdentities: { [`${group}${puller}`]: {} } },
    properties: {
      managedEnvironmentId: `${group}${apps}`,
      configuration: {
        activeRevisionsMode: "Single",
        registries: [{ server: "shopimages.azurecr.io", identity: `${group}${puller}` }],
        ingress: {
          external: true,
          targetPort: 8080,
          transport: "auto",
          traffic: [{ latestRevision: true, weight: 100 }],
        },
      },
      template: {
        containers: [
          {
            name: "shop",
            image: "shopimages.azurecr.io/storefront:1",
            env: [{ name: "RELEASE", value: "by hand" }],
            resources: { cpu: 0.5, memory: "1Gi" },
          },
        ],
        scale: { minReplicas: 0, maxReplicas: 10 },
      },
    },
  });
}
