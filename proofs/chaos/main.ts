// `npm run chaos -- --minutes 10 --seed N`: chaos on real processes. Good and bad releases follow one another on
// several apps, while faults hit the control planes, the database, the emulator and the weights on a schedule drawn
// from the seed. The command exits 1 if a law is broken.
import { setTimeout as nap } from "node:timers/promises";
import fc from "fast-check";
import { readCommandLine } from "../command-line.ts";
import { judge, type Released } from "./laws.ts";
import { type Releasing, releaseOn } from "./releases.ts";
import { watch } from "./watch.ts";
import { apps, cloudDies, leaseSeconds, type Outage, openWorld, requestSeconds } from "./world.ts";

const values = readCommandLine(
  `npm run chaos -- [options]

Good and bad releases on several apps, while faults hit control planes, database, emulator and weights. Exit code 1: a
law is broken.

  --minutes NUMBER   how long (default: 10)
  --seed NUMBER      repeats the schedule of the faults (default: another one each time)`,
  { minutes: { type: "string", default: "10" }, seed: { type: "string", default: String(Date.now() % 2 ** 31) } },
);
const startedAt = performance.now();
const report = (line: string): void =>
  void process.stdout.write(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)}  ${line}\n`);

interface Stage extends Releasing {
  readonly outages: Outage[];
}

/** The faults by name. Each waits until it is undone, unless it ends by itself. */
const faults: Readonly<Record<string, (stage: Stage, choice: number) => Promise<void>>> = {
  "SIGKILL to a control plane": async ({ world }, choice) => {
    const plane = world.planes[choice % 2]!;
    plane.child.kill("SIGKILL");
    await world.startAgain(plane);
  },
  "a control plane sleeps longer than its lease": async ({ world }, choice) => {
    const { child } = world.planes[choice % 2]!;
    child.kill("SIGSTOP");
    await nap((leaseSeconds + 2) * 1000);
    child.kill("SIGCONT");
  },
  "every connection to the database is cut": async ({ world }) => {
    await world.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'ballast' and pid <> pg_backend_pid()`,
    );
  },
  "SIGKILL to PostgreSQL, which recovers from its log": async ({ world }) => {
    const { rows } = await world.pool.query<{ pid: number }>(
      `select pid from pg_stat_activity
        where application_name = 'ballast' and pid <> pg_backend_pid() limit 1`,
    );
    if (rows[0]) process.kill(rows[0].pid, "SIGKILL");
  },
  "SIGKILL to the cloud, which restarts with the state that it saved": async ({ world, outages }, choice) =>
    void outages.push(await cloudDies(world, choice * 2)),
  "the cloud answers 429": ({ world }) =>
    world.shop.fault({ path: "containerApps", times: 4, status: 429, code: "TooManyRequests", retryAfterSeconds: 1 }),
  "the cloud answers that another operation is in progress": ({ world }) =>
    world.shop.fault({
      method: "PATCH",
      path: "containerApps",
      times: 3,
      status: 409,
      code: "ContainerAppOperationInProgress",
    }),
  "the cloud's answers are lost": ({ world }) =>
    world.shop.fault({ method: "PATCH", path: "containerApps", times: 2, loseAnswer: true }),
  "a write of weights lands after its client timed out": ({ world }) =>
    world.shop.fault({ method: "PATCH", path: "containerApps", times: 1, lateSeconds: requestSeconds * 1.25 }),
  "the cloud is slow": ({ world }) => world.shop.fault({ path: "containerApps", times: 6, delaySeconds: 1.5 }),
  "a person changes the weights": async ({ world, released }, choice) => {
    const release = latestOf(released, choice);
    const traffic = release && (await world.traffic(release.app));
    if (!release || traffic?.length !== 2) return;
    release.disturbed = true;
    await world.setTraffic(release.app, [
      { revisionName: traffic[0]!.revisionName, weight: 80 },
      { revisionName: traffic[1]!.revisionName, weight: 20 },
    ]);
  },
  "a person aborts": async (stage, choice) => signal(stage, choice, "abort"),
  "a person pauses and resumes": async (stage, choice) => {
    await signal(stage, choice, "pause");
    await nap(2000);
    await signal(stage, choice, "resume");
  },
};

const latestOf = (released: readonly Released[], choice: number): Released | undefined =>
  released.findLast(({ app }) => app === apps[choice % apps.length]);

async function signal({ world, released }: Stage, choice: number, name: string): Promise<void> {
  const release = latestOf(released, choice);
  if (!release) return;
  if (name === "abort") release.disturbed = true;
  await world.call("POST", `/rollouts/shop/${release.app}/${release.revision}/signals`, {
    signal: name,
    message: "chaos",
  });
}

/** Injects faults on the seed's schedule until the time is over, and counts each kind. */
async function injectFaults(stage: Stage, minutes: number, seed: number): Promise<Readonly<Record<string, number>>> {
  const names = Object.keys(faults);
  const counts: Record<string, number> = {};
  const schedule = fc.sample(
    fc.record({ name: fc.constantFrom(...names), choice: fc.nat(1000), rest: fc.integer({ min: 500, max: 4000 }) }),
    { seed, numRuns: Math.ceil(minutes * 60) },
  );
  for (const { name, choice, rest } of schedule) {
    await nap(rest, undefined, { signal: stage.stop }).catch(() => undefined);
    if (stage.stop.aborted) break;
    report(`✂ ${name}`);
    counts[name] = (counts[name] ?? 0) + 1;
    await faults[name]!(stage, choice).catch((error: unknown) => report(`  failed: ${String(error)}`));
  }
  return counts;
}

async function main(minutes: number, seed: number): Promise<void> {
  report(`chaos for ${minutes} minutes, seed ${seed}`);
  const world = await openWorld();
  try {
    const stage: Stage = { world, released: [], outages: [], report, stop: AbortSignal.timeout(minutes * 60_000) };
    const badness = fc.sample(fc.boolean(), { seed, numRuns: 30 });
    const over = new AbortController();
    const watching = watch(world, stage.released, over.signal);
    const [injected] = await Promise.all([
      injectFaults(stage, minutes, seed),
      ...apps.map((app, index) => releaseOn(app, stage, badness.slice(index * 10, index * 10 + 10))),
    ]);
    over.abort();
    const watched = await watching;
    const judged = await judge(world, stage.released, stage.outages);
    const broken = [...new Set([...watched.broken, ...judged.broken])];
    const counts = {
      ...injected,
      ...judged.counts,
      "checks during the run": watched.checks,
      "milliseconds, the longest that a reverted revision had users again": watched.latestMilliseconds,
    };
    for (const [what, count] of Object.entries(counts)) report(`${String(count).padStart(7)}  ${what}`);
    for (const law of broken) report(`✗ ${law}`);
    report(broken.length === 0 ? `every law held, seed ${seed}` : `${broken.length} laws broken, seed ${seed}`);
    process.exitCode = broken.length === 0 ? 0 : 1;
  } finally {
    await world.close();
  }
}

await main(Number(values.minutes), Number(values.seed));
