// The history of the traffic: which revision had which share when. From it come the requests that the rows would show,
// and the users that were sent to a revision that could not answer.
import { bandOf, durationsOf } from "../../engines/rollout/judge/durations.ts";
import type { Tally } from "../../engines/rollout/vocabulary.ts";
import type { Behaviour, Drawn } from "./draw.ts";

/** Who wrote the traffic. */
export type Writer = "us" | "portal" | "up";

/** A revision of the simulated app. */
export interface Revision {
  readonly name: string;
  readonly template: string;
  readonly behaviour: Behaviour;
  active: boolean;
  readyAt: number;
  activeSince: number;
}

/** The share of one revision, and the state of that revision when the period began. */
export interface Share {
  readonly revision: Revision;
  readonly percent: number;
  readonly active: boolean;
  readonly readyAt: number;
}

/** A period in which the shares stayed the same; it ends when the next one begins. */
export interface Stretch {
  readonly from: number;
  readonly shares: readonly Share[];
  readonly writer: Writer;
}

/** Gives how a revision behaves at a moment. */
export const behaviourAt = ({ behaviour }: Revision, at: number, start: number): Behaviour["is"] =>
  at >= start + behaviour.fromSeconds * 1000 ? behaviour.is : "good";

/** Counts the requests of a revision in a period, and how they ended. */
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
    const middle = (begin + end) / 2;
    for (const share of end > begin ? stretch.shares : []) {
      if (share.revision.name !== name) continue;
      const count = (drawn.requestsPerMinute / 60_000) * (end - begin) * (share.percent / 100);
      const outage = outageShare(drawn, share.revision, (middle - start) / 1000);
      requests += count;
      failing += count * Math.max(failingShare(share, middle, start), outage);
      slow += count * (behaviourAt(share.revision, middle, start) === "slow" ? 0.5 : 0.005);
    }
    if (stretch.from <= from) break;
  }
  const all = Math.round(requests);
  const late = Math.min(all, Math.round(slow));
  const durations = durationsOf([
    [bandOf(50), all - late],
    [bandOf(2_000), late],
  ]);
  return {
    requests: all,
    failed: Math.min(all, Math.round(failing)),
    refused: 0,
    ...(durations === undefined ? {} : { durations }),
  };
}

function failingShare({ revision, active, readyAt }: Share, at: number, start: number): number {
  const is = behaviourAt(revision, at, start);
  if (!active || at < readyAt || is === "dead") return 1;
  return is === "errors" ? 0.3 : 0.001;
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
 * Sums the seconds, weighted by share, in which a write of ours sent users to a revision that was deactivated or not
 * ready. A share that another client had set and that we left unchanged does not count.
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
