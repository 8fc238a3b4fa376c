// How a process drives a stream: when it claims, rests after trouble and leaves, and what it leaves behind.
// The passes are a script here; the simulator runs them for real.
import { describe, expect, it } from "vitest";
import { createDrivers } from "../../../controlplane/runtime/drive.ts";
import { logTroubles } from "../../../controlplane/runtime/lasting-troubles.ts";
import type { Claim, Claimed, Fact, Time } from "../../../controlplane/runtime/ports.ts";
import type { Run } from "../../../controlplane/runtime/reconcile.ts";
import type { AnyEvent } from "../../../engines/kind.ts";

const claim: Claim = { targets: ["t"], holder: "s", process: "p", epoch: 1 };
const fact = (index: number): Fact =>
  ({ stream: "s", index, event: { kind: "E" }, process: "p", epoch: 1, hash: "" }) as never;

/** What a test changes: what each pass does, and when the journal asks for nothing more. */
interface Script {
  /** The length of the journal at which the stream has finished. */
  readonly finishedAt?: number;
  /** What the passes do, in their order; afterwards each writes one fact. */
  readonly passes?: readonly ("write" | "write nothing" | "throw" | "hang")[];
  readonly take?: () => Claimed;
  readonly renew?: () => boolean;
}

function drivers({ finishedAt = 3, passes = [], take = () => ({ claim }), renew = () => true }: Script) {
  const facts: Fact[] = [fact(0)];
  const said: string[] = [];
  const naps: number[] = [];
  const driven = new Map<string, Run<AnyEvent>>();
  let pass = 0;
  const time: Time = {
    steady: () => 0,
    nap: async (milliseconds) => {
      naps.push(milliseconds);
      if (naps.length > 50) throw new Error("rests for ever");
    },
    every: () => {
      said.push("beats");
      return () => said.push("beats no more");
    },
    deadline: () => new AbortController().signal,
  };
  const say = (what: string) => async () => void said.push(what);
  const made = createDrivers<AnyEvent>({
    journal: { read: async () => [...facts], stuck: async () => undefined } as never,
    claims: {
      take: async () => take(),
      renew: async () => renew(),
      release: say("release"),
      lapse: say("lapse"),
    } as never,
    reconciler: {
      launch: say("launch"),
      close: say("close"),
      resumeOpen: say("resume open"),
      forgetAll: say("forget all"),
      forget: async (_, length) => void said.push(`forget ${length}`),
      reconcile: async (_, length) => {
        expect(driven.get("s")?.facts).toHaveLength(length);
        const how = passes[pass++] ?? "write";
        said.push(`pass ${length}`);
        if (how === "throw") throw new Error("the database is away");
        if (how === "hang") await new Promise(() => {});
        if (how === "write") facts.push(fact(facts.length));
      },
    },
    workerOf: () =>
      ({
        controller: {
          asks: (of: readonly Fact[]) => (of.length < finishedAt ? {} : undefined),
          targetsOf: () => ["t"],
        },
        performer: { limitSeconds: () => 10 },
      }) as never,
    process: "p",
    leaseSeconds: 9,
    troubles: logTroubles((message) => void said.push(message), time),
    time,
    driven,
  });
  return { ...made, said, naps, driven, facts };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a claim", () => {
  it("gives the claim, or the stream that holds one of the targets", async () => {
    expect(await drivers({}).claim("s", ["t"])).toBe(claim);
    expect(await drivers({ take: () => ({ heldBy: "other" }) }).claim("s", ["t"])).toEqual({ heldBy: "other" });
  });

  it("is refused without a target, and once the process leaves", async () => {
    const leaving = drivers({});
    await expect(leaving.claim("s", [])).rejects.toThrow("s has no target");
    await leaving.leaveAll();
    await expect(leaving.claim("s", ["t"])).rejects.toMatchObject({ id: "call-replica-ending" });
  });
});

describe("a stream that is driven", () => {
  it("resumes open passes once, passes until nothing is asked for, and is forgotten and released", async () => {
    const { run, said, naps, driven } = drivers({});
    await run("s", claim);
    expect(said).toEqual(["beats", "resume open", "pass 1", "pass 2", "forget all", "release", "beats no more"]);
    expect([naps, driven.size]).toEqual([[], 0]);
  });

  it("rests after each failure, up to half a minute, forgets the pass, and rests shorter after a success", async () => {
    const trouble = Array.from({ length: 8 }, () => "throw" as const);
    const { run, said, naps } = drivers({ passes: [...trouble, "write", "throw"] });
    await run("s", claim);
    expect(naps).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 500]);
    expect(said.filter((what) => /^s (rests|goes)/.test(what))).toEqual([
      "s rests after an error: the database is away",
      "s goes on after 8 tries in vain",
      "s rests after an error: the database is away",
      "s goes on after 1 try in vain",
    ]);
    expect(said.filter((what) => what.startsWith("forget "))).toEqual([
      ...Array.from({ length: 8 }, () => "forget 1"),
      "forget 2",
      "forget all",
    ]);
    expect(said.filter((what) => what === "resume open")).toHaveLength(1);
  });

  it("rests when a pass wrote nothing, and runs that pass again", async () => {
    const { run, said, naps } = drivers({ passes: ["write nothing"] });
    await run("s", claim);
    expect(naps).toEqual([500]);
    expect(said).toContain("s rests after an error: a reconcile pass wrote nothing");
    expect(said.filter((what) => what === "pass 1")).toHaveLength(2);
  });

  it("is driven by one run at a time, however often it is requested", async () => {
    const { run, said } = drivers({});
    await Promise.all([run("s", claim), run("s", claim), run("s", claim)]);
    expect(said.filter((what) => what === "beats")).toHaveLength(1);
    expect(said.filter((what) => what.startsWith("pass"))).toEqual(["pass 1", "pass 2"]);
  });

  it("is driven once more if facts came while a run was ending", async () => {
    const { run, said, facts } = drivers({ finishedAt: 4 });
    facts.push(fact(1), fact(2), fact(3));
    const popped = run("s", claim).then(() => facts.pop());
    const second = run("s", claim);
    await popped;
    await second;
    expect(said.filter((what) => what.startsWith("pass"))).toEqual(["pass 3"]);
    expect(said.filter((what) => what === "release")).toHaveLength(2);
  });

  it("is claimed anew if its claim was released, and left alone if another stream holds a target", async () => {
    let asked = 0;
    const anew = drivers({ renew: () => ++asked > 1 });
    await anew.run("s", claim);
    expect(anew.said.filter((what) => what.startsWith("pass"))).toEqual(["pass 1", "pass 2"]);
    const held = drivers({ renew: () => false, take: () => ({ heldBy: "other" }) });
    await held.run("s", claim);
    expect(held.said.filter((what) => what.startsWith("pass"))).toEqual([]);
  });

  it("is left to the next recovery, with a line in the log, if it cannot be claimed", async () => {
    const { run, said } = drivers({
      renew: () => false,
      take: () => {
        throw new Error("the database is away");
      },
    });
    await run("s", claim);
    expect(said).toContain("s is left to the next recovery: Error: the database is away");
  });
});

it("a process that leaves stops its streams, lets their claims lapse, and forgets nothing of them", async () => {
  const { run, leaveAll, said, driven } = drivers({ passes: ["hang"] });
  void run("s", claim);
  await settle();
  expect([...driven.keys()]).toEqual(["s"]);
  await leaveAll();
  expect(said).toEqual(["beats", "resume open", "pass 1", "beats no more", "lapse"]);
  expect(driven.size).toBe(0);
});
