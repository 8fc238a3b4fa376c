// `npm start`: everything on one machine. It deploys the stack to the emulator, releases good and bad versions of the
// storefront under load, kills the control plane during one, reverts, and takes everything down. It exits with 1 if
// anything that docs/start/demo.md promises did not happen, with 2 if its options are wrong, and as a program that a
// signal ended if it was stopped before the end of the story.
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { boundPair } from "../cli/reach.ts";
import { controlPlane } from "../client/control-plane.ts";
import { tokenFor } from "../client/credential.ts";
import { type LoadFailure, type LoadSummary, startLoad } from "../emulator/load.ts";
import type { WantedSecond } from "../emulator/starvation.ts";
import { defaultStrategy } from "../engines/rollout/plan.ts";
import type { Strategy } from "../engines/rollout/vocabulary.ts";
import { BallastError } from "../errors/catalogue.ts";
import { rolloutReport } from "../report/rollout/report.ts";
import { count, outsideFaults, trafficWrites } from "./account.ts";
import { conclude } from "./conclude.ts";
import { type Draw, describeFault, draw, environmentOf, story } from "./draw.ts";
import { type Emulator, emulator } from "./emulator.ts";
import { bringGround, type Ground, isAlive } from "./ground.ts";
import { readOptions } from "./options.ts";
import { race } from "./race.ts";
import { app, carryOut, isResumed, type Released, type Stage, StoryUndecided } from "./release.ts";
import { createStack, type Stack } from "./stack.ts";
import { type Process, partUnexplained, shareMissed, wasStarved } from "./starvation.ts";
import { exitCodeOf, listenForStop } from "./stopping.ts";
import { startTimeline } from "./timeline.ts";

const requestsPerSecond = 200;
const root = path.join(import.meta.dirname, "..");

const timeline = startTimeline();
let options = readOptions([]);
let drawn = story;
const stopping = listenForStop((reason, isSecond) =>
  timeline.line(
    isSecond
      ? `${reason} again: pulumi destroy is cut short; everything still ends`
      : `${reason}: everything is taken down now, which takes some seconds; a second Ctrl-C cuts it short`,
    "yellow",
  ),
);
const stop = stopping.signal;
/** What the load generator wanted and missed. */
const generator: WantedSecond[] = [];
let percentMissed = 0;

process.exitCode = await main().catch(async (error: unknown) => {
  const reason = stopping.reason();
  if (reason !== undefined) {
    timeline.line("stopped before anything was deployed");
    return exitCodeOf(reason);
  }
  await fail(error);
  return error instanceof BallastError ? error.exitCode : 1;
});

/** Prints what went wrong, and the last lines of the control plane's log that may explain it. */
async function fail(error: unknown, cloud?: Emulator): Promise<void> {
  timeline.check(
    false,
    error instanceof BallastError ? error.toString() : String(error instanceof Error ? error.stack : error),
  );
  const lines = (await cloud?.logs("control-plane").catch(() => [])) ?? [];
  const troubles = lines.map(({ text }) => text).filter((text) => /error|fail/i.test(text));
  for (const text of troubles.slice(-10)) timeline.line(`  control plane: ${text}`, "dim");
}

async function main(): Promise<number> {
  options = readOptions(process.argv.slice(2));
  if (options.seed !== undefined) drawn = draw(options.seed);
  introduce(drawn);
  const ground = await bringGround(options.folder, (line) => timeline.line(line), stop);
  let pids: readonly number[] = [];
  let left: readonly string[] = [];
  let isShown = false;
  let isTakenDown = false;
  try {
    Object.assign(process.env, ground.cloud.environment);
    const stack = await createStack(ground, stop, timeline.during);
    isShown = await show(ground, stack).catch(async (error: unknown) => {
      if (!stop.aborted && !(error instanceof StoryUndecided)) await fail(error, emulator(ground.cloud));
      return false;
    });
    if (isShown && !options.exit && !stop.aborted) await once(stop, "abort");
    isTakenDown = true;
    pids = (await emulator(ground.cloud).processes()).flatMap(({ pid }) => pid ?? []);
    await takeDown(ground, stack);
  } catch (error) {
    // A set-up that is stopped fails because of that. The takedown must not.
    if (isTakenDown || !stop.aborted) await fail(error);
  } finally {
    left = await ground.stop();
  }
  const alive = [...pids, ground.cloudProcess.pid ?? 0].filter(isAlive);
  const remains = [...left, ...alive.map((pid) => `process ${pid} still runs`)];
  const nothingLeft = "no process, port or folder is left";
  timeline.check(remains.length === 0, remains.length === 0 ? nothingLeft : `left: ${remains.join("; ")}`);
  return conclude(timeline, percentMissed, isShown ? undefined : stopping.reason());
}

