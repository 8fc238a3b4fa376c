// `ballast emulator …`: runs the emulator for people's own programs, as a process that outlives the shell it was
// started from. Starting and stopping are here; controls, status and traffic have files of their own.
// docs/evidence/emulator.md describes what the emulator can do.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { EmulatorOptions } from "../../emulator/arm/resource.ts";
import { replaceFile } from "../../emulator/persistence/lines-file.ts";
import { BallastError } from "../../errors/catalogue.ts";
import {
  emulatorImageUnclear,
  emulatorNotUp,
  emulatorResetUnasked,
  emulatorStartFailed,
  emulatorUpAlready,
} from "../../errors/cli.ts";
import { whileRunning } from "../still-running.ts";
import { print, printJson } from "../terminal.ts";
import { type EmulatorClient, emulatorClient, type FolderOptions, withFolderOptions } from "./client.ts";
import { addClock, addFault } from "./controls.ts";
import {
  commandArguments,
  emptyFolder,
  fileIn,
  folderNamed,
  folderStateOf,
  isKept,
  makeFolder,
  type Running,
  runsOn,
} from "./folder.ts";
import { guide, here, upCommandLine } from "./lines.ts";
import type { StartOutcome, StartRequest } from "./process.ts";
import { addStatus } from "./status.ts";
import { addTraffic } from "./traffic.ts";

type Images = EmulatorOptions["images"];
const root = path.join(import.meta.dirname, "..", "..");
// From sources the images run sources too; in the package both are JavaScript.
const ownEntry = `main${path.extname(import.meta.filename)}`;
const ownImages: Images = {
  storefront: { folder: path.join(root, "examples", "storefront"), entry: ownEntry },
  "control-plane": { folder: path.join(root, "controlplane"), entry: ownEntry },
  "dead-mans-switch": { folder: path.join(root, "deadman"), entry: ownEntry },
};
const startSeconds = 60;
const endSeconds = 20;
const logLinesShown = 20;

/** Adds the group of commands about the emulator. */
export function addEmulator(program: Command): void {
  const group = program.command("emulator").description("run an emulator of Azure on this machine");
  for (const add of [addUp, addDown, addStatus, addReset, addToken, addClock, addFault, addTraffic]) add(group);
}

interface UpOptions extends FolderOptions {
  readonly port?: number;
  readonly image?: readonly string[];
  readonly postgres?: boolean;
}

const addUp = (group: Command): Command =>
  withFolderOptions(group.command("up"))
    .description("start the emulator, with its saved state if there is one, and print how to use it")
    .option("--port <number>", "port on 127.0.0.1 (default: any free one, the same on later starts)", portNumber)
    .option(
      "--image <name=folder:entry>",
      "program to run for an image; may be repeated, and is remembered",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option("--postgres", "also start PostgreSQL for flexible servers that are deployed; `down` deletes its databases")
    .addHelpText(
      "after",
      `
The emulator keeps running when this shell is closed. What is deployed to it is saved in the folder, and survives a stop
or a crash.

Examples:
  ballast emulator up
  ballast emulator up --image shop=./services/shop:main.js --postgres
  ballast emulator up --folder /tmp/other --json | jq -r .environmentFile`,
    )
    .action(up);

async function up(options: UpOptions): Promise<void> {
  const folder = folderNamed(options.folder);
  const state = folderStateOf(folder);
  if (state.kind !== "down") throw emulatorUpAlready({ folder, pid: state.running.pid });
  const given = Object.fromEntries((options.image ?? []).map(parseImage));
  makeFolder(folder);
  const remembered: Images = { ...readImages(folder), ...given };
  await start(folder, {
    images: { ...ownImages, ...remembered },
    postgres: options.postgres ?? false,
    ...(options.port && { port: options.port }),
  });
  replaceFile(fileIn(folder, "images.json"), JSON.stringify(remembered));
  const client = await emulatorClient(folder);
  if (options.json) return printJson(describe(client));
  if (state.killed) {
    const { pid, startedAt } = state.killed;
    print(`Process ${pid}, started ${startedAt.slice(0, 19)}Z, was killed. Its saved state is restored.`);
  }
  const { cloud, running } = client;
  print(
    `The emulator is up on 127.0.0.1:${cloud.port} (process ${running.pid}). Its state is saved in ${here(folder)}.`,
  );
  print(`\n${guide(client)}`);
}

/** Gives everything that a program needs to use the emulator, its secrets included, since they belong to the caller. */
const describe = ({ folder, running, cloud, token }: EmulatorClient): object => ({
  folder,
  pid: running.pid,
  startedAt: running.startedAt,
  port: cloud.port,
  endpoints: {
    resourceManager: `https://127.0.0.1:${cloud.port}`,
    login: `https://127.0.0.1:${cloud.port}`,
    logs: `https://127.0.0.1:${cloud.port}`,
    names: {
      resourceManager: `https://management.${cloud.suffix}`,
      login: `https://login.${cloud.suffix}`,
      logs: `https://api.loganalytics.${cloud.suffix}`,
    },
  },
  ingress: { address: `127.0.0.1:${cloud.port}`, hosts: `<app>.<environment>.westeurope.${cloud.suffix}` },
  caFile: cloud.caFile,
  environmentFile: fileIn(folder, "environment"),
  environment: cloud.environment,
  subscription: cloud.subscription,
  tenant: cloud.tenant,
  client: cloud.client,
  token,
  postgres: running.postgres ?? null,
});

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError("Expected a port from 1 to 65535.");
}

