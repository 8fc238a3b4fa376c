// Who may act on a target, as plain values and over a clock of our own: the rule of taking, the lease that a process
// keeps, and work that only one process may do at a time. claims.contract.test.ts runs the rule against PostgreSQL.
import { describe, expect, it } from "vitest";
import { keepLease, oneAtATime, type StoredClaim, taking } from "../../../controlplane/runtime/claims.ts";
import type { Claim, Claims, Time } from "../../../controlplane/runtime/ports.ts";
import { memoryClaims } from "../../support/worlds/memory.ts";

const own: StoredClaim = { holder: "a", process: "p", epoch: 3, expired: false };
const free: StoredClaim = { holder: null, process: null, epoch: 7, expired: true };

describe("taking targets", () => {
  it.each<readonly [string, readonly (StoredClaim | undefined)[], ReturnType<typeof taking>]>([
    ["a target that was never claimed is taken at epoch 1", [undefined], { epoch: 1 }],
    ["a released target is taken above its last epoch", [free], { epoch: 8 }],
    ["our own live claim stays as it is", [own], { epoch: 3 }],
    ["our own live claims on two targets stay as they are", [own, own], { epoch: 3 }],
    ["our own claim gets a new epoch after it expired", [{ ...own, expired: true }], { epoch: 4 }],
    ["an expired claim of the same stream is inherited", [{ ...own, process: "q", expired: true }], { epoch: 4 }],
    ["a live claim of another process is refused", [{ ...own, process: "q" }], { heldBy: "a" }],
    [
      "a live claim of another process on the second target is refused",
      [own, { ...own, process: "q" }],
      { heldBy: "a" },
    ],
    ["another stream's claim is refused though it expired", [{ ...own, holder: "b", expired: true }], { heldBy: "b" }],
    ["another stream's claim on the second target is refused", [own, { ...own, holder: "b" }], { heldBy: "b" }],
    ["one epoch is above the highest of all targets", [own, free], { epoch: 8 }],
    ["one epoch is above the highest, whatever the order", [free, own], { epoch: 8 }],
    ["claims of two epochs get one new epoch", [own, { ...own, epoch: 5 }], { epoch: 6 }],
    ["a new target joins our own claims at a new epoch", [own, undefined], { epoch: 4 }],
  ])("%s", (_, held, taken) => expect(taking(held, "a", "p")).toEqual(taken));
});

/** A clock that moves only when asked, and one beat. */
function handTime(): Time & { readonly pass: (milliseconds: number) => void; readonly beats: () => readonly number[] } {
  let now = 1_000;
  const beats = new Map<() => void, number>();
  return {
    steady: () => now,
    nap: async (milliseconds) => {
      now += milliseconds;
    },
    every: (milliseconds, act) => {
      beats.set(act, milliseconds);
      return () => beats.delete(act);
    },
    deadline: () => new AbortController().signal,
    pass: (milliseconds) => {
      now += milliseconds;
      for (const act of [...beats.keys()]) act();
    },
    beats: () => [...beats.values()],
  };
}

