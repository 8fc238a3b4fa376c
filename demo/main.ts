// `npm start`: the whole on one machine. Brings the ground up, releases the storefront again and again under real load, good
// and bad, kills the control plane in the middle, reverts, and takes everything down. Exit code 1 if anything that the
// README promises did not happen.
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { controlPlane } from "../client/control-plane.ts";
import { tokenFor } from "../client/credential.ts";
import { type LoadFailure, type LoadSummary, startLoad } from "../emulator/load.ts";
import { defaultPace } from "../engines/rollout/plan.ts";
import type { Pace } from "../engines/rollout/vocabulary.ts";
import { BallastError } from "../errors/catalogue.ts";
import { demoSeedUnclear } from "../errors/demo.ts";
import { report } from "../report/page.ts";
import { count, outsideFaults, trafficWrites } from "./account.ts";
import { type Draw, describeFault, draw, environmentOf, story } from "./draw.ts";
import { type StandIn, standIn } from "./emulator.ts";
import { bringGround, type Ground, isAlive } from "./ground.ts";
import { race } from "./race.ts";
import { app, carryOut, isResumed, type Released, type Stage } from "./release.ts";
import { createStack, type Stack } from "./stack.ts";
import { startTimeline } from "./timeline.ts";

const requestsPerSecond = 400;
const root = path.join(import.meta.dirname, "..");

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    exit: { type: "boolean", default: false },
    folder: { type: "string", default: path.join(root, ".ballast") },
    out: { type: "string", default: path.join(root, "out", "demo.json") },
  },
});
const timeline = startTimeline();
let drawn = story;
const stop = new AbortController();
process.on("SIGINT", () => stop.abort()).on("SIGTERM", () => stop.abort());

process.exitCode = await main().catch(async (error: unknown) => {
  await fail(error);
  return 1;
});

/** Says what went wrong and, where the control plane had something to say about it, what that was. */
async function fail(error: unknown, cloud?: StandIn): Promise<void> {
  timeline.check(
    false,
    error instanceof BallastError ? error.toString() : String(error instanceof Error ? error.stack : error),
  );
  const lines = (await cloud?.logs("control-plane").catch(() => [])) ?? [];
  for (const { text } of lines.filter(({ text }) => /error|fail/i.test(text)).slice(-10))
    timeline.line(`  control plane: ${text}`, "dim");
}

async function main(): Promise<number> {
  const { seed } = values;
  if (seed !== undefined && !(/^\d{1,10}$/.test(seed) && Number(seed) < 2 ** 32)) throw demoSeedUnclear({ seed });
  if (seed !== undefined) drawn = draw(Number(seed));
  introduce(drawn);
  const ground = await bringGround(path.resolve(values.folder), (line) => timeline.line(line));
  let pids: readonly number[] = [];
  let left: readonly string[] = [];
  try {
    Object.assign(process.env, ground.cloud.environment);
    const stack = await createStack(ground, stop.signal);
    const shown = await show(ground, stack).catch((error: unknown) =>
      stop.signal.aborted ? undefined : fail(error, standIn(ground.cloud)),
    );
    if (shown && !values.exit && !stop.signal.aborted) await once(stop.signal, "abort");
    pids = (await standIn(ground.cloud).processes()).flatMap(({ pid }) => pid ?? []);
    await takeDown(ground, stack);
  } finally {
    left = await ground.stop();
  }
  const alive = [...pids, ground.cloudProcess.pid ?? 0].filter(isAlive);
  timeline.check(
    left.length + alive.length === 0,
    `nothing is left: no process, no port, no folder${[...left, ...alive.map((pid) => `process ${pid}`)].map((what) => `; ${what}`).join("")}`,
  );
  const failed = timeline.failed();
  timeline.line(
    failed.length === 0
      ? `everything happened as promised, in ${Math.round(timeline.seconds())} s`
      : `did not happen: ${failed.join("; ")}`,
    failed.length === 0 ? "green" : "red",
  );
  return failed.length === 0 ? 0 : 1;
}

/** Says what the reader is going to see, and how it differs from Azure. */
function introduce({ seed, releases, kill, race: raced }: Draw): void {
  timeline.chapter("Ballast, on this machine alone");
  timeline.line(
    `the demo's pace: ${describePace(paceOfStack())}; on Azure, where rows come minutes late, it is by default: ${describePace(defaultPace)}`,
  );
  timeline.line(
    seed === null ? "releases 2 to 5 as the README tells them; another story by -- --seed N" : `seed ${seed}`,
  );
  for (const { release, fault } of releases)
    timeline.line(
      `  release ${release}: ${describeFault(fault)}${kill.release === release ? `; the control plane is killed ${kill.afterSeconds} s after ${kill.atPercent} percent` : ""}${raced?.release === release ? `; the next pulumi up comes ${raced.afterSeconds} s after ${raced.atPercent} percent` : ""}`,
    );
}

