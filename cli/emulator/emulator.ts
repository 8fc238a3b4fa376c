// `ballast local …`: the stand-in cloud for a person's own program and curiosity, as a process that outlives the shell it was started from.
// Starting and ending are here; its controls and its traffic have files of their own. What it stands in for is docs/evidence/emulator.md's.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { LocalCloudOptions } from "../../emulator/arm/resource.ts";
import { replaceFile } from "../../emulator/persistence/lines-file.ts";
import { BallastError } from "../../errors/catalogue.ts";
import {
  localImageUnclear,
  localNotUp,
  localResetUnasked,
  localStartFailed,
  localUpAlready,
} from "../../errors/cli.ts";
import { print, printJson } from "../terminal.ts";
import { type LocalClient, type LocalOptions, localClient, onFolder } from "./client.ts";
import { addClock, addFault } from "./controls.ts";
import {
  commandArguments,
  emptyFolder,
  fileIn,
  folderNamed,
  isKept,
  makeFolder,
  type Running,
  runsOn,
  standingOf,
} from "./folder.ts";
import { commandLine, guide, here } from "./lines.ts";
import type { Outcome, Wishes } from "./process.ts";
import { addStatus } from "./status.ts";
import { addTraffic } from "./traffic.ts";

type Images = LocalCloudOptions["images"];
const root = path.join(import.meta.dirname, "..", "..");
// What we are ourselves, sources or the JavaScript of the package, they are too.
const entry = `main${path.extname(import.meta.filename)}`;
const ownImages: Images = {
  storefront: { folder: path.join(root, "examples", "storefront"), entry },
  "control-plane": { folder: path.join(root, "controlplane"), entry },
  "dead-mans-switch": { folder: path.join(root, "deadman"), entry },
};
const startSeconds = 60;
const endSeconds = 20;
const logLinesShown = 20;

/** Adds the group of commands about the stand-in cloud. */
export function addLocal(program: Command): void {
  const group = program.command("local").description("run a stand-in for Azure on this machine and play with it");
  for (const add of [addUp, addDown, addStatus, addReset, addToken, addClock, addFault, addTraffic]) add(group);
}

const addUp = (group: Command): Command =>
  onFolder(group.command("up"))
    .description("start the stand-in cloud, or the one that is kept in the folder, and say how to use it")
    .option(
      "--port <number>",
      "where it listens on 127.0.0.1 (default: any that is free, and then always that one)",
      portNumber,
    )
    .option(
      "--image <name=folder:entry>",
      "a program that stands for an image; may be repeated, is remembered",
      (text: string, before: readonly string[]) => [...before, text],
      [] as readonly string[],
    )
    .option("--postgres", "start a PostgreSQL too, so that flexible servers work; its databases end with `down`")
    .addHelpText(
      "after",
      `
It stays up when this shell is closed. What is deployed to it is kept in the folder, whether it is stopped or killed.

Examples:
  ballast local up
  ballast local up --image shop=./services/shop:main.js --postgres
  ballast local up --folder /tmp/other --json | jq -r .environmentFile`,
    )
    .action(async (options: LocalOptions & { port?: number; image: readonly string[]; postgres?: boolean }) => {
      const folder = folderNamed(options.folder);
      const standing = standingOf(folder);
      if (standing.kind !== "down") throw localUpAlready({ folder, pid: standing.running.pid });
      const given = Object.fromEntries(options.image.map(parseImage));
      makeFolder(folder);
      const remembered: Images = { ...readImages(folder), ...given };
      await start(folder, {
        images: { ...ownImages, ...remembered },
        postgres: options.postgres ?? false,
        ...(options.port && { port: options.port }),
      });
      replaceFile(fileIn(folder, "images.json"), JSON.stringify(remembered));
      const client = await localClient(folder);
      if (options.json) return printJson(describe(client));
      if (standing.killed)
        print(
          `Process ${standing.killed.pid}, started ${standing.killed.startedAt.slice(0, 19)}Z, was killed; its cloud is taken up where it was.`,
        );
      print(
        `The stand-in cloud is up on 127.0.0.1:${client.cloud.port} (process ${client.running.pid}), kept in ${here(folder)}. Nothing of it is Azure.\n\n${guide(client)}`,
      );
    });

