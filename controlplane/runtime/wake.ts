// A way to end another's rest between two looks.

/** Something that others wake. */
export interface Wake {
  readonly wake: () => void;
  /** Gives a signal that fires at the next call of `wake`. */
  readonly woken: () => AbortSignal;
}

/** Opens it. A call of `wake` that came after the last `woken` counts for the signal that was given then. */
export function openWake(): Wake {
  let controller = new AbortController();
  return {
    wake: () => controller.abort(),
    woken: () => {
      if (controller.signal.aborted) controller = new AbortController();
      return controller.signal;
    },
  };
}
