// Control planes as processes on one database. They end with the estate; the story kills them with SIGKILL.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream";
import { tokenFor } from "../../client/credential.ts";
import type { Access } from "../../client/requests.ts";
import { type RolloutTypes, rollouts } from "../../client/rollouts.ts";
import { type RotationTypes, rotations } from "../../client/rotations.ts";
import { type StreamCalls, streamCalls } from "../../client/streams.ts";
import type { Credential } from "../../engines/rotation/vocabulary.ts";
import { endChild } from "../../toolchain/child.ts";
import { app, resourceGroup } from "./places.ts";
import { audience, type Site } from "./site.ts";

/** One process of a control plane. */
export interface Plane {
  readonly name: string;
  readonly endpoint: string;
  readonly child: ChildProcess;
  /** Its name in the journal. */
  readonly process: string;
  /** Its name in its telemetry. */
  readonly instance: string;
}

/** The control planes, and their calls. */
export interface Planes {
  readonly living: () => readonly Plane[];
  /** One address for all of them: a connection goes to a process that lives, as behind an ingress. */
  readonly endpoint: string;
  /** Says how that address is called. */
  readonly access: (cancel: AbortSignal) => Access;
  readonly start: () => Promise<Plane>;
  /** Kills a process with SIGKILL, and waits until it is gone. */
  readonly kill: (plane: Plane) => Promise<void>;
  /** Gives the calls about rotations, to a process that lives. */
  readonly rotations: () => StreamCalls<RotationTypes>;
  readonly rollouts: () => StreamCalls<RolloutTypes>;
  /** Gives every line that the processes wrote. */
  readonly said: () => readonly string[];
  readonly close: () => Promise<void>;
}

const root = path.join(import.meta.dirname, "..", "..");
const requestSeconds = 3;
/** A killed process's claim expires after it. */
const leaseSeconds = requestSeconds + 1;

/** Gives the means to start control planes beside a site. */
export async function planesOf(site: Site, stop: AbortSignal): Promise<Planes> {
  const living: Plane[] = [];
  const said: string[] = [];
  let started = 0;
  const token = tokenFor(audience);
  const entrance = net.createServer((socket) => forward(socket, living[0]?.endpoint)).listen(0, "127.0.0.1");
  await once(entrance, "listening");
  const endpoint = `http://127.0.0.1:${(entrance.address() as net.AddressInfo).port}`;
  const access = (cancel: AbortSignal) => ({ endpoint, token, cancel });
  const kill: Planes["kill"] = async (plane) => {
    living.splice(living.indexOf(plane), 1);
    await endChild(plane.child, { signal: "SIGKILL" });
  };
  return {
    living: () => living,
    endpoint,
    access,
    kill,
    rotations: () => streamCalls(access(stop), rotations),
    rollouts: () => streamCalls(access(stop), rollouts),
    said: () => said,
    start: async () => {
      const name = String(++started);
      const child = spawn(process.execPath, [path.join(root, "controlplane", "main.ts")], {
        stdio: ["ignore", "pipe", "pipe"],
        env: planeVariables(site, name),
      });
      const begun = await startedLine(child, (line) => said.push(line));
      const plane = {
        name,
        child,
        endpoint: `http://127.0.0.1:${begun.address.port}`,
        process: begun.process,
        instance: instanceOf(name),
      };
      living.push(plane);
      return plane;
    },
    close: async () => {
      await Promise.all(living.slice().map(kill));
      entrance.close();
    },
  };
}

/** Joins a connection to a process; without one it is closed. */
function forward(socket: net.Socket, endpoint: string | undefined): void {
  if (endpoint === undefined) return void socket.destroy();
  const plane = net.connect(Number(new URL(endpoint).port), "127.0.0.1");
  // What one side ends or breaks, the other side meets too.
  pipeline(socket, plane, socket, () => undefined);
}

interface Started {
  readonly what: "started";
  readonly process: string;
  readonly address: { readonly port: number };
}

/** Keeps the lines of a process, and gives the one by which it says that it serves. */
const startedLine = (child: ChildProcess, keep: (line: string) => void): Promise<Started> =>
  new Promise((resolve, reject) => {
    createInterface({ input: child.stderr! }).on("line", keep);
    createInterface({ input: child.stdout! }).on("line", (line) => {
      keep(line);
      const read = JSON.parse(line) as Started | { readonly what: "" };
      if (read.what === "started") resolve(read);
    });
    child.once("exit", (code, signal) =>
      reject(new Error(`a control plane ended before it had started, with ${code ?? signal}`)),
    );
  });

/** Gives the variables by which a control plane may rotate the credentials of a site. */
const rotatorVariables = ({ cloud, rotatorPassword }: Pick<Site, "cloud" | "rotatorPassword">): NodeJS.ProcessEnv => ({
  BALLAST_VAULTS: `vault.${cloud.suffix}`,
  BALLAST_ROTATOR_PASSWORD: rotatorPassword,
});

/** Gives the variables by which a control plane of another story knows the credential. */
export const credentialVariables = ({
  credential,
  ...site
}: Parameters<typeof rotatorVariables>[0] & { readonly credential: Credential }): NodeJS.ProcessEnv => ({
  BALLAST_CREDENTIALS: JSON.stringify([credential]),
  ...rotatorVariables(site),
});

const instanceOf = (name: string): string => `plane-${name}`;

/** Gives the variables by which a control plane knows the site. Credentials are declared by the program. */
const planeVariables = (
  { cloud, postgres, workspace, telemetry, rotatorPassword }: Site,
  name: string,
): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  BALLAST_CONNECT_TO: cloud.environment["BALLAST_CONNECT_TO"],
  NODE_EXTRA_CA_CERTS: cloud.caFile,
  BALLAST_SUBSCRIPTION: cloud.subscription,
  BALLAST_TENANT: cloud.tenant,
  BALLAST_AUDIENCE: audience,
  BALLAST_MANAGED_TARGETS: JSON.stringify([{ resourceGroup, app }]),
  ...rotatorVariables({ cloud, rotatorPassword }),
  BALLAST_WORKSPACE: workspace,
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry,
  OTEL_METRIC_EXPORT_INTERVAL: "2000",
  BALLAST_RESOURCE_MANAGER: `https://management.${cloud.suffix}`,
  BALLAST_LOGS: `https://api.loganalytics.${cloud.suffix}`,
  AZURE_AUTHORITY_HOST: `https://login.${cloud.suffix}`,
  AZURE_CLIENT_ID: cloud.client.id,
  AZURE_CLIENT_SECRET: cloud.client.secret,
  BALLAST_DATABASE_HOST: postgres.host,
  BALLAST_DATABASE_PORT: String(postgres.port),
  BALLAST_DATABASE_NAME: "postgres",
  BALLAST_DATABASE_USER: postgres.user,
  BALLAST_DATABASE_PASSWORD: postgres.password,
  BALLAST_DATABASE_TLS: "disable",
  BALLAST_LEASE_SECONDS: String(leaseSeconds),
  BALLAST_REQUEST_SECONDS: String(requestSeconds),
  BALLAST_INGESTION_SECONDS: "1",
  PORT: "0",
  CONTAINER_APP_REPLICA_NAME: instanceOf(name),
});
