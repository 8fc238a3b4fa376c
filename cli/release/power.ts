// `ballast power`: estimates what a plan can detect at a service's traffic, and how soon. The engine computes the
// figures; this command collects its inputs and prints the results.
import { type Command, InvalidArgumentError } from "commander";
import { rollouts } from "../../client/rollouts.ts";
import { streamCalls } from "../../client/streams.ts";
import { adviceOn } from "../../engines/rollout/judge/advice.ts";
import {
  type Course,
  type Power,
  power,
  shortfalls,
  type Traffic,
  trafficOf,
} from "../../engines/rollout/judge/power.ts";
import { cautions, plan as stepsOf } from "../../engines/rollout/plan.ts";
import { duration } from "../../engines/time.ts";
import { journalUnmeasured, trafficUnknown } from "../../errors/cli.ts";
import { type ReachOptions, reach, withReachOptions } from "../reach.ts";
import { print, printJson, styled, table } from "../terminal.ts";
import { findRollout, nameOf } from "./find.ts";
import { type Plan, readPlan, readStackPlan } from "./plan-file.ts";
import { type GivenTraffic, powerOfPreview } from "./preview-power.ts";

interface PowerOptions extends ReachOptions, Partial<Traffic> {
  readonly preview?: string;
  readonly traffic?: GivenTraffic;
  readonly strategy?: string;
  readonly thresholds?: string;
  readonly fromHistory?: string;
}

/** Adds the command `power`. */
export const addPower = (program: Command): Command =>
  withReachOptions(program.command("power"))
    .description("estimate the time and requests that a plan needs to promote a healthy canary and to catch a bad one")
    .option("--requests-per-minute <number>", "requests of the whole app", positive)
    .option("--failure-percent <number>", "baseline failures, in percent of requests", percent)
    .option("--dispersion <number>", "variance of failures, as a multiple of what chance alone gives", fromOne)
    .option("--from-history <rollout>", "read traffic and plan from a rollout's journal; other options take precedence")
    .option("--strategy <file>", "strategy in YAML or JSON; omitted fields take their defaults")
    .option("--thresholds <file>", "thresholds in YAML or JSON; omitted fields take their defaults")
    .option("--preview <file>", "estimate each release in this output of `pulumi preview --json`, by its own plan")
    .option(
      "--traffic <lines>",
      "with --preview: a line for each app, with its name, requests per minute and failures in percent " +
        "(default: the app's newest rollout that has measured them)",
      trafficLines,
    )
    .addHelpText(
      "after",
      `
The plan is the first of: --strategy and --thresholds, the configuration of --stack in this folder, the plan of the
--from-history rollout, the defaults.
Times count from the canary's first request and are medians. The time that request rows take to arrive is not included.
The exit code is 1 if, within maximumSeconds, a healthy canary would not be promoted, or a canary with one more
percentage point of failures would not be rolled back.

Examples:
  ballast power --requests-per-minute 1200 --failure-percent 0.5
  ballast power --from-history storefront --thresholds stricter.yaml --json
  ballast power --preview preview.json --traffic "storefront 1200 0.5"`,
    )
    .action(async (options: PowerOptions) => {
      if (options.preview !== undefined) return previewed(options, options.preview);
      const learnt = options.fromHistory === undefined ? undefined : await learn(options, options.fromHistory);
      const traffic = trafficFrom(options, learnt?.traffic);
      const plan = readPlan(options, options.stack === undefined ? learnt?.plan : readStackPlan(options.stack));
      const estimate = power(plan, traffic);
      const missing = shortfalls(plan, traffic, estimate);
      const given = cautions(plan);
      if (missing.length > 0) process.exitCode = 1;
      const advice = adviceOn(plan, traffic, estimate);
      if (options.json)
        return printJson({ traffic, ...plan, ...estimate, advice, shortfalls: missing, cautions: given });
      print(`${inputLines(plan, traffic)}\n\n`);
      print(courseTable(plan, estimate));
      print(`\n${[advice, ...missing, ...given].join("\n")}`);
    });

