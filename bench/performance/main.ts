// `npm run bench`: measures previews, the journal and many rollouts at once, prints what came of it, and writes the raw figures to results.json and the page
// docs/evidence/performance.md from them. What is measured and how is said elsewhere in this folder.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { measureJournal } from "./journal.ts";
import { type Cell, type Loaded, play } from "./load.ts";
import { page } from "./page.ts";
import { measurePreview } from "./preview.ts";
import { fileOf, here, parts, type Results } from "./results.ts";

const help = `npm run bench -- [options]

Without options: everything, about twelve minutes on two cores; bench/performance/results.json and docs/evidence/performance.md are written.

  --only PART        ${parts.join(", ")}: only this part is measured, and replaces what is known of it
  --quick            fewer rounds and rollouts, in about two minutes: the page is printed, and nothing is written
  --profiles FOLDER  each control plane under load leaves a processor profile there

It needs Linux, whose /proc tells what processes cost, and Emmett from the npm registry; without that, it is left out.`;

const whole = {
  previews: 9,
  appends: 30,
  cells: [1, 2].flatMap((planes) => [
    { rollouts: 10, planes, tickSeconds: 10 },
    { rollouts: 100, planes, tickSeconds: 10 },
    { rollouts: 1_000, planes, tickSeconds: 30 },
  ]),
};
const quick = { previews: 2, appends: 4, cells: [1, 2].map((planes) => ({ rollouts: 20, planes, tickSeconds: 5 })) };

const { values } = parseArgs({
  options: {
    help: { type: "boolean" },
    quick: { type: "boolean" },
    only: { type: "string" },
    profiles: { type: "string" },
  },
});
const tell = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

async function measureLoad(cells: readonly Cell[], postgres: RunningPostgres): Promise<NonNullable<Results["load"]>> {
  const played: Loaded[] = [];
  const taken = here();
  for (const cell of cells) {
    tell(
      `${cell.rollouts} rollouts at once on ${cell.planes} control plane${cell.planes > 1 ? "s" : ""}, a tick each ${cell.tickSeconds} s`,
    );
    played.push(await play(cell, postgres, values.profiles));
  }
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  const {
    rows: [version],
  } = await client.query<{ server_version: string }>("show server_version");
  await client.end();
  return { ...taken, postgres: version!.server_version, cells: played };
}

async function measure(wanted: readonly string[], { previews, appends, cells }: typeof whole): Promise<Results> {
  const preview = wanted.includes("preview")
    ? { preview: { ...here(), ...(await measurePreview(previews, tell)) } }
    : {};
  if (!wanted.includes("journal") && !wanted.includes("load")) return preview;
  const postgres = await startPostgres();
  try {
    const journal = wanted.includes("journal")
      ? { journal: { ...here(), ...(await measureJournal(postgres, appends, tell)) } }
      : {};
    const load = wanted.includes("load") ? { load: await measureLoad(cells, postgres) } : {};
    return { ...preview, ...journal, ...load };
  } finally {
    await postgres.stop();
  }
}

async function run(): Promise<void> {
  if (values.help) return console.log(help);
  if (values.only !== undefined && !parts.some((part) => part === values.only)) {
    console.error(`There is no part "${values.only}"; there are ${parts.join(", ")}.`);
    process.exitCode = 2;
    return;
  }
  // Interrupted, we end by an exit, at which everything that was started for us ends too.
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const)
    process.once(name, () => process.exit(128 + number));
  const file = join(import.meta.dirname, "results.json");
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : {};
  const measured = await measure(values.only === undefined ? parts : [values.only], values.quick ? quick : whole);
  if (values.quick) return console.log(page(measured));
  const results = { ...known, ...measured };
  writeFileSync(file, fileOf(results));
  writeFileSync(join(import.meta.dirname, "../../docs/evidence/performance.md"), page(results));
  tell("docs/evidence/performance.md is written");
}

await run();
