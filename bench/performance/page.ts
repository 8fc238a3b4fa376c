// Renders docs/evidence/performance.md: what was measured, what limits it, and what it means for operators of a control
// plane. Every figure comes from the results, and the page says that a goal is reached only if they show it.
import { replicaSizes } from "../../components/conventions.ts";
import { patience } from "../../defaults.ts";
import { defaultStrategy } from "../../engines/rollout/plan.ts";
import { markdownTable } from "../markdown-table.ts";
import type { AppPreview } from "./app-preview.ts";
import { type Declaration, declarations } from "./drop-in.ts";
import { type Appends, type Contender, contenders, type Journalled } from "./journal.ts";
import { heapMegabytes, type Loaded, strategyOf } from "./load.ts";
import { type Arm, arms, type Preview, type Previews } from "./preview.ts";
import type { Results, Taken } from "./results.ts";
import { percentile, ratios, type Spread, spreadOf } from "./statistics.ts";

const grouped = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
/** Gives a figure with two decimals below ten, one below a hundred, and none above. */
const figure = (value: number): string => (value >= 100 ? grouped(value) : value.toFixed(value >= 10 ? 1 : 2));
const milliseconds = ({ median, low, high }: Spread): string => `${figure(median)} (${figure(low)} to ${figure(high)})`;
const times = ({ median, low, high }: Spread): string =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
const megabytes = (bytes: number): string => figure(bytes / 1_000_000);
const outcome = (reached: boolean): string => (reached ? "reached" : "not reached");

const takenOn = ({ at, cores, processor, memoryBytes, node }: Taken, more: string): string =>
  `\
Measured on ${at}: ${cores} cores (${processor}), ${Math.round(memoryBytes / 2 ** 30)} GB, Node ${node}, ${more}.
Everything ran on one machine, the load beside what was measured.`;

const armNames: Readonly<Record<Arm, string>> = {
  ours: "the program as it is",
  whole: "with azure-native imported whole",
  translated: "with stack traces translated by the SDK",
  unrefreshed: "as it is, with `--refresh=false`",
};
const previewGoalMilliseconds = 2000;

function previewSection({ pulumiCli, previews, ...taken }: NonNullable<Results["preview"]>): string {
  const of = (arm: Arm, what: keyof Preview): readonly number[] => previews[arm].map((preview) => preview[what]);
  const row = (arm: Arm): readonly string[] => [
    armNames[arm],
    ...(["all", "before", "program"] as const).map((what) => milliseconds(spreadOf(of(arm, what)))),
    times(ratios(of(arm, "all"), of("ours", "all"))),
  ];
  const head = ["variant", "whole preview", "until the program begins", "the program's process", "ratio to the first"];
  const { median } = spreadOf(of("ours", "all"));
  const goal = `${outcome(median <= previewGoalMilliseconds)} here, at ${grouped(median)} ms`;
  return `## A preview

\`pulumi preview\` of the whole program (\`index.ts\`: registry, environment, database, control plane, storefront with
its release, dead man's switch), deployed on the emulator and unchanged: ${previews.ours.length} rounds after a
warm-up round, with the variants in turn. ${takenOn(taken, `Pulumi ${pulumiCli}`)} Milliseconds: median (quartiles).

${markdownTable(head, arms.map(row))}

The goal is ${previewGoalMilliseconds / 1000} s: ${goal}.

${limitsOfPreview(previews)}
`;
}

function limitsOfPreview(previews: Previews): string {
  const saved = (arm: Arm, what: keyof Preview): number =>
    spreadOf(previews[arm].map((one, index) => one[what] - previews.ours[index]![what])).median;
  const described = (value: number): string => (value > 0 ? `${grouped(value)} ms` : "less than the noise of this run");
  const refresh = described(-saved("unrefreshed", "all"));
  const whole = described(saved("whole", "all"));
  const translated = described(saved("translated", "all"));
  return `\
**What limits it.** Before the program begins, the Pulumi CLI starts its language host and reads every resource,
because of \`refresh: always\`. The refresh took ${refresh} (median of the pairs); it records in the state where the
control plane has left the traffic. The program's process is Node, the SDK, the files of azure-native that we import,
and the calls that register resources. Importing azure-native whole would take ${whole} more. The SDK takes a stack
trace for every promise and translates each by source maps, which would take ${translated} more.

**What it means.** Import azure-native by file in your own program. If the Pulumi CLI runs your sources directly, turn
off the translation of stack traces with \`Reflect.deleteProperty(Error, "prepareStackTrace")\`, as in \`index.ts\`. On
Azure a refresh also waits for Azure's answers.`;
}

