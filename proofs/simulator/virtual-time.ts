// Brings the shipped loop, which is made of promises, and the virtual clock together: promises that a process waits for
// are settled by tasks of the clock, so that nothing of a process goes on while it sleeps or after it has died.
import type { Time } from "../../controlplane/runtime/ports.ts";
import { type Cue, createCue, type Host, type Loop, type Task } from "./loop.ts";

/** One life of a process, and the tasks and waits that end with it. */
export interface Life {
  readonly isOver: () => boolean;
  /** Gives the result of a task; never settles if the process dies first. */
  readonly promise: <Value>(task: () => Task<Value>) => Promise<Value>;
  readonly time: Time;
}

/** Begins a life of a host. */
export function beginLife(loop: Loop, host: Host): Life {
  const life = host.life;
  const isOver = (): boolean => host.life !== life;
  const promise: Life["promise"] = (task) =>
    new Promise((resolve, reject) => {
      if (isOver()) return;
      loop.run(settling(task, resolve, reject), host);
    });
  const nap: Time["nap"] = (milliseconds, cancel) =>
    promise(function* () {
      if (cancel.aborted) return;
      const cut = cueOf(cancel);
      yield { until: loop.now() + milliseconds, cues: [cut] };
      cut.forget();
    });
  const time: Time = {
    steady: loop.now,
    nap,
    every: (milliseconds, act) => {
      const ended = new AbortController();
      const beat = async (): Promise<void> => {
        await nap(milliseconds, ended.signal);
        if (ended.signal.aborted) return;
        act();
        await beat();
      };
      void beat();
      return () => ended.abort();
    },
    deadline: (milliseconds) => {
      const late = new AbortController();
      void nap(milliseconds, never).then(() => late.abort());
      return late.signal;
    },
  };
  return { isOver, promise, time };
}

const never = new AbortController().signal;

function* settling<Value>(
  task: () => Task<Value>,
  resolve: (value: Value) => void,
  reject: (error: unknown) => void,
): Task<void> {
  try {
    resolve(yield* task());
  } catch (error) {
    reject(error);
  }
}

/** A cue that is given when a signal fires. `forget` removes it from the signal. */
export function cueOf(signal: AbortSignal): Cue & { readonly forget: () => void } {
  const cue = createCue();
  signal.addEventListener("abort", cue.give);
  return { ...cue, forget: () => signal.removeEventListener("abort", cue.give) };
}

/** Awaits a promise within a task. */
export function* waitFor<Value>(promise: Promise<Value>): Task<Value> {
  const cue = createCue();
  let settled: (() => Value) | undefined;
  promise.then(
    (value) => {
      settled = () => value;
      cue.give();
    },
    (error: unknown) => {
      settled = () => {
        throw error;
      };
      cue.give();
    },
  );
  while (settled === undefined) yield { until: Number.POSITIVE_INFINITY, cues: [cue] };
  return settled();
}