/** Prints what is going to happen, and how the times differ from Azure's. */
function introduce({ seed, releases, kill, race: raced }: Draw): void {
  timeline.chapter("Ballast on this machine");
  timeline.line(`strategy of the demo: ${describeStrategy(strategyOfStack())}`);
  timeline.line(`default on Azure, where request rows arrive minutes late: ${describeStrategy(defaultStrategy)}`);
  timeline.line(
    seed === null
      ? "the standard story; `npm start -- --seed <number>` draws another one"
      : `the story of seed ${seed}`,
  );
  for (const { release, fault } of releases) {
    const parts = [describeFault(fault)];
    if (kill.release === release)
      parts.push(`the control plane is killed ${kill.afterSeconds} s after the step of ${kill.atPercent} percent`);
    if (raced?.release === release)
      parts.push(`the next pulumi up starts ${raced.afterSeconds} s after the step of ${raced.atPercent} percent`);
    timeline.line(`  release ${release}: ${parts.join("; ")}`);
  }
}

/** Reads the strategy from the committed stack, so that the printed strategy is the real one. */
function strategyOfStack(): Strategy {
  const { config } = parse(fs.readFileSync(path.join(root, "Pulumi.local.yaml"), "utf8")) as {
    config: Readonly<Record<string, Partial<Strategy>>>;
  };
  return { ...defaultStrategy, ...config["ballast:strategy"] };
}

function describeStrategy({ weights, intervalSeconds, warmUpSeconds, bakeSeconds }: Strategy): string {
  const steps = `${[...weights, 100].join(", ")} percent`;
  return `${steps}, each with ${warmUpSeconds} s warm-up and ${bakeSeconds} s bake; interval ${intervalSeconds} s`;
}

async function show(ground: Ground, stack: Stack): Promise<boolean> {
  timeline.chapter("First pulumi up: everything, with the storefront at release 1");
  stack.setStorefront(environmentOf({ release: 1, fault: { kind: "none" } }));
  const first = await stack.up();
  if (first.code !== 0) throw new Error(`the first pulumi up failed:\n${first.output}`);
  const outputs = await stack.outputs();
  const created = /Resources:\s+\+ (\d+) created/.exec(first.output)?.[1] ?? "?";
  timeline.line(`${created} resources created; ${outputs["message"]}`);
  inviteToWatch(stack, outputs);
  const { endpoint, audience } = boundPair(outputs)!;
  const cloud = emulator(ground.cloud);
  await cloud.starvation(); // It is measured from now on.
  const stage: Stage = {
    stack,
    timeline,
    emulator: cloud,
    wasStarved: async (from, to) => wasStarved(await processes(cloud), from, to),
    plane: controlPlane({
      endpoint,
      token: tokenFor(audience),
      cancel: stop,
    }),
  };
  const failures: LoadFailure[] = [];
  const connectTo = { host: "127.0.0.1", port: ground.cloud.port };
  const loadFrom = Date.now();
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
      else generator.push(line);
    },
  );
  timeline.line(`load: ${requestsPerSecond} requests a second from now on, none of them retried`);
  let releases: readonly Released[];
  let summary: LoadSummary;
  const began = Date.now();
  try {
    releases = await playStory(stage);
    timeline.line(`the releases took ${Math.round((Date.now() - began) / 1000)} s`);
  } finally {
    summary = await load.stop();
    const measured = await processes(cloud).catch(() => [generator]);
    percentMissed = Math.round(100 * Math.max(...measured.map((seconds) => shareMissed(seconds, 0, Date.now()))));
  }
  timeline.chapter("Results");
  await settleAccounts(stage, releases, failures);
  const arrived = Math.floor(summary.sent / summary.seconds);
  const rate = `${arrived} requests a second were sent, on average`;
  timeline.check(arrived >= 100, rate, await stage.wasStarved(loadFrom, Date.now()));
  timeline.line(
    `${summary.sent} requests; 50 % were answered within ${summary.p50Milliseconds} ms, ` +
      `99 % within ${summary.p99Milliseconds} ms`,
  );
  if (summary.skipped > 0)
    timeline.line(`the load generator was late and left out ${summary.skipped} requests`, "yellow");
  if (!options.exit) inviteToLook(ground, outputs);
  return true;
}