function parseImage(image: string): [string, Images[string]] {
  const [, name, named, entry] = /^([a-z0-9][a-z0-9._-]*)=(.+):([^:]+)$/.exec(image) ?? [];
  if (!name || !named || !entry)
    throw emulatorImageUnclear({ image, reason: "it does not have the form <name>=<folder>:<entry>" });
  const folder = path.resolve(named);
  if (!existsSync(path.join(folder, entry)))
    throw emulatorImageUnclear({ image, reason: `${path.join(folder, entry)} does not exist` });
  return [name, { folder, entry }];
}

const readImages = (folder: string): Images =>
  existsSync(fileIn(folder, "images.json"))
    ? (JSON.parse(readFileSync(fileIn(folder, "images.json"), "utf8")) as Images)
    : {};

/**
 * Starts the process, and waits until it is ready or reports an error.
 *
 * It shares no terminal or pipe, so it can outlive us.
 */
async function start(folder: string, request: StartRequest): Promise<void> {
  const log = openSync(fileIn(folder, "log"), "w", 0o600);
  const child = spawn(process.execPath, [...commandArguments(folder)], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  child.send(request, () => undefined); // If the process has already ended, its exit reports it.
  const { failed } = await whileRunning(
    () => "starting the emulator",
    () => outcomeOf(child),
  );
  child.disconnect?.();
  child.unref();
  if (!failed) return;
  if (failed.error) throw new BallastError(failed.error);
  const output = readFileSync(fileIn(folder, "log"), "utf8").trimEnd().split("\n").slice(-logLinesShown).join("\n");
  throw emulatorStartFailed({ output, log: here(fileIn(folder, "log")) });
}

async function outcomeOf(child: ChildProcess): Promise<StartOutcome> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), startSeconds * 1000);
  try {
    return await Promise.race([
      once(child, "message", { signal: timeout.signal }).then(([outcome]) => outcome as StartOutcome),
      once(child, "exit", { signal: timeout.signal }).then((): StartOutcome => ({ failed: {} })),
    ]);
  } catch {
    child.kill("SIGKILL");
    return { failed: {} };
  } finally {
    clearTimeout(timer);
  }
}

const addDown = (group: Command): Command =>
  withFolderOptions(group.command("down"))
    .description("stop the emulator and everything that runs in it; what is deployed stays saved")
    .addHelpText("after", "\nExamples:\n  ballast emulator down\n  ballast emulator down --folder /tmp/other")
    .action(async ({ folder: named, json }: FolderOptions) => {
      const folder = folderNamed(named);
      const state = folderStateOf(folder);
      if (state.kind === "down") throw emulatorNotUp({ folder, start: upCommandLine(named) });
      const { pid } = state.running;
      await stop(folder, state.running);
      if (json) return printJson({ stopped: true, pid, folder });
      print(
        `Stopped the emulator (process ${pid}) and everything that ran in it. Its state is saved in ${here(folder)}.`,
      );
    });

/** Stops the process. One that does not end in time is killed; its keeper processes then stop what ran in it. */
async function stop(folder: string, { pid }: Running): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (runsOn(pid, folder)) process.kill(pid, signal);
    for (const deadline = performance.now() + endSeconds * 1000; runsOn(pid, folder) && performance.now() < deadline; )
      await pause(50);
  }
}

const addReset = (group: Command): Command =>
  withFolderOptions(group.command("reset"))
    .description("stop the emulator and delete its saved state")
    .option("--yes", "confirm the deletion")
    .addHelpText("after", "\nExamples:\n  ballast emulator reset --yes")
    .action(async ({ folder: named, json, yes }: FolderOptions & { yes?: boolean }) => {
      const folder = folderNamed(named);
      if (!yes) throw emulatorResetUnasked({ folder });
      const state = folderStateOf(folder);
      if (state.kind !== "down") await stop(folder, state.running);
      const forgotten = isKept(folder);
      emptyFolder(folder);
      if (json) return printJson({ forgotten, folder });
      print(
        forgotten
          ? `Deleted the emulator in ${here(folder)}. The next one has new certificates and credentials.`
          : `There was no emulator in ${here(folder)}.`,
      );
    });

const addToken = (group: Command): Command =>
  withFolderOptions(group.command("token"))
    .description("print a token for Resource Manager and the emulator's controls, valid for an hour")
    .option("--header", "print it as an HTTP header; `curl -H @-` reads that without showing it in the process list")
    .addHelpText(
      "after",
      `
Examples:
  ballast emulator token --header |
    curl --cacert .ballast-emulator/ca.pem -H @- https://127.0.0.1:<port>/_emulator/requests`,
    )
    .action(async ({ folder, json, header }: FolderOptions & { header?: boolean }) => {
      const { token } = await emulatorClient(folder);
      if (json) return printJson({ token });
      print(header ? `Authorization: Bearer ${token}` : token);
    });
