// `npm run bench:judge`: plays all cells on all cores and prints the results. A run without options also writes
// docs/evidence/judge.md, its plots, and the raw counts in results.json. Each finished cell is kept in a file, so that
// a killed run can go on.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { ablationCells, ablationNames } from "./ablations.ts";
import { alone, bucketCost } from "./alone.ts";
import { defaultPlan } from "./ballast.ts";
import { boundTable } from "./bound.ts";
import { type Cell, publishedCells, readCells } from "./cells.ts";
import { besideOthers, type Played } from "./contest.ts";
import { contestants, others, ourPlan, ours } from "./contestants.ts";
import { page, type Results, shortTable } from "./page.ts";
import { plots } from "./plot.ts";
import { openProgress, type Progress } from "./progress.ts";
import type { Row } from "./scores.ts";
import { horizonMinutes } from "./tracks.ts";
import type { Job } from "./worker.ts";

const wholeRuns = 400;
const quickRuns = 40;
const root = join(import.meta.dirname, "..", "..");
const resultsFile = join(import.meta.dirname, "results.json");
const progressFile = join(root, "out", "bench", "judge.jsonl");
const help = `npm run bench:judge -- [options]

Without options it plays ${wholeRuns} runs of each published cell and writes docs/evidence/judge.md,
docs/evidence/plots and bench/judge/results.json. With --quick, --runs, --cells, --contestant, --ablations or --json it
only prints the results.

  --quick                ${quickRuns} runs per cell, about five minutes on two cores
  --resume               go on where a killed run with the same options stopped
  --progress FILE        where finished cells are kept (default out/bench/judge.jsonl)
  --runs N               N runs per cell
  --seed N               run i has the seed N + i (default 1)
  --cells FILE           cells of your own, in the form of bench/judge/cells/*.json
  --contestant NAME      only this contestant; may be given several times. The contestants are
                           ${contestants.map(({ name }) => name).join("\n                           ")}
                         and, only if named,
                           ${others.map(({ name }) => name).join("\n                           ")}
  --write                with --quick or --runs, write the page all the same; it says how many runs it has
  --ours                 play only our judge, and take what its peers did from results.json; that is a whole run, if
                         since the last one no peer and no cell has changed
  --ablations            our default plan, and it without each of its parts in turn, in the cells that show what
                         the part buys and what it costs
  --bound                print how many healthy canaries any test leaves unpromoted at least, at little traffic
  --json                 print the raw counts instead of tables`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean" },
    quick: { type: "boolean" },
    runs: { type: "string" },
    seed: { type: "string" },
    cells: { type: "string" },
    contestant: { type: "string", multiple: true },
    resume: { type: "boolean" },
    progress: { type: "string" },
    write: { type: "boolean" },
    ours: { type: "boolean" },
    ablations: { type: "boolean" },
    bound: { type: "boolean" },
    json: { type: "boolean" },
  },
});

/** Reads the integer of an option. */
function wholeNumber(option: string, value: string, least: number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`--${option} is ${value}; it must be an integer, ${least} or more.`);
  return number;
}

function chosen(wanted: readonly string[] | undefined): readonly string[] {
  const all = [...contestants, ...others].map(({ name }) => name);
  const unknown = wanted?.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new Error(`There is no contestant "${unknown}". The contestants are "${all.join('", "')}".`);
  return wanted ? all.filter((name) => wanted.includes(name)) : contestants.map(({ name }) => name);
}

