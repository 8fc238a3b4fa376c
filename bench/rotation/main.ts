// `npm run bench:rotation -- --runs N`: rotations of Ballast beside the orders of other tools, under the same clients,
// in turn, and their part of docs/evidence/rotation.md. No test asserts on it, since the numbers belong to a machine.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as nap } from "node:timers/promises";
import { parseArgs } from "node:util";
import { emulator } from "../../demo/emulator.ts";
import { readOptions } from "../../demo/options.ts";
import { openRotations } from "../../demo/rotation/open.ts";
import { type OrderRun, runOrder } from "../../demo/rotation/other-order.ts";
import { type Rotated, rotate } from "../../demo/rotation/rotate.ts";
import { startTimeline } from "../../demo/timeline.ts";
import { openLand } from "../../test/support/emulator/rotation-land.ts";
import { markdownTable } from "../markdown-table.ts";
import { spreadOf } from "../performance/statistics.ts";
import { otherOrders } from "./orders.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });

const ballast = "Ballast, two slots behind gates";
const page = path.join(import.meta.dirname, "..", "..", "docs", "evidence", "rotation.md");
const [begins, ends] = ["<!-- bench:rotation -->\n", "<!-- /bench:rotation -->\n"] as const;

/** Gives what a rotation of Ballast came to, in the terms of the other orders. */
const asRun = ({ logins, failedLogins, cutQueries, found, adoption, seconds }: Rotated): OrderRun => {
  const failedAt = failedLogins.map(({ at }) => at);
  return {
    logins,
    failedLogins: failedLogins.length,
    cutQueries,
    passwordChanges: found.passwordChanges,
    outageSeconds: failedAt.length === 0 ? 0 : (Math.max(...failedAt) - Math.min(...failedAt)) / 1000,
    adoptionSeconds: Math.max(0, ...Object.values(adoption.readers)),
    seconds,
  };
};

/** Runs every order in turn, so that a slow phase of the machine hits all of them. */
async function measure(runs: number): Promise<ReadonlyMap<string, readonly OrderRun[]>> {
  const timeline = startTimeline();
  const land = await openLand();
  const results = new Map<string, OrderRun[]>();
  const keep = (name: string, run: OrderRun): void => {
    results.set(name, [...(results.get(name) ?? []), run]);
    timeline.line(`${name}: ${run.failedLogins} of ${run.logins} logins failed`);
  };
  try {
    const stop = new AbortController().signal;
    const setting = { emulator: emulator(land.cloud), timeline, stop, options: readOptions([]) };
    const { scene, close } = await openRotations(setting, land);
    try {
      for (let run = 0; run < runs; run++) {
        const { quietSeconds } = scene.estate.credential.timings;
        keep(ballast, asRun(await rotate(scene, { cause: "requested", message: "the benchmark" })));
        for (const order of otherOrders) keep(order.name, await runOrder(scene.estate, order));
        await nap(quietSeconds * 1000); // The idle role must be quiet.
      }
    } finally {
      await close();
    }
  } finally {
    await land.close();
  }
  return results;
}

const shown = (samples: readonly number[], digits: number): string => {
  const { median } = spreadOf(samples);
  const [least, most] = [Math.min(...samples), Math.max(...samples)];
  return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
};

/** Writes the part of the page. */
function render(results: ReadonlyMap<string, readonly OrderRun[]>, runs: number): string {
  const head = ["order", "logins a run", "failed logins", "cut queries", "outage, s", "adoption, s", "duration, s"];
  const rows = [...results].map(([name, of]) => [
    name,
    shown(
      of.map(({ logins }) => logins),
      0,
    ),
    shown(
      of.map(({ failedLogins }) => failedLogins),
      0,
    ),
    shown(
      of.map(({ cutQueries }) => cutQueries),
      0,
    ),
    shown(
      of.map(({ outageSeconds }) => outageSeconds),
      1,
    ),
    shown(
      of.map(({ adoptionSeconds }) => adoptionSeconds),
      1,
    ),
    shown(
      of.map(({ seconds }) => seconds),
      1,
    ),
  ]);
  const cores = os.cpus().length;
  const day = new Date().toISOString().slice(0, 10);
  return [
    `Measured on ${day} with ${runs} ${runs === 1 ? "run" : "runs"} of each order, on ${cores} cores with a load`,
    `average of ${os.loadavg()[1]!.toFixed(0)}. Each cell is the median, with the least and the most.`,
    "",
    markdownTable(head, rows),
    "",
    "",
  ].join("\n");
}

const count = Number(values.runs);
const part = render(await measure(count), count);
process.stdout.write(part);
const text = fs.readFileSync(page, "utf8");
const [from, to] = [text.indexOf(begins) + begins.length, text.indexOf(ends)];
fs.writeFileSync(page, text.slice(0, from) + part + text.slice(to));
