// One reconcile pass at a time, over a journal and orchestrations of the test: what is performed, what is written,
// and which pass is left open for the next process. The simulator runs whole rollouts through it.
import { describe, expect, it } from "vitest";
import type { Fact, Orchestrations, Pass, Step } from "../../../controlplane/runtime/ports.ts";
import { openReconciler, type Run } from "../../../controlplane/runtime/reconcile.ts";
import { type AnyEvent, type AnyOutcome, EngineFailed, runEngine } from "../../../engines/kind.ts";

const fact = (index: number, epoch = 1): Fact =>
  ({ stream: "s", index, event: { kind: `E${index}` }, process: "p", epoch, hash: "" }) as never;
const outcome = { kind: "Outcome", of: "Look", at: 1 } as unknown as AnyOutcome;
const claim = { targets: ["t"], holder: "s", process: "p", epoch: 4 };

/** What a test changes. */
interface Setting {
  readonly isWrite?: boolean;
  readonly begins?: "done" | "open" | "ended";
  /** What the appends answer, in their order; then each is appended. */
  readonly appends?: readonly ("conflict" | "fenced")[];
  /** Facts that the journal has and the run has not read. */
  readonly unread?: readonly Fact[];
  readonly isDriven?: boolean;
  readonly isFresh?: () => boolean;
  readonly onPerform?: () => void;
  readonly recorded?: unknown;
}

type RunPass = (stream: string, length: number) => Promise<void>;

/** Orchestrations that say what they are asked, and run a pass that begins anew at once. */
const orchestrationsOf = (
  said: string[],
  begins: "done" | "open" | "ended",
  runPass: RunPass,
  launch: (pass: (stream: string, length: number, step: Step) => Promise<void>) => void,
): Orchestrations => ({
  launch: async (pass) => launch(pass),
  begin: async (stream, length) => {
    said.push(`begin ${length}`);
    if (begins === "done") await runPass(stream, length);
    return begins;
  },
  resume: async (_, length) => void said.push(`resume ${length}`),
  open: async () => [1, 3],
  forget: async (_, length) => void said.push(`forget ${length}`),
  forgetAll: async () => void said.push("forget all"),
  close: async () => void said.push("close"),
});

const leaseOf = (said: string[], fresh = () => true): Run<AnyEvent>["lease"] => ({
  claim,
  lost: new AbortController().signal,
  confirm: async () => said.push("confirm") > 0,
  fresh,
  end: () => {},
});

async function bench({ isWrite = false, begins = "done", appends = [], unread = [], ...more }: Setting = {}) {
  const said: string[] = [];
  const passes: Pass[] = [];
  const left = new AbortController();
  const grown = Promise.withResolvers<void>();
  let steady = 1_000;
  let tries = 0;
  const known = [fact(0)];
  const run: Run<AnyEvent> = {
    stream: "s",
    facts: known,
    left: left.signal,
    busy: Promise.resolve(),
    underWayUntil: undefined,
    lease: leaseOf(said, more.isFresh),
    worker: {
      controller: {
        asks: (of: readonly Fact[]) => (of.length === 1 ? { kind: "Look" } : undefined),
        decides: (of: readonly Fact[]) => [{ kind: `decided on ${of.length}` }],
      } as never,
      performer: {
        isWrite: () => isWrite,
        ready: async () => {},
        limitSeconds: () => 10,
        perform: async (_: unknown, within: { readonly fence: () => Promise<boolean> }) => {
          said.push("perform");
          steady += 2_500;
          more.onPerform?.();
          await within.fence();
          return outcome;
        },
      } as never,
    },
  };
  let pass: (stream: string, length: number, step: Step) => Promise<void> = async () => {};
  const step: Step = async (name, act, patience) => {
    said.push(`step ${name}${patience ? ` ${patience.attemptsMax} times` : ""}`);
    if (name === "perform" && "recorded" in more) return more.recorded as never;
    return act().catch((error: unknown) => {
      said.push(`${name} threw`);
      throw error;
    });
  };
  const direct = (stream = "s", length = 1) => pass(stream, length, step);
  const reconciler = openReconciler<AnyEvent>({
    journal: {
      read: async () => [...known, ...unread],
      append: async (_: string, on: readonly Fact[], [event]: readonly AnyEvent[], by: object) => {
        said.push(`append ${event?.kind} after ${on.length} by ${JSON.stringify(by)}`);
        return appends[tries++] ?? "appended";
      },
      grown: () => grown.promise,
    } as never,
    clock: { now: () => 77 },
    process: "p",
    orchestrations: orchestrationsOf(
      said,
      begins,
      (stream, length) => direct(stream, length),
      (each) => {
        pass = each;
      },
    ),
    time: { steady: () => steady },
    telemetry: { reconciled: (each) => void passes.push(each), recovered: () => {} },
    runOf: () => (more.isDriven === false ? undefined : run),
  });
  await reconciler.launch();
  return { ...reconciler, said, passes, run, left, grown, direct };
}
const pen = JSON.stringify({ process: "p", claim });
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Reports whether a promise is still open once everything else has settled. */
async function staysOpen(promise: Promise<unknown>): Promise<boolean> {
  let open = true;
  void promise.finally(() => {
    open = false;
  });
  await settle();
  return open;
}

