// Who had which share of the traffic when, and what came of it: requests as rows would tell them, and users sent where nobody answers.
// How the traffic came to be so is not known here.
import { bucketOf, durationsOf } from "../../engines/rollout/judge/durations.ts";
import type { Tally } from "../../engines/rollout/vocabulary.ts";
import type { Behaviour, Drawn } from "./draw.ts";

export type Writer = "us" | "portal" | "up";

export interface Revision {
  readonly name: string;
  readonly template: string;
  readonly behaviour: Behaviour;
  active: boolean;
  readyAt: number;
  activeSince: number;
}

/** A stretch of time in which the shares stayed the same; it ends where the next begins. */
export interface Stretch {
  readonly from: number;
  readonly shares: readonly {
    readonly revision: Revision;
    readonly percent: number;
    readonly active: boolean;
    readonly readyAt: number;
  }[];
  readonly writer: Writer;
}

/** Gives what a revision is like at a moment. */
export const behaviourAt = ({ behaviour }: Revision, at: number, start: number): Behaviour["is"] =>
  at >= start + behaviour.fromSeconds * 1000 ? behaviour.is : "good";

/** Tells what a revision did with its requests from one moment to another. */
export function tallyOf(
  history: readonly Stretch[],
  drawn: Drawn,
  start: number,
  name: string | null,
  from: number,
  to: number,
): Tally {
  let requests = 0;
  let failing = 0;
  let slow = 0;
  for (let index = history.length - 1; index >= 0; index--) {
    const stretch = history[index]!;
    const begin = Math.max(from, stretch.from);
    const end = Math.min(to, history[index + 1]?.from ?? to);
    if (end > begin) {
      for (const { revision, percent, active, readyAt } of stretch.shares) {
        if (revision.name !== name) continue;
        const middle = (begin + end) / 2;
        const count = (drawn.requestsPerMinute / 60_000) * (end - begin) * (percent / 100);
        const is = behaviourAt(revision, middle, start);
        const up = active && middle >= readyAt && is !== "dead";
        requests += count;
        failing +=
          count *
          Math.max(up ? (is === "errors" ? 0.3 : 0.001) : 1, outageShare(drawn, revision, (middle - start) / 1000));
        slow += count * (is === "slow" ? 0.5 : 0.005);
      }
    }
    if (stretch.from <= from) break;
  }
  const all = Math.round(requests);
  const late = Math.min(all, Math.round(slow));
  const durations = durationsOf([
    [bucketOf(50), all - late],
    [bucketOf(2_000), late],
  ]);
  return {
    requests: all,
    failed: Math.min(all, Math.round(failing)),
    refused: 0,
    ...(durations === undefined ? {} : { durations }),
  };
}

function outageShare({ faults }: Drawn, { name }: Revision, second: number): number {
  return faults.reduce((worst, fault) => {
    const hits =
      fault.kind === "outage" &&
      second >= fault.at &&
      second < fault.at + fault.lasts &&
      (fault.whom === "both" || name === "shop--1");
    return hits ? Math.max(worst, fault.percent / 100) : worst;
  }, 0);
}

/**
 * Adds up the seconds, weighted by share, in which a write of ours sent users to what was deactivated or not ready. A share that somebody
 * else had given it before, and that we left, is not ours.
 */
export function lostSecondsOf(history: readonly Stretch[], now: number): number {
  let lost = 0;
  let theirs = new Map<string, number>();
  for (const [index, { from, shares, writer }] of history.entries()) {
    const end = history[index + 1]?.from ?? now;
    theirs = new Map(
      shares.map(({ revision, percent }) => [
        revision.name,
        writer === "us" ? Math.min(percent, theirs.get(revision.name) ?? 0) : percent,
      ]),
    );
    for (const { revision, percent, active, readyAt } of shares) {
      lost +=
        ((active ? Math.max(0, Math.min(end, readyAt) - from) : end - from) / 1000) *
        ((percent - theirs.get(revision.name)!) / 100);
    }
  }
  return lost;
}
