// Applies the faults of a run: what the cloud does to a request, what the store does to a call, whether a process dies
// at a point that it passes. Each fault has dice of its own, so that removing one does not change the others.
import type { PersonalSignal } from "../../engines/rollout/vocabulary.ts";
import { createDice, type Dice } from "./dice.ts";
import type { CloudTrouble, Drawn, Fault, Point } from "./draw.ts";
import type { Host, Loop, Task } from "./loop.ts";

type Of<Kind extends Fault["kind"]> = Extract<Fault, { kind: Kind }>;

/** The faults of a run. */
export interface Trouble {
  readonly dice: Dice;
  readonly cloud: () => CloudTrouble | undefined;
  readonly store: () => "before" | "after" | undefined;
  /** Passes a point at which the process may die or fall asleep. */
  readonly pass: (host: Host, point: Point) => Task<void>;
  readonly rowsLateUntil: (at: number) => number;
  /** How often each kind of fault was met. */
  readonly met: Record<string, number>;
}

/** Kills a host; the caller brings it back after some seconds. */
export type Kill = (host: Host, downSeconds: number) => void;

/** Prepares the faults of a run. */
export function createTrouble(
  drawn: Drawn,
  loop: Loop,
  start: number,
  kill: Kill,
  send: (signal: PersonalSignal) => void,
): Trouble {
  const met: Record<string, number> = {};
  const passed: Partial<Record<Point, number>> = {};
  const own = new Map(drawn.faults.map((fault, index) => [fault, createDice(drawn.seed + 7919 * (index + 1))]));
  const meet = (what: string): void => {
    met[what] = (met[what] ?? 0) + 1;
  };
  const second = (): number => (loop.now() - start) / 1000;
  const of = <Kind extends Fault["kind"]>(kind: Kind): readonly Of<Kind>[] =>
    drawn.faults.filter((fault): fault is Of<Kind> => fault.kind === kind);
  const cloudFaults = of("cloud");
  const downs = of("store-down");
  const losses = of("store-lost");
  const late = of("rows-late");
  const deaths = of("crash-at");
  const naps = of("sleep-at");
  const isOn = ({ at, lasts }: { readonly at: number; readonly lasts: number }): boolean =>
    second() >= at && second() < at + lasts;

  return {
    dice: createDice(drawn.seed),
    met,
    cloud: () => {
      const hit = cloudFaults.find((fault) => isOn(fault) && own.get(fault)!.chance(fault.percent));
      if (hit !== undefined) meet(`cloud ${hit.how}`);
      return hit?.how;
    },
    store: () => {
      const down = downs.some(isOn);
      const lost = down ? undefined : losses.find((fault) => isOn(fault) && own.get(fault)!.chance(fault.percent));
      if (down || lost) meet(down ? "store down" : "store connection lost");
      return down ? "before" : lost && (lost.committed ? "after" : "before");
    },
    pass: function* (host, point) {
      const count = (passed[point] ?? 0) + 1;
      passed[point] = count;
      const death = deaths.find((fault) => fault.point === point && fault.nth === count);
      const nap = naps.find((fault) => fault.point === point && fault.nth === count);
      const signal = (death ?? nap)?.signal;
      if (signal !== undefined) loop.at(loop.now() + 500, () => send(signal));
      if (death !== undefined) {
        meet("crash at a point");
        kill(host, death.down);
        yield { until: Number.POSITIVE_INFINITY };
      }
      if (nap !== undefined) {
        meet("sleep at a point");
        host.sleptAt = loop.now();
        host.asleepUntil = loop.now() + nap.lasts * 1000;
        yield { until: host.asleepUntil };
      }
    },
    rowsLateUntil: (at) =>
      late.reduce((latest, { at: from, lasts, late: by }) => {
        const seen = (at - start) / 1000;
        return seen >= from && seen < from + lasts ? Math.max(latest, at + by * 1000) : latest;
      }, 0),
  };
}
