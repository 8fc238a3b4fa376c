// `npm run story`: the whole story on one machine. One commit goes from its pull request over the merge, `pulumi-up`
// and the canary to the alert that fires after the promotion; the remediation gives the traffic back and an issue is
// opened. One trace id is in the journal, in the workflow's summary, in the alert and in the issue. It exits with 1 if
// anything of that did not happen.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conclude } from "../../../demo/conclude.ts";
import { bringGround } from "../../../demo/ground.ts";
import { putUp } from "../../../demo/remediation/estate.ts";
import { startTimeline } from "../../../demo/timeline.ts";
import { tellStory } from "./story-legs.ts";
import { bringAct } from "./tools.ts";

const timeline = startTimeline();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());

async function main(): Promise<number> {
  timeline.chapter("One commit, from its pull request to the issue");
  const act = await bringAct((line) => timeline.line(line));
  const folder = mkdtempSync(join(tmpdir(), "ballast-story-"));
  const ground = await bringGround(folder, (line) => timeline.line(line), stop.signal);
  Object.assign(process.env, ground.cloud.environment);
  try {
    const estate = await putUp(ground);
    try {
      await tellStory({ act, estate, timeline, stop: stop.signal });
    } finally {
      await estate.close();
    }
  } catch (error) {
    timeline.check(false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    const left = await ground.stop();
    timeline.check(left.length === 0, left.length === 0 ? "no process, port or folder is left" : left.join("; "));
  }
  return conclude(timeline, 0);
}

process.exitCode = await main();