/** Prints what the judge can see of each release of a preview. */
async function previewed(options: PowerOptions, file: string): Promise<void> {
  const releases = await powerOfPreview(options, file, options.traffic ?? new Map());
  if (releases.some((each) => "shortfalls" in each && each.shortfalls.length > 0)) process.exitCode = 1;
  if (options.json) return printJson({ releases });
  if (releases.length === 0) return print("The preview starts no release.");
  for (const each of releases)
    if ("unknown" in each) print(`${each.app}: ${each.unknown}.`);
    else print(`${each.app}\n${inputLines(each, each.traffic)}\n\n${courseTable(each, each)}`);
}

/** Reads lines such as `shop 1200 0.5`. */
function trafficLines(text: string): GivenTraffic {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return new Map(
    lines.map((line) => {
      const [app = "", rate = "", failures = "", ...more] = line.trim().split(/\s+/);
      if (more.length > 0) throw new InvalidArgumentError("Expected an app, its requests per minute and its failures.");
      return [app, { requestsPerMinute: positive(rate), failurePercent: percent(failures), dispersion: 1 }] as const;
    }),
  );
}

function inputLines({ strategy }: Plan, { requestsPerMinute, failurePercent, dispersion }: Traffic): string {
  const rate = `${count(requestsPerMinute)} requests a minute`;
  const failures = `${rounded(failurePercent)} % baseline failures`;
  const weights = `${stepsOf(strategy).join(" → ")} %`;
  const times = `bake ${duration(strategy.bakeSeconds)} each, maximum ${duration(strategy.maximumSeconds)}`;
  return [
    `${styled("dim", "service")}  ${rate}, ${failures}, dispersion ${rounded(dispersion)}`,
    `${styled("dim", "plan   ")}  ${weights}, ${times}`,
  ].join("\n");
}

const courseTable = (plan: Plan, { healthy, faults }: Power): string =>
  table(
    [
      ["CANARY", "RESULT", "AFTER", "CANARY REQUESTS"],
      row("healthy", healthy, plan),
      ...faults.map(({ name, course }) => row(name, course, plan)),
    ],
    (text, at) => (at === 0 ? styled("dim", text) : text),
  );

const row = (name: string, { ending, seconds, canaryRequests }: Course, { strategy }: Plan): readonly string[] => [
  name,
  ending,
  ending === "undecided"
    ? `more than ${duration(strategy.maximumSeconds)}`
    : duration(seconds < 600 ? Math.round(seconds) : 60 * Math.round(seconds / 60)),
  count(canaryRequests),
];
const count = (value: number): string => Math.round(value).toLocaleString("en-US");
const rounded = (value: number): string => String(Number(value.toPrecision(2)));

async function learn(options: PowerOptions, name: string): Promise<{ readonly traffic: Traffic; readonly plan: Plan }> {
  const calls = streamCalls(await reach(options), rollouts);
  const rollout = await findRollout(calls, name);
  const events = (await calls.journal(rollout)).map(({ event }) => event);
  const traffic = trafficOf(events);
  const planned = events.find((event) => event.kind === "Planned");
  if (traffic === undefined || planned === undefined) throw journalUnmeasured({ name: nameOf(rollout) });
  return { traffic, plan: planned.intent };
}

function trafficFrom(given: Partial<Traffic>, learnt: Traffic | undefined): Traffic {
  const {
    requestsPerMinute = learnt?.requestsPerMinute,
    failurePercent = learnt?.failurePercent,
    dispersion = learnt?.dispersion ?? 1,
  } = given;
  if (requestsPerMinute === undefined || failurePercent === undefined) throw trafficUnknown();
  return { requestsPerMinute, failurePercent, dispersion };
}

const numberFrom =
  (expected: string, fits: (value: number) => boolean) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || !fits(value))
      throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
const positive = numberFrom("a number above 0", (value) => value > 0);
const percent = numberFrom("a number from 0 to 100", (value) => value >= 0 && value <= 100);
const fromOne = numberFrom("a number of at least 1", (value) => value >= 1);
