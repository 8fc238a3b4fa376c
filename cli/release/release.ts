// `ballast release …`: lists rollouts, follows and explains them, and sends them signals. Each command makes one
// request to the control plane and prints the answer; the control plane decides.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type Listed, type RolloutSummary, succeeded } from "../../client/control-plane.ts";
import { brokenLine, type Followed } from "../../client/follow.ts";
import type { PersonalSignal } from "../../engines/rollout/vocabulary.ts";
import { report } from "../../report/page.ts";
import { find, nameOf, type ReachOptions, reach, rolloutNaming, withReachOptions } from "../reach.ts";
import { print, printJson, styled, table } from "../terminal.ts";
import { explain } from "./explain.ts";
import { factLine, inColourOf, summary } from "./rollout-lines.ts";

/** Adds the group of commands about releases. */
export function addRelease(program: Command): void {
  const group = program.command("release").description("inspect, follow and control rollouts");
  for (const add of [addList, addShow, addExplain, addFollow, addReport]) add(group);
  for (const signal of signals) addSignal(group, signal);
}

const addList = (group: Command): Command =>
  withReachOptions(group.command("list"))
    .description("list rollouts, newest first")
    .option("--app <name>", "only rollouts of this app")
    .option("--resource-group <name>", "only rollouts in this resource group")
    .addHelpText(
      "after",
      "\nExamples:\n  ballast release list --stack prod\n  ballast release list --app storefront --json",
    )
    .action(async (options: ReachOptions & { app?: string; resourceGroup?: string }) => {
      const filter = {
        ...(options.app ? { app: options.app } : {}),
        ...(options.resourceGroup ? { resourceGroup: options.resourceGroup } : {}),
      };
      const listed = await (await reach(options)).list(filter);
      if (options.json) return printJson(listJson(listed));
      for (const { error } of listed.unreadable) process.stderr.write(`${error}\n`);
      if (listed.rollouts.length > 0) print(listTable(listed.rollouts));
      else if (listed.unreadable.length === 0) print("There are no rollouts yet.");
    });

const listJson = ({ rollouts, unreadable }: Listed): object => ({
  rollouts,
  unreadable: unreadable.map(({ id, error }) => ({
    id,
    error: { id: error.id, message: error.message, fix: error.fix, left: error.left },
  })),
});

function listTable(rollouts: readonly RolloutSummary[]): string {
  const rows = rollouts.map((one) => [
    one.app,
    one.revision,
    one.result ?? `${one.phase}, ${one.percent} %`,
    new Date(one.startedAt).toISOString().slice(0, 19).replace("T", " "),
    one.message,
  ]);
  return table([["APP", "REVISION", "RESULT", "STARTED (UTC)", "WHY"], ...rows], (text, row, column) => {
    if (row === 0) return styled("dim", text);
    return column === 2 ? inColourOf(rollouts[row - 1]!.result, text) : text;
  });
}

const addShow = (group: Command): Command =>
  withReachOptions(group.command("show <rollout>"))
    .description("show a rollout's weights, phase, result and reason")
    .addHelpText(
      "after",
      `${rolloutNaming}

Examples:
  ballast release show storefront
  ballast release show storefront/storefront--0000003 --json`,
    )
    .action(async (name: string, options: ReachOptions) => {
      const rollout = await find(await reach(options), name);
      if (options.json) return printJson(rollout);
      print(summary(rollout));
    });

const addExplain = (group: Command): Command =>
  withReachOptions(group.command("explain <rollout>"))
    .description("print every decision of a rollout with its numbers")
    .option("--replay", "decide everything again from the journal, and check that the result is the same")
    .addHelpText(
      "after",
      `${rolloutNaming}
With --replay the exit code is 1 if a decision differs.

Examples:
  ballast release explain storefront
  ballast release explain storefront --replay`,
    )
    .action(async (name: string, options: ReachOptions & { replay?: boolean }) => {
      const plane = await reach(options);
      const rollout = await find(plane, name);
      explain(rollout, await plane.journal(rollout), options);
    });

