// The story of the releases: good and bad versions of the storefront under load, the kill of the control plane during
// one, and a revert.
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { boundPair } from "../../cli/reach.ts";
import { controlPlane } from "../../client/control-plane.ts";
import { tokenFor } from "../../client/credential.ts";
import { type LoadFailure, type LoadSummary, startLoad } from "../../emulator/load.ts";
import { defaultStrategy } from "../../engines/rollout/plan.ts";
import type { Strategy } from "../../engines/rollout/vocabulary.ts";
import { many } from "../../engines/wording.ts";
import { rolloutReport } from "../../report/rollout/report.ts";
import type { Row } from "../emulator.ts";
import { relative } from "../relative.ts";
import { partUnexplained } from "../starvation.ts";
import type { Deployed, Setting, Story } from "../story.ts";
import type { Timeline } from "../timeline.ts";
import { count, outsideFaults, trafficWrites } from "./account.ts";
import { type Draw, describeFault, draw, environmentOf, story } from "./draw.ts";
import { race } from "./race.ts";
import { app, carryOut, isResumed, type Released, type Stage } from "./release.ts";

const requestsPerSecond = 200;
const root = path.join(import.meta.dirname, "..", "..");

/** The releases, as `npm start` shows them. */
export const releases: Story = {
  announce: ({ timeline, options }) => announce(timeline, drawnFor(options)),
  show: async (setting) => {
    const deployed = await setting.deployed();
    return show(setting, deployed, drawnFor(setting.options));
  },
  invite: async ({ timeline, deployed, ground }) => {
    for (const command of ["list", "explain --replay", "report"])
      timeline.line(`    npm run ballast -- release ${command}`);
    const { outputs } = await deployed();
    const { host } = new URL(outputs["storefrontUrl"]!);
    const connectTo = `--connect-to ${host}:443:127.0.0.1:${ground.cloud.port}`;
    timeline.line(`    curl --cacert ${relative(ground.cloud.caFile)} ${connectTo} https://${host}/`);
  },
};

const drawnFor = ({ seed }: Pick<Setting["options"], "seed">): Draw => (seed === undefined ? story : draw(seed));