const declarationNames: Readonly<Record<Declaration, string>> = {
  ContainerApp: "`ContainerApp`",
  earlier: "`CanaryApp` before it took the arguments of a `ContainerApp`",
  CanaryApp: "`CanaryApp`",
};

function dropInSection({ pulumiCli, previews, ...taken }: NonNullable<Results["dropIn"]>): string {
  const { ContainerApp: plain = [], CanaryApp: ours = [], earlier } = previews;
  const wall = (all: readonly AppPreview[]) => all.map(({ milliseconds: each }) => each);
  const busy = (all: readonly AppPreview[]) => all.map(({ processorSeconds }) => processorSeconds);
  const rows = declarations.flatMap((declaration) => {
    const all = previews[declaration];
    if (all === undefined) return [];
    return [
      [
        declarationNames[declaration],
        milliseconds(spreadOf(wall(all))),
        times(ratios(wall(all), wall(plain))),
        times(spreadOf(busy(all))),
        times(ratios(busy(all), busy(plain))),
      ],
    ];
  });
  const headings = ["declared as", "whole preview", "ratio to the first", "processor, s", "ratio to the first"];
  const [slower, dearer] = [wall, busy].map((of) => ratios(of(ours), of(plain)).median.toFixed(2));
  return `## A preview of an app that becomes a CanaryApp

\`pulumi preview\` of one unchanged app, declared as azure-native's \`ContainerApp\` and as a \`CanaryApp\` of the
package (its JavaScript, as users run it), each in a stack of its own on the emulator: ${plain.length} rounds after one
that warms up. ${takenOn(taken, `Pulumi ${pulumiCli}`)}
Milliseconds, and seconds of processor time of all processes of the preview: median (quartiles).

${markdownTable(headings, rows)}

**What it means.** A preview of a \`CanaryApp\` takes ${slower} times as long as one of a plain app, and ${dearer} times
the processor time (medians of the pairs): it is slower. For that the program imports Ballast, the Pulumi CLI starts a
second provider, once for the refresh and once for the program, and the component reads the live app, so that a preview
says what an update would take from it. A refresh asks the control plane only about a release that has not ended well.
${earlier === undefined ? "" : comparedWithEarlier(ours, earlier, [wall, busy])}`;
}

/** Says what the arguments of a ContainerApp cost a CanaryApp. */
function comparedWithEarlier(
  ours: readonly AppPreview[],
  earlier: readonly AppPreview[],
  measures: readonly ((all: readonly AppPreview[]) => readonly number[])[],
): string {
  const [wall, busy] = measures.map((of) => times(ratios(of(ours), of(earlier))));
  return `
Beside the \`CanaryApp\` of commit 64c99377^, which took a few arguments of its own, it takes ${wall}
times as long and ${busy} times the processor time. That commit was measured with \`--earlier\`.
`;
}

const contenderNames: Readonly<Record<Contender, string>> = {
  ours: "our journal: chained, fenced by its claim, with notifications to listeners",
  plain: "plain INSERTs of the same facts",
  emmett: "Emmett's PostgreSQL store",
};
const plainGoal = 0.9;
const emmettGoal = 2;

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

One fact per transaction (${grouped(factBytes)} bytes on average, as a bake writes them) on one PostgreSQL server:
${rounds} rounds of ${appendsARound} appends each, in turn. ${takenOn(taken, "durable commits")}
Milliseconds per append: median (quartiles). *Our speed* is the number of our appends in the time of one of theirs, pair
by pair.

${markdownTable(["store", "one stream", "our speed", "eight streams at once", "our speed"], measured.map(row))}

${goalsOfJournal({ one, eight })}

**What limits it.** One of our appends is one statement: it locks the claim's row, compares the stream's length and
last hash, moves the stream's head and adds the fact. A plain INSERT adds one row. The rest is the same, mainly a
commit to the disk. Listeners are notified in a separate transaction, because PostgreSQL commits transactions that
notify one at a time. The writer computes the hash. We keep all of this although it costs speed.

