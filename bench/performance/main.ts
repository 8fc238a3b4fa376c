// `npm run bench`: measures previews, the journal and many rollouts at once. It writes the raw figures to results.json
// and renders docs/evidence/performance.md from them.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { patience } from "../../defaults.ts";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { measureDropIn } from "./drop-in.ts";
import { measureJournal } from "./journal.ts";
import { type Cell, type Loaded, play } from "./load.ts";
import { page } from "./page.ts";
import { pausedJournal } from "./paused-journal.ts";
import { measurePreview } from "./preview.ts";
import { measureReaders, type Read } from "./readers.ts";
import { fileOf, here, parts, type Results } from "./results.ts";

const help = `npm run bench -- [options]

Without options it measures everything, in about a quarter of an hour on two cores, and writes
bench/performance/results.json and docs/evidence/performance.md.

  --only PART        measure only this part and replace its results: ${parts.join(", ")}
  --earlier FOLDER   measure dropIn also with the CanaryApp of the checkout there, after npm ci; it is of the commit
                     before CanaryApp took the arguments of a ContainerApp
  --quick            measure fewer rounds and rollouts, in about four minutes; print the page and write nothing
  --profiles FOLDER  write a processor profile of each control plane under load there

It needs Linux, because it reads /proc. It installs Emmett with npm; if that fails, Emmett is left out.`;

const whole = {
  previews: 9,
  appends: 30,
  readerHours: [1, 24],
  cells: [1, 2].flatMap((planes) => [
    { rollouts: 10, planes, intervalSeconds: 10 },
    { rollouts: 100, planes, intervalSeconds: 10 },
    { rollouts: 1_000, planes, intervalSeconds: 30 },
  ]),
};
const quick = {
  previews: 2,
  appends: 4,
  readerHours: [1],
  cells: [1, 2].map((planes) => ({ rollouts: 20, planes, intervalSeconds: 5 })),
};

const { values } = parseArgs({
  options: {
    help: { type: "boolean" },
    quick: { type: "boolean" },
    only: { type: "string" },
    earlier: { type: "string" },
    profiles: { type: "string" },
  },
});
const report = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

async function measureLoad(cells: readonly Cell[], postgres: RunningPostgres): Promise<NonNullable<Results["load"]>> {
  const played: Loaded[] = [];
  const taken = here();
  for (const cell of cells) {
    const planes = `${cell.planes} control plane${cell.planes > 1 ? "s" : ""}`;
    report(`${cell.rollouts} rollouts at once on ${planes}, with intervals of ${cell.intervalSeconds} s`);
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

/** Measures renewals beside readers of a hundred rollouts that were paused for these hours. */
async function measureReading(
  hours: readonly number[],
  postgres: RunningPostgres,
): Promise<NonNullable<Results["readers"]>> {
  const cells: Read[] = [];
  const taken = here();
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  try {
    for (const pausedHours of hours) {
      report(`twelve readers of a hundred rollouts that were paused for ${pausedHours} h`);
      const name = `readers_${pausedHours}`;
      await client.query(`drop database if exists ${name} with (force)`);
      await client.query(`create database ${name}`);
      cells.push(
        await measureReaders({
          database: { ...postgres, name, tls: "disable" },
          events: pausedJournal(pausedHours),
          rollouts: 100,
          readers: 12,
          leaseSeconds: patience.leaseSeconds,
          rounds: 5,
        }),
      );
      await client.query(`drop database if exists ${name} with (force)`);
    }
  } finally {
    await client.end();
  }
  return { ...taken, cells };
}

async function measure(
  wanted: readonly string[],
  { previews, appends, readerHours, cells }: typeof whole,
): Promise<Results> {
  const preview = wanted.includes("preview")
    ? { preview: { ...here(), ...(await measurePreview(previews, report)) } }
    : {};
  const dropIn = wanted.includes("dropIn")
    ? { dropIn: { ...here(), ...(await measureDropIn(previews, report, values.earlier)) } }
    : {};
  if (!["journal", "readers", "load"].some((part) => wanted.includes(part))) return { ...preview, ...dropIn };
  const postgres = await startPostgres({ syncs: true });
  try {
    const journal = wanted.includes("journal")
      ? { journal: { ...here(), ...(await measureJournal(postgres, appends, report)) } }
      : {};
    const readers = wanted.includes("readers") ? { readers: await measureReading(readerHours, postgres) } : {};
    const load = wanted.includes("load") ? { load: await measureLoad(cells, postgres) } : {};
    return { ...preview, ...dropIn, ...journal, ...readers, ...load };
  } finally {
    await postgres.stop();
  }
}

async function run(): Promise<void> {
  if (values.help) return console.log(help);
  if (values.only !== undefined && !parts.some((part) => part === values.only)) {
    console.error(`There is no part "${values.only}". The parts are ${parts.join(", ")}.`);
    process.exitCode = 2;
    return;
  }
  // On an interrupt we exit, which ends every process that we started.
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
  report("Wrote docs/evidence/performance.md");
}

await run();
