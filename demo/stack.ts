// The stacks of the demo: their configurations, and the real Pulumi CLI that runs on them. The committed files of a
// stack are copied into the demo's folder and changed there, so that the clone and the user's own Pulumi home stay
// unchanged.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { type ChildOptions, type Ended, runChild } from "../toolchain/child.ts";
import type { Ground } from "./ground.ts";

/** A stack of a program, and what can be done with it. */
export interface ProgramStack {
  /** Sets keys of the stack's configuration; a key without a value is removed. */
  readonly configure: (values: Readonly<Record<string, unknown>>) => void;
  /** Sets a secret: it is encrypted in the stack's file and never in a process's arguments. */
  readonly setSecret: (key: string, value: string) => Promise<void>;
  /** Runs a command of the Pulumi CLI that reads the stack's state and not its configuration. */
  readonly onState: (...args: readonly string[]) => Promise<Ended>;
  /** Runs the Pulumi CLI on the stack. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  readonly up: (...args: readonly string[]) => Promise<Ended>;
  readonly preview: (...args: readonly string[]) => Promise<Ended>;
  /** Deletes everything, after an `up` that was interrupted has ended. `hurry` ends it early. */
  readonly destroy: (hurry?: AbortSignal) => Promise<Ended>;
  readonly outputs: () => Promise<Readonly<Record<string, string>>>;
  /** The variables that a process needs to reach the stack and the emulator. */
  readonly environment: Readonly<Record<string, string>>;
  /** The stack's configuration. */
  readonly file: string;
}

/** The stack `local` of the clone's own program. */
export interface Stack extends ProgramStack {
  /**
   * Writes what another shell needs to look at this stack into the folder's file `environment`, and gives the file.
   *
   * It holds the secrets of the emulator's client and of the stack, so only its owner can read it. It holds nothing
   * that only an update needs.
   */
  readonly lend: (more: Readonly<Record<string, string>>) => string;
  /** Sets the storefront of the next `up`: the variables of its replicas, and the image whose tag is `RELEASE`. */
  readonly setStorefront: (environment: Readonly<Record<string, string>>) => void;
}

/** A program, and the stack that is made of it. */
export interface Project {
  /** The folder of the program. */
  readonly program: string;
  readonly stack: string;
  /** The folder in which the stack's configuration is kept. It exists. */
  readonly folder: string;
}

type StackGround = Pick<Ground, "pulumiCli" | "postgres" | "cloud" | "folder">;

const root = path.join(import.meta.dirname, "..");

/** Shows that a command runs, until it has ended. */
type During = (command: string, running: Promise<Ended>) => Promise<Ended>;

/**
 * Creates the stack `local` of the clone's own program.
 *
 * @param stop interrupts an `up` as Ctrl-C does
 * @param during sees the commands that take long; default: nothing is shown
 */
export async function createStack(ground: StackGround, stop: AbortSignal, during?: During): Promise<Stack> {
  const { folder } = ground;
  const stack = await openStack(ground, { program: root, stack: "local", folder }, stop, during);
  const { configure, environment, file } = stack;
  await stack.setSecret("ballast:databasePassword", `Aa1-${randomBytes(18).toString("base64url")}`);
  configure({ "ballast:databasePort": ground.postgres.port });
  return {
    ...stack,
    // The clone's own file of this stack has neither its secrets nor its ports.
    lend: (more) => lend(folder, { ...forLooking(environment), BALLAST_CONFIG_FILE: file, ...more }),
    setStorefront: (storefront) =>
      configure({
        "ballast:storefrontEnvironment": storefront,
        "ballast:storefrontImage": `emulator.azurecr.io/storefront:${storefront["RELEASE"] ?? 1}`,
      }),
  };
}

/**
 * Creates a stack on a file backend in the ground's folder.
 *
 * @param stop interrupts an `up` as Ctrl-C does
 * @param during sees the commands that take long; default: nothing is shown
 */
export async function openStack(
  ground: Omit<StackGround, "postgres">,
  { program, stack: name, folder }: Project,
  stop: AbortSignal,
  during: During = (_command, running) => running,
): Promise<ProgramStack> {
  const file = path.join(folder, `Pulumi.${name}.yaml`);
  for (const each of ["Pulumi.yaml", path.basename(file)]) {
    const committed = path.join(program, each);
    if (fs.existsSync(committed)) fs.copyFileSync(committed, path.join(folder, each));
  }
  const environment = environmentOf(ground);
  const all = { ...process.env, ...environment, ...ground.pulumiCli.environment, ...quiet };
  const running = new Set<Promise<Ended>>();
  const run = (args: readonly string[], more: Pick<ChildOptions, "signal" | "graceSeconds" | "input"> = {}) => {
    const ended = runChild(ground.pulumiCli.command, [...args, "--non-interactive", "--color", "never"], {
      cwd: program,
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
  const onStack = ["--stack", name, "--config-file", file] as const;
  const pulumi: Stack["pulumi"] = (...args) => run([...args, ...onStack]);
  const onState: Stack["onState"] = (...args) => run([...args, "--stack", name]);
  // The Pulumi CLI rewrites the stack's file when it creates a stack, hence in the folder and not in the clone.
  const { code, output } = await run(["stack", "init", name, "--cwd", folder]);
  if (code !== 0) throw new Error(`pulumi stack init failed: ${output}`);
  return {
    environment,
    file,
    configure: (values) => change(file, values),
    setSecret: async (key, value) => {
      const set = await run(["config", "set", "--secret", key, ...onStack], { input: value });
      if (set.code !== 0) throw new Error(`pulumi config set failed: ${set.output}`);
    },
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
const slow = ["up", "preview", "refresh", "destroy"];

/** Returns the variables that a process needs to reach the stack and the emulator. */
const environmentOf = ({ cloud, folder }: Pick<StackGround, "cloud" | "folder">): Readonly<Record<string, string>> => ({
  ...cloud.environment,
  PULUMI_HOME: path.join(folder, "home"),
  PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: randomBytes(18).toString("base64url"),
});

/** Keeps the Pulumi CLI from looking for a newer version and from downloading plugins. */
const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

/** Sets keys in a stack's file. */
function change(file: string, values: Readonly<Record<string, unknown>>): void {
  const { config = {}, ...settings } = parse(fs.readFileSync(file, "utf8")) as { config?: Record<string, unknown> };
  fs.writeFileSync(file, stringify({ ...settings, config: { ...config, ...values } }));
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
