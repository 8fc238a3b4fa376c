// `ballast simulate`: what other limits would have said on rollouts that were recorded, beside what was decided. It reads journals and shows; the
// engine judges, and nothing is started or changed.
import type { Command } from "commander";
import type { ControlPlane, Shown } from "../../client/control-plane.ts";
import { inHindsight, type StepInHindsight } from "../../engines/rollout/judge/backtest.ts";
import type { Limits, RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { duration, type Instant, secondsBetween } from "../../engines/time.ts";
import { find, nameOf, type ReachOptions, reach, reachable } from "../reach.ts";
import { print, printJson, styled, table } from "../terminal.ts";
import { readJournal, readLimits } from "./plan-file.ts";

interface SimulateOptions extends ReachOptions {
  readonly limits: string;
  readonly journal?: readonly string[];
  readonly file?: string;
}

/** A rollout as it was, and in hindsight. */
interface Simulated {
  readonly name: string;
  readonly startedAt: Instant;
  readonly result: string | null;
  readonly steps: readonly StepInHindsight[];
}

/** Adds the command. */
export const addSimulate = (program: Command): Command =>
  reachable(program.command("simulate"))
    .description("tell what other limits would have decided on recorded rollouts")
    .requiredOption("--limits <file>", "the limits, in YAML or JSON; what they leave out has its default")
    .option("--journal <rollout...>", "these rollouts (default: all that the control plane lists)")
    .option("--file <journal>", "a journal in a file, a fact a line; no control plane is asked")
    .addHelpText(
      "after",
      `
A rollout is named <app> for the app's newest, <app>/<revision>, or <resource group>/<app>/<revision>.
The limits see the requests that each rollout had. What comes after a different decision was not observed: where they would have rolled back, the
rest of that rollout says nothing, and where they would have held, nobody knows for how long.

Examples:
  ballast simulate --limits stricter.yaml
  ballast simulate --limits stricter.yaml --journal storefront storefront/storefront--0000003
  ballast simulate --limits stricter.yaml --file journal.jsonl --json`,
    )
    .action(async (options: SimulateOptions) => {
      const limits = readLimits(options.limits);
      const rollouts =
        options.file === undefined
          ? await recorded(options, limits)
          : [simulate(options.file, readJournal(options.file), limits)];
      if (options.json) return printJson({ limits, rollouts });
      for (const rollout of rollouts) print(`${shownIn(rollout)}\n\n`);
      print(summaryOf(rollouts));
    });

async function recorded(options: SimulateOptions, limits: Limits): Promise<readonly Simulated[]> {
  const plane = await reach(options);
  const found =
    options.journal === undefined
      ? await readable(plane)
      : await Promise.all(options.journal.map((name) => find(plane, name)));
  const simulated: Simulated[] = [];
  for (const shown of found)
    simulated.push(
      simulate(
        nameOf(shown),
        (await plane.journal(shown)).map(({ event }) => event),
        limits,
      ),
    );
  return simulated;
}

/** Gives all rollouts whose journals can be read, and tells of the others. */
async function readable(plane: ControlPlane): Promise<readonly Shown[]> {
  const { rollouts, unreadable } = await plane.list();
  for (const { error } of unreadable) process.stderr.write(`${error}\n`);
  return rollouts;
}

function simulate(name: string, journal: readonly RolloutEvent[], limits: Limits): Simulated {
  const finished = journal.findLast((event) => event.kind === "Finished");
  return {
    name,
    startedAt: journal[0]?.at ?? 0,
    result: finished?.result ?? null,
    steps: inHindsight(journal, limits),
  };
}

function shownIn({ name, startedAt, result, steps }: Simulated): string {
  const head = `${styled("bold", name)}  ${result ?? "in flight"}`;
  if (steps.length === 0) return `${head}\n  The canary never had traffic, so nothing could be judged.`;
  const at = (moment: Instant): string => duration(secondsBetween(startedAt, moment));
  const rows = steps.map(({ attempt, percent, decided, would }, index) => [
    `  ${percent} %${attempt > 1 ? `, attempt ${attempt}` : ""}`,
    decided === undefined
      ? index < steps.length - 1
        ? "left by hand"
        : "undecided"
      : `${decided.verdict} at ${at(decided.at)}`,
    would === undefined
      ? silence(steps, index)
      : `${words[would.verdict]}${would.verdict === "inconclusive" ? "" : ` at ${at(would.at)}`}: ${would.sentence}`,
  ]);
  return `${head}\n${table([["  STEP", "DECIDED", "THESE LIMITS"], ...rows], (text, row) => (row === 0 ? styled("dim", text) : text))}`;
}

const words = { pass: "would pass", fail: "would roll back", inconclusive: "would hold" } as const;

const silence = (steps: readonly StepInHindsight[], index: number): string =>
  steps.slice(0, index).some(({ attempt, would }) => attempt === steps[index]!.attempt && would?.verdict === "fail")
    ? "would not have come so far"
    : "had not judged it yet";

function summaryOf(rollouts: readonly Simulated[]): string {
  const judged = rollouts.filter(({ steps }) => steps.length > 0);
  const having = (fits: (step: StepInHindsight) => boolean): number =>
    judged.filter(({ steps }) => steps.some(fits)).length;
  return (
    `Rollouts that were judged: ${judged.length}. These limits would roll back ${having(({ would }) => would?.verdict === "fail")}, where ${having(({ decided }) => decided?.verdict === "aborted")} were aborted, ` +
    `and would hold ${having(({ would, decided }) => would?.verdict === "inconclusive" && decided?.verdict === "passed")} in a step that was passed.\n` +
    "What comes after a different decision was not observed."
  );
}
