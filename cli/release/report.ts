// `ballast release report`: writes the page about a rollout to a file.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { rollouts } from "../../client/rollouts.ts";
import { streamCalls } from "../../client/streams.ts";
import { rolloutReport } from "../../report/rollout/report.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson } from "../terminal.ts";
import { findRollout, nameOf, rolloutFinder } from "./find.ts";

/** Adds the command `report` to the group `release`. */
export const addReport = (group: Command): Command =>
  withReachOptions(group.command("report").argument("<rollout>", "name of the rollout, as below"))
    .description("write an HTML page about a rollout: harm, next step, charts, verdicts and journal")
    .option("--out <file>", "file to write", path.join("out", "report.html"))
    .addHelpText(
      "after",
      `
${rolloutFinder.naming}
The page is self-contained: it can be opened, sent and printed.

Examples:
  ballast release report storefront
  ballast release report storefront/storefront--0000003 --out friday.html`,
    )
    .action(async (name: string, options: ReachOptions & { out: string }) => {
      const calls = streamCalls(await reach(options), rollouts);
      const rollout = await findRollout(calls, name);
      const page = rolloutReport(await calls.journal(rollout));
      mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
      writeFileSync(options.out, page);
      if (options.json) return printJson({ id: rollout.id, file: path.resolve(options.out) });
      print(`Wrote the report of ${nameOf(rollout)} to ${options.out}`);
    });
