// A program in a temporary folder, run by the real Pulumi CLI on a file backend of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";

const root = join(import.meta.dirname, "..", "..", "..");

export interface Run {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** A program: the name of its project, the name and the text of its file, and further fields of its `Pulumi.yaml`. */
export interface ProgramText {
  readonly project: string;
  readonly file: string;
  readonly text: string;
  readonly options?: object;
}

export interface PulumiProgram extends Disposable {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Writes the program anew. */
  readonly rewrite: (text: string) => void;
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
export async function pulumiProgram(
  { project, file, text, options }: ProgramText,
  environment: NodeJS.ProcessEnv,
): Promise<PulumiProgram> {
  const pulumiCli = await bringPulumi();
  const folder = mkdtempSync(join(tmpdir(), `ballast-${project}-`));
  for (const name of ["state", "home"]) mkdirSync(join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), `{ "name": "${project}", "private": true, "type": "module" }`);
  const rewrite = (program: string): void => writeFileSync(join(folder, file), program);
  rewrite(text);
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    JSON.stringify({
      name: project,
      runtime: { name: "nodejs", options: { typescript: false } },
      main: file,
      plugins: { providers: [{ name: "ballast", path: join(root, "provider") }] },
      ...(options && { options }),
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
    rewrite,
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
    state: (stack) => readFileSync(join(folder, "state", ".pulumi", "stacks", project, `${stack}.json`), "utf8"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
