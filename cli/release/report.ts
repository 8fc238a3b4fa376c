// `ballast release report`: writes the page about a rollout to a file.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { rollouts } from "../../client/rollouts.ts";
import { streamCalls } from "../../client/streams.ts";
import { rolloutReport } from "../../report/rollout/report.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { findOrChoose, toExplain } from "../streams/find.ts";
import { print, printJson } from "../terminal.ts";
import { nameOf, rolloutFinder } from "./find.ts";

const named = { command: "release", streams: rollouts, finder: rolloutFinder };
const usual = toExplain(named);

/** Adds the command `report` to the group `release`. */
export const addReport = (group: Command): Command =>
  withReachOptions(group.command("report").argument("[rollout]", "name of the rollout, as below"))
    .description("write an HTML page about a rollout: harm, next step, charts, verdicts and journal")
    .option("--out <file>", "file to write (default: out/<revision>.html)")
    .addHelpText(
      "after",
      `
${rolloutFinder.naming}
Without it: ${usual.meaning}.
The page is self-contained: it can be opened, sent and printed.

Examples:
  ballast release report
  ballast release report storefront
  ballast release report storefront/storefront--0000003 --out friday.html`,
    )
    .action(async (name: string | undefined, options: ReachOptions & { out?: string }) => {
      const calls = streamCalls(await reach(options), rollouts);
      const rollout = await findOrChoose(named, calls, name, usual);
      const file = options.out ?? path.join("out", `${rollout.revision}.html`);
      const page = rolloutReport(await calls.journal(rollout));
      mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
      writeFileSync(file, page);
      if (options.json) return printJson({ id: rollout.id, file: path.resolve(file) });
      print(`Wrote the report of ${nameOf(rollout)} to ${file}`);
    });
