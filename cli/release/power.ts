// `ballast power`: what a plan can see at a service's traffic, and how soon. The figures are the engine's; here they are asked for and shown.
import { type Command, InvalidArgumentError } from "commander";
import { type Course, power, shortfalls, type Traffic, trafficOf } from "../../engines/rollout/judge/power.ts";
import { cautions, plan as stepsOf } from "../../engines/rollout/plan.ts";
import { duration } from "../../engines/time.ts";
import { journalUnmeasured, trafficUnknown } from "../../errors/cli.ts";
import { find, nameOf, type ReachOptions, reach, reachable } from "../reach.ts";
import { print, printJson, styled, table } from "../terminal.ts";
import { type Plan, readPlan, readStackPlan } from "./plan-file.ts";

interface PowerOptions extends ReachOptions, Partial<Traffic> {
  readonly pace?: string;
  readonly limits?: string;
  readonly fromHistory?: string;
}

/** Adds the command. */
export const addPower = (program: Command): Command =>
  reachable(program.command("power"))
    .description("tell how many minutes and requests a plan needs to promote a healthy canary and to find a bad one")
    .option("--requests-per-minute <number>", "requests of the whole app", positive)
    .option("--failure-percent <number>", "how many of them usually fail", percent)
    .option("--dispersion <number>", "how unevenly failures come; 1 is by chance alone", fromOne)
    .option(
      "--from-history <rollout>",
      "learn from a rollout's journal what is not given: traffic, usual failures, noise, and its plan",
    )
    .option("--pace <file>", "a pace, in YAML or JSON; what it leaves out has its default")
    .option("--limits <file>", "limits, likewise")
    .addHelpText(
      "after",
      `
The plan is that of --pace and --limits; else that of the --stack's configuration in this folder; else the one that --from-history was carried out
with; else the default. Times count from the canary's first request. They are typical ones, without the time that request rows take to arrive: half
of all rollouts are faster, and half slower.
The exit code is 1 where a healthy canary would not be promoted, or one that fails a point more not be rolled back, within maximumSeconds.

Examples:
  ballast power --requests-per-minute 1200 --failure-percent 0.5
  ballast power --from-history storefront --limits stricter.yaml --json`,
    )
    .action(async (options: PowerOptions) => {
      const learnt = options.fromHistory === undefined ? undefined : await learn(options, options.fromHistory);
      const traffic = trafficFrom(options, learnt?.traffic);
      const plan = readPlan(options, options.stack === undefined ? learnt?.plan : readStackPlan(options.stack));
      const seen = power(plan, traffic);
      const missing = shortfalls(plan, traffic, seen);
      const given = cautions(plan);
      if (missing.length > 0) process.exitCode = 1;
      if (options.json) return printJson({ traffic, ...plan, ...seen, shortfalls: missing, cautions: given });
      print(
        `${styled("dim", "service")}  ${count(traffic.requestsPerMinute)} requests a minute, ${rounded(traffic.failurePercent)} % usually fail, dispersion ${rounded(traffic.dispersion)}`,
      );
      print(
        `${styled("dim", "plan   ")}  ${stepsOf(plan.pace).join(" → ")} %, ${duration(plan.pace.bakeSeconds)} of bake each, ${duration(plan.pace.maximumSeconds)} at the most\n\n`,
      );
      print(
        table(
          [
            ["CANARY", "ENDS", "AFTER", "ITS REQUESTS"],
            row("healthy", seen.healthy, plan),
            ...seen.faults.map(({ name, course }) => row(name, course, plan)),
          ],
          (text, at) => (at === 0 ? styled("dim", text) : text),
        ),
      );
      if (missing.length + given.length > 0) print(`\n${[...missing, ...given].join("\n")}`);
    });

const row = (name: string, { ending, seconds, canaryRequests }: Course, { pace }: Plan): readonly string[] => [
  name,
  ending,
  ending === "undecided"
    ? `more than ${duration(pace.maximumSeconds)}`
    : duration(seconds < 600 ? Math.round(seconds) : 60 * Math.round(seconds / 60)),
  count(canaryRequests),
];
const count = (value: number): string => Math.round(value).toLocaleString("en-US");
const rounded = (value: number): string => String(Number(value.toPrecision(2)));

async function learn(options: PowerOptions, name: string): Promise<{ readonly traffic: Traffic; readonly plan: Plan }> {
  const plane = await reach(options);
  const shown = await find(plane, name);
  const events = (await plane.journal(shown)).map(({ event }) => event);
  const traffic = trafficOf(events);
  const planned = events.find((event) => event.kind === "Planned");
  if (traffic === undefined || planned === undefined) throw journalUnmeasured({ name: nameOf(shown) });
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

const amount =
  (words: string, fits: (value: number) => boolean) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || !fits(value))
      throw new InvalidArgumentError(`It is not ${words}.`);
    return value;
  };
const positive = amount("a number above 0", (value) => value > 0);
const percent = amount("a number from 0 to 100", (value) => value >= 0 && value <= 100);
const fromOne = amount("a number from 1 on", (value) => value >= 1);
