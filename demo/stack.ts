// The stack `local`: its configuration, and the real Pulumi CLI that runs on it. The committed Pulumi.local.yaml is
// copied into the demo's folder and changed there, so that the clone and the user's own Pulumi home stay unchanged.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { type Ended, runChild } from "../toolchain/child.ts";
import type { Ground } from "./ground.ts";

/** The stack, and what can be done with it. */
export interface Stack {
  /**
   * Writes what another shell needs to use this stack into the folder's file `environment`, readable by its owner only.
   */
  readonly lend: (more: Readonly<Record<string, string>>) => void;
  /** Sets keys of the stack's configuration; a key without a value is removed. */
  readonly configure: (values: Readonly<Record<string, unknown>>) => void;
  /** Sets a secret: it is encrypted in the stack's file and never in a process's arguments. */
  readonly setSecret: (key: string, value: string) => void;
  /** Sets the environment variables that the storefront's replicas get from the next `up` on. */
  readonly setStorefront: (environment: Readonly<Record<string, string>>) => void;
  /** Runs a command of the Pulumi CLI that reads the stack's state and not its configuration. */
  readonly onState: (...args: readonly string[]) => Promise<Ended>;
  /** Runs the Pulumi CLI on the stack. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  readonly up: () => Promise<Ended>;
  readonly preview: (...args: readonly string[]) => Promise<Ended>;
  readonly destroy: () => Promise<Ended>;
  readonly outputs: () => Promise<Readonly<Record<string, string>>>;
}

type StackGround = Pick<Ground, "pulumiCli" | "postgres" | "cloud" | "folder">;

const root = path.join(import.meta.dirname, "..");

/** Creates the stack on a file backend in the ground's folder. `stop` interrupts an `up` as Ctrl-C does. */
export async function createStack(ground: StackGround, stop: AbortSignal): Promise<Stack> {
  const { folder } = ground;
  const file = path.join(folder, "Pulumi.local.yaml");
  for (const name of ["Pulumi.yaml", "Pulumi.local.yaml"])
    fs.copyFileSync(path.join(root, name), path.join(folder, name));
  const environment = environmentOf(ground);
  const all = { ...process.env, ...environment, ...ground.pulumiCli.environment, ...quiet };
  const run = (args: readonly string[], signal?: AbortSignal) =>
    runChild(ground.pulumiCli.command, [...args, "--non-interactive", "--color", "never"], {
      cwd: root,
      environment: all,
      ...(signal && { signal }),
    });
  const onStack = ["--stack", "local", "--config-file", file] as const;
  const pulumi: Stack["pulumi"] = (...args) => run([...args, ...onStack]);
  const onState: Stack["onState"] = (...args) => run([...args, "--stack", "local"]);
  // The Pulumi CLI rewrites the stack's file when it creates a stack, hence in the folder and not in the clone.
  const { code, output } = await run(["stack", "init", "local", "--cwd", folder]);
  if (code !== 0) throw new Error(`pulumi stack init failed: ${output}`);
  // A secret goes in by standard input, since arguments are visible in the process list.
  const setSecret: Stack["setSecret"] = (key, value) => {
    const { status, error, stderr } = spawnSync(
      ground.pulumiCli.command,
      ["config", "set", "--secret", key, ...onStack],
      {
        cwd: root,
        env: all,
        input: value,
        encoding: "utf8",
      },
    );
    if (status !== 0) throw new Error(`pulumi config set failed: ${error?.message ?? stderr}`);
  };
  setSecret("ballast:databasePassword", randomBytes(18).toString("base64url"));
  const configure: Stack["configure"] = (values) => change(file, values);
  configure({ "ballast:databasePort": ground.postgres.port });
  return {
    // The clone's own file of this stack has neither its secrets nor its ports.
    lend: (more) => lend(folder, { ...environment, BALLAST_CONFIG_FILE: file, ...more }),
    configure,
    setSecret,
    setStorefront: (storefront) => configure({ "ballast:storefrontEnvironment": storefront }),
    onState,
    pulumi,
    up: () => run(["up", "--yes", "--skip-preview", ...onStack], stop),
    preview: (...args) => pulumi("preview", ...args),
    destroy: () => pulumi("destroy", "--yes", "--skip-preview"),
    outputs: async () => JSON.parse((await onState("stack", "output", "--json")).output),
  };
}

/** Returns the variables that a process needs to reach the stack and the emulator. */
const environmentOf = ({ cloud, folder }: StackGround): Readonly<Record<string, string>> => ({
  ...cloud.environment,
  PULUMI_HOME: path.join(folder, "home"),
  PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: randomBytes(18).toString("base64url"),
});

/** Keeps the Pulumi CLI from looking for a newer version and from downloading plugins. */
const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

/** Sets keys in a stack's file. */
function change(file: string, values: Readonly<Record<string, unknown>>): void {
  const settings = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  Object.assign(settings.config, values);
  fs.writeFileSync(file, stringify(settings));
}

function lend(folder: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
  fs.writeFileSync(path.join(folder, "environment"), lines.join(""), { mode: 0o600 });
}
