// Measures `pulumi preview` of the whole, unchanged program on the emulator in four variants: as it is, with
// azure-native imported whole, with stack traces translated by the SDK, and without the refresh that the project
// configures. The variants take turns on one deployed stack.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bringGround } from "../../demo/ground.ts";
import { createStack, type Stack } from "../../demo/stack.ts";
import { takeTurns } from "./turns.ts";

/** The variants: as it is, with azure-native imported whole, with stack traces translated, and without a refresh. */
export const arms = ["ours", "whole", "translated", "unrefreshed"] as const;
export type Arm = (typeof arms)[number];

/** One preview in milliseconds: the whole, until the program's process began, and that process's run time. */
export interface Preview {
  readonly all: number;
  readonly before: number;
  readonly program: number;
}

export type Previews = Readonly<Record<Arm, readonly Preview[]>>;

/** The results of the preview benchmark, and the version of the Pulumi CLI. */
export interface Previewed {
  readonly pulumiCli: string;
  readonly previews: Previews;
}

/** Deploys the program and previews it for a number of rounds. */
export async function measurePreview(rounds: number, report: (line: string) => void): Promise<Previewed> {
  const parent = mkdtempSync(path.join(tmpdir(), "ballast-preview-"));
  const ground = await bringGround(path.join(parent, "ground"), report);
  const { NODE_OPTIONS: before } = process.env;
  const leave = (): void => rmSync(parent, { recursive: true, force: true });
  process.once("exit", leave);
  try {
    Object.assign(process.env, {
      NODE_OPTIONS: `${before ?? ""} --import=${path.join(import.meta.dirname, "preview-hook.mjs")}`.trim(),
      BALLAST_BENCH_PREVIEW: parent,
    });
    writeFileSync(path.join(parent, "arm"), "ours");
    const stack = await createStack(ground, new AbortController().signal);
    // The second update records the traffic of the first release in the state.
    for (const line of ["Deploying the program", "Updating the program"]) {
      report(line);
      const { code, output } = await stack.up();
      if (code !== 0) throw new Error(`An update failed: ${output}`);
    }
    const measure = (arm: Arm): Promise<Preview> => oneOf(stack, parent, arm);
    const previews = await takeTurns(arms, rounds, measure, (round) => report(`Previews, ${round}`));
    return { pulumiCli: ground.pulumiCli.version, previews };
  } finally {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
    delete process.env["BALLAST_BENCH_PREVIEW"];
    await ground.stop();
    process.off("exit", leave);
    leave();
  }
}

async function oneOf(stack: Stack, folder: string, arm: Arm): Promise<Preview> {
  writeFileSync(path.join(folder, "arm"), arm);
  writeFileSync(path.join(folder, "programs"), "");
  const began = Date.now();
  const counted = performance.now();
  const { code, output } = await stack.preview(
    "--expect-no-changes",
    ...(arm === "unrefreshed" ? ["--refresh=false"] : []),
  );
  const all = performance.now() - counted;
  if (code !== 0) throw new Error(`A preview failed: ${output}`);
  const [program] = readFileSync(path.join(folder, "programs"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { readonly began: number; readonly ended: number });
  if (program === undefined) throw new Error("The program did not record its times.");
  return { all, before: program.began - began, program: program.ended - program.began };
}