/** Prints what is going to happen, and how the times differ from Azure's. */
function announce(timeline: Timeline, { seed, releases: planned, kill, race: raced }: Draw): void {
  timeline.line(`strategy of the demo: ${describeStrategy(strategyOfStack())}`);
  timeline.line(`default on Azure, where request rows arrive minutes late: ${describeStrategy(defaultStrategy)}`);
  timeline.line(
    seed === null
      ? "the standard story; `npm start -- --seed <number>` draws another one"
      : `the story of seed ${seed}`,
  );
  for (const { release, fault } of planned) {
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

async function show(setting: Setting, { stack, outputs }: Deployed, drawn: Draw): Promise<object> {
  const { timeline, emulator, generator, ground } = setting;
  const { endpoint, audience } = boundPair(outputs)!;
  const stage: Stage = {
    stack,
    timeline,
    emulator,
    wasStarved: setting.wasStarved,
    lastMinute: setting.lastMinute,
    plane: controlPlane({
      endpoint,
      token: tokenFor(audience),
      cancel: setting.stop,
    }),
  };
  const failures: LoadFailure[] = [];
  const loadFrom = Date.now();
  const load = startLoad(
    {
      rate: requestsPerSecond,
      origin: outputs["storefrontUrl"]!,
      connectTo: { host: "127.0.0.1", port: ground.cloud.port },
      caFile: ground.cloud.caFile,
      paths: ["/", "/products/1", "/products/2"],
    },
    (line) => {
      if (line.kind === "failure") failures.push(line);
      else generator.push(line);
    },
  );
  timeline.line(`load: ${requestsPerSecond} requests a second from now on, none of them retried`);
  let carriedOut: readonly Released[];
  let summary: LoadSummary;
  const began = Date.now();
  try {
    carriedOut = await playStory(stage, drawn);
    timeline.line(`the releases took ${Math.round((Date.now() - began) / 1000)} s`);
  } finally {
    summary = await load.stop();
  }
  timeline.chapter("Results of the releases");
  const record = await settleAccounts(setting, drawn, carriedOut, failures);
  const arrived = Math.floor(summary.sent / summary.seconds);
  const rate = `${arrived} requests a second were sent, on average`;
  timeline.check(arrived >= 100, rate, await setting.wasStarved(loadFrom, Date.now()));
  timeline.line(
    `${summary.sent} requests; 50 % were answered within ${summary.p50Milliseconds} ms, ` +
      `99 % within ${summary.p99Milliseconds} ms`,
  );
  if (summary.skipped > 0)
    timeline.line(`the load generator was late and left out ${many(summary.skipped, "request")}`, "yellow");
  return record;
}

/** Carries out the drawn releases and then the revert. */
async function playStory(stage: Stage, drawn: Draw): Promise<readonly Released[]> {
  const { timeline } = stage;
  const carriedOut: Released[] = [];
  let rolledBackBefore = false;
  for (const [index, drawnNow] of drawn.releases.entries()) {
    if (carriedOut.length > index) continue; // the second release of a race
    timeline.chapter(`Release ${drawnNow.release}: ${describeFault(drawnNow.fault)}`);
    const { kill, race: raced } = drawn;
    if (raced?.release === drawnNow.release)
      carriedOut.push(...(await race(stage, drawnNow, drawn.releases[index + 1]!, raced)));
    else {
      const isLast = index === drawn.releases.length - 1;
      carriedOut.push(
        await carryOut(stage, drawnNow, {
          kill: kill.release === drawnNow.release ? kill : undefined,
          begins: isLast ? stage.lastMinute : undefined,
        }),
      );
    }
    const released = carriedOut.at(-1)!;
    if (kill.release === released.release)
      timeline.check(isResumed(released.journal), "another process recovered the rollout and finished it");
    if (released.fault.kind !== "none" && !rolledBackBefore) {
      rolledBackBefore = true;
      await askAgain(stage, released);
    }
  }
  stage.lastMinute(); // if a race had the last release
  carriedOut.push(await revert(stage, carriedOut));
  return carriedOut;
}

/** Checks that an unchanged `pulumi up` after a rollback fails with the same message at once, from the journal. */
async function askAgain(
  { stack, plane, timeline, emulator: cloud, wasStarved: starved }: Stage,
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

/** Reverts the program to the last good release, as `git revert` does after a rollback. */
async function revert(stage: Stage, carriedOut: readonly Released[]): Promise<Released> {
  const { timeline } = stage;
  const good = carriedOut.findLast(({ result }) => result === "promoted");
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

/** Says of a failed request when it was sent, how it ended, and what the ingress wrote of it. */
function described({ id, at, status, revision, milliseconds }: LoadFailure, row: Row | undefined): string {
  const from = `${status ?? "no answer"} from ${revision ?? row?.RevisionName ?? "an unknown revision"}`;
  const sent = new Date(at).toISOString().slice(11, 23);
  return `${id}: ${from}, ${row?.ResponseCodeDetails ?? "without a row"}, sent ${sent}, ${Math.round(milliseconds)} ms`;
}

/** Explains every failed request by its fault, counts each release's requests, writes report.html, gives the record. */
async function settleAccounts(
  { timeline, emulator: cloud, processes, options }: Setting,
  drawn: Draw,
  carriedOut: readonly Released[],
  failures: readonly LoadFailure[],
): Promise<object> {
  const [rows, logs, asked] = await Promise.all([cloud.rows("storefront"), cloud.logs("storefront"), cloud.asked()]);
  const unexplained = outsideFaults(failures, carriedOut, rows, logs);
  const { outside, tooBusy } = partUnexplained(unexplained, rows, await processes());
  timeline.check(
    outside.length === 0,
    unexplained.length === 0
      ? `${many(failures.length, "request")} failed, each because of a fault`
      : `${many(failures.length, "request")} failed, ${outside.length} of them outside the faults`,
  );
  const waited = `${many(tooBusy.length, "request")} waited in vain`;
  if (tooBusy.length > 0) timeline.check(false, waited, true);
  const rowOf = new Map(rows.map((row) => [row.RequestId, row]));
  for (const failure of outside.slice(0, 5)) timeline.line(`  ${described(failure, rowOf.get(failure.id))}`, "red");
  const counted = carriedOut.map((released) => ({ released, counts: count(released, rows) }));
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
  const killed = carriedOut.find(({ release, result }) => release === drawn.kill.release && result !== "unchanged");
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
    failedRequestsOutsideFaults: outside.length,
    requestsUndecided: tooBusy.length,
  };
  const worst = carriedOut.findLast(({ result }) => result === "rolled-back") ?? carriedOut[0]!;
  const page = path.join(path.dirname(options.out), "report.html");
  fs.mkdirSync(path.dirname(page), { recursive: true });
  fs.writeFileSync(page, rolloutReport(worst.journal));
  timeline.line(`report of release ${worst.release} (${worst.result}): ${relative(page)}`);
  return record;
}
