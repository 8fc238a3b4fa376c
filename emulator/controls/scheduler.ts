// What is due later on the emulator's clock: one list of appointments, each a key and a time. The clock may stand,
// run fast, or be set ahead, and what becomes due fires in order of its time. An appointment is removed in the same
// change of the state on disk in which its handler changes something, so that a killed emulator fires none twice and
// loses none.
//
// A handler changes state at once. What it does outside (a process, a request) it returns as a function, which runs
// after the change is on disk.
// Only what has a known moment is an appointment: a job's next run, a delivery's next attempt. Scaling and purging ask
// all the time whether a condition holds (app/scaling.ts), since requests in progress have no moment.
import type { Cloud } from "../arm/resource.ts";

/** An appointment. The first word of its key is the kind, which chooses the handler. */
export interface Due {
  readonly key: string;
  readonly at: number;
}

/** Acts on an appointment. `now` is the clock's time, which may be later than the time of the appointment. */
export type Firing = (due: Due, now: number) => (() => void) | undefined;

/** The appointments of one cloud. */
export interface Scheduler {
  /** Makes an appointment, in place of an earlier one with the same key. */
  readonly at: (time: number, key: string) => void;
  readonly cancel: (key: string) => void;
  /** Gives all appointments, the earliest first. */
  readonly due: () => readonly Due[];
  readonly timeOf: (key: string) => number | undefined;
  /** Names what acts on a kind. `movedBack` is called when the clock is set back, so that times can be made anew. */
  readonly handle: (kind: string, fire: Firing, movedBack?: (now: number) => void) => void;
  /** Fires everything that is due now. It runs by itself, and when the clock is set. */
  readonly pass: () => void;
  readonly close: () => void;
}

/** How changes of the schedule reach the disk. */
export interface Hooks {
  readonly changed: (key: string) => void;
  readonly keep: () => void;
}

// A clock that is set by a test tells nobody, so that the scheduler looks at it.
const lookMilliseconds = 100;
// A handler may make an appointment that is due at once. One that always does would never end.
const firedInOnePassMax = 10_000;
const backMilliseconds = 1000;

const schedulers = new WeakMap<Cloud, Scheduler>();

/** Gives the scheduler of a cloud; the first call starts it. */
export function schedulerOf(cloud: Cloud): Scheduler {
  const known = schedulers.get(cloud);
  if (known) return known;
  const made = makeScheduler(() => cloud.clock.now(), {
    changed: (key) => cloud.changed?.("due", key),
    keep: () => cloud.keep?.(),
  });
  schedulers.set(cloud, made);
  return made;
}

/** Starts without appointments. */
export function makeScheduler(now: () => number, hooks: Hooks): Scheduler {
  const times = new Map<string, number>();
  const firings = new Map<string, Firing>();
  const backs: ((now: number) => void)[] = [];
  let seen = now();

  /** Removes and gives the earliest appointment that is due and whose kind has a handler. */
  const takeDue = (time: number): Due | undefined => {
    let found: Due | undefined;
    for (const [key, at] of times)
      if (at <= time && firings.has(kindOf(key)) && (found === undefined || at < found.at)) found = { key, at };
    if (found) {
      times.delete(found.key);
      hooks.changed(found.key);
    }
    return found;
  };

  const pass = (): void => {
    const time = now();
    if (time < seen - backMilliseconds) for (const back of backs) back(time);
    seen = time;
    const effects: (() => void)[] = [];
    for (let fired = 0; fired < firedInOnePassMax; fired += 1) {
      const due = takeDue(time);
      if (!due) break;
      const effect = firings.get(kindOf(due.key))!(due, time);
      if (effect) effects.push(effect);
    }
    if (effects.length > 0) hooks.keep();
    for (const effect of effects) effect();
  };

  const timer = setInterval(pass, lookMilliseconds).unref();
  return {
    at: (time, key) => {
      times.set(key, time);
      hooks.changed(key);
    },
    cancel: (key) => {
      if (times.delete(key)) hooks.changed(key);
    },
    due: () => [...times].map(([key, at]) => ({ key, at })).toSorted((one, other) => one.at - other.at),
    timeOf: (key) => times.get(key),
    handle: (kind, fire, movedBack) => {
      firings.set(kind, fire);
      if (movedBack) backs.push(movedBack);
    },
    pass,
    close: () => clearInterval(timer),
  };
}

const kindOf = (key: string): string => key.split(" ", 1)[0]!;
