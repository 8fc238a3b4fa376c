// The virtual clock of the simulator and its queue of coming events. A task is a generator that yields until when it
// rests. A task may belong to a host; it ends when the host dies and stops while the host sleeps. Between two events
// all promises settle that can.

/** Rests until a moment, or until one of the cues is given. */
export interface Rest {
  readonly until: number;
  readonly cues?: readonly Cue[];
}

/** A piece of work that takes virtual time. */
export type Task<Value> = Generator<Rest, Value, void>;

/** Wakes the tasks that rest on it. */
export interface Cue {
  readonly give: () => void;
  readonly waiting: Set<() => void>;
}

/** A process that may die (its `life` increases and its tasks end) or sleep (its tasks stop). */
export interface Host {
  readonly name: string;
  life: number;
  up: boolean;
  asleepUntil: number;
  /** When it last fell asleep. */
  sleptAt: number;
}

/** The clock and its queue. */
export interface Loop {
  readonly now: () => number;
  readonly at: (when: number, act: () => void) => void;
  /** Starts a task; if it has a host, it ends when the host dies. */
  readonly run: (task: Task<unknown>, host?: Host) => void;
  /** Runs until the limit, until the queue is empty, or until `isOver` gives true; gives the number of events. */
  readonly until: (limit: number, isOver: () => boolean) => Promise<number>;
}

/** Makes a cue. */
export function createCue(): Cue {
  const waiting = new Set<() => void>();
  return {
    waiting,
    give: () => {
      const woken = [...waiting];
      waiting.clear();
      for (const wake of woken) wake();
    },
  };
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Adds an entry to a binary heap, whose first entry is the next one. */
function push(heap: Entry[], entry: Entry): void {
  let place = heap.push(entry) - 1;
  while (place > 0) {
    const above = (place - 1) >> 1;
    if (!isBefore(entry, heap[above]!)) break;
    heap[place] = heap[above]!;
    place = above;
  }
  heap[place] = entry;
}

/** Takes the first entry from a binary heap. */
function shift(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let place = 0;
  for (;;) {
    let below = 2 * place + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
    if (!isBefore(heap[below]!, last)) break;
    heap[place] = heap[below]!;
    place = below;
  }
  heap[place] = last;
  return first;
}

/** Goes on once no promise is left that can settle: Node runs a tick only when no microtask is left. */
const afterPromises = (goOn: () => void): void => queueMicrotask(() => process.nextTick(goOn));

/**
 * Makes an empty queue whose clock starts at a moment. Events of the same moment run in the order of their scheduling.
 *
 * @param settle goes on to the next event once everything has settled that the last one began
 */
export function createLoop(start: number, settle: (goOn: () => void) => void = afterPromises): Loop {
  const heap: Entry[] = [];
  let now = start;
  let order = 0;

  function at(when: number, act: () => void): void {
    if (when === Number.POSITIVE_INFINITY) return;
    push(heap, { at: Math.max(now, when), order: order++, act });
  }

  function run(task: Task<unknown>, host?: Host): void {
    const life = host?.life;
    let ticket = 0;
    const step = (mine: number): void => {
      if (mine !== ticket || host?.life !== life) return;
      if (host !== undefined && host.asleepUntil > now) return at(host.asleepUntil, () => step(mine));
      const { done, value } = task.next();
      if (done) return;
      const following = ++ticket;
      const wake = (): void => at(now, () => step(following));
      at(value.until, () => {
        for (const cue of value.cues ?? []) cue.waiting.delete(wake);
        step(following);
      });
      for (const cue of value.cues ?? []) cue.waiting.add(wake);
    };
    at(now, () => step(0));
  }

  return {
    now: () => now,
    at,
    run,
    until: (limit, isOver) =>
      new Promise((resolve, reject) => {
        let events = 0;
        const step = (): void => {
          try {
            const entry = isOver() ? undefined : shift(heap);
            if (entry === undefined || entry.at > limit) return resolve(events);
            events++;
            now = entry.at;
            entry.act();
            settle(step);
          } catch (error) {
            reject(error);
          }
        };
        step();
      }),
  };
}