/** Reads the pace from the committed stack, so that what is said is what is done. */
function paceOfStack(): Pace {
  const { config } = parse(fs.readFileSync(path.join(root, "Pulumi.local.yaml"), "utf8")) as {
    config: Readonly<Record<string, Partial<Pace>>>;
  };
  return { ...defaultPace, ...config["ballast:pace"] };
}

function describePace({ weights, tickSeconds, warmUpSeconds, bakeSeconds }: Pace): string {
  return `${[...weights, 100].join(", ")} percent, ${warmUpSeconds} s of warm-up and ${bakeSeconds} s of bake each, a look every ${tickSeconds} s`;
}

async function show(ground: Ground, stack: Stack): Promise<true> {
  timeline.chapter("pulumi up: the whole estate, the storefront at release 1");
  stack.setStorefront(environmentOf({ release: 1, fault: { kind: "none" } }));
  const first = await stack.up();
  if (first.code !== 0) throw new Error(`the first pulumi up failed:\n${first.output}`);
  const outputs = await stack.outputs();
  timeline.line(`${/Resources:\s+\+ (\d+) created/.exec(first.output)?.[1] ?? "?"} resources; ${outputs["sentence"]}`);
  const stage: Stage = {
    stack,
    timeline,
    standIn: standIn(ground.cloud),
    plane: controlPlane({
      endpoint: outputs["controlPlaneEndpoint"]!,
      token: tokenFor("api://ballast"),
      cancel: stop.signal,
    }),
  };
  const failures: LoadFailure[] = [];
  const connectTo = { host: "127.0.0.1", port: ground.cloud.port };
  const load = startLoad(
    {
      rate: requestsPerSecond,
      origin: outputs["storefrontUrl"]!,
      connectTo,
      caFile: ground.cloud.caFile,
      paths: ["/", "/products/1", "/products/2"],
    },
    (line) => {
      if (line.kind === "failure") failures.push(line);
    },
  );
  timeline.line(`${requestsPerSecond} requests a second from now on, each sent once, never again`);
  let releases: readonly Released[];
  let summary: LoadSummary;
  try {
    releases = await tellStory(stage);
  } finally {
    summary = await load.stop();
  }
  timeline.chapter("The account");
  await settleAccounts(stage, releases, failures);
  const arrived = Math.floor(summary.sent / summary.seconds);
  timeline.check(arrived >= 100, `${arrived} requests a second arrived, the whole time`);
  timeline.line(
    `${summary.sent} requests, half of them answered within ${summary.p50Milliseconds} ms, 99 % within ${summary.p99Milliseconds} ms`,
  );
  if (values.exit) return true;
  timeline.chapter("It stays up until Ctrl-C");
  stack.lend({ BALLAST_ENDPOINT: outputs["controlPlaneEndpoint"]! });
  timeline.line(
    `in another shell: . ${path.relative(process.cwd(), path.join(ground.folder, "environment"))}; npm run ballast -- release explain storefront --replay`,
  );
  const host = new URL(outputs["storefrontUrl"]!).host;
  timeline.line(
    `curl --cacert ${path.relative(process.cwd(), ground.cloud.caFile)} --connect-to ${host}:443:127.0.0.1:${ground.cloud.port} https://${host}/`,
  );
  return true;
}

async function tellStory(stage: Stage): Promise<readonly Released[]> {
  const releases: Released[] = [];
  let rolledBackBefore = false;
  for (const [index, drawnNow] of drawn.releases.entries()) {
    if (releases.length > index) continue; // It was the second of a race.
    timeline.chapter(`Release ${drawnNow.release}: ${describeFault(drawnNow.fault)}`);
    const { kill, race: raced } = drawn;
    if (raced?.release === drawnNow.release)
      releases.push(...(await race(stage, drawnNow, drawn.releases[index + 1]!, raced)));
    else releases.push(await carryOut(stage, drawnNow, kill.release === drawnNow.release ? kill : undefined));
    const released = releases.at(-1)!;
    if (kill.release === released.release)
      timeline.check(isResumed(released.journal), "another process took the rollout over and finished it");
    if (released.fault.kind !== "none" && !rolledBackBefore) {
      rolledBackBefore = true;
      await askAgain(stage, released);
    }
  }
  releases.push(await revert(stage, releases));
  return releases;
}

/** An unchanged `pulumi up` after a rollback gets the same answer at once, from the journal. */
async function askAgain({ stack, plane, standIn: cloud }: Stage, released: Released): Promise<void> {
  const from = Date.now();
  const { code, output } = await stack.up();
  const facts = (await plane.journal(released.name)).length;
  timeline.check(
    code !== 0 && output.includes(released.sentence) && facts === released.journal.length,
    "an unchanged pulumi up gives the same sentence at once, and judges nothing again",
  );
  const seconds = secondsSince(from);
  timeline.check(
    seconds < 20 && trafficWrites(await cloud.asked(), from).length === 0,
    `it took ${seconds} s and wrote no traffic`,
  );
}

function secondsSince(from: number): number {
  return Math.round((Date.now() - from) / 1000);
}