**What it means.** A rollout writes a fact every few seconds, so the journal does not limit how many rollouts a control
plane can drive.
`;
}

function goalsOfJournal({ one, eight }: Pick<Journalled, "one" | "eight">): string {
  const goals = (
    [
      ["plain", plainGoal, "plain INSERTs"],
      ["emmett", emmettGoal, "Emmett"],
    ] as const
  ).flatMap(([name, goal, store]) =>
    [
      [one, "one stream"],
      [eight, "eight streams"],
    ].flatMap(([appends, where]) => {
      const theirs = (appends as Appends)[name];
      if (theirs === undefined) return ["- Emmett could not be installed on this machine."];
      const { median } = ratios(theirs, (appends as Appends).ours!);
      const result = `${outcome(median >= goal)}, at ${median.toFixed(2)}`;
      return [`- ${goal} times the speed of ${store} in ${where as string}: ${result}`];
    }),
  );
  return `The goals:\n\n${[...new Set(goals)].join("\n")}`;
}

/** Gives the number of rollouts at the default strategy that would put the same load on a control plane. */
const atDefaultStrategy = ({ rollouts, intervalSeconds }: Loaded): number =>
  (rollouts * defaultStrategy.intervalSeconds) / intervalSeconds;
const lagOf = ({ lags }: Loaded, percent: number): number => percentile(lags, percent);
const busyPercent = ({ planeSeconds, seconds, planes }: Loaded): number => (100 * planeSeconds) / (seconds * planes);

function loadSection({ postgres, cells, ...taken }: NonNullable<Results["load"]>): string {
  const strategy = strategyOf(10);
  return `## Many rollouts at once

Healthy releases, all requested at the same moment, on real control planes (\`controlplane/main.ts\`) with PostgreSQL
${postgres} and a fake Azure that answers the real adapters at once over HTTPS. Each release has one step of
${strategy.weights[0]} percent before 100, bakes for one interval, and is probed twice per interval, as with the default
strategy. The intervals are shorter than the default ${defaultStrategy.intervalSeconds} s, so that a run ends soon.
${takenOn(taken, `PostgreSQL ${postgres}`)}
*Lag* is the time from the end of a wait until the observation after it is in the journal.

${markdownTable(
  [
    "rollouts",
    "control planes",
    "interval",
    "same load, in rollouts at the default strategy",
    "lag p50 ms",
    "lag p99 ms",
    "until all ended, s",
    "results",
  ],
  cells.map((cell) => [
    ...named(cell),
    `${cell.intervalSeconds} s`,
    grouped(atDefaultStrategy(cell)),
    grouped(lagOf(cell, 50)),
    grouped(lagOf(cell, 99)),
    grouped(cell.seconds),
    Object.entries(cell.results)
      .map(([result, count]) => `${grouped(count)} ${result}`)
      .join(", "),
  ]),
)}

The cost of one rollout:

${costTable(cells)}

${meaningOfLoad(cells)}
`;
}

const named = (cell: Loaded): readonly string[] => [grouped(cell.rollouts), String(cell.planes)];

function costTable(cells: readonly Loaded[]): string {
  const each = (total: number, { rollouts }: Loaded): string => figure(total / rollouts);
  const asked = ({ asked: counts }: Loaded): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  return markdownTable(
    [
      "rollouts",
      "control planes",
      "control plane, CPU s",
      "PostgreSQL, CPU s",
      "transactions",
      "facts",
      "journal, kB",
      "rows of passes",
      "write-ahead log, kB",
      "requests to Azure",
      "peak memory, MB",
    ],
    cells.map((cell) => [
      ...named(cell),
      each(cell.planeSeconds, cell),
      each(cell.databaseSeconds, cell),
      each(cell.transactions, cell),
      each(cell.facts, cell),
      each(cell.journalBytes / 1000, cell),
      each(cell.passRows, cell),
      each(cell.walBytes / 1000, cell),
      each(asked(cell), cell),
      cell.peakBytes.map(megabytes).join(", "),
    ]),
  );
}

