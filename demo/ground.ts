// Starts and stops what the demo runs on: the Pulumi CLI, PostgreSQL and the emulator. All their
// files are in one folder that git ignores.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import tls from "node:tls";
import type { RunningEmulator } from "../emulator/start.ts";
import { demoFolderForeign, demoRunning } from "../errors/demo.ts";
import { endChild } from "../toolchain/child.ts";
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
const emulatorEndSeconds = 20;

const origins: Readonly<Record<PulumiCli["how"], string>> = {
  path: "found on PATH",
  cache: "from the cache",
  installed: "installed now",
  built: "built now",
};

/**
 * Starts everything, and reports each part with one line. If a part does not start, nothing of the others is left.
 *
 * @param stop ends the search for the Pulumi CLI, which may be a build of minutes, and what follows; default: never
 * @throws demo-already-running if another demo uses the folder, demo-folder-foreign if other files are in it
 */
export async function bringGround(
  folder: string,
  report: (line: string) => void,
  stop: AbortSignal = new AbortController().signal,
): Promise<Ground> {
  refuseSecond(folder);
  const pulumiCli = await bringPulumi({ report, signal: stop });
  report(`Pulumi CLI ${pulumiCli.version}, ${origins[pulumiCli.how]}`);
  const ends: (() => unknown)[] = [];
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    ends.push(makeFolder(folder));
    stop.throwIfAborted();
    const postgres = await startPostgres();
    ends.push(postgres.stop);
    report(`PostgreSQL 18 on 127.0.0.1:${postgres.port}`);
    stop.throwIfAborted();
    const cloudProcess = startEmulator(report);
    // If it does not end in time it is killed; a keeper process then ends its replicas.
    ends.push(() => endChild(cloudProcess, { signal: "SIGTERM", graceSeconds: emulatorEndSeconds }));
    const cloud = await address(cloudProcess, {
      folder,
      images: { ...images, ...imagesOfStories },
      postgres: { host: postgres.host, port: postgres.port, user: postgres.user, password: postgres.password },
    });
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), fs.readFileSync(cloud.caFile, "utf8")]);
    report(`emulator on 127.0.0.1:${cloud.port}; it replaces Azure, so no account is needed`);
    return {
      pulumiCli,
      postgres,
      cloud,
      folder,
      cloudProcess,
      stop: async () => {
        await endAll();
        const ports = await Promise.all(
          [cloud.port, cloud.providerPort, postgres.port].map(async (port) =>
            (await isOpen(port)) ? [`port ${port} is still open`] : [],
          ),
        );
        return [...ports.flat(), ...(fs.existsSync(folder) ? [`${folder} is still there`] : [])];
      },
    };
  } catch (error) {
    await endAll();
    throw error;
  }
}

/**
 * Makes the demo's folder, readable by its owner only, and gives how to remove it.
 *
 * It holds secrets, so it goes even if the demo ends by an error that nothing caught.
 */
function makeFolder(folder: string): () => void {
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  remove(); // a demo that was killed leaves it
  process.once("exit", remove);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  fs.mkdirSync(path.join(folder, "state"));
  fs.writeFileSync(path.join(folder, "pid"), String(process.pid));
  return () => {
    process.off("exit", remove);
    remove();
  };
}

/**
 * Starts the emulator in a process group of its own: Ctrl-C in a terminal reaches every process of the demo's group,
 * and `pulumi destroy` needs the emulator after that. It ends with us in any case, since its standard input closes.
 */
function startEmulator(report: (line: string) => void): ChildProcess {
  const child = spawn(process.execPath, [path.join(root, "emulator", "main.ts")], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.on("error", () => undefined); // If it has ended already, its exit reports it.
  createInterface({ input: child.stderr }).on("line", report);
  return child;
}

function refuseSecond(folder: string): void {
  const file = path.join(folder, "pid");
  const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : 0;
  if (pid > 0 && isAlive(pid)) throw demoRunning({ folder, pid });
  if (pid === 0 && fs.existsSync(folder) && fs.readdirSync(folder).length > 0) throw demoFolderForeign({ folder });
}

/** Reports whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The images of the services that stories strike, and of the runbook that repairs one of them. */
const imagesOfStories = {
  service: { folder: path.join(root, "demo", "remediation"), entry: "service.ts" },
  "runbook-job": { folder: path.join(root, "examples", "runbook-job"), entry: "main.ts" },
};

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
