// Our own program under the real engine, on a whole stand-in cloud with a real PostgreSQL: what `npm start` does, without the show.
// Everything lies in a temporary folder; the clone is only read.
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse, stringify } from "yaml";
import { runChild, type Ended } from "../../toolchain/child.ts";
import { bringEngine } from "../../toolchain/engine.ts";
import { startPostgres } from "../../toolchain/postgres.ts";
import { management, startCloudForTests, type CloudForTests } from "./local-cloud.ts";

const root = path.join(import.meta.dirname, "../..");
const images = {
  storefront: { folder: path.join(root, "examples/storefront"), entry: "main.ts" },
  "control-plane": { folder: path.join(root, "controlplane"), entry: "functions/main.ts" },
};

export interface LocalStack {
  readonly cloud: CloudForTests;
  /** Runs the engine on the stack. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  readonly up: () => Promise<Ended>;
  readonly outputs: () => Promise<Readonly<Record<string, string>>>;
  /** Sets keys of the stack's configuration. */
  readonly configure: (values: Readonly<Record<string, unknown>>) => void;
  /** Gives the live app, or an app's revision, as Azure shows it. */
  readonly live: (app: string, rest?: string) => Promise<any>;
  readonly patchTraffic: (app: string, traffic: readonly object[]) => Promise<void>;
  /** Asks the app as a user does and gives the status. */
  readonly visit: (origin: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Starts everything and creates the stack; nothing is deployed yet. */
export async function startLocalStack(config: Readonly<Record<string, unknown>>): Promise<LocalStack> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-stack-"));
  const [engine, postgres] = await Promise.all([bringEngine(), startPostgres()]);
  const { host, port, user, password } = postgres;
  const cloud = await startCloudForTests({ images, postgres: { host, port, user, password } });
  const file = path.join(folder, "Pulumi.local.yaml");
  copyFileSync(path.join(root, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  writeFileSync(file, stringify({ config: (parse(readFileSync(path.join(root, "Pulumi.local.yaml"), "utf8")) as { config: object }).config }));
  mkdirSync(path.join(folder, "state"));
  const environment = {
    ...process.env, ...cloud.cloud.environment, ...engine.environment,
    PULUMI_HOME: path.join(folder, "home"), PULUMI_BACKEND_URL: `file://${folder}/state`, PULUMI_CONFIG_PASSPHRASE: randomBytes(9).toString("hex"),
    PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const run = (...args: readonly string[]): Promise<Ended> => runChild(engine.command, [...args, "--non-interactive", "--color", "never"], { cwd: root, environment });
  const pulumi = (...args: readonly string[]): Promise<Ended> => run(...args, "--stack", "local", "--config-file", file);
  const configure = (values: Readonly<Record<string, unknown>>): void => {
    const settings = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    Object.assign(settings.config, values);
    writeFileSync(file, stringify(settings));
  };
  const close = async (): Promise<void> => {
    await cloud.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  // Where the stack is created, the engine writes its file anew: hence not in the clone.
  const created = await run("stack", "init", "local", "--cwd", folder);
  if (created.code !== 0) {
    await close();
    throw new Error(created.output);
  }
  await run("config", "set", "--secret", "ballast:databasePassword", randomBytes(9).toString("hex"), "--stack", "local", "--config-file", file);
  configure({ "ballast:databasePort": port, ...config });

  const appPath = (app: string): string => `/subscriptions/${cloud.cloud.subscription}/resourceGroups/ballast-local/providers/Microsoft.App/containerApps/${app}`;
  const live = async (app: string, rest = ""): Promise<any> => (await cloud.ask("GET", `${management}${appPath(app)}${rest}?api-version=2025-07-01`)).body;
  return {
    cloud, pulumi, configure, live,
    up: () => pulumi("up", "--yes", "--skip-preview"),
    outputs: async () => JSON.parse((await run("stack", "output", "--json", "--stack", "local")).output) as Record<string, string>,
    patchTraffic: async (app, traffic) => {
      const { status } = await cloud.settle("PATCH", `${management}${appPath(app)}?api-version=2025-07-01`, { properties: { configuration: { ingress: { traffic } } } });
      if (status >= 400) throw new Error(`the traffic of ${app} was refused with ${status}`);
    },
    visit: (origin) => new Promise((resolve, reject) => {
      https.get(origin, { agent: cloud.agent, timeout: 10_000 }, (response) => resolve(response.resume().statusCode!)).on("error", reject);
    }),
    close,
  };
}
