// `ballast emulator` in a temporary folder, as a person uses it: each command runs in a shell that then ends. Also an
// app of two revisions to deploy to it, and a look at what listens on a port.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { eventually } from "../postgres/postgres.ts";
import { rawClient, webImage } from "./cloud.ts";

const launcher = path.join(import.meta.dirname, "..", "..", "..", "cli", "ballast.mjs");

/** The option that runs the test's own program for the image `web`. */
export const webOption = "--image web=./web:main.mjs";
/** The host of the deployed app. */
export const appHost = "shop.apps.westeurope.ballast.localhost";

/** What a command printed, and its exit code. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Matches the result of a command that fails, by its exit code and a part of its message. */
export const failedWith = (code: number, message: string | RegExp) => ({
  code,
  err: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
});

/** A deployed app of two revisions, the first with weight 80, the second with weight 20 and the label `canary`. */
export interface DeployedApp {
  readonly client: Awaited<ReturnType<typeof rawClient>>;
  readonly first: string;
  readonly second: string;
}

/** A temporary folder in which emulators are started. */
export interface EmulatorFolder {
  readonly folder: string;
  /** Runs a command line in a shell that then ends. */
  readonly shell: (line: string, environment?: NodeJS.ProcessEnv) => Promise<CommandResult>;
  /** Runs `ballast emulator` with these arguments. */
  readonly emulator: (words: string) => Promise<CommandResult>;
  /** Runs `ballast emulator` with --json, expects success, and gives the answer. */
  readonly asJson: (words: string) => Promise<any>;
  /** Gives the record of the process that runs on a folder. */
  readonly running: (of?: string) => any;
  readonly deploy: (of?: string) => Promise<DeployedApp>;
  /** Stops the emulators and removes the folder. */
  readonly remove: () => Promise<void>;
}

const defaultFolder = ".ballast-emulator";

/** Makes a temporary folder with the program of the image `web`. */
export function makeEmulatorFolder(): EmulatorFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-local-"));
  webImage(folder);
  const shell: EmulatorFolder["shell"] = async (line, environment = {}) => {
    const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
    return promisify(execFile)("/bin/sh", ["-c", line], {
      cwd: folder,
      env: { ...inherited, ...environment },
      maxBuffer: 32 * 1024 * 1024,
    }).then(
      ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        out: error.stdout,
        err: error.stderr,
      }),
    );
  };
  const emulator = (words: string): Promise<CommandResult> =>
    shell(`${process.execPath} ${launcher} emulator ${words}`);
  const running = (of = defaultFolder) => JSON.parse(readFileSync(path.join(folder, of, "running.json"), "utf8"));
  return {
    folder,
    shell,
    emulator,
    asJson: async (words) => {
      const { code, out, err } = await emulator(`${words} --json`);
      expect([code, err], `${words}: ${out}`).toEqual([0, ""]);
      return JSON.parse(out);
    },
    running,
    deploy: (of) => deployApp(running(of).cloud),
    remove: async () => {
      for (const name of readdirSync(folder))
        if (name === defaultFolder || name === "other") await emulator(`down --folder ${name}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function deployApp(cloud: Parameters<typeof rawClient>[0]): Promise<DeployedApp> {
  const client = await rawClient(cloud);
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  const app = `${group}/providers/Microsoft.App/containerApps/shop?api-version=2025-07-01`;
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/apps`;
  const location = "westeurope";
  await client.ask("PUT", `${group}?api-version=2024-03-01`, { location });
  await client.settle("PUT", `${environment}?api-version=2025-07-01`, { location, properties: {} });
  const put = async (word: string): Promise<string> => {
    await client.settle("PUT", app, {
      location,
      properties: {
        managedEnvironmentId: environment,
        template: {
          containers: [{ name: "web", image: "registry.example/web:1", env: [{ name: "WORD", value: word }] }],
          scale: { minReplicas: 1 },
        },
        configuration: {
          activeRevisionsMode: "Multiple",
          ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
        },
      },
    });
    return (await client.ask("GET", app)).body.properties.latestRevisionName;
  };
  const [first, second] = [await put("one"), await put("two")];
  const traffic = [
    { revisionName: first, weight: 80 },
    { revisionName: second, weight: 20, label: "canary" },
  ];
  await client.settle("PATCH", app, { properties: { configuration: { ingress: { traffic } } } });
  for (const revision of [first, second])
    await eventually(async () => {
      const address = `https://${revision}.apps.westeurope.ballast.localhost/`;
      return (await client.ask("GET", address).catch(() => undefined))?.status === 200;
    }, `an answer of ${revision}`);
  return { client, first, second };
}

/** Reports whether something listens on a port. */
export const isOpen = (port: number, host = "127.0.0.1"): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host, timeout: 2000 }, () => {
      socket.destroy();
      resolve(true);
    });
    socket
      .on("error", () => resolve(false))
      .on("timeout", () => {
        socket.destroy();
        resolve(false);
      });
  });
