// `npm run soak -- --hours N --seed S`: releases without a pause, for a third of the time on one control plane, for a
// third on two, and for a third while the first one is killed again and again. It exits 1 if a law is broken, or if a
// control plane keeps more and more memory or handles.
import { setTimeout as nap } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { controlPlane } from "../../client/control-plane.ts";
import { judge, type Released } from "../chaos/laws.ts";
import { type Releasing, releaseOn } from "../chaos/releases.ts";
import { apps, leaseSeconds, openWorld, type Plane, type World } from "../chaos/world.ts";
import { readCommandLine } from "../command-line.ts";
import { type Measured, type Trend, trendOf } from "./trend.ts";

const values = readCommandLine(
  `npm run soak -- [options]

Releases without a pause, on one control plane, on two, and while one is killed. Exit code 1: a law is broken, or a
control plane keeps more and more memory or handles.

  --hours NUMBER   how long (default: 1)
  --seed NUMBER    repeats what was drawn (default: another one each time)`,
  { hours: { type: "string", default: "1" }, seed: { type: "string", default: String(Date.now() % 2 ** 31) } },
);
const startedAt = performance.now();
const elapsed = (): number => (performance.now() - startedAt) / 1000;
const report = (line: string): void => void process.stdout.write(`${elapsed().toFixed(1).padStart(8)}  ${line}\n`);

/** What one process of a control plane kept during one part. */
interface Kept {
  readonly part: string;
  readonly plane: string;
  readonly measured: readonly Measured[];
}

/** Asks a process what it keeps, and gives its answer; undefined if it dies first. */
async function measure({ child, said }: Plane): Promise<Measured | undefined> {
  const before = answersOf(said).length;
  child.kill("SIGUSR2");
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await nap(50)) {
    const answer = answersOf(said)[before];
    if (answer !== undefined) return { seconds: elapsed(), ...answer };
  }
  return undefined;
}

const answersOf = (said: Plane["said"]): readonly Omit<Measured, "seconds">[] =>
  said().filter(({ what }) => what === "measured");

/** Measures every plane that lives through the part, at equal intervals. */
async function measurePart(part: string, planes: readonly Plane[], seconds: number): Promise<readonly Kept[]> {
  report(`part: ${part}, ${Math.round(seconds)} s`);
  const until = elapsed() + seconds;
  const intervalSeconds = Math.max(1, seconds / 120);
  const kept = planes.map(({ name }) => ({ part, plane: name, measured: [] as Measured[] }));
  while (elapsed() < until) {
    for (const [index, plane] of planes.entries()) {
      const measured = await measure(plane);
      if (measured !== undefined) kept[index]!.measured.push(measured);
    }
    await nap(Math.min(intervalSeconds, Math.max(0, until - elapsed())) * 1000);
  }
  return kept;
}

/** Kills a plane again and again, each time for longer than a lease, until it is stopped. */
async function killAgainAndAgain(world: World, plane: Plane, stop: AbortSignal): Promise<number> {
  let kills = 0;
  const rest = (seconds: number) => nap(seconds * 1000, undefined, { signal: stop }).catch(() => undefined);
  while (!stop.aborted) {
    await rest(3 * leaseSeconds);
    plane.child.kill("SIGKILL");
    kills++;
    await rest(1.5 * leaseSeconds);
    await world.startAgain(plane);
  }
  return kills;
}

/** Follows the newest release of each app from its first fact to its end, as `pulumi up` does. */
async function followAll({ world, released, stop }: Releasing): Promise<number> {
  const token = async () => (await world.shop.connection.credential.getToken("api://ballast/.default"))!.token;
  let read = 0;
  const followApp = async (app: string): Promise<void> => {
    const done = new Set<string>();
    while (!stop.aborted) {
      const revision = released.findLast((release) => release.app === app)?.revision;
      const isUnfollowed = revision !== undefined && !done.has(revision);
      // A revision is there before its rollout is, and following a rollout that is unknown is refused.
      if (!isUnfollowed || (await world.call("GET", `/rollouts/shop/${app}/${revision}`)).status !== 200) {
        await nap(250);
        continue;
      }
      done.add(revision);
      const calls = controlPlane({ endpoint: world.planes.at(-1)!.endpoint, token, cancel: stop });
      const facts = calls.follow({ resourceGroup: "shop", app, revision }, {});
      for await (const _ of facts) read++;
    }
  };
  const orReport = (app: string) => (error: Error) => {
    if (!stop.aborted) report(`the follower of ${app} ended early: ${error.message}`);
  };
  await Promise.all(apps.map((app) => followApp(app).catch(orReport(app))));
  return read;
}

const lineOf = ({ part, plane, measured }: Kept, what: string, { median, growth, isFlat }: Trend, unit: number) =>
  `${isFlat ? "✓" : "✗"} ${part}, plane ${plane}: ${what} ${(median / unit).toFixed(1)}, ` +
  `grew by ${(growth / unit).toFixed(2)} in ${measured.length} measurements`;

/** Reports the trend of each process, and gives the lines of those that are not flat. */
function judgeKept(kept: readonly Kept[]): readonly string[] {
  return kept.flatMap((each) => {
    const lines = [
      { trend: trendOf(each.measured, "bytes"), what: "MB kept", unit: 1024 * 1024 },
      { trend: trendOf(each.measured, "handles"), what: "handles", unit: 1 },
    ].map(({ trend, what, unit }) => ({ line: lineOf(each, what, trend, unit), trend }));
    for (const { line } of lines) report(line);
    return lines.filter(({ trend }) => !trend.isFlat).map(({ line }) => line);
  });
}

async function main(hours: number, seed: number): Promise<void> {
  report(`soak for ${hours} hours, seed ${seed}`);
  const partSeconds = (hours * 3600) / 3;
  const meter = pathToFileURL(`${import.meta.dirname}/meter.ts`).href;
  const world = await openWorld({ planes: 1, variables: { NODE_OPTIONS: `--import ${meter}` } });
  try {
    const stopping = new AbortController();
    const released: Released[] = [];
    const work: Releasing = { world, released, report: () => undefined, stop: stopping.signal };
    const badness = fc.sample(fc.boolean(), { seed, numRuns: 30 });
    const working = Promise.all(
      apps.map((app, index) => releaseOn(app, work, badness.slice(index * 10, index * 10 + 10))),
    );
    const following = followAll(work);
    const kept = [...(await measurePart("one control plane", world.planes, partSeconds))];
    await world.addPlane();
    kept.push(...(await measurePart("two control planes", world.planes, partSeconds)));
    const killing = new AbortController();
    const killed = killAgainAndAgain(world, world.planes[0]!, killing.signal);
    kept.push(...(await measurePart("kills of the other plane", world.planes.slice(1), partSeconds)));
    killing.abort();
    const kills = await killed;
    stopping.abort();
    await working;
    const facts = await following;
    const { broken, counts } = await judge(world, released, []);
    const growing = judgeKept(kept);
    for (const [what, count] of Object.entries({ ...counts, kills, "facts followed": facts }))
      report(`${String(count).padStart(7)}  ${what}`);
    for (const law of broken) report(`✗ ${law}`);
    const wrong = broken.length + growing.length;
    report(wrong === 0 ? `every law held and all was flat, seed ${seed}` : `${wrong} findings, seed ${seed}`);
    process.exitCode = wrong === 0 ? 0 : 1;
  } finally {
    await world.close();
  }
}

await main(Number(values.hours), Number(values.seed));
