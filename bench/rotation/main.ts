// `npm run bench:rotation -- --runs N`: rotations of Ballast beside the orders of other tools, under the same clients,
// in turn, and their part of docs/evidence/rotation.md, whose arithmetic is in page.ts.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as nap } from "node:timers/promises";
import { parseArgs } from "node:util";
import { emulator } from "../../demo/emulator.ts";
import { readOptions } from "../../demo/options.ts";
import { openRotations } from "../../demo/rotation/open.ts";
import { type OrderRun, runOrder } from "../../demo/rotation/other-order.ts";
import { rotate } from "../../demo/rotation/rotate.ts";
import { startTimeline } from "../../demo/timeline.ts";
import { openLand } from "../../test/support/emulator/rotation-land.ts";
import { otherOrders } from "./orders.ts";
import { asRun, renderRuns, withRuns } from "./page.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });

const ballast = "Ballast, two slots behind gates";
const page = path.join(import.meta.dirname, "..", "..", "docs", "evidence", "rotation.md");

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

const count = Number(values.runs);
if (!(Number.isInteger(count) && count > 0)) throw new Error(`--runs is a number of runs, and not ${values.runs}`);
const results = await measure(count);
const part = renderRuns(results, {
  day: new Date().toISOString().slice(0, 10),
  runs: count,
  cores: os.cpus().length,
  load: os.loadavg()[1]!,
});
process.stdout.write(part);
fs.writeFileSync(page, withRuns(fs.readFileSync(page, "utf8"), part));
