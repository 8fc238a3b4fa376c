// Writes docs/evidence/performance.md: what was measured, what limits it, and what it means for whoever runs a control plane. Every figure on it comes from the
// results that it is handed, and no sentence says of an aim that it is reached unless they do.

import { replicaSizes } from "../../components/conventions.ts";
import { defaultPace } from "../../engines/rollout/plan.ts";
import { type Appends, type Contender, contenders, type Journalled } from "./journal.ts";
import { heapMegabytes, type Loaded, paceOf } from "./load.ts";
import { type Arm, arms, type Preview, type Previews } from "./preview.ts";
import type { Results, Taken } from "./results.ts";
import { percentile, ratios, type Spread, spreadOf } from "./statistics.ts";

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
const grouped = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
/** A figure as long as it is worth: two digits after the point below ten, one below a hundred. */
const figure = (value: number): string => (value >= 100 ? grouped(value) : value.toFixed(value >= 10 ? 1 : 2));
const milliseconds = ({ median, low, high }: Spread): string => `${figure(median)} (${figure(low)} to ${figure(high)})`;
const times = ({ median, low, high }: Spread): string =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
const megabytes = (bytes: number): string => figure(bytes / 1_000_000);
const outcome = (reached: boolean): string => (reached ? "reached" : "not reached");

const takenOn = ({ at, cores, processor, memoryBytes, node }: Taken, more: string): string =>
  `Taken on ${at}: ${cores} cores (${processor}), ${Math.round(memoryBytes / 2 ** 30)} GB, Node ${node}, ${more}. Everything ran on the one machine, the load beside what was measured.`;

const armNames: Readonly<Record<Arm, string>> = {
  ours: "the program as it is",
  whole: "with azure-native imported whole",
  translated: "with stack traces translated by the SDK",
  unrefreshed: "as it is, with `--refresh=false`",
};
const previewAimMilliseconds = 2000;

function previewSection({ engine, previews, ...taken }: NonNullable<Results["preview"]>): string {
  const of = (arm: Arm, what: keyof Preview): readonly number[] => previews[arm].map((preview) => preview[what]);
  const row = (arm: Arm): readonly string[] => [
    armNames[arm],
    ...(["all", "before", "program"] as const).map((what) => milliseconds(spreadOf(of(arm, what)))),
    times(ratios(of(arm, "all"), of("ours", "all"))),
  ];
  const { median } = spreadOf(of("ours", "all"));
  return `## A preview

\`pulumi preview\` of the whole program (\`index.ts\`: registry, environment, database, control plane, storefront with its release, dead man's switch) on the stand-in, deployed and unchanged,
${previews.ours.length} rounds after a warming one, the arms in turn. ${takenOn(taken, `Pulumi ${engine}`)} Milliseconds: median (quartiles).

${table(["", "all", "until the program begins", "the program's process", "times as long as the first"], arms.map(row))}

The aim is ${previewAimMilliseconds / 1000} s: ${outcome(median <= previewAimMilliseconds)} here, at ${grouped(median)} ms. ${limitsOfPreview(previews)}
`;
}

function limitsOfPreview(previews: Previews): string {
  const saved = (arm: Arm, what: keyof Preview): number =>
    spreadOf(previews[arm].map((one, index) => one[what] - previews.ours[index]![what])).median;
  const inWords = (value: number): string => (value > 0 ? `${grouped(value)} ms` : "less than the noise of this run");
  const refresh = inWords(-saved("unrefreshed", "all"));
  const whole = inWords(saved("whole", "all"));
  const translated = inWords(saved("translated", "all"));
  return `**What limits it.** Before the program begins the engine starts its language host and, as \`refresh: always\` asks, reads every resource, which took ${refresh} (median of the pairs), and buys that the state knows
where the control plane has left the traffic. The program's process is Node, the SDK, the files of azure-native that we name, and the calls that register resources. Importing azure-native whole took, beyond that, ${whole}.
The SDK takes a stack trace with every promise and has each translated by source maps, which would take ${translated}.
**What it means.** Import azure-native by file in a program of your own too; and where the engine runs your sources as they are, let no trace be translated, by \`Reflect.deleteProperty(Error, "prepareStackTrace")\` as in \`index.ts\`. Azure's own answers, which a refresh waits for, come on top; *unverified on Azure*.`;
}