/** Gives everything that a program must know to use the cloud; secrets too, since the reader owns them. */
const describe = ({ folder, running, cloud, token }: LocalClient): object => ({
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
  throw new InvalidArgumentError("It is not a port from 1 to 65535.");
}

function parseImage(image: string): [string, Images[string]] {
  const [, name, named, entry] = /^([a-z0-9][a-z0-9._-]*)=(.+):([^:]+)$/.exec(image) ?? [];
  if (!name || !named || !entry)
    throw localImageUnclear({ image, reason: "it has not the form <name>=<folder>:<entry>" });
  const folder = path.resolve(named);
  if (!existsSync(path.join(folder, entry)))
    throw localImageUnclear({ image, reason: `there is no ${path.join(folder, entry)}` });
  return [name, { folder, entry }];
}

const readImages = (folder: string): Images =>
  existsSync(fileIn(folder, "images.json"))
    ? (JSON.parse(readFileSync(fileIn(folder, "images.json"), "utf8")) as Images)
    : {};

/** Starts the process and waits until it answers or says why not. It has no terminal and no pipe of ours, so that it can outlive us. */
async function start(folder: string, wishes: Wishes): Promise<void> {
  const log = openSync(fileIn(folder, "log"), "w", 0o600);
  const child = spawn(process.execPath, [...commandArguments(folder)], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  child.send(wishes, () => undefined); // One that has ended already says so by its exit.
  const { failed } = await outcomeOf(child);
  child.disconnect?.();
  child.unref();
  if (!failed) return;
  if (failed.error) throw new BallastError(failed.error.id, failed.error.message, failed.error.fix, failed.error.left);
  const words = readFileSync(fileIn(folder, "log"), "utf8").trimEnd().split("\n").slice(-logLinesShown).join("\n");
  throw localStartFailed({ words, log: here(fileIn(folder, "log")) });
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const given = new AbortController();
  const timer = setTimeout(() => given.abort(), startSeconds * 1000);
  try {
    const said = once(child, "message", { signal: given.signal }).then(([outcome]) => outcome as Outcome);
    return await Promise.race([
      said,
      once(child, "exit", { signal: given.signal }).then((): Outcome => ({ failed: {} })),
    ]);
  } catch {
    child.kill("SIGKILL");
    return { failed: {} };
  } finally {
    clearTimeout(timer);
  }
}

const addDown = (group: Command): Command =>
  onFolder(group.command("down"))
    .description("stop the stand-in cloud and everything that runs in it; what is deployed stays in the folder")
    .addHelpText("after", "\nExamples:\n  ballast local down\n  ballast local down --folder /tmp/other")
    .action(async ({ folder: named, json }: LocalOptions) => {
      const folder = folderNamed(named);
      const standing = standingOf(folder);
      if (standing.kind === "down") throw localNotUp({ folder, start: commandLine("local up") });
      await stop(folder, standing.running);
      if (json) return printJson({ stopped: true, pid: standing.running.pid, folder });
      print(
        `Process ${standing.running.pid} has ended, and everything that ran in it. The cloud is kept in ${here(folder)}.`,
      );
    });

/** Asks the process to end and waits for it; one that does not end is killed, and its keepers take down what ran in it. */
async function stop(folder: string, { pid }: Running): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (runsOn(pid, folder)) process.kill(pid, signal);
    for (const deadline = performance.now() + endSeconds * 1000; runsOn(pid, folder) && performance.now() < deadline; )
      await pause(50);
  }
}

const addReset = (group: Command): Command =>
  onFolder(group.command("reset"))
    .description("forget the stand-in cloud: stop it, and remove all that is kept of it")
    .option("--yes", "yes, forget everything")
    .addHelpText("after", "\nExamples:\n  ballast local reset --yes")
    .action(async ({ folder: named, json, yes }: LocalOptions & { yes?: boolean }) => {
      const folder = folderNamed(named);
      if (!yes) throw localResetUnasked({ folder });
      const standing = standingOf(folder);
      if (standing.kind !== "down") await stop(folder, standing.running);
      const forgotten = isKept(folder);
      emptyFolder(folder);
      if (json) return printJson({ forgotten, folder });
      print(
        forgotten
          ? `The cloud in ${here(folder)} is forgotten. Clients need the next one's authority and sign-in.`
          : `There was no cloud in ${here(folder)}.`,
      );
    });

const addToken = (group: Command): Command =>
  onFolder(group.command("token"))
    .description("print a token for Resource Manager and the stand-in's controls, good for an hour")
    .option(
      "--header",
      "as the header that a request needs, so that `curl -H @-` reads it and no process list shows it",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  ballast local token --header | curl --cacert .ballast-local/ca.pem -H @- https://127.0.0.1:<port>/_standin/requests",
    )
    .action(async ({ folder, json, header }: LocalOptions & { header?: boolean }) => {
      const { token } = await localClient(folder);
      if (json) return printJson({ token });
      print(header ? `Authorization: Bearer ${token}` : token);
    });
