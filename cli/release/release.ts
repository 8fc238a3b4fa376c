// `ballast release …`: looks at rollouts, follows them, explains them, interferes with them. Each command is one question to
// the control plane and one way to show the answer; nothing is decided here.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { brokenLine, succeeded } from "../../client/control-plane.ts";
import type { PersonalSignal } from "../../engines/rollout/vocabulary.ts";
import { report } from "../../report/page.ts";
import { find, nameOf, type ReachOptions, reach, reachable } from "../reach.ts";
import { print, printJson, styled, table } from "../terminal.ts";
import { explain } from "./explain.ts";
import { inColourOf, summary, toldLine } from "./rollout-lines.ts";

const names = `
A rollout is named <app> for the app's newest, <app>/<revision>, or <resource group>/<app>/<revision>.`;

/** Adds the group of commands about releases. */
export function addRelease(program: Command): void {
  const group = program.command("release").description("look at releases and interfere with them");
  for (const add of [addList, addShow, addExplain, addFollow, addReport]) add(group);
  for (const signal of signals) addSignal(group, signal);
}

const addList = (group: Command): Command =>
  reachable(group.command("list"))
    .description("list rollouts, newest first")
    .option("--app <name>", "only those of this app")
    .option("--resource-group <name>", "only those in this resource group")
    .addHelpText(
      "after",
      "\nExamples:\n  ballast release list --stack prod\n  ballast release list --app storefront --json",
    )
    .action(async (options: ReachOptions & { app?: string; resourceGroup?: string }) => {
      const filter = {
        ...(options.app ? { app: options.app } : {}),
        ...(options.resourceGroup ? { resourceGroup: options.resourceGroup } : {}),
      };
      const { rollouts, unreadable } = await (await reach(options)).list(filter);
      if (options.json)
        return printJson({
          rollouts,
          unreadable: unreadable.map(({ id, error }) => ({
            id,
            error: { id: error.id, message: error.message, fix: error.fix, left: error.left },
          })),
        });
      for (const { error } of unreadable) process.stderr.write(`${error}\n`);
      if (rollouts.length === 0) return unreadable.length > 0 ? undefined : print("There are no rollouts yet.");
      const rows = rollouts.map((one) => [
        one.app,
        one.revision,
        one.result ?? `${one.phase}, ${one.percent} percent`,
        new Date(one.startedAt).toISOString().slice(0, 19).replace("T", " "),
        one.sentence,
      ]);
      print(
        table([["APP", "REVISION", "RESULT", "STARTED (UTC)", "WHY"], ...rows], (text, row, column) =>
          row === 0 ? styled("dim", text) : column === 2 ? inColourOf(rollouts[row - 1]!.result, text) : text,
        ),
      );
    });

const addShow = (group: Command): Command =>
  reachable(group.command("show <rollout>"))
    .description("show where a rollout stands: weights, phase, and why")
    .addHelpText(
      "after",
      `${names}\n\nExamples:\n  ballast release show storefront\n  ballast release show storefront/storefront--0000003 --json`,
    )
    .action(async (name: string, options: ReachOptions) => {
      const shown = await find(await reach(options), name);
      if (options.json) return printJson(shown);
      print(summary(shown));
    });

const addExplain = (group: Command): Command =>
  reachable(group.command("explain <rollout>"))
    .description("print each decision of a rollout with its numbers")
    .option("--replay", "decide everything again from the journal and say whether it comes out equal, byte for byte")
    .addHelpText(
      "after",
      `${names}
With --replay the exit code is 1 when a decision differs.

Examples:
  ballast release explain storefront
  ballast release explain storefront --replay`,
    )
    .action(async (name: string, options: ReachOptions & { replay?: boolean }) => {
      const plane = await reach(options);
      const shown = await find(plane, name);
      explain(shown, await plane.journal(shown), options);
    });

const addFollow = (group: Command): Command =>
  reachable(group.command("follow <rollout>"))
    .description("tell each fact of a rollout as it happens, until its end")
    .option("--from <index>", "begin at this fact of the journal", wholeNumber, 0)
    .addHelpText(
      "after",
      `${names}
The exit code is 0 when the release was promoted or was equal to stable, else 1.

Examples:
  ballast release follow storefront
  ballast release follow storefront --json | jq .text`,
    )
    .action(async (name: string, options: ReachOptions & { from: number }) => {
      const plane = await reach(options);
      const shown = await find(plane, name);
      for await (const heard of plane.follow(shown, { from: options.from })) {
        if (heard.kind === "told") options.json ? printJson(heard.fact) : print(toldLine(heard.fact, shown.startedAt));
        else if (heard.kind === "broken") process.stderr.write(`${brokenLine(heard.reason)}\n`);
        else {
          if (!succeeded(heard.result)) process.exitCode = 1;
          if (options.json) printJson({ result: heard.result, sentence: heard.sentence });
          else print(`${inColourOf(heard.result, heard.result)}  ${heard.sentence}`);
        }
      }
    });

const addReport = (group: Command): Command =>
  reachable(group.command("report <rollout>"))
    .description("write a rollout as one page: weights, failures, tails and evidence over time, and its journal")
    .option("--out <file>", "where to", path.join("out", "report.html"))
    .addHelpText(
      "after",
      `${names}
The page needs nothing but itself: it can be opened, sent and printed.

Examples:
  ballast release report storefront
  ballast release report storefront/storefront--0000003 --out friday.html`,
    )
    .action(async (name: string, options: ReachOptions & { out: string }) => {
      const plane = await reach(options);
      const shown = await find(plane, name);
      const page = report(await plane.journal(shown));
      mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
      writeFileSync(options.out, page);
      if (options.json) return printJson({ id: shown.id, file: path.resolve(options.out) });
      print(`${nameOf(shown)} is told in ${options.out}`);
    });

const signals: readonly { readonly signal: PersonalSignal; readonly what: string; readonly example: string }[] = [
  {
    signal: "pause",
    what: "keep a rollout where it is; stable and canary keep their traffic",
    example: "looking at a strange log line",
  },
  { signal: "resume", what: "let a paused rollout go on", example: "the log line was harmless" },
  {
    signal: "approve",
    what: "say yes at a rollout's gate, so that the canary may get more",
    example: "error budget and dashboards look right",
  },
  {
    signal: "promote",
    what: "give a rollout's canary all traffic without waiting for more evidence",
    example: "the fix is urgent and looks good",
  },
  {
    signal: "abort",
    what: "give all traffic back to stable and take the canary away",
    example: "customers report empty carts",
  },
  {
    signal: "retry",
    what: "try a rollout that did not end well once more, in the same journal",
    example: "the database was down, not the release",
  },
];

const addSignal = (group: Command, { signal, what, example }: (typeof signals)[number]): Command =>
  reachable(group.command(`${signal} <rollout>`))
    .description(what)
    .requiredOption("--reason <text>", "why; it is kept in the journal beside your name")
    .addHelpText("after", `${names}\n\nExample:\n  ballast release ${signal} storefront --reason "${example}"`)
    .action(async (name: string, options: ReachOptions & { reason: string }) => {
      const plane = await reach(options);
      const shown = await find(plane, name);
      const text = await plane.signal(shown, signal, options.reason);
      if (options.json) return printJson({ accepted: true, id: shown.id, text });
      print(text);
    });

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is not a whole number from 0 on.");
}