const addFollow = (group: Command): Command =>
  withReachOptions(group.command("follow <rollout>"))
    .description("print each fact of a rollout as it happens, until the rollout ends")
    .option("--from <index>", "first fact of the journal to print", wholeNumber, 0)
    .addHelpText(
      "after",
      `${rolloutNaming}
The exit code is 0 if the release was promoted or is unchanged from stable, else 1.

Examples:
  ballast release follow storefront
  ballast release follow storefront --json | jq .message`,
    )
    .action(async (name: string, options: ReachOptions & { from: number }) => {
      const plane = await reach(options);
      const rollout = await find(plane, name);
      for await (const followed of plane.follow(rollout, { from: options.from })) {
        if (followed.kind === "ended" && !succeeded(followed.result)) process.exitCode = 1;
        printFollowed(followed, rollout, options.json ?? false);
      }
    });

function printFollowed(followed: Followed, rollout: RolloutSummary, json: boolean): void {
  if (followed.kind === "broken") return void process.stderr.write(`${brokenLine(followed.reason)}\n`);
  if (followed.kind === "fact")
    return json ? printJson(followed.fact) : print(factLine(followed.fact, rollout.startedAt));
  const { result, message } = followed;
  if (json) printJson({ result, message });
  else print(`${inColourOf(result, result)}  ${message}`);
}

const addReport = (group: Command): Command =>
  withReachOptions(group.command("report <rollout>"))
    .description("write an HTML page about a rollout: weights, failures, latency, evidence and journal")
    .option("--out <file>", "file to write", path.join("out", "report.html"))
    .addHelpText(
      "after",
      `${rolloutNaming}
The page is self-contained: it can be opened, sent and printed.

Examples:
  ballast release report storefront
  ballast release report storefront/storefront--0000003 --out friday.html`,
    )
    .action(async (name: string, options: ReachOptions & { out: string }) => {
      const plane = await reach(options);
      const rollout = await find(plane, name);
      const page = report(await plane.journal(rollout));
      mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
      writeFileSync(options.out, page);
      if (options.json) return printJson({ id: rollout.id, file: path.resolve(options.out) });
      print(`Wrote the report of ${nameOf(rollout)} to ${options.out}`);
    });

const signals: readonly { readonly signal: PersonalSignal; readonly what: string; readonly example: string }[] = [
  {
    signal: "pause",
    what: "pause a rollout; stable and canary keep their traffic",
    example: "looking at a strange log line",
  },
  { signal: "resume", what: "resume a paused rollout", example: "the log line was harmless" },
  {
    signal: "approve",
    what: "approve a rollout that waits at its gate, so that the canary may get more traffic",
    example: "error budget and dashboards look right",
  },
  {
    signal: "promote",
    what: "give the canary all traffic without waiting for more evidence",
    example: "the fix is urgent and looks good",
  },
  {
    signal: "abort",
    what: "give all traffic back to stable and deactivate the canary",
    example: "customers report empty carts",
  },
  {
    signal: "retry",
    what: "retry a rollout that was rolled back, rejected or degraded, in the same journal",
    example: "the database was down, not the release",
  },
];

const addSignal = (group: Command, { signal, what, example }: (typeof signals)[number]): Command =>
  withReachOptions(group.command(`${signal} <rollout>`))
    .description(what)
    .requiredOption("-m, --message <text>", "why, recorded in the journal with your name")
    .addHelpText("after", `${rolloutNaming}\n\nExample:\n  ballast release ${signal} storefront --message "${example}"`)
    .action(async (name: string, options: ReachOptions & { message: string }) => {
      const plane = await reach(options);
      const rollout = await find(plane, name);
      const message = await plane.signal(rollout, signal, options.message);
      if (options.json) return printJson({ accepted: true, id: rollout.id, message });
      print(message);
    });

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number of at least 0.");
}