/** Puts the program back to the last good release, as a `git revert` does after a rollback. */
async function revert(stage: Stage, releases: readonly Released[]): Promise<Released> {
  const good = releases.findLast(({ result }) => result === "promoted");
  if (good === undefined) throw new Error("nothing was promoted, so there is nothing to revert to");
  timeline.chapter(`Back to release ${good.release}, as git revert does`);
  const from = Date.now();
  const known = new Set((await stage.plane.list(app)).rollouts.map(({ id }) => id));
  const before = trafficWrites(await stage.standIn.asked(), 0).at(-1);
  const stayed = async () => trafficWrites(await stage.standIn.asked(), from).every((traffic) => traffic === before);
  stage.stack.setStorefront(environmentOf(good));
  const { code, output } = await stage.stack.up();
  const found = (await stage.plane.list(app)).rollouts.find(({ id }) => !known.has(id));
  if (code !== 0 || found === undefined) throw new Error(`the revert failed:\n${output}`);
  const name = { ...app, revision: found.revision };
  const seconds = secondsSince(from);
  timeline.check(
    found.result === "equal" && (await stayed()),
    `${found.sentence}: nothing was judged, and who gets what stayed: ${before}`,
  );
  timeline.check(seconds < 30, `it took ${seconds} s`);
  const again = await stage.stack.preview("--expect-no-changes");
  timeline.check(again.code === 0, "one more preview: no change");
  const up = await stage.stack.up();
  timeline.check(
    up.code === 0 &&
      /unchanged/.test(up.output) &&
      !/\b(updated|created|replaced)\b/.test(/Resources:[\s\S]*/.exec(up.output)?.[0] ?? "") &&
      (await stayed()),
    "one more pulumi up: no change, traffic where it was",
  );
  return {
    release: good.release,
    fault: { kind: "none" },
    name,
    result: "equal",
    sentence: found.sentence,
    from,
    to: Date.now(),
    journal: await stage.plane.journal(name),
  };
}

/** Lays every failed request to its fault, counts the arms of each release, and writes out/demo.json and out/report.html. */
async function settleAccounts(
  { standIn: cloud }: Stage,
  releases: readonly Released[],
  failures: readonly LoadFailure[],
): Promise<void> {
  const [rows, logs, asked] = await Promise.all([cloud.rows("storefront"), cloud.logs("storefront"), cloud.asked()]);
  const outside = outsideFaults(failures, releases, rows, logs);
  timeline.check(
    outside.length === 0,
    `${failures.length} requests failed, ${outside.length} of them outside the faults`,
  );
  for (const { id, status, revision } of outside.slice(0, 5))
    timeline.line(`  ${id}: ${status ?? "no answer"} from ${revision ?? "nobody"}`, "red");
  const told = releases.map((released) => ({ released, counts: count(released, rows) }));
  for (const { released, counts } of told.filter(
    ({ released: { result } }) => result === "rejected" || result === "equal",
  )) {
    timeline.check(
      counts.canaryRequests === 0,
      `no user's request ever reached release ${released.release} when it was ${released.result}`,
    );
  }
  const killed = releases.find(({ release, result }) => release === drawn.kill.release && result !== "equal");
  const writes = killed === undefined ? [] : trafficWrites(asked, killed.from, killed.to);
  const twiceAtMost = writes.every((traffic) => writes.filter((other) => other === traffic).length <= 2);
  timeline.check(twiceAtMost, "no traffic was sent more than twice around the kill");
  const record = {
    releases: told.map(({ released: { release, fault, result, sentence, from, to, journal }, counts }) => ({
      release,
      fault,
      result,
      sentence,
      ...counts,
      seconds: (to - from) / 1000,
      steps: journal
        .filter(({ event }) => event.kind === "StepReached" || event.kind === "StepPassed")
        .map(({ event, text }) => ({ kind: event.kind, at: new Date(event.at).toISOString(), text })),
    })),
    controlPlaneKilled: killed !== undefined,
    resumed: killed !== undefined && isResumed(killed.journal) && twiceAtMost,
    seed: drawn.seed,
    secondsTotal: timeline.seconds(),
    failedRequestsOutsideFaults: outside.length,
  };
  fs.mkdirSync(path.dirname(values.out), { recursive: true });
  fs.writeFileSync(values.out, `${JSON.stringify(record, null, 2)}\n`);
  const worst = releases.findLast(({ result }) => result === "rolled-back") ?? releases[0]!;
  const page = path.join(path.dirname(values.out), "report.html");
  fs.writeFileSync(page, report(worst.journal));
  timeline.line(`the report of release ${worst.release}, ${worst.result}: ${path.relative(process.cwd(), page)}`);
}

async function takeDown(ground: Ground, stack: Stack): Promise<void> {
  timeline.chapter("pulumi destroy");
  const { code, output } = await stack.destroy();
  timeline.check(
    code === 0,
    `pulumi destroy ${/Resources:\s+- (\d+) deleted/.exec(output)?.[0]?.replace(/\s+/g, " ") ?? `failed:\n${output}`}`,
  );
  timeline.check((await standIn(ground.cloud).processes()).length === 0, "no replica runs any more");
}
