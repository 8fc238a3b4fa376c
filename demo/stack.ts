// The stack `local`: its configuration, and the real Pulumi CLI that runs on it. The committed Pulumi.local.yaml is
// copied into the demo's folder and changed there, so that the clone and the user's own Pulumi home stay unchanged.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { type ChildOptions, type Ended, runChild } from "../toolchain/child.ts";
import type { Ground } from "./ground.ts";

/** The stack, and what can be done with it. */
export interface Stack {
  /**
   * Writes what another shell needs to look at this stack into the folder's file `environment`, and gives the file.
   *
   * It holds the secrets of the emulator's client and of the stack, so only its owner can read it. It holds nothing
   * that only an update needs.
   */
  readonly lend: (more: Readonly<Record<string, string>>) => string;
  /** Sets keys of the stack's configuration; a key without a value is removed. */
  readonly configure: (values: Readonly<Record<string, unknown>>) => void;
  /** Sets a secret: it is encrypted in the stack's file and never in a process's arguments. */
  readonly setSecret: (key: string, value: string) => Promise<void>;
  /** Sets the storefront of the next `up`: the variables of its replicas, and the image whose tag is `RELEASE`. */
  readonly setStorefront: (environment: Readonly<Record<string, string>>) => void;
  /** Runs a command of the Pulumi CLI that reads the stack's state and not its configuration. */
  readonly onState: (...args: readonly string[]) => Promise<Ended>;
  /** Runs the Pulumi CLI on the stack. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  readonly up: (...args: readonly string[]) => Promise<Ended>;
  readonly preview: (...args: readonly string[]) => Promise<Ended>;
  /** Deletes everything, after an `up` that was interrupted has ended. `hurry` ends it early. */
  readonly destroy: (hurry?: AbortSignal) => Promise<Ended>;
  readonly outputs: () => Promise<Readonly<Record<string, string>>>;
}

type StackGround = Pick<Ground, "pulumiCli" | "postgres" | "cloud" | "folder">;

const root = path.join(import.meta.dirname, "..");

/** Shows that a command runs, until it has ended. */
type During = (command: string, running: Promise<Ended>) => Promise<Ended>;

/**
 * Creates the stack on a file backend in the ground's folder.
 *
 * @param stop interrupts an `up` as Ctrl-C does
 * @param during sees the commands that take long; default: nothing is shown
 */
export async function createStack(
  ground: StackGround,
  stop: AbortSignal,
  during: During = (_command, running) => running,
): Promise<Stack> {
  const { folder } = ground;
  const file = path.join(folder, "Pulumi.local.yaml");
  for (const name of ["Pulumi.yaml", "Pulumi.local.yaml"])
    fs.copyFileSync(path.join(root, name), path.join(folder, name));
  const environment = environmentOf(ground);
  const all = { ...process.env, ...environment, ...ground.pulumiCli.environment, ...quiet };
  const running = new Set<Promise<Ended>>();
  const run = (args: readonly string[], more: Pick<ChildOptions, "signal" | "graceSeconds" | "input"> = {}) => {
    const ended = runChild(ground.pulumiCli.command, [...args, "--non-interactive", "--color", "never"], {
      cwd: root,
      environment: all,
      ...more,
    });
    running.add(ended);
    const [command = ""] = args;
    const seen = slow.includes(command) ? during(`pulumi ${command}`, ended) : ended;
    return seen.finally(() => running.delete(ended));
  };
  let isKilled = false;
  const up: Stack["up"] = async (...args) => {
    const ended = await run(["up", "--yes", "--skip-preview", ...args, ...onStack], { signal: stop });
    isKilled ||= ended.code === 130;
    return ended;
  };
  const onStack = ["--stack", "local", "--config-file", file] as const;
  const pulumi: Stack["pulumi"] = (...args) => run([...args, ...onStack]);
  const onState: Stack["onState"] = (...args) => run([...args, "--stack", "local"]);
  // The Pulumi CLI rewrites the stack's file when it creates a stack, hence in the folder and not in the clone.
  const { code, output } = await run(["stack", "init", "local", "--cwd", folder]);
  if (code !== 0) throw new Error(`pulumi stack init failed: ${output}`);
  const setSecret: Stack["setSecret"] = async (key, value) => {
    const set = await run(["config", "set", "--secret", key, ...onStack], { input: value });
    if (set.code !== 0) throw new Error(`pulumi config set failed: ${set.output}`);
  };
  await setSecret("ballast:databasePassword", `Aa1-${randomBytes(18).toString("base64url")}`);
  const configure: Stack["configure"] = (values) => change(file, values);
  configure({ "ballast:databasePort": ground.postgres.port });
  return {
    // The clone's own file of this stack has neither its secrets nor its ports.
    lend: (more) => lend(folder, { ...forLooking(environment), BALLAST_CONFIG_FILE: file, ...more }),
    configure,
    setSecret,
    setStorefront: (storefront) =>
      configure({
        "ballast:storefrontEnvironment": storefront,
        "ballast:storefrontImage": `emulator.azurecr.io/storefront:${storefront["RELEASE"] ?? 1}`,
      }),
    onState,
    pulumi,
    up,
    preview: (...args) => pulumi("preview", ...args),
    destroy: async (hurry) => {
      await Promise.all(running);
      // A Pulumi CLI that was killed leaves its lock on the stack.
      if (isKilled) await onState("cancel", "--yes");
      return run(["destroy", "--yes", "--skip-preview", ...onStack], {
        ...(hurry && { signal: hurry, graceSeconds: 2 }),
      });
    },
    outputs: async () => JSON.parse((await onState("stack", "output", "--json")).output),
  };
}

/** The commands that take seconds. */
const slow = ["up", "preview", "destroy"];

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

/** Returns the variables without those of an update: the provider's address, and its own names for the sign-in. */
const forLooking = (environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(ARM_|PULUMI_DEBUG_PROVIDERS$)/.test(name)));

/** Writes variables into the folder's file `environment`, for its owner only, and gives the file. */
export function lend(folder: string, variables: Readonly<Record<string, string>>): string {
  const file = path.join(folder, "environment");
  const lines = Object.entries(variables).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`,
  );
  fs.rmSync(file, { force: true }); // The mode counts only for a file that is made.
  fs.writeFileSync(file, lines.join(""), { mode: 0o600 });
  return file;
}
