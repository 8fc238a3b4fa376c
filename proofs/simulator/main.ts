// `npm run simulate`: runs the control plane in virtual time, with every kind of fault, one run per
// seed, and prints a summary. If an invariant is broken, it prints the smallest run that breaks it, as
// a story, and the command that repeats it.
import { readFileSync } from "node:fs";
import { weightsOf } from "../../controlplane/adapters/azure/traffic.ts";
import { sameWeights } from "../../engines/rollout/weights.ts";
import { readCommandLine } from "../command-line.ts";
import { type Drawn, draw } from "./draw.ts";
import { check, invariants } from "./invariants.ts";
import { breaks, shrink } from "./shrink.ts";
import { type Run, simulate } from "./simulate.ts";

const values = readCommandLine(
  `npm run simulate -- [options]

Runs the control plane in virtual time with every kind of fault, one run a seed. Exit code 1: an invariant is broken.

  --seeds NUMBER   how many seeds (default: 1000)
  --from NUMBER    the first seed (default: 1)
  --seed NUMBER    run one seed, and tell it as a story
  --file PATH      run the shrunk run that a file holds, and tell it as a story`,
  { seed: { type: "string" }, seeds: { type: "string" }, from: { type: "string" }, file: { type: "string" } },
);

interface Summary {
  seeds: number;
  rollouts: number;
  virtualSeconds: number;
  lostSeconds: number;
  lateWrites: number;
  lateLandings: number;
  readonly results: Record<string, number>;
  readonly faults: Record<string, number>;
}

function add(summary: Summary, run: Run): void {
  summary.seeds++;
  summary.virtualSeconds += run.seconds;
  summary.lostSeconds += run.cloud.lostSeconds();
  summary.lateWrites += run.writes.filter(({ lateBy }) => lateBy > 0).length;
  const { at, writer } = run.cloud.lastChange();
  const end = [...run.store.streams.values()].at(-1)?.facts.at(-1)?.at ?? 0;
  const shown = weightsOf(run.cloud.app());
  const before = weightsOf(run.cloud.appBefore());
  if (writer === "us" && at > end && shown.ok && before.ok && !sameWeights(shown.value, before.value))
    summary.lateLandings++;
  for (const { facts } of run.store.streams.values()) {
    const result = facts.at(-1)?.state.ending?.result ?? "none";
    summary.rollouts++;
    summary.results[result] = (summary.results[result] ?? 0) + 1;
  }
  for (const [kind, count] of Object.entries(run.trouble.met))
    summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
}

/** Prints a failing run, shrunk. */
async function reportFailure(drawn: Drawn, violations: readonly string[]): Promise<void> {
  const name = violations[0]!.split(":")[0]!;
  const least = await shrink(drawn, breaks(name));
  const run = await simulate(least, true);
  console.log(
    `\nSeed ${drawn.seed} breaks ${name}. The least of it: ${least.faults.length} of ${drawn.faults.length} faults.\n`,
  );
  console.log(JSON.stringify(least, undefined, 2), `\n\n${run.story.join("\n")}\n\n${check(run).join("\n")}`);
  console.log(
    `\nRepeat it with: npm run simulate -- --seed ${drawn.seed}\n` +
      "Repeat the shrunk run, saved to a file, with: npm run simulate -- --file <file>",
  );
}

async function runOne(drawn: Drawn): Promise<void> {
  const run = await simulate(drawn, true);
  const violations = check(run);
  if (violations.length > 0) {
    process.exitCode = 1;
    return reportFailure(drawn, violations);
  }
  console.log(
    `${JSON.stringify(drawn)}\n\n${run.story.join("\n")}\n\nAll ${Object.keys(invariants).length} invariants hold.`,
  );
}

async function runMany(count: number, from: number): Promise<void> {
  const summary: Summary = {
    seeds: 0,
    rollouts: 0,
    virtualSeconds: 0,
    lostSeconds: 0,
    lateWrites: 0,
    lateLandings: 0,
    results: {},
    faults: {},
  };
  const began = performance.now();
  for (let seed = from; seed < from + count && process.exitCode !== 1; seed++) {
    const drawn = draw(seed);
    const run = await simulate(drawn);
    const violations = check(run);
    add(summary, run);
    if (violations.length === 0) continue;
    process.exitCode = 1;
    await reportFailure(drawn, violations);
  }
  print(summary, from, (performance.now() - began) / 1000);
}

function print(summary: Summary, from: number, seconds: number): void {
  const { rollouts, virtualSeconds } = summary;
  const lostSeconds = summary.lostSeconds / Math.max(1, rollouts);
  const speedUp = Math.round(virtualSeconds / seconds);
  const listed = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([what, count]) => `${what} ${count}`)
      .join(", ");
  console.log(`seeds       ${summary.seeds}, from ${from}
rollouts    ${rollouts}: ${listed(summary.results)}
faults met  ${listed(summary.faults)}
invariants  ${Object.keys(invariants).length}: ${Object.keys(invariants).join(", ")}
users       ${lostSeconds.toFixed(2)} s per rollout, weighted by share, sent by us to a revision not active or not ready
late writes ${summary.lateWrites} sent after the claim was lost: within one request's time, or after a sleep
landings    ${summary.lateLandings} runs in which a write of ours landed after the end and changed the traffic
time        ${(virtualSeconds / 3600).toFixed(0)} virtual hours in ${seconds.toFixed(1)} s: ${speedUp} to 1
speed       ${Math.round((rollouts / seconds) * 60)} rollouts a minute, invariants included, on one core`);
}

if (values.file !== undefined)
  await runOne((JSON.parse(readFileSync(values.file, "utf8")) as { readonly drawn: Drawn }).drawn);
else if (values.seed !== undefined) await runOne(draw(Number(values.seed)));
else await runMany(Number(values.seeds ?? 1_000), Number(values.from ?? 1));
