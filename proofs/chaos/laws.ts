// The laws that must hold after a chaos run, checked on the journals and on the emulator's log of
// requests. Each broken law gives a message.
import { replay } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { type App, apps, type Outage, type World } from "./world.ts";

/** One release of the chaos run: whether it was bad, and whether another client interfered with it. */
export interface Released {
  readonly app: App;
  readonly revision: string;
  readonly bad: boolean;
  /** Whether a person aborted it or changed its weights. */
  disturbed: boolean;
}

interface Row {
  readonly stream: string;
  readonly event: RolloutEvent;
  readonly process: string;
  readonly epoch: number;
}

/** The result of `judge`. */
export interface Judged {
  readonly broken: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Checks every law on the whole run and counts what happened. */
export async function judge(world: World, released: readonly Released[], outages: readonly Outage[]): Promise<Judged> {
  const { rows } = await world.pool.query<Row>(
    "select stream, event, process, epoch from ballast.facts order by stream, index",
  );
  const broken: string[] = [];
  const results: Record<string, number> = {};
  let handovers = 0;
  for (const release of released) {
    const facts = rows.filter(({ stream }) => stream.endsWith(`/${release.app}/${release.revision}`));
    broken.push(...lawsOfJournal(release, facts, outages));
    const finished = facts.findLast(({ event }) => event.kind === "Finished")?.event;
    const result = finished?.kind === "Finished" ? finished.result : "unfinished";
    results[result] = (results[result] ?? 0) + 1;
    handovers += new Set(facts.filter(({ epoch }) => epoch > 0).map(({ epoch }) => epoch)).size - 1;
  }
  broken.push(...(await lawsOfTraffic(world, rows)), ...(await lawsOfWrites(world)));
  const failedBy = await failedRequests(world, released, outages);
  if (failedBy.good > 0) broken.push(`${failedBy.good} requests failed on a good revision`);
  return {
    broken,
    counts: {
      rollouts: released.length,
      ...results,
      facts: rows.length,
      "changes of the driving process": handovers,
      "user requests": world.users.sent,
      "user requests that bad canaries failed": failedBy.bad,
      "user requests that good revisions failed": failedBy.good,
      "user requests that failed while the cloud recovered": failedBy.outage,
      "user requests without an answer": world.users.unanswered,
    },
  };
}

function lawsOfJournal(
  { app, revision, bad, disturbed }: Released,
  facts: readonly Row[],
  outages: readonly Outage[],
): readonly string[] {
  const events = facts.map(({ event }) => event);
  const broken: string[] = [];
  const finished =
    events.at(-1)?.kind === "Disregarded" ? events.findLast(({ kind }) => kind === "Finished") : events.at(-1);
  if (finished?.kind !== "Finished") return [`${revision} never ended; its last fact is ${events.at(-1)?.kind}`];
  if (bad && finished.result === "promoted") broken.push(`${revision} is bad, but it was promoted`);
  if (!bad && !disturbed && finished.result !== "promoted" && !failedAlone(events, outages))
    broken.push(`${revision} is good and was not disturbed, but it ended as ${finished.result}: ${finished.message}`);
  if (finished.result === "degraded") broken.push(`${app} was degraded by ${revision}: ${finished.message}`);
  const divergence = replay(events);
  if (divergence !== undefined) broken.push(`${revision} is decided differently on replay at fact ${divergence.index}`);
  const epochs = facts.map(({ epoch }) => epoch).filter((epoch) => epoch > 0);
  if (epochs.some((epoch, index) => epoch < (epochs[index - 1] ?? 0)))
    broken.push(`${revision} has a fact of an earlier epoch after one of a later epoch`);
  for (const epoch of new Set(epochs)) {
    if (new Set(facts.filter((fact) => fact.epoch === epoch).map(({ process }) => process)).size > 1)
      broken.push(`${revision} has two writers in epoch ${epoch}`);
  }
  return broken;
}

/**
 * Reports whether the cloud was down while the canary had all the traffic. There is no other revision to compare with
 * then, so the judge blames the canary (docs/explain/guarantees.md).
 */
function failedAlone(events: readonly RolloutEvent[], outages: readonly Outage[]): boolean {
  const began = events.findLast((event) => event.kind === "StepReached" && event.percent === 100)?.at;
  return began !== undefined && outages.some(({ from, to }) => to >= began && from <= events.at(-1)!.at);
}

/** At the end the revision promoted last serves all users of its app. */
async function lawsOfTraffic(world: World, rows: readonly Row[]): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const app of apps) {
    const promoted = rows.flatMap(({ stream, event }) =>
      stream.includes(`/${app}/`) && event.kind === "Finished" && event.result === "promoted"
        ? [{ revision: stream.split("/").at(-1)!, at: event.at }]
        : [],
    );
    const stable = promoted.toSorted((a, b) => a.at - b.at).at(-1)?.revision ?? world.first.get(app);
    const traffic = await world.traffic(app);
    if (traffic.length !== 1 || traffic[0]!.revisionName !== stable || traffic[0]!.weight !== 100)
      broken.push(`${stable} should serve all users of ${app}, but the traffic is ${JSON.stringify(traffic)}`);
  }
  return broken;
}

/** The weights of each write in the emulator's log sum to 100. */
export async function lawsOfWrites({ shop }: World): Promise<readonly string[]> {
  const { requests } = (await shop.arm("GET", "/_emulator/requests")).body as {
    requests: readonly { path: string; traffic?: readonly { weight?: number }[] }[];
  };
  return requests.flatMap(({ path, traffic }) => {
    const sum = traffic?.reduce((total, { weight = 0 }) => total + weight, 0) ?? 100;
    return sum === 100 ? [] : [`the weights of a write to ${path} sum to ${sum}`];
  });
}

async function failedRequests(
  { shop }: World,
  released: readonly Released[],
  outages: readonly Outage[],
): Promise<Readonly<Record<"bad" | "good" | "outage", number>>> {
  const bad = new Set(released.filter((each) => each.bad).map(({ revision }) => revision));
  const counts = { bad: 0, good: 0, outage: 0 };
  for (const app of apps) {
    const { rows } = (await shop.arm("GET", `/_emulator/rows?app=${app}&failed=true`)).body as {
      rows: readonly { RevisionName: string; StartTime: string }[];
    };
    for (const { RevisionName, StartTime } of rows) {
      const at = Date.parse(StartTime);
      if (bad.has(RevisionName)) counts.bad++;
      else if (outages.some(({ from, to }) => at >= from && at <= to)) counts.outage++;
      else counts.good++;
    }
  }
  return counts;
}
