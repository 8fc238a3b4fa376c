// What the demo stands on: the Pulumi engine, PostgreSQL and the stand-in cloud, brought up in order and taken down in
// reverse. Everything lives in one folder of the project's own that git does not see. Knows nothing of releases.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import tls from "node:tls";
import type { LocalCloud } from "../emulator/start.ts";
import { demoRunning } from "../errors/demo.ts";
import { type RunningPostgres, startPostgres } from "../toolchain/postgres.ts";
import { bringEngine, type PulumiEngine } from "../toolchain/pulumi/bring.ts";

export type CloudAddress = Omit<LocalCloud, "close">;

export interface Ground {
  readonly engine: PulumiEngine;
  readonly postgres: RunningPostgres;
  readonly cloud: CloudAddress;
  /** The demo's own folder: state, Pulumi home, the authority's certificate; removed by `stop`. */
  readonly folder: string;
  /** The process of the stand-in, whose end is the end of every replica. */
  readonly cloudProcess: ChildProcess;
  /** Takes everything down and gives what is left all the same, a line a thing. */
  readonly stop: () => Promise<readonly string[]>;
}

const root = path.join(import.meta.dirname, "..");

/** Brings everything up and tells about it, a line a thing. */
export async function bringGround(folder: string, tell: (line: string) => void): Promise<Ground> {
  refuseSecond(folder);
  const engine = await bringEngine({ report: tell });
  tell(`Pulumi ${engine.version} (${engine.how})`);
  fs.rmSync(folder, { recursive: true, force: true }); // what a demo that was killed has left
  fs.mkdirSync(path.join(folder, "state"), { recursive: true });
  fs.writeFileSync(path.join(folder, "pid"), String(process.pid));
  const postgres = await startPostgres();
  tell(`PostgreSQL 18 on 127.0.0.1:${postgres.port}`);
  try {
    const cloudProcess = spawn(process.execPath, [path.join(root, "emulator", "main.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const cloud = await address(cloudProcess, {
      folder,
      images,
      postgres: { host: postgres.host, port: postgres.port, user: postgres.user, password: postgres.password },
    });
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), fs.readFileSync(cloud.caFile, "utf8")]);
    tell(`the stand-in cloud on 127.0.0.1:${cloud.port}; nothing here is Azure, and no account is used`);
    const stop = async () => {
      await ended(cloudProcess);
      await postgres.stop();
      fs.rmSync(folder, { recursive: true, force: true });
      const ports = await Promise.all(
        [cloud.port, cloud.providerPort, postgres.port].map(async (port) =>
          (await isOpen(port)) ? [`port ${port} is still open`] : [],
        ),
      );
      return [...ports.flat(), ...(fs.existsSync(folder) ? [`${folder} is still there`] : [])];
    };
    return { engine, postgres, cloud, folder, cloudProcess, stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

function refuseSecond(folder: string): void {
  const file = path.join(folder, "pid");
  const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : 0;
  if (pid > 0 && isAlive(pid)) throw demoRunning({ folder, pid });
}

/** Says whether there is a process of that id. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Which folder an image stands for: on the stand-in containers are processes. */
export const images = {
  storefront: { folder: path.join(root, "examples", "storefront"), entry: "main.ts" },
  "control-plane": { folder: path.join(root, "controlplane"), entry: "main.ts" },
  "dead-mans-switch": { folder: path.join(root, "deadman"), entry: "main.ts" },
};

async function address(child: ChildProcess, options: object): Promise<CloudAddress> {
  child.stdin!.write(`${JSON.stringify(options)}\n`);
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line) as CloudAddress;
  throw new Error(`the stand-in ended before it was ready, with exit code ${child.exitCode}`);
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const end = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdin?.end();
  child.kill("SIGTERM");
  return end;
}
