// `npm start`: everything on one machine. It shows the stories of the demo on an emulator, and takes everything down.
// It exits with 1 if anything that docs/start/demo.md promises did not happen, with 2 if its options are wrong, and as
// a program that a signal ended if it was stopped before the end of the stories.
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import type { WantedSecond } from "../emulator/starvation.ts";
import { BallastError } from "../errors/catalogue.ts";
import { conclude } from "./conclude.ts";
import { type Emulator, emulator } from "./emulator.ts";
import { bringGround, type Ground, isAlive } from "./ground.ts";
import { readOptions, type StoryName } from "./options.ts";
import { relative } from "./relative.ts";
import { environmentOf } from "./releases/draw.ts";
import { releases } from "./releases/story.ts";
import { remediation } from "./remediation/story.ts";
import { rotation } from "./rotation/story.ts";
import { createStack } from "./stack.ts";
import { type Process, shareMissed, wasStarved } from "./starvation.ts";
import { exitCodeOf, listenForStop } from "./stopping.ts";
import { type Deployed, type Setting, type Story, StoryUndecided } from "./story.ts";
import { startTimeline } from "./timeline.ts";

const stories: Readonly<Record<StoryName, Story>> = { releases, rotation, remediation };
/** What plain `npm start` shows. */
const standard: readonly StoryName[] = ["releases", "rotation", "remediation"];

const timeline = startTimeline();
let options = readOptions([]);
const stopping = listenForStop((reason, isSecond) =>
  timeline.line(
    isSecond
      ? `${reason} again: pulumi destroy is cut short; everything still ends`
      : `${reason}: everything is taken down now, which takes some seconds; a second Ctrl-C cuts it short`,
    "yellow",
  ),
);
const stop = stopping.signal;
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
  const chosen = (options.only === undefined ? standard : [options.only]).map((name) => stories[name]);
  timeline.chapter("Ballast on this machine");
  for (const { announce } of chosen) announce({ timeline, options });
  const ground = await bringGround(options.folder, (line) => timeline.line(line), stop);
  let pids: readonly number[] = [];
  let left: readonly string[] = [];
  let isShown = false;
  let isTakenDown = false;
  try {
    Object.assign(process.env, ground.cloud.environment);
    const setting = settingOf(ground);
    isShown = await showAll(chosen, setting).catch(async (error: unknown) => {
      if (!stop.aborted && !(error instanceof StoryUndecided)) await fail(error, setting.emulator);
      return false;
    });
    if (isShown && !options.exit && !stop.aborted) await once(stop, "abort");
    isTakenDown = true;
    pids = (await setting.emulator.processes()).flatMap(({ pid }) => pid ?? []);
    await takeDown(setting);
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

/** The setting of all stories. `stack` is what was begun to be deployed, if anything was. */
type OurSetting = Omit<Setting, "lastMinute"> & {
  readonly stack: () => Deployed["stack"] | undefined;
  readonly ends: (() => Promise<void>)[];
};

function settingOf(ground: Ground): OurSetting {
  const cloud = emulator(ground.cloud);
  const generator: WantedSecond[] = [];
  // The control plane is on no user's way.
  const isOnTheWay = ({ app }: { readonly app?: string }): boolean => app !== "control-plane";
  const processes = async (): Promise<readonly Process[]> => [
    generator,
    ...(await cloud.starvation()).filter(isOnTheWay).map(({ seconds }) => seconds),
  ];
  let stack: Deployed["stack"] | undefined;
  const deploy = async (): Promise<Deployed> => {
    stack = await createStack(ground, stop, timeline.during);
    timeline.chapter("First pulumi up: everything, with the storefront at release 1");
    stack.setStorefront(environmentOf({ release: 1, fault: { kind: "none" } }));
    const first = await stack.up();
    if (first.code !== 0) throw new Error(`the first pulumi up failed:\n${first.output}`);
    const outputs = await stack.outputs();
    const created = /Resources:\s+\+ (\d+) created/.exec(first.output)?.[1] ?? "?";
    timeline.line(`${created} resources created; ${outputs["message"]}`);
    inviteToWatch({ stack, outputs });
    await cloud.starvation(); // It is measured from now on.
    return { stack, outputs };
  };
  let deployed: Promise<Deployed> | undefined;
  const ends: (() => Promise<void>)[] = [];
  return {
    ends,
    atEnd: (close) => void ends.push(close),
    ground,
    emulator: cloud,
    deployed: () => {
      deployed ??= deploy();
      return deployed;
    },
    timeline,
    options,
    stop,
    generator,
    processes,
    wasStarved: async (from, to) => wasStarved(await processes(), from, to),
    stack: () => stack,
  };
}

/** Shows the stories one after another, and writes their record. */
async function showAll(chosen: readonly Story[], alone: OurSetting): Promise<boolean> {
  const record: object = {};
  const begun = new Map<Story, () => Promise<object>>();
  const lastMinute = (): void => {
    for (const story of chosen) if (story.ahead && !begun.has(story)) begun.set(story, story.ahead(setting));
  };
  const setting: Setting = { ...alone, lastMinute };
  try {
    for (const story of chosen) Object.assign(record, await (begun.get(story) ?? (() => story.show(setting)))());
  } finally {
    const measured = await setting.processes().catch(() => [setting.generator]);
    percentMissed = Math.round(100 * Math.max(...measured.map((seconds) => shareMissed(seconds, 0, Date.now()))));
  }
  fs.mkdirSync(path.dirname(options.out), { recursive: true });
  const whole = { ...record, secondsTotal: timeline.seconds() };
  fs.writeFileSync(options.out, `${JSON.stringify(whole, null, 2)}\n`);
  if (!options.exit) await inviteToLook(chosen, setting);
  return true;
}

/** Writes the file for a second terminal, before the first release, and prints how to watch the releases there. */
function inviteToWatch({ stack, outputs }: Deployed): void {
  const file = stack.lend({
    BALLAST_ENDPOINT: outputs["controlPlaneEndpoint"]!,
    BALLAST_AUDIENCE: outputs["controlPlaneAudience"]!,
  });
  timeline.line("watch it in a second terminal, in this folder:", "bold");
  timeline.line(`    . ${relative(file)}; npm run ballast -- top`, "bold");
  timeline.line(`    . ${relative(file)}; npm run ballast -- release follow`, "bold");
}

/** Prints commands for the second terminal, which work until the demo is taken down. */
async function inviteToLook(chosen: readonly Story[], setting: Setting): Promise<void> {
  timeline.chapter("Running until Ctrl-C");
  timeline.line(`in a second terminal, after \`. ${relative(path.join(setting.ground.folder, "environment"))}\`:`);
  for (const { invite } of chosen) await invite(setting);
}

async function takeDown({ stack, ends, emulator: cloud }: OurSetting): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
  const begun = stack();
  if (begun !== undefined) {
    timeline.chapter("pulumi destroy");
    const { code, output } = await begun.destroy(stopping.hurry);
    if (stopping.hurry.aborted) return; // The processes end without it.
    const deleted = /Resources:\s+- (\d+) deleted/.exec(output)?.[1];
    timeline.check(code === 0, deleted ? `${deleted} resources deleted` : `pulumi destroy failed:\n${output}`);
  }
  timeline.check((await cloud.processes()).length === 0, "no replica is running");
}