function relative(file: string): string {
  return path.relative(process.cwd(), file);
}

/** Writes the file for a second terminal, before the first release, and prints how to watch the releases there. */
function inviteToWatch(stack: Stack, outputs: Readonly<Record<string, string>>): void {
  const file = stack.lend({
    BALLAST_ENDPOINT: outputs["controlPlaneEndpoint"]!,
    BALLAST_AUDIENCE: outputs["controlPlaneAudience"]!,
  });
  timeline.line("watch it in a second terminal, in this folder:", "bold");
  timeline.line(`    . ${relative(file)}; npm run ballast -- top`, "bold");
  timeline.line(`    . ${relative(file)}; npm run ballast -- release follow`, "bold");
}

/** Prints commands for the second terminal, which work until the demo is taken down. */
function inviteToLook({ cloud, folder }: Ground, outputs: Readonly<Record<string, string>>): void {
  timeline.chapter("Running until Ctrl-C");
  timeline.line(`in a second terminal, after \`. ${relative(path.join(folder, "environment"))}\`:`);
  for (const command of ["list", "explain --replay", "report"])
    timeline.line(`    npm run ballast -- release ${command}`);
  const { host } = new URL(outputs["storefrontUrl"]!);
  const connectTo = `--connect-to ${host}:443:127.0.0.1:${cloud.port}`;
  timeline.line(`    curl --cacert ${relative(cloud.caFile)} ${connectTo} https://${host}/`);
}

/** Carries out the drawn releases and then the revert. */
async function playStory(stage: Stage): Promise<readonly Released[]> {
  const releases: Released[] = [];
  let rolledBackBefore = false;
  for (const [index, drawnNow] of drawn.releases.entries()) {
    if (releases.length > index) continue; // the second release of a race
    timeline.chapter(`Release ${drawnNow.release}: ${describeFault(drawnNow.fault)}`);
    const { kill, race: raced } = drawn;
    if (raced?.release === drawnNow.release)
      releases.push(...(await race(stage, drawnNow, drawn.releases[index + 1]!, raced)));
    else releases.push(await carryOut(stage, drawnNow, kill.release === drawnNow.release ? kill : undefined));
    const released = releases.at(-1)!;
    if (kill.release === released.release)
      timeline.check(isResumed(released.journal), "another process recovered the rollout and finished it");
    if (released.fault.kind !== "none" && !rolledBackBefore) {
      rolledBackBefore = true;
      await askAgain(stage, released);
    }
  }
  releases.push(await revert(stage, releases));
  return releases;
}

/** Checks that an unchanged `pulumi up` after a rollback fails with the same message at once, from the journal. */
async function askAgain(
  { stack, plane, emulator: cloud, wasStarved: starved }: Stage,
  released: Released,
): Promise<void> {
  const from = Date.now();
  const { code, output } = await stack.up();
  const facts = (await plane.journal(released.name)).length;
  timeline.check(
    code !== 0 && output.includes(released.message) && facts === released.journal.length,
    "an unchanged pulumi up fails with the same message, without another rollout",
  );
  const to = Date.now();
  timeline.check(trafficWrites(await cloud.asked(), from).length === 0, "it moved no traffic");
  const seconds = Math.round((to - from) / 1000);
  timeline.check(seconds < 20, `it took ${seconds} s`, await starved(from, to));
}

/** Gives the seconds of the load generator and of the emulator. */
async function processes(cloud: Emulator): Promise<readonly Process[]> {
  return [generator, await cloud.starvation()];
}

/** Reverts the program to the last good release, as `git revert` does after a rollback. */
async function revert(stage: Stage, releases: readonly Released[]): Promise<Released> {
  const good = releases.findLast(({ result }) => result === "promoted");
  if (good === undefined) throw new Error("nothing was promoted, so there is nothing to revert to");
  timeline.chapter(`Revert to release ${good.release}, as git revert does`);
  const from = Date.now();
  const known = new Set((await stage.plane.list(app)).rollouts.map(({ id }) => id));
  const before = trafficWrites(await stage.emulator.asked(), 0).at(-1);
  const stayed = async () => trafficWrites(await stage.emulator.asked(), from).every((traffic) => traffic === before);
  stage.stack.setStorefront(environmentOf(good));
  const { code, output } = await stage.stack.up();
  const found = (await stage.plane.list(app)).rollouts.find(({ id }) => !known.has(id));
  if (code !== 0 || found === undefined) throw new Error(`the revert failed:\n${output}`);
  const name = { ...app, revision: found.revision };
  const to = Date.now();
  timeline.check(
    found.result === "unchanged" && (await stayed()),
    `${found.message}; nothing was judged, and the traffic did not change: ${before}`,
  );
  const seconds = Math.round((to - from) / 1000);
  timeline.check(seconds < 30, `it took ${seconds} s`, await stage.wasStarved(from, to));
  const up = await stage.stack.up("--expect-no-changes");
  timeline.check(up.code === 0 && (await stayed()), "another pulumi up changes nothing and moves no traffic");
  return {
    release: good.release,
    fault: { kind: "none" },
    name,
    result: "unchanged",
    message: found.message,
    from,
    to: Date.now(),
    journal: await stage.plane.journal(name),
  };
}

