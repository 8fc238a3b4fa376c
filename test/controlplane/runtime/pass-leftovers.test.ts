// What a pass leaves behind on the signals of its run, which live as long as the stream is driven: nothing, however
// many passes there are and whether they read, write or run into their limit.
import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import { readWithin } from "../../../controlplane/runtime/limits.ts";
import type { Fact, Journal, Orchestrations } from "../../../controlplane/runtime/ports.ts";
import { openReconciler, type Run } from "../../../controlplane/runtime/reconcile.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";

const stream = "rollout/rg/web/web--1";
const passes = 2_000;

it.each([
  ["reads", false],
  ["writes", true],
])("leaves no listener behind on the run's signals when a pass %s", async (_what, write) => {
  const [left, lost] = [new AbortController(), new AbortController()];
  let body: Parameters<Orchestrations["launch"]>[0] = async () => undefined;
  const most: number[] = [];
  const run = {
    stream,
    worker: {
      controller: { asks: () => ({ kind: "Look" }), decides: () => [{ kind: "Waited", at: 1 }] },
      performer: {
        isWrite: () => write,
        limitSeconds: () => 1,
        ready: async () => undefined,
        perform: async (_effect: unknown, { cancel }: { readonly cancel: AbortSignal }) => {
          const over = new AbortController();
          const found = await readWithin(async () => ({ ok: true, value: 1 }), 60, cancel, over.signal, systemTime);
          over.abort();
          most.push(getEventListeners(cancel, "abort").length);
          return { kind: "Outcome", of: "Look", at: 1, found };
        },
      },
    },
    lease: {
      claim: { epoch: 1 },
      lost: lost.signal,
      confirm: async () => true,
      fresh: () => true,
      end: () => undefined,
    },
    left: left.signal,
    facts: [] as readonly Fact<RolloutEvent>[],
    busy: Promise.resolve(),
    underWayUntil: undefined,
  } as unknown as Run<RolloutEvent>;
  const reconciler = openReconciler<RolloutEvent>({
    journal: {
      append: async () => "appended",
      grown: (_stream: string, _length: number, cancel: AbortSignal) =>
        new Promise<void>((resolve) => cancel.addEventListener("abort", () => resolve(), { once: true })),
    } as unknown as Journal<RolloutEvent>,
    clock: { now: () => 1 },
    process: "p",
    orchestrations: {
      launch: async (pass: typeof body) => {
        body = pass;
      },
      begin: async (of: string, length: number) => {
        await body(of, length, async (_name, act) => act());
        return "done";
      },
    } as unknown as Orchestrations,
    time: { steady: () => 1 },
    runOf: () => run,
  });
  await reconciler.launch();
  for (let pass = 0; pass < passes; pass++) await reconciler.reconcile(stream, 0);
  expect(most).toHaveLength(passes);
  expect(Math.max(...most)).toBeLessThanOrEqual(1);
  for (const signal of [left.signal, lost.signal]) expect(getEventListeners(signal, "abort")).toEqual([]);
});
