// `npm run bench:judge`: plays all cells on all cores and prints what came of it; a whole run writes docs/evidence/judge.md, its plots, and the raw
// counts in results.json. What is played and how it is judged is said elsewhere in this folder.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { alone, cost } from "./alone.ts";
import { type Cell, publishedCells, readCells } from "./cells.ts";
import type { Played } from "./contest.ts";
import { contestants, others, ours } from "./contestants.ts";
import { page, type Results, shortTable } from "./page.ts";
import { plots } from "./plot.ts";
import { horizonMinutes } from "./tracks.ts";
import type { Job } from "./worker.ts";

const wholeRuns = 1_000;
const quickRuns = 100;
const help = `npm run bench:judge -- [options]

Without options: ${wholeRuns} runs of each published cell, and docs/evidence/judge.md, docs/plots and bench/judge/results.json are written.
With any option but --seed the outcome is printed and nothing is written.

  --quick                ${quickRuns} runs a cell: the shape, in two minutes
  --runs N               so many runs a cell
  --seed N               run i has seed N + i (1)
  --cells FILE           cells of your own, in the form of bench/judge/cells/*.json: a fault, a noise or a load that nobody has tried
  --contestants A,B      only these: ${contestants.map(({ name }) => name).join(", ")};
                         and, only when named: ${others.map(({ name }) => name).join(", ")}
  --json                 the raw counts instead of tables`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean" },
    quick: { type: "boolean" },
    runs: { type: "string" },
    seed: { type: "string" },
    cells: { type: "string" },
    contestants: { type: "string" },
    json: { type: "boolean" },
  },
});

/** Reads a whole number of an option. */
function wholeNumber(option: string, value: string, least: number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`--${option} is ${value}; it is a whole number, ${least} or more.`);
  return number;
}

function chosen(names: string | undefined): readonly string[] {
  const all = [...contestants, ...others].map(({ name }) => name);
  const asked = names?.split(",").map((name) => name.trim());
  const unknown = asked?.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`Nobody is called "${unknown}"; there are ${all.join(", ")}.`);
  return asked ? all.filter((name) => asked.includes(name)) : contestants.map(({ name }) => name);
}

/** Shares the cells out among workers, one at a time each, and gives the outcomes in the order of the cells. */
async function playAll(cells: readonly Cell[], job: Omit<Job, "cell">): Promise<readonly Played[]> {
  const outcomes: Played[] = Array<Played>(cells.length);
  const waiting = [...cells.entries()];
  const began = performance.now();
  let finished = 0;
  await Promise.all(
    Array.from({ length: Math.min(availableParallelism(), cells.length) }, async () => {
      const worker = new Worker(new URL("worker.ts", import.meta.url));
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, cell] = next;
          outcomes[index] = await new Promise<Played>((resolve, reject) => {
            worker.removeAllListeners().once("message", resolve).once("error", reject);
            worker.postMessage({ ...job, cell } satisfies Job);
          });
          process.stderr.write(
            `${++finished} of ${cells.length} cells, ${((performance.now() - began) / 1000).toFixed(0)} s: ${cell.name}\n`,
          );
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return outcomes;
}

/** The results as a file, a row a line, so that two runs can be compared by eye. */
function fileOf({ rows, ...rest }: Results): string {
  return `{ "about": ${JSON.stringify(rest)}, "rows": [\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n] }\n`;
}

/** What the options ask for. */
function asked(): Omit<Job, "cell"> & { readonly cells: readonly Cell[] } {
  const seed = wholeNumber("seed", values.seed ?? "1", 0);
  const runs = wholeNumber("runs", values.runs ?? String(values.quick ? quickRuns : wholeRuns), 1);
  return {
    seed,
    runs,
    cells: values.cells === undefined ? publishedCells() : readCells(readFileSync(values.cells, "utf8")),
    names: chosen(values.contestants),
  };
}

async function run({ seed, runs, cells, names }: ReturnType<typeof asked>): Promise<void> {
  const outcomes = await playAll(cells, { seed, runs, names });
  const total = (field: "deaths" | "differences"): number => outcomes.reduce((sum, outcome) => sum + outcome[field], 0);
  const results: Results = {
    seed,
    runs,
    horizonMinutes,
    deaths: total("deaths"),
    differences: total("differences"),
    rows: outcomes.flatMap(({ rows }) => rows),
  };
  console.log(values.json ? fileOf(results) : shortTable(results, cells));
  if (
    values.quick ||
    values.runs !== undefined ||
    values.cells !== undefined ||
    values.contestants !== undefined ||
    values.json
  )
    return;
  const whole: Results = { ...results, alone: alone(4 * runs, seed), cost: cost() };
  const root = join(import.meta.dirname, "..", "..");
  writeFileSync(join(import.meta.dirname, "results.json"), fileOf(whole));
  writeFileSync(join(root, "docs", "evidence", "judge.md"), page(whole, cells, ours));
  mkdirSync(join(root, "docs", "evidence", "plots"), { recursive: true });
  for (const [name, drawing] of plots(results.rows, cells, ours))
    writeFileSync(join(root, "docs", "evidence", "plots", `${name}.svg`), drawing);
}

/** What was asked for, or undefined once it has been said why it cannot be had. */
function askedOrSaid(): ReturnType<typeof asked> | undefined {
  try {
    return asked();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
    return undefined;
  }
}

const wanted = values.help ? undefined : askedOrSaid();
if (values.help) console.log(help);
if (wanted) await run(wanted);
