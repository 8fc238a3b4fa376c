// Compares the emulator of this checkout with that of another commit, in pairs of one run: `pulumi up` of the whole
// program, and requests through the ingress. The sides of a pair alternate in order, so that a slow phase of the
// machine hits both. Prints a table; no test asserts on it, because the numbers belong to a machine.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { markdownTable } from "../markdown-table.ts";
import { ratios, spreadOf } from "../performance/statistics.ts";
import type { Measured } from "./side.ts";

const help = `npm run bench:emulator -- [options]

  --before COMMIT    the other side (default: da06b17, before the emulator's second edition)
  --pairs NUMBER     pairs of each measurement (default: 5)
  --seconds NUMBER   length of each load (default: 20)
  --rate NUMBER      requests per second of each load (default: 1000)
  --only PART        measure only "load" or "up"`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean" },
    before: { type: "string", default: "da06b17" },
    pairs: { type: "string", default: "5" },
    seconds: { type: "string", default: "20" },
    rate: { type: "string", default: "1000" },
    only: { type: "string" },
  },
});

type Part = "load" | "up";
type Side = "before" | "after";

const root = join(import.meta.dirname, "..", "..");
const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
const report = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** Checks a commit out beside this clone, with this clone's packages. */
function checkOut(commit: string): { readonly folder: string; readonly remove: () => void } {
  const base = mkdtempSync(join(tmpdir(), "ballast-before-"));
  const folder = join(base, "clone");
  git("worktree", "add", "--detach", "--quiet", folder, commit);
  if (!existsSync(join(folder, "node_modules"))) symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    remove: () => {
      git("worktree", "remove", "--force", folder);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Measures one side in a process of its own, and gives what it printed last. */
async function measure(part: Part, folder: string): Promise<Measured> {
  const args = [join(import.meta.dirname, "side.ts"), part, folder, values.rate, values.seconds];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], cwd: folder });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`a side of "${part}" ended with ${code}`);
  return JSON.parse(printed.trim().split("\n").at(-1)!) as Measured;
}

async function pairsOf(part: Part, folders: Readonly<Record<Side, string>>): Promise<readonly string[][]> {
  const samples: Record<Side, Measured[]> = { before: [], after: [] };
  for (let pair = 0; pair < Number(values.pairs); pair++)
    for (const side of (pair % 2 === 0 ? ["before", "after"] : ["after", "before"]) as readonly Side[]) {
      const measured = await measure(part, folders[side]);
      report(`${part}, pair ${pair + 1}, ${side}: ${JSON.stringify(measured)}`);
      samples[side].push(measured);
    }
  return Object.keys(samples.after[0]!).map((name) => {
    const of = (side: Side): readonly number[] => samples[side].map((each) => each[name]!);
    const text = (side: Side): string => spreadOf(of(side)).median.toFixed(2);
    const { median, low, high } = ratios(of("after"), of("before"));
    const ratio = Number.isFinite(median) ? `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})` : "";
    return [`${part}: ${name}`, text("before"), text("after"), ratio];
  });
}

if (values.help) process.stdout.write(`${help}\n`);
else {
  const before = checkOut(values.before);
  try {
    const parts = (["load", "up"] as const).filter((part) => values.only === undefined || values.only === part);
    const rows: string[][] = [];
    for (const part of parts) rows.push(...(await pairsOf(part, { before: before.folder, after: root })));
    const header = ["median of", `before (${git("rev-parse", "--short", values.before)})`, "after", "after / before"];
    process.stdout.write(`${markdownTable(header, rows)}\n`);
  } finally {
    before.remove();
  }
}
