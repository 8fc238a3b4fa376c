// A program with one release in a temporary folder, run by the real Pulumi CLI on a file backend of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindAudience } from "../../../bind-audience.ts";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";

const root = join(import.meta.dirname, "..", "..", "..");

const program = `
import * as pulumi from "@pulumi/pulumi";
class Release extends pulumi.CustomResource {
  constructor(name, args) {
    super("ballast:index:Release", name, { result: undefined, reason: undefined, message: undefined, ...args });
  }
}
const config = new pulumi.Config();
const inputs = config.requireObject("release");
const endpoint = config.getBoolean("secret") ? pulumi.secret(inputs.endpoint) : inputs.endpoint;
const release = new Release("storefront", { ...inputs, endpoint });
export const { result, message } = release;
export const controlPlaneEndpoint = inputs.endpoint;
export const controlPlaneAudience = inputs.audience ?? "api://ballast";
export const controlPlaneBinding = config.get("binding");
`;

export interface Run {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

export interface ReleaseProgram extends Disposable {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Writes the stack's configuration: the release's inputs, and whether its endpoint is a secret. */
  readonly configure: (stack: string, inputs: Readonly<Record<string, unknown>>, secret?: boolean) => void;
  /** Runs the Pulumi CLI to its end. `watch` gets the output so far, each time it grows. */
  readonly run: (
    stack: string,
    args: readonly string[],
    watch?: (output: string, pulumiCli: ChildProcess) => void,
  ) => Promise<Run>;
  /** Returns the stack's state file. */
  readonly state: (stack: string) => string;
}

/** Writes the program. Disposing of it removes everything. */
export async function releaseProgram(environment: NodeJS.ProcessEnv): Promise<ReleaseProgram> {
  const pulumiCli = await bringPulumi();
  const folder = mkdtempSync(join(tmpdir(), "ballast-release-"));
  for (const name of ["state", "home"]) mkdirSync(join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "name": "releases", "private": true, "type": "module" }');
  writeFileSync(join(folder, "index.js"), program);
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    JSON.stringify({
      name: "releases",
      runtime: { name: "nodejs", options: { typescript: false } },
      main: "index.js",
      options: { refresh: "always" },
      plugins: { providers: [{ name: "ballast", path: join(root, "provider") }] },
    }),
  );
  const surroundings = {
    ...process.env,
    ...pulumiCli.environment,
    ...environment,
    PULUMI_HOME: join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  return {
    folder,
    environment: surroundings,
    configure: (stack, inputs, secret = false) =>
      writeFileSync(
        join(folder, `Pulumi.${stack}.yaml`),
        JSON.stringify({
          config: {
            "releases:release": inputs,
            "releases:secret": String(secret),
            "releases:binding": bindAudience(String(inputs["endpoint"]), String(inputs["audience"] ?? "api://ballast")),
          },
        }),
      ),
    run: async (stack, args, watch) => {
      const startedAt = Date.now();
      const child = spawn(pulumiCli.command, [...args, "--stack", stack, "--non-interactive"], {
        cwd: folder,
        env: surroundings,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (bytes: Buffer) => {
          output += String(bytes);
          watch?.(output, child);
        });
      }
      const [code] = (await once(child, "close")) as [number | null];
      return { code: code ?? -1, output, seconds: (Date.now() - startedAt) / 1000 };
    },
    state: (stack) => readFileSync(join(folder, "state", ".pulumi", "stacks", "releases", `${stack}.json`), "utf8"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