function meaningOfLoad(cells: readonly Loaded[]): string {
  const largest = cells.reduce((most, cell) => (cell.rollouts > most.rollouts ? cell : most), cells[0]!);
  const one = cells.filter(({ planes }) => planes === 1);
  const carried = one
    .filter((cell) => lagOf(cell, 99) < cell.intervalSeconds * 1000)
    .reduce<Loaded | undefined>(
      (most, cell) => (most === undefined || atDefaultStrategy(cell) > atDefaultStrategy(most) ? cell : most),
      undefined,
    );
  const two = cells.find(({ planes, rollouts }) => planes === 2 && rollouts === largest.rollouts);
  const alone = one.find(({ rollouts }) => rollouts === largest.rollouts);
  const kept = largest.journalBytes / largest.rollouts;
  const result =
    carried === undefined
      ? "No measured cell kept its lag within an interval for 99 of 100 intervals on one control plane."
      : `\
One control plane carried the load of ${grouped(atDefaultStrategy(carried))} rollouts at once at the default strategy,
and 99 % of measurements were less than one interval late.`;
  return `\
**What limits it.** A pass is a handful of statements to PostgreSQL and one or two requests to Azure. The control
plane is one JavaScript thread that sends them.${busyOf(alone, two)} A second control plane takes half of the passes,
and shares PostgreSQL and, here, the cores with the first.

**What it means.** ${result}
Lag delays a verdict, but every bucket is still judged once.

A second replica (\`ballast:replicas\`, controlPlaneMin) is mainly there in case the first one dies. It also carries
load, because a rollout is driven by the replica that received its request. Add more replicas when one is busy most of
its time, which its CPU usage shows, and give PostgreSQL more CPU as well.

The journal of a rollout took ${figure(kept / 1000)} kB here, so ten thousand rollouts take about
${grouped((kept * 10_000) / 1_000_000)} MB. A longer bake writes more facts. Rows of passes are deleted
when the rollout ends. *Memory* is the peak of the process with a heap of ${heapMegabytes} MB, which is
Node's default in the ${replicaSizes.controlPlane.gib} GiB of \`ControlPlane\`. Azure's throttling and
latency are not included.`;
}

function busyOf(alone: Loaded | undefined, two: Loaded | undefined): string {
  if (alone === undefined) return "";
  const one = `one process was busy for ${figure(busyPercent(alone))} % of the time`;
  const each = two ? `, each of two for ${figure(busyPercent(two))} %` : "";
  return ` With ${grouped(alone.rollouts)} rollouts ${one}${each}.`;
}

function readersSection({ cells, ...taken }: NonNullable<Results["readers"]>): string {
  const rows = cells.map(({ facts, readers, alone, beside, calls }) => [
    grouped(facts),
    String(readers),
    milliseconds(spreadOf(alone)),
    milliseconds(spreadOf(beside)),
    figure(Math.max(...beside)),
    milliseconds(spreadOf(calls)),
  ]);
  const head = ["facts of each rollout", "readers", "renewal alone", "renewal beside them", "slowest", "one call"];
  const limit = patience.leaseSeconds * 100;
  const slowest = Math.max(...cells.flatMap(({ beside }) => beside));
  return `## Readers

A hundred rollouts that a person paused for hours. Each reader lists all rollouts, shows one and follows one from its
last fact, again and again, while the same process renews a lease. ${takenOn(taken, "durable commits")} Milliseconds:
median (quartiles).

${markdownTable(head, rows)}

The goal is that every renewal takes less than a tenth of the lease, which is ${grouped(limit)} ms:
${outcome(slowest < limit)}.

**What limits it.** Lists and single rollouts are read from one row for each, which an append writes with its facts. A
follower reads the facts after its last one. So the length of the journals costs readers nothing, and renewals have
connections of their own.
`;
}

/** Renders the page from the parts that were measured. */
export function page({ preview, dropIn, journal, readers, load }: Results): string {
  const sections = [
    preview && previewSection(preview),
    dropIn && dropInSection(dropIn),
    journal && journalSection(journal),
    readers && readersSection(readers),
    load && loadSection(load),
  ];
  return `# Performance

\`npm run bench\` writes this page in about a quarter of an hour. Every figure comes from
[bench/performance/results.json](../../bench/performance/results.json). \`npm run bench -- --quick\` prints a page of
its own in about four minutes; \`--only preview\`, \`dropIn\`, \`journal\`, \`readers\` or \`load\` measures one
part again. All times depend on the machine. What is compared ran in turn in one run, so compare the ratios.

*Unverified on Azure:* everything on this page. The emulator and the fake Azure answer at once.

${sections.filter((section) => section !== undefined).join("\n")}`;
}