describe("a pass that reads", () => {
  it("performs the effect and writes what follows, under the claim, without an orchestration", async () => {
    const { reconcile, said, passes } = await bench();
    await reconcile("s", 1);
    expect(said).toEqual(["perform", "confirm", `append decided on 1 after 1 by ${pen}`]);
    expect(passes).toEqual([
      { stream: "s", facts: [fact(0)], effect: { kind: "Look" }, outcome, began: 77, seconds: 2.5 },
    ]);
  });

  it("performs nothing if the journal has grown before it begins, and reports that it was cut short", async () => {
    const { reconcile, run, said, passes } = await bench();
    run.facts = [fact(0), fact(1, 0)];
    await reconcile("s", 1);
    expect(said).toEqual([]);
    expect(passes).toMatchObject([{ facts: [fact(0)], outcome: undefined }]);
  });

  it("drops what it read if the journal grows meanwhile, at the write too", async () => {
    const cut = await bench();
    cut.grown.resolve();
    await settle();
    await cut.reconcile("s", 1);
    expect(cut.said.filter((what) => what.startsWith("append"))).toEqual([]);
    const late = await bench({ appends: ["conflict"], unread: [fact(1, 0)] });
    await late.reconcile("s", 1);
    expect(late.said.filter((what) => what.startsWith("append"))).toHaveLength(1);
  });

  it("never ends if the lease has expired or the process leaves, so that it writes nothing", async () => {
    const stale = await bench({ isFresh: () => false });
    expect(await staysOpen(stale.reconcile("s", 1))).toBe(true);
    const leaves: (() => void)[] = [];
    const leaving = await bench({ onPerform: () => leaves[0]?.() });
    leaves.push(() => leaving.left.abort());
    expect(await staysOpen(leaving.reconcile("s", 1))).toBe(true);
    expect([...stale.said, ...leaving.said].filter((what) => what.startsWith("append"))).toEqual([]);
  });
});

describe("a pass that writes", () => {
  it("is an orchestration of two steps, of which only the second is repeated, and is busy until its end", async () => {
    const { reconcile, run, said } = await bench({ isWrite: true });
    const before = run.busy;
    await reconcile("s", 1);
    expect(said).toEqual([
      "begin 1",
      "step perform",
      "perform",
      "confirm",
      "step append 28 times",
      `append decided on 1 after 1 by ${pen}`,
    ]);
    expect(run.busy).not.toBe(before);
    expect(await staysOpen(run.busy)).toBe(false);
  });

  it("ends with an engine's failure, without one repetition of the step that met it", async () => {
    const { reconcile, run, said } = await bench({ isWrite: true });
    const decides = (): never => runEngine(() => (undefined as never as () => never)());
    Object.assign(run.worker.controller, { decides });
    await expect(reconcile("s", 1)).rejects.toThrow(EngineFailed);
    expect(said).toEqual(["begin 1", "step perform", "perform", "confirm", "step append 28 times"]);
  });

  it("is decided again on the new state if a signal was written first", async () => {
    const { reconcile, said } = await bench({ isWrite: true, appends: ["conflict"], unread: [fact(1, 0)] });
    await reconcile("s", 1);
    expect(said.filter((what) => what.startsWith("append"))).toEqual([
      `append decided on 1 after 1 by ${pen}`,
      `append decided on 2 after 2 by ${pen}`,
    ]);
  });

  it("writes nothing twice if a process that died had written its facts", async () => {
    const { reconcile, said } = await bench({ isWrite: true, appends: ["conflict"], unread: [fact(1, 3)] });
    await reconcile("s", 1);
    expect(said.filter((what) => what.startsWith("append"))).toHaveLength(1);
  });

  it("is left open when it is fenced, after the lease has learned that it is lost", async () => {
    const { reconcile, said } = await bench({ isWrite: true, appends: ["fenced"] });
    expect(await staysOpen(reconcile("s", 1))).toBe(true);
    expect(said.slice(-2)).toEqual([`append decided on 1 after 1 by ${pen}`, "confirm"]);
  });

  it("is not cut short by leaving", async () => {
    const leaves: (() => void)[] = [];
    const { reconcile, left, said } = await bench({ isWrite: true, onPerform: () => leaves[0]?.() });
    leaves.push(() => left.abort());
    await reconcile("s", 1);
    expect(said.at(-1)).toBe(`append decided on 1 after 1 by ${pen}`);
  });
});

describe("an orchestration that exists", () => {
  it("is resumed if it is open, and forgotten if it ended without a fact", async () => {
    const open = await bench({ isWrite: true, begins: "open" });
    await open.reconcile("s", 1);
    expect(open.said).toEqual(["begin 1", "resume 1"]);
    const ended = await bench({ isWrite: true, begins: "ended" });
    await ended.reconcile("s", 1);
    expect(ended.said).toEqual(["begin 1", "forget 1"]);
  });

  it("is resumed in the order of the journal when a process recovers a stream", async () => {
    const { resumeOpen, said } = await bench();
    await resumeOpen("s");
    expect(said).toEqual(["resume 1", "resume 3"]);
  });

  it("stays open in a process that does not drive its stream", async () => {
    const { direct, said } = await bench({ isDriven: false });
    expect(await staysOpen(direct())).toBe(true);
    expect(said).toEqual([]);
  });

  it("counts what a dead process wrote to the world, but not what it read", async () => {
    const appends = async (isWrite: boolean, recorded: unknown) => {
      const { direct, said } = await bench({ isWrite, recorded });
      await direct();
      return said.filter((what) => what.startsWith("append")).length;
    };
    expect(await appends(true, { outcome, epoch: 3 })).toBe(1);
    expect(await appends(false, { outcome, epoch: 3 })).toBe(0);
    expect(await appends(false, { outcome, epoch: 4 })).toBe(1);
    expect(await appends(true, outcome)).toBe(1);
    expect(await appends(true, null)).toBe(0);
  });
});
