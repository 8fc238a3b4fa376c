// `ballast backtest`: shows what other thresholds would have decided on recorded rollouts, next to what was decided.
// The engine judges the journals again; nothing is started or changed.
import type { Command } from "commander";
import { type RolloutCalls, type RolloutSummary, rollouts } from "../../client/rollouts.ts";
import { streamCalls } from "../../client/streams.ts";
import { type BacktestStep, backtest } from "../../engines/rollout/judge/backtest.ts";
import type { RolloutEvent, Thresholds } from "../../engines/rollout/vocabulary.ts";
import { duration, type Instant, secondsBetween } from "../../engines/time.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson, styled, table } from "../terminal.ts";
import { findRollout, nameOf, rolloutFinder } from "./find.ts";
import { readJournal, readThresholds } from "./plan-file.ts";

interface BacktestOptions extends ReachOptions {
  readonly thresholds: string;
  readonly journal?: readonly string[];
  readonly file?: string;
}

/** A recorded rollout, and what the other thresholds would have decided in each step. */
interface Backtested {
  readonly name: string;
  readonly startedAt: Instant;
  readonly result: string | null;
  readonly steps: readonly BacktestStep[];
}

/** Adds the command `backtest`. */
export const addBacktest = (program: Command): Command =>
  withReachOptions(program.command("backtest"))
    .description("show what other thresholds would have decided on recorded rollouts")
    .requiredOption("--thresholds <file>", "thresholds in YAML or JSON; omitted fields take their defaults")
    .option("--journal <rollout...>", "rollouts to judge (default: all that the control plane lists)")
    .option("--file <journal>", "journal file to judge, one fact per line; the control plane is not called")
    .addHelpText(
      "after",
      `
${rolloutFinder.naming}

The thresholds judge the requests that each rollout recorded. What would have
followed a different decision was not observed: the rest of a rollout after a rollback is not judged, and how long a
wait would have lasted is unknown.

Examples:
  ballast backtest --thresholds stricter.yaml
  ballast backtest --thresholds stricter.yaml --journal storefront storefront/storefront--0000003
  ballast backtest --thresholds stricter.yaml --file journal.jsonl --json`,
    )
    .action(async (options: BacktestOptions) => {
      const thresholds = readThresholds(options.thresholds);
      const backtested =
        options.file === undefined
          ? await recorded(options, thresholds)
          : [backtestOf(options.file, readJournal(options.file), thresholds)];
      if (options.json) return printJson({ thresholds, rollouts: backtested });
      for (const rollout of backtested) print(`${linesOf(rollout)}\n\n`);
      print(summaryOf(backtested));
    });

async function recorded(options: BacktestOptions, thresholds: Thresholds): Promise<readonly Backtested[]> {
  const calls = streamCalls(await reach(options), rollouts);
  const found =
    options.journal === undefined
      ? await readable(calls)
      : await Promise.all(options.journal.map((name) => findRollout(calls, name)));
  const backtested: Backtested[] = [];
  for (const rollout of found) {
    const journal = await calls.journal(rollout);
    backtested.push(
      backtestOf(
        nameOf(rollout),
        journal.map(({ event }) => event),
        thresholds,
      ),
    );
  }
  return backtested;
}

/** Gives all rollouts whose journals can be read, and reports the others. */
async function readable(calls: RolloutCalls): Promise<readonly RolloutSummary[]> {
  const { streams, unreadable } = await calls.list();
  for (const { error } of unreadable) process.stderr.write(`${error}\n`);
  return streams;
}

function backtestOf(name: string, journal: readonly RolloutEvent[], thresholds: Thresholds): Backtested {
  const finished = journal.findLast((event) => event.kind === "Finished");
  return {
    name,
    startedAt: journal[0]?.at ?? 0,
    result: finished?.result ?? null,
    steps: backtest(journal, thresholds),
  };
}

function linesOf({ name, startedAt, result, steps }: Backtested): string {
  const head = `${styled("bold", name)}  ${result ?? "in progress"}`;
  if (steps.length === 0) return `${head}\n  The canary never received traffic, so there is nothing to judge.`;
  const at = (moment: Instant): string => duration(secondsBetween(startedAt, moment));
  const rows = steps.map(({ attempt, percent }, index) => [
    `  ${percent} %${attempt > 1 ? `, attempt ${attempt}` : ""}`,
    decidedIn(steps, index, at),
    wouldIn(steps, index, at),
  ]);
  return `${head}\n${table([["  STEP", "DECIDED", "WITH THESE THRESHOLDS"], ...rows], dimHead)}`;
}

const dimHead = (text: string, row: number): string => (row === 0 ? styled("dim", text) : text);

function decidedIn(steps: readonly BacktestStep[], index: number, at: (moment: Instant) => string): string {
  const { decided } = steps[index]!;
  if (decided !== undefined) return `${decided.verdict} at ${at(decided.at)}`;
  return index < steps.length - 1 ? "left manually" : "undecided";
}

const verdicts = { pass: "would pass", fail: "would roll back", inconclusive: "would wait" } as const;

function wouldIn(steps: readonly BacktestStep[], index: number, at: (moment: Instant) => string): string {
  const { attempt, would } = steps[index]!;
  if (would === undefined) {
    const isRolledBack = steps
      .slice(0, index)
      .some((step) => step.attempt === attempt && step.would?.verdict === "fail");
    return isRolledBack ? "not reached" : "no verdict";
  }
  const moment = would.verdict === "inconclusive" ? "" : ` at ${at(would.at)}`;
  return `${verdicts[would.verdict]}${moment}: ${would.message}`;
}

function summaryOf(backtested: readonly Backtested[]): string {
  const judged = backtested.filter(({ steps }) => steps.length > 0);
  const having = (fits: (step: BacktestStep) => boolean): number =>
    judged.filter(({ steps }) => steps.some(fits)).length;
  const rolledBack = having(({ would }) => would?.verdict === "fail");
  const aborted = having(({ decided }) => decided?.verdict === "aborted");
  const waiting = having(({ would, decided }) => would?.verdict === "inconclusive" && decided?.verdict === "passed");
  return [
    `Rollouts judged: ${judged.length}; aborted: ${aborted}.`,
    `These thresholds would roll back ${rolledBack}, and would wait in a step that passed in ${waiting}.`,
    "What would have followed a different decision was not observed.",
  ].join("\n");
}
