// The control plane of the story, as a process on a database of its own.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { tokenFor } from "../../client/credential.ts";
import { type RemediationTypes, remediations } from "../../client/remediations.ts";
import { type RolloutCalls, rollouts } from "../../client/rollouts.ts";
import { type StreamCalls, streamCalls } from "../../client/streams.ts";
import { endChild } from "../../toolchain/child.ts";
import { type Estate, resourceGroup, type ServiceSpec } from "./estate.ts";

/** The control plane, and its calls. */
export interface Plane {
  readonly remediations: StreamCalls<RemediationTypes>;
  readonly rollouts: RolloutCalls;
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

const root = path.join(import.meta.dirname, "..", "..");
const audience = "api://ballast";
const requestSeconds = 3;
const database = "remediation_journal";

/** Starts it, with what is declared about remediations. @param more variables of the process beside its own */
export async function startPlane(
  estate: Estate,
  apps: readonly Pick<ServiceSpec, "name" | "group">[],
  declared: object,
  stop: AbortSignal,
  more: NodeJS.ProcessEnv = {},
): Promise<Plane> {
  await estate.admin("postgres", `create database ${database}`);
  const child = spawn(process.execPath, [path.join(root, "controlplane", "main.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...variablesOf(estate, apps, declared), ...more },
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      said.push(line);
      const { what, address } = JSON.parse(line) as {
        readonly what: string;
        readonly address: { readonly port: number };
      };
      if (what === "started") resolve(address.port);
    });
    child.once("exit", (code, signal) =>
      reject(new Error(`the control plane ended with ${code ?? signal}: ${said.slice(-3).join(" ")}`)),
    );
  });
  const access = { endpoint: `http://127.0.0.1:${port}`, token: tokenFor(audience), cancel: stop };
  return {
    endpoint: access.endpoint,
    remediations: streamCalls(access, remediations),
    rollouts: streamCalls(access, rollouts),
    close: () => endChild(child, { signal: "SIGTERM" }),
  };
}

const variablesOf = (
  { cloud, postgres, workspace }: Estate,
  apps: readonly Pick<ServiceSpec, "name" | "group">[],
  declared: object,
): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  BALLAST_CONNECT_TO: cloud.environment["BALLAST_CONNECT_TO"],
  NODE_EXTRA_CA_CERTS: cloud.caFile,
  BALLAST_SUBSCRIPTION: cloud.subscription,
  BALLAST_TENANT: cloud.tenant,
  BALLAST_AUDIENCE: audience,
  BALLAST_MANAGED_TARGETS: JSON.stringify(
    apps.map(({ name: app, group = resourceGroup }) => ({ resourceGroup: group, app })),
  ),
  BALLAST_REMEDIATIONS: JSON.stringify(declared),
  BALLAST_ALERT_POLL_SECONDS: "2",
  BALLAST_WORKSPACE: workspace,
  BALLAST_RESOURCE_MANAGER: `https://management.${cloud.suffix}`,
  BALLAST_LOGS: `https://api.loganalytics.${cloud.suffix}`,
  AZURE_AUTHORITY_HOST: `https://login.${cloud.suffix}`,
  AZURE_CLIENT_ID: cloud.client.id,
  AZURE_CLIENT_SECRET: cloud.client.secret,
  BALLAST_DATABASE_HOST: postgres.host,
  BALLAST_DATABASE_PORT: String(postgres.port),
  BALLAST_DATABASE_NAME: database,
  BALLAST_DATABASE_USER: postgres.user,
  BALLAST_DATABASE_PASSWORD: postgres.password,
  BALLAST_DATABASE_TLS: "disable",
  BALLAST_LEASE_SECONDS: String(requestSeconds + 1),
  BALLAST_REQUEST_SECONDS: String(requestSeconds),
  BALLAST_INGESTION_SECONDS: "1",
  PORT: "0",
  CONTAINER_APP_REPLICA_NAME: "plane",
});