/** Explains every failed request by its fault, counts each release's requests, and writes demo.json and report.html. */
async function settleAccounts(
  { emulator: cloud }: Stage,
  releases: readonly Released[],
  failures: readonly LoadFailure[],
): Promise<void> {
  const [rows, logs, asked] = await Promise.all([cloud.rows("storefront"), cloud.logs("storefront"), cloud.asked()]);
  const unexplained = outsideFaults(failures, releases, rows, logs);
  const { outside, tooBusy } = partUnexplained(unexplained, rows, await processes(cloud));
  timeline.check(
    outside.length === 0,
    unexplained.length === 0
      ? `${failures.length} requests failed, each because of a fault`
      : `${failures.length} requests failed, ${outside.length} of them outside the faults`,
  );
  const waited = `${tooBusy.length} requests waited in vain`;
  if (tooBusy.length > 0) timeline.check(false, waited, true);
  for (const { id, status, revision } of outside.slice(0, 5))
    timeline.line(`  ${id}: ${status ?? "no answer"} from ${revision ?? "an unknown revision"}`, "red");
  const counted = releases.map((released) => ({ released, counts: count(released, rows) }));
  for (const { released, counts } of counted.filter(
    ({ released: { result } }) => result === "rejected" || result === "unchanged",
  )) {
    timeline.check(
      counts.canaryRequests === 0,
      released.result === "unchanged"
        ? `the new revision of the revert to release ${released.release} got no request`
        : `no user's request reached release ${released.release} (${released.result})`,
    );
  }
  const killed = releases.find(({ release, result }) => release === drawn.kill.release && result !== "unchanged");
  const writes = killed === undefined ? [] : trafficWrites(asked, killed.from, killed.to);
  const twiceAtMost = writes.every((traffic) => writes.filter((other) => other === traffic).length <= 2);
  timeline.check(twiceAtMost, "no weights were written more than twice around the kill");
  const record = {
    releases: counted.map(({ released: { release, fault, result, message, from, to, journal }, counts }) => ({
      release,
      fault,
      result,
      message,
      ...counts,
      seconds: (to - from) / 1000,
      steps: journal
        .filter(({ event }) => event.kind === "StepReached" || event.kind === "StepPassed")
        .map((fact) => ({ kind: fact.event.kind, at: new Date(fact.event.at).toISOString(), message: fact.message })),
    })),
    controlPlaneKilled: killed !== undefined,
    resumed: killed !== undefined && isResumed(killed.journal) && twiceAtMost,
    seed: drawn.seed,
    secondsTotal: timeline.seconds(),
    failedRequestsOutsideFaults: outside.length,
    requestsUndecided: tooBusy.length,
  };
  fs.mkdirSync(path.dirname(options.out), { recursive: true });
  fs.writeFileSync(options.out, `${JSON.stringify(record, null, 2)}\n`);
  const worst = releases.findLast(({ result }) => result === "rolled-back") ?? releases[0]!;
  const page = path.join(path.dirname(options.out), "report.html");
  fs.writeFileSync(page, rolloutReport(worst.journal));
  timeline.line(`report of release ${worst.release} (${worst.result}): ${relative(page)}`);
}

async function takeDown(ground: Ground, stack: Stack): Promise<void> {
  timeline.chapter("pulumi destroy");
  const { code, output } = await stack.destroy(stopping.hurry);
  if (stopping.hurry.aborted) return; // The processes end without it.
  const deleted = /Resources:\s+- (\d+) deleted/.exec(output)?.[1];
  timeline.check(code === 0, deleted ? `${deleted} resources deleted` : `pulumi destroy failed:\n${output}`);
  timeline.check((await emulator(ground.cloud).processes()).length === 0, "no replica is running");
}