const contenderNames: Readonly<Record<Contender, string>> = {
  ours: "our journal: chained, fenced by its claim, told to listeners",
  plain: "plain INSERTs of the same facts",
  emmett: "Emmett's PostgreSQL store",
};
const plainAim = 0.9;
const emmettAim = 2;

function journalSection({
  rounds,
  appendsARound,
  factBytes,
  one,
  eight,
  ...taken
}: NonNullable<Results["journal"]>): string {
  const measured = contenders.filter((name) => one[name] !== undefined);
  const faster = (appends: Appends, than: Contender): string =>
    appends[than] && than !== "ours" ? times(ratios(appends[than], appends.ours!)) : "";
  const row = (name: Contender): readonly string[] => [
    contenderNames[name],
    milliseconds(spreadOf(one[name]!)),
    faster(one, name),
    milliseconds(spreadOf(eight[name]!)),
    faster(eight, name),
  ];
  return `## The journal

One fact a transaction (${grouped(factBytes)} bytes on average, as a bake writes them), on one PostgreSQL server, ${rounds} rounds of ${appendsARound} appends each, in turn. ${takenOn(taken, "durable commits")}
Milliseconds an append: median (quartiles). *Our speed* is how many of ours are done in the time of one of theirs, pair by pair.

${table(["", "one after another in one stream", "our speed", "eight streams at once", "our speed"], measured.map(row))}

${aimsOfJournal({ one, eight })}
**What limits it.** An append of ours is one statement: it locks the claim's row, compares the stream's length and last hash, moves the stream's head and adds the fact; a plain INSERT adds one row. All else, a commit to the disk above all, is
the same. Listeners are told in a transaction of its own: PostgreSQL lets transactions that notify commit only one at a time. The hash is made by the writer. None of this is given up for speed.
**What it means.** A rollout writes a fact every few seconds; the journal is not what limits how many a control plane carries.
`;
}

function aimsOfJournal({ one, eight }: Pick<Journalled, "one" | "eight">): string {
  const aims = (
    [
      ["plain", plainAim, "plain INSERTs"],
      ["emmett", emmettAim, "Emmett"],
    ] as const
  ).flatMap(([name, aim, inWords]) =>
    [
      [one, "one stream"],
      [eight, "eight streams"],
    ].flatMap(([appends, where]) => {
      const theirs = (appends as Appends)[name];
      if (theirs === undefined) return [`Emmett could not be installed where this was measured.`];
      const { median } = ratios(theirs, (appends as Appends).ours!);
      return [
        `${aim} times the speed of ${inWords} in ${where as string}: ${outcome(median >= aim)}, at ${median.toFixed(2)}`,
      ];
    }),
  );
  return `The aims: ${[...new Set(aims)].join("; ")}.`;
}

/** So many rollouts at the default pace ask as much of a control plane as these do. */
const atDefaultPace = ({ rollouts, tickSeconds }: Loaded): number => (rollouts * defaultPace.tickSeconds) / tickSeconds;
const lagOf = ({ lags }: Loaded, percent: number): number => percentile(lags, percent);
const busyPercent = ({ planeSeconds, seconds, planes }: Loaded): number => (100 * planeSeconds) / (seconds * planes);