/** Distributes the cells to the workers, one at a time each, and gives the outcomes in the order of the cells. */
async function playAll(cells: readonly Cell[], job: Omit<Job, "cell">, progress: Progress): Promise<readonly Played[]> {
  const outcomes = cells.map((cell) => progress.find({ ...job, cell }));
  const waiting = [...cells.entries()].filter(([index]) => outcomes[index] === undefined);
  const began = performance.now();
  let finished = cells.length - waiting.length;
  if (finished > 0) process.stderr.write(`${finished} of ${cells.length} cells were played before.\n`);
  await Promise.all(
    Array.from({ length: Math.min(availableParallelism(), waiting.length) }, async () => {
      const worker = new Worker(new URL("worker.ts", import.meta.url));
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, cell] = next;
          const work: Job = { ...job, cell };
          const played = await new Promise<Played>((resolve, reject) => {
            worker.removeAllListeners().once("message", resolve).once("error", reject);
            worker.postMessage(work);
          });
          progress.keep(work, played);
          outcomes[index] = played;
          const seconds = ((performance.now() - began) / 1000).toFixed(0);
          process.stderr.write(`${++finished} of ${cells.length} cells, ${seconds} s: ${cell.name}\n`);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return outcomes.map((played) => played!);
}

/** Gives the text of results.json, with one row per line so that two runs can be compared. */
function fileOf({ rows, ...rest }: Results): string {
  return `{ "about": ${JSON.stringify(rest)}, "rows": [\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n] }\n`;
}

function chosenCells(): readonly Cell[] {
  if (values.cells !== undefined) return readCells(readFileSync(values.cells, "utf8"));
  return publishedCells().filter(({ name }) => !values.ablations || ablationCells.has(name));
}

function namesWanted(): readonly string[] | undefined {
  if (values.ours) return [ours, ourPlan];
  return values.ablations ? [ourPlan, ...ablationNames] : values.contestant;
}

/** Reads the rows of the last whole run, if it had the same seeds. */
function storedRows(seed: number, runs: number): readonly Row[] {
  const { about, rows } = JSON.parse(readFileSync(resultsFile, "utf8")) as {
    readonly about: Pick<Results, "seed" | "runs">;
    readonly rows: readonly Row[];
  };
  if (about.seed !== seed || about.runs !== runs)
    throw new Error(`--ours needs ${about.runs} runs from the seed ${about.seed}, as the stored results have.`);
  return rows;
}

/** Reads the options. */
function readOptions(): Omit<Job, "cell"> & { readonly cells: readonly Cell[]; readonly stored?: readonly Row[] } {
  const seed = wholeNumber("seed", values.seed ?? "1", 0);
  const runs = wholeNumber("runs", values.runs ?? String(values.quick ? quickRuns : wholeRuns), 1);
  return {
    seed,
    runs,
    cells: chosenCells(),
    names: chosen(namesWanted()),
    ...(values.ours ? { stored: storedRows(seed, runs) } : {}),
  };
}

async function run({ seed, runs, cells, names, stored }: ReturnType<typeof readOptions>): Promise<void> {
  const progress = openProgress(values.progress ?? progressFile, { resumes: values.resume ?? false });
  const outcomes = await playAll(cells, { seed, runs, names }, progress);
  const total = (field: "deaths" | "differences"): number => outcomes.reduce((sum, outcome) => sum + outcome[field], 0);
  const played = outcomes.flatMap(({ rows }) => rows);
  const results: Results = {
    seed,
    runs,
    horizonMinutes,
    deaths: total("deaths"),
    differences: total("differences"),
    rows: stored === undefined ? played : besideOthers(played, stored),
    ...(values.json ? {} : { cost: bucketCost() }),
  };
  console.log(values.json ? fileOf(results) : shortTable(results, cells));
  const isPart =
    values.cells !== undefined || values.contestant !== undefined || values.ablations === true || values.json === true;
  const isShort = values.quick === true || values.runs !== undefined;
  if (isPart || (isShort && !values.write)) return;
  const whole: Results = { ...results, alone: alone(4 * runs, seed) };
  writeFileSync(resultsFile, fileOf(whole));
  writeFileSync(join(root, "docs", "evidence", "judge.md"), page(whole, cells, ours));
  mkdirSync(join(root, "docs", "evidence", "plots"), { recursive: true });
  for (const [name, drawing] of plots(results.rows, cells, ours))
    writeFileSync(join(root, "docs", "evidence", "plots", `${name}.svg`), drawing);
}

/** Reads the options; prints the error and gives undefined if they are invalid. */
function optionsOrError(): ReturnType<typeof readOptions> | undefined {
  try {
    return readOptions();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
    return undefined;
  }
}

if (values.help) console.log(help);
else if (values.bound) console.log(boundTable(defaultPlan, horizonMinutes));
else {
  const options = optionsOrError();
  if (options) await run(options);
}
