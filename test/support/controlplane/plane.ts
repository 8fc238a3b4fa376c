// A control plane as a process of its own, beside a shop and a database, for tests that break one of the three. It ends
// with its test and not with the emulator, which is the job of its platform.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import type { Shop } from "../emulator/azure-shop.ts";
import { jsonLinesOf } from "../json-lines.ts";

/** One control plane: its name, its managed targets, and its time limits. */
export interface PlaneSetting {
  readonly name: string;
  readonly apps: readonly string[];
  readonly leaseSeconds: number;
  readonly requestSeconds: number;
  /** Further settings. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface PlaneProcess {
  readonly child: ChildProcess;
  readonly endpoint: string;
  /** Gives the lines of its log up to now. */
  readonly said: () => readonly any[];
}

/** Starts one and waits until it serves. */
export async function startPlane(shop: Shop, database: Database, setting: PlaneSetting): Promise<PlaneProcess> {
  const child = spawn(process.execPath, ["controlplane/main.ts"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environmentOf(shop, database, setting),
  });
  const said = jsonLinesOf(child);
  return { child, endpoint: await startedAt(child), said };
}

function environmentOf(
  { cloud, settings, workspace }: Shop,
  database: Database,
  { name, apps, leaseSeconds, requestSeconds, variables }: PlaneSetting,
): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    BALLAST_CONNECT_TO: cloud.environment["BALLAST_CONNECT_TO"],
    NODE_EXTRA_CA_CERTS: cloud.caFile,
    BALLAST_SUBSCRIPTION: cloud.subscription,
    BALLAST_TENANT: cloud.tenant,
    BALLAST_AUDIENCE: "api://ballast",
    BALLAST_MANAGED_TARGETS: JSON.stringify(apps.map((app) => ({ resourceGroup: "shop", app }))),
    BALLAST_WORKSPACE: workspace,
    BALLAST_RESOURCE_MANAGER: settings.resourceManager,
    BALLAST_LOGS: settings.logs,
    AZURE_AUTHORITY_HOST: settings.authority,
    AZURE_CLIENT_ID: settings.clientId,
    AZURE_CLIENT_SECRET: settings.clientSecret,
    BALLAST_DATABASE_HOST: database.host,
    BALLAST_DATABASE_PORT: String(database.port),
    BALLAST_DATABASE_NAME: database.name,
    BALLAST_DATABASE_USER: database.user,
    BALLAST_DATABASE_PASSWORD: database.password as string,
    BALLAST_DATABASE_TLS: "disable",
    BALLAST_LEASE_SECONDS: String(leaseSeconds),
    BALLAST_REQUEST_SECONDS: String(requestSeconds),
    BALLAST_INGESTION_SECONDS: "1",
    PORT: "0",
    CONTAINER_APP_REPLICA_NAME: `plane-${name}`,
    ...variables,
  };
}

async function startedAt(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as { what: string; address?: { port: number } };
    if (said.what !== "started") continue;
    child.stdout!.resume();
    return `http://127.0.0.1:${said.address!.port}`;
  }
  throw new Error(`a control plane ended before it had started, with ${child.exitCode ?? child.signalCode}`);
}
