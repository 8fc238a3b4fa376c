// What the judge can see of each release that a preview shows: the plan is that of the preview, the traffic is given or
// that of the app's newest rollout that has measured it. What cannot be known is said, and is no failure: a first
// release has no history.
import { readFileSync } from "node:fs";
import { type RolloutCalls, rollouts } from "../../client/rollouts.ts";
import { streamCalls } from "../../client/streams.ts";
import { parsedJson } from "../../engines/parsed-json.ts";
import { type Power, power, shortfalls, type Traffic, trafficOf } from "../../engines/rollout/judge/power.ts";
import { cautions } from "../../engines/rollout/plan.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { planUnreadable } from "../../errors/cli.ts";
import { type ReleasePlan, readChanges } from "../comment/changes.ts";
import { type ReachOptions, reach } from "../reach.ts";
import { type Plan, planIn } from "./plan-file.ts";

/** The traffic of an app, as an option gives it. */
export type GivenTraffic = ReadonlyMap<string, Traffic>;

/** What the judge can see of a release, or why that is not known. */
export type ReleasePower =
  | ({ readonly app: string; readonly traffic: Traffic } & Plan &
      Power & { readonly shortfalls: readonly string[]; readonly cautions: readonly string[] })
  | { readonly app: string; readonly unknown: string };

/** Estimates each release of a preview. @throws cli-plan-unreadable */
export async function powerOfPreview(
  options: ReachOptions,
  file: string,
  given: GivenTraffic,
): Promise<readonly ReleasePower[]> {
  const releases = releasesIn(file);
  const isAsked = releases.some(({ app }) => !given.has(app));
  const calls = isAsked ? await callsOf(options).catch(reasonOf) : "";
  return Promise.all(
    releases.map(async (release) => {
      const { app } = release;
      const plan = planIn(release.asked);
      if (plan === undefined) return { app, unknown: "its plan is known after the update" };
      const found =
        given.get(app) ?? (typeof calls === "string" ? calls : await learnt(calls, release).catch(reasonOf));
      return typeof found === "string" ? { app, unknown: found } : seen(app, plan, found);
    }),
  );
}

function seen(app: string, plan: Plan, traffic: Traffic): ReleasePower {
  const estimate = power(plan, traffic);
  return {
    app,
    traffic,
    ...plan,
    ...estimate,
    shortfalls: shortfalls(plan, traffic, estimate),
    cautions: cautions(plan),
  };
}

const callsOf = async (options: ReachOptions): Promise<RolloutCalls> => streamCalls(await reach(options), rollouts);

/** A rollout that was not judged, such as a first one, has measured nothing. So many are looked at, newest first. */
const rolloutsMax = 5;

/** Gives the traffic of the newest rollout that has measured it. */
async function learnt(calls: RolloutCalls, { app, resourceGroup }: ReleasePlan): Promise<Traffic | string> {
  const { streams } = await calls.list({ app });
  const own = streams.filter(
    (each) => sameName(each.app, app) && (resourceGroup === undefined || sameName(each.resourceGroup, resourceGroup)),
  );
  for (const each of own.slice(0, rolloutsMax)) {
    const traffic = trafficOf((await calls.journal(each)).map(({ event }) => event));
    if (traffic !== undefined) return traffic;
  }
  return "no rollout of it has measured its traffic yet";
}

/** The comment shows it, so it is short; whoever runs the command by hand finds the error by its id. */
const reasonOf = (error: unknown): string => {
  if (error instanceof BallastError) return `the control plane could not be asked (${error.id})`;
  throw error;
};

function releasesIn(file: string): readonly ReleasePlan[] {
  const from = (reason: string) => planUnreadable({ file, reason });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw from(`it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const changes = readChanges(parsedJson(text));
  if (changes === undefined) throw from("it is no output of `pulumi preview --json`");
  return changes.releases;
}
