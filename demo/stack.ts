// The stack `local`: its configuration, and the real `pulumi` run on it. The committed Pulumi.local.yaml is copied into the
// demo's folder and changed there, so that neither the clone nor the user's own Pulumi home is touched.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { type Ended, runChild } from "../toolchain/child.ts";
import type { Ground } from "./ground.ts";

export interface Stack {
  /** Writes what another shell needs to look at this stack into the folder's `environment`, for its owner's eyes alone. */
  readonly lend: (more: Readonly<Record<string, string>>) => void;
  /** Sets keys of the stack's configuration; a key without a value is taken out. */
  readonly configure: (values: Readonly<Record<string, unknown>>) => void;
  /** Sets a key whose value is a secret: encrypted in the stack's file, and in no process list on its way there. */
  readonly setSecret: (key: string, value: string) => void;
  /** Says what the storefront's replicas get as their environment from the next `up` on. */
  readonly setStorefront: (environment: Readonly<Record<string, string>>) => void;
  /** Runs a command of the engine that reads the stack's state and not its configuration. */
  readonly onState: (...args: readonly string[]) => Promise<Ended>;
  /** Runs the engine on the stack. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  readonly up: () => Promise<Ended>;
  readonly preview: (...args: readonly string[]) => Promise<Ended>;
  readonly destroy: () => Promise<Ended>;
  readonly outputs: () => Promise<Readonly<Record<string, string>>>;
}

const root = path.join(import.meta.dirname, "..");

/** Creates the stack on a file backend in the ground's folder. `stop` interrupts an update as Ctrl-C does, so that the state stays whole. */
export async function createStack(
  ground: Pick<Ground, "engine" | "postgres" | "cloud" | "folder">,
  stop: AbortSignal,
): Promise<Stack> {
  const file = path.join(ground.folder, "Pulumi.local.yaml");
  for (const name of ["Pulumi.yaml", "Pulumi.local.yaml"])
    fs.copyFileSync(path.join(root, name), path.join(ground.folder, name));
  const environment = {
    ...process.env,
    ...ground.cloud.environment,
    ...ground.engine.environment,
    PULUMI_HOME: path.join(ground.folder, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(ground.folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: randomBytes(18).toString("base64url"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const run = (args: readonly string[], signal?: AbortSignal) =>
    runChild(ground.engine.command, [...args, "--non-interactive", "--color", "never"], {
      cwd: root,
      environment,
      ...(signal && { signal }),
    });
  const onStack = ["--stack", "local", "--config-file", file] as const;
  const pulumi: Stack["pulumi"] = (...args) => run([...args, ...onStack]);
  const onState: Stack["onState"] = (...args) => run([...args, "--stack", "local"]);
  const must = async (...args: readonly string[]) => {
    const { code, output } = await run(args);
    if (code !== 0) throw new Error(`pulumi ${args.slice(0, 2).join(" ")} failed: ${output}`);
    return output;
  };
  // Where a stack is created, the engine writes its file anew: hence in the folder, not in the clone.
  await must("stack", "init", "local", "--cwd", ground.folder);
  // Secrets go in by standard input: arguments stand in the process list.
  const setSecret: Stack["setSecret"] = (key, value) => {
    const { status, error, stderr } = spawnSync(ground.engine.command, ["config", "set", "--secret", key, ...onStack], {
      cwd: root,
      env: environment,
      input: value,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`pulumi config set failed: ${error?.message ?? stderr}`);
  };
  setSecret("ballast:databasePassword", randomBytes(18).toString("base64url"));
  const configure: Stack["configure"] = (values) => {
    const settings = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    Object.assign(settings.config, values);
    fs.writeFileSync(file, stringify(settings));
  };
  configure({ "ballast:databasePort": ground.postgres.port });
  const address = {
    ...ground.cloud.environment,
    PULUMI_HOME: environment.PULUMI_HOME,
    PULUMI_BACKEND_URL: environment.PULUMI_BACKEND_URL,
    PULUMI_CONFIG_PASSPHRASE: environment.PULUMI_CONFIG_PASSPHRASE,
  };
  return {
    lend: (more) => {
      const lines = Object.entries({ ...address, ...more }).map(([name, value]) => `export ${name}='${value}'\n`);
      fs.writeFileSync(path.join(ground.folder, "environment"), lines.join(""), { mode: 0o600 });
    },
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