function loadSection({ postgres, cells, ...taken }: NonNullable<Results["load"]>): string {
  const pace = paceOf(10);
  const each = (total: number, { rollouts }: Loaded): string => figure(total / rollouts);
  const asked = ({ asked: counts }: Loaded): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const named = (cell: Loaded): readonly string[] => [grouped(cell.rollouts), String(cell.planes)];
  return `## Many rollouts at once

Healthy releases, all asked for at the same moment, on real control planes (\`controlplane/main.ts\`) with PostgreSQL ${postgres} and a cheap Azure of the benchmark's own, which answers at once over HTTPS what the real adapters ask.
Each has one step of ${pace.weights[0]} percent before 100, bakes for a tick, and is probed twice a tick, as at the default pace; a tick is shorter than its ${defaultPace.tickSeconds} s, so that a run ends soon. ${takenOn(taken, `PostgreSQL ${postgres}`)}
*Lag* is from the moment that a rollout waited for until what it then saw was in the journal.

${table(
  [
    "rollouts",
    "control planes",
    "tick",
    "as many at the default pace",
    "lag p50 ms",
    "lag p99 ms",
    "until all had ended, s",
    "ended",
  ],
  cells.map((cell) => [
    ...named(cell),
    `${cell.tickSeconds} s`,
    grouped(atDefaultPace(cell)),
    grouped(lagOf(cell, 50)),
    grouped(lagOf(cell, 99)),
    grouped(cell.seconds),
    Object.entries(cell.results)
      .map(([result, count]) => `${grouped(count)} ${result}`)
      .join(", "),
  ]),
)}

What a rollout cost:

${table(
  [
    "rollouts",
    "control planes",
    "control plane, CPU s",
    "PostgreSQL, CPU s",
    "transactions",
    "facts",
    "journal, kB",
    "rows of turns",
    "write-ahead log, kB",
    "requests to Azure",
    "memory at most, MB",
  ],
  cells.map((cell) => [
    ...named(cell),
    each(cell.planeSeconds, cell),
    each(cell.databaseSeconds, cell),
    each(cell.transactions, cell),
    each(cell.facts, cell),
    each(cell.journalBytes / 1000, cell),
    each(cell.turnRows, cell),
    each(cell.walBytes / 1000, cell),
    each(asked(cell), cell),
    cell.peakBytes.map(megabytes).join(", "),
  ]),
)}

${meaningOfLoad(cells)}
`;
}

function meaningOfLoad(cells: readonly Loaded[]): string {
  const largest = cells.reduce((most, cell) => (cell.rollouts > most.rollouts ? cell : most), cells[0]!);
  const one = cells.filter(({ planes }) => planes === 1);
  const carried = one
    .filter((cell) => lagOf(cell, 99) < cell.tickSeconds * 1000)
    .reduce<Loaded | undefined>(
      (most, cell) => (most === undefined || atDefaultPace(cell) > atDefaultPace(most) ? cell : most),
      undefined,
    );
  const two = cells.find(({ planes, rollouts }) => planes === 2 && rollouts === largest.rollouts);
  const alone = one.find(({ rollouts }) => rollouts === largest.rollouts);
  const kept = largest.journalBytes / largest.rollouts;
  return `**What limits it.** A turn is a handful of statements to PostgreSQL and a request or two to Azure; the control plane is one JavaScript thread that sends them. ${alone === undefined ? "" : `With ${grouped(alone.rollouts)} rollouts that one process was busy for ${figure(busyPercent(alone))} % of the time`}${alone && two ? `, each of two for ${figure(busyPercent(two))} %.` : alone ? "." : ""}
A second one takes half of the turns, and shares PostgreSQL and, here, the cores with the first.
**What it means.** ${carried === undefined ? "No measured cell kept its lag within a tick for 99 of 100 ticks on one control plane." : `One control plane carried what ${grouped(atDefaultPace(carried))} rollouts at once would ask at the default pace, with 99 of 100 ticks late by less than a tick.`} Lag delays a verdict; it loses no bin and judges none twice.
A second replica (\`ballast:replicas\`, controlPlaneMin) is for the day on which the first one dies; it carries load too, since a rollout is driven by the replica that was asked for it. More of them are worth it when one is busy most of its time, which its processor's use shows; give PostgreSQL as much
then. The journal of a rollout took ${figure(kept / 1000)} kB here, so that ten thousand are about ${grouped((kept * 10_000) / 1_000_000)} MB; a real bake of more ticks writes
more facts. Rows of turns are deleted with the rollout's end. *Memory* is what the process took with a heap of ${heapMegabytes} MB, as Node takes for itself in the ${replicaSizes.controlPlane.gib} GiB that \`ControlPlane\` asks for. Azure's throttling and latencies are not in this: *unverified on Azure*.`;
}

/** Writes the page from whatever was measured. */
export function page({ preview, journal, load }: Results): string {
  return `# Performance

Written by \`npm run bench\`, which takes about twelve minutes; every figure comes from [bench/performance/results.json](../bench/performance/results.json). \`npm run bench -- --quick\` prints a page of its own in about two minutes, \`--only preview\`, \`journal\` or \`load\`
measures one part again. What is compared ran in turn in one run: look at the ratios, since times are the machine's.

${[preview && previewSection(preview), journal && journalSection(journal), load && loadSection(load)].filter((section) => section !== undefined).join("\n")}`;
}
