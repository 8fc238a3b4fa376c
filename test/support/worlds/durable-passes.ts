// Passes that outlive a process, in memory: each step that has ended is kept, and a pass that its process never ended
// stays open for the next one, as DBOS keeps them.
import type { Orchestrations, Step } from "../../../controlplane/runtime/ports.ts";

interface Pass {
  readonly stream: string;
  readonly length: number;
  readonly steps: Map<string, unknown>;
  hasEnded: boolean;
}

/** Makes the store; gives the orchestrations of one process after another. */
export function durablePasses(): () => Orchestrations {
  const passes = new Map<string, Pass>();
  const keyOf = (stream: string, length: number): string => `${stream}#${length}`;
  return () => {
    let body: Parameters<Orchestrations["launch"]>[0];
    const carryOut = async (pass: Pass): Promise<void> => {
      const step: Step = async <Value>(name: string, act: () => Promise<Value>) => {
        if (!pass.steps.has(name)) pass.steps.set(name, await act());
        return pass.steps.get(name) as Value;
      };
      await body(pass.stream, pass.length, step);
      pass.hasEnded = true;
    };
    return {
      launch: async (pass) => {
        body = pass;
      },
      begin: async (stream, length) => {
        const known = passes.get(keyOf(stream, length));
        if (known !== undefined) return known.hasEnded ? "ended" : "open";
        const pass: Pass = { stream, length, steps: new Map(), hasEnded: false };
        passes.set(keyOf(stream, length), pass);
        await carryOut(pass);
        return "done";
      },
      resume: async (stream, length) => {
        const pass = passes.get(keyOf(stream, length));
        if (pass !== undefined && !pass.hasEnded) await carryOut(pass);
      },
      open: async (stream) =>
        [...passes.values()]
          .filter((pass) => pass.stream === stream && !pass.hasEnded)
          .map(({ length }) => length)
          .toSorted((one, other) => one - other),
      forget: async (stream, length) => void passes.delete(keyOf(stream, length)),
      forgetAll: async (stream) => {
        for (const [key, pass] of passes) if (pass.stream === stream) passes.delete(key);
      },
      close: async () => undefined,
    };
  };
}