const claim: Claim = { targets: ["t"], holder: "a", process: "p", epoch: 3 };
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a lease of nine seconds", () => {
  const lease = (renew: Claims["renew"]) => {
    const time = handTime();
    return { time, lease: keepLease(claim, { renew }, 9, time) };
  };

  it("beats every three seconds, and is ours while the store confirms it", async () => {
    const renewed: Claim[] = [];
    const { time, lease: kept } = lease(async (each) => {
      renewed.push(each);
      return true;
    });
    expect(time.beats()).toEqual([3_000]);
    for (let beat = 0; beat < 10; beat++) {
      time.pass(3_000);
      await settle();
    }
    expect([renewed.length, renewed[0], kept.fresh(), kept.lost.aborted]).toEqual([10, claim, true, false]);
    expect(kept.claim).toBe(claim);
  });

  it("is lost at once when the store says so, and then beats no more and is never asked for again", async () => {
    let asked = 0;
    const { time, lease: kept } = lease(async () => {
      asked++;
      return false;
    });
    expect(await kept.confirm()).toBe(false);
    expect([kept.fresh(), kept.lost.aborted, time.beats()]).toEqual([false, true, []]);
    expect(await kept.confirm()).toBe(false);
    expect(asked).toBe(1);
  });

  it("is lost at the first beat after a whole lease without an answer, and not before", async () => {
    const { time, lease: kept } = lease(() => Promise.reject(new Error("the store is away")));
    time.pass(8_999);
    await settle();
    expect([kept.fresh(), kept.lost.aborted]).toEqual([true, false]);
    time.pass(1);
    expect([kept.fresh(), kept.lost.aborted]).toEqual([false, true]);
  });

  it("counts from the moment of the question, so that a slow answer does not prolong it", async () => {
    const time = handTime();
    const kept = keepLease(
      claim,
      {
        renew: async () => {
          await time.nap(8_000, kept.lost);
          return true;
        },
      },
      9,
      time,
    );
    expect(await kept.confirm()).toBe(true);
    await time.nap(1_000, kept.lost);
    expect(kept.fresh()).toBe(false);
  });

  it("is not shortened by an older question that is answered last", async () => {
    const answers: ((renewed: boolean) => void)[] = [];
    const { time, lease: kept } = lease(() => new Promise((resolve) => answers.push(resolve)));
    const first = kept.confirm();
    await time.nap(5_000, kept.lost);
    const second = kept.confirm();
    answers[1]!(true);
    await second;
    answers[0]!(true);
    await first;
    await time.nap(8_000, kept.lost);
    expect(kept.fresh()).toBe(true);
  });

  it("gives no permission after a sleep longer than the lease, although the store still renews it", async () => {
    const time = handTime();
    const kept = keepLease(
      claim,
      {
        renew: async () => {
          await time.nap(9_000, kept.lost);
          return true;
        },
      },
      9,
      time,
    );
    expect(await kept.confirm()).toBe(false);
  });

  it("throws from a confirmation when the store cannot be reached", async () => {
    const away = new Error("the store is away");
    await expect(lease(() => Promise.reject(away)).lease.confirm()).rejects.toBe(away);
  });

  it("beats no more once it is ended, and is not lost by that", () => {
    const { time, lease: kept } = lease(async () => true);
    kept.end();
    expect([time.beats(), kept.lost.aborted, kept.fresh()]).toEqual([[], false, true]);
  });
});

/** Claims in memory that fail after a hundred takes, so that a loop that never ends fails its test. */
function fewClaims(time: Time): Claims {
  const claims = memoryClaims(9, () => time.steady());
  let takes = 0;
  return {
    ...claims,
    take: (...asked) => (++takes > 100 ? Promise.reject(new Error("takes for ever")) : claims.take(...asked)),
  };
}

describe("work that one process does at a time", () => {
  it("waits for the process before it, holds the claim meanwhile, and releases it", async () => {
    const time = handTime();
    const claims = fewClaims(time);
    const before = await claims.take(["once/migrate"], "migrate", "other");
    let naps = 0;
    const counting: Time = {
      ...time,
      nap: async (milliseconds, cancel) => {
        expect([milliseconds, cancel.aborted]).toEqual([100, false]);
        if (++naps === 3 && "claim" in before) await claims.release(before.claim);
      },
    };
    const done = await oneAtATime(
      "migrate",
      async () => {
        expect(await claims.take(["once/migrate"], "migrate", "third")).toEqual({ heldBy: "migrate" });
        expect(time.beats()).toEqual([3_000]);
        return "done";
      },
      claims,
      "ours",
      9,
      counting,
    );
    expect([done, naps, time.beats()]).toEqual(["done", 3, []]);
    expect(await claims.take(["once/migrate"], "migrate", "third")).toMatchObject({ claim: { process: "third" } });
  });

  it("releases the claim when the work fails, and passes its error on", async () => {
    const time = handTime();
    const claims = fewClaims(time);
    const failing = oneAtATime("migrate", () => Promise.reject(new Error("no space")), claims, "ours", 9, time);
    await expect(failing).rejects.toThrow("no space");
    expect(await claims.take(["once/migrate"], "other", "third")).toMatchObject({ claim: { process: "third" } });
  });
});
