// Starts and stops what the demo runs on: the Pulumi CLI, PostgreSQL and the emulator. All their
// files are in one folder that git ignores.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import tls from "node:tls";
import type { RunningEmulator } from "../emulator/start.ts";
import { demoRunning } from "../errors/demo.ts";
import { type RunningPostgres, startPostgres } from "../toolchain/postgres.ts";
import { bringPulumi, type PulumiCli } from "../toolchain/pulumi/bring.ts";

export type CloudAddress = Omit<RunningEmulator, "close">;

/** What the demo runs on, started. */
export interface Ground {
  readonly pulumiCli: PulumiCli;
  readonly postgres: RunningPostgres;
  readonly cloud: CloudAddress;
  /** The demo's own folder with the state, the Pulumi home and the emulator's certificate. `stop` removes it. */
  readonly folder: string;
  /** The emulator's process. When it ends, every replica ends. */
  readonly cloudProcess: ChildProcess;
  /** Stops everything and returns what is left in spite of that, one line each. */
  readonly stop: () => Promise<readonly string[]>;
}

const root = path.join(import.meta.dirname, "..");

const origins: Readonly<Record<PulumiCli["how"], string>> = {
  path: "found on PATH",
  cache: "from the cache",
  installed: "installed now",
  built: "built now",
};

/**
 * Starts everything, and reports each part with one line.
 *
 * @throws demo-already-running if another demo uses the folder
 */
export async function bringGround(folder: string, report: (line: string) => void): Promise<Ground> {
  refuseSecond(folder);
  const pulumiCli = await bringPulumi({ report });
  report(`Pulumi CLI ${pulumiCli.version}, ${origins[pulumiCli.how]}`);
  fs.rmSync(folder, { recursive: true, force: true }); // a demo that was killed leaves it
  fs.mkdirSync(path.join(folder, "state"), { recursive: true });
  fs.writeFileSync(path.join(folder, "pid"), String(process.pid));
  const postgres = await startPostgres();
  report(`PostgreSQL 18 on 127.0.0.1:${postgres.port}`);
  try {
    const cloudProcess = spawn(process.execPath, [path.join(root, "emulator", "main.ts")], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    createInterface({ input: cloudProcess.stderr }).on("line", report);
    const cloud = await address(cloudProcess, {
      folder,
      images,
      postgres: { host: postgres.host, port: postgres.port, user: postgres.user, password: postgres.password },
    });
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), fs.readFileSync(cloud.caFile, "utf8")]);
    report(`emulator on 127.0.0.1:${cloud.port}; it replaces Azure, so no account is needed`);
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
    return { pulumiCli, postgres, cloud, folder, cloudProcess, stop };
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

/** Reports whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The folder and entry of each image. On the emulator a container is a process of these sources. */
export const images = {
  storefront: { folder: path.join(root, "examples", "storefront"), entry: "main.ts" },
  "control-plane": { folder: path.join(root, "controlplane"), entry: "main.ts" },
  "dead-mans-switch": { folder: path.join(root, "deadman"), entry: "main.ts" },
};

async function address(child: ChildProcess, options: object): Promise<CloudAddress> {
  child.stdin!.write(`${JSON.stringify(options)}\n`);
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line) as CloudAddress;
  throw new Error(`the emulator ended before it was ready, with exit code ${child.exitCode}`);
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
