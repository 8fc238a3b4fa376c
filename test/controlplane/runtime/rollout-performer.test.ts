// What the performer of rollouts adds to its ports beside time limits: which effects wait for a lock, what a lock
// stops, what an outcome says about writes that may still land, and what a wait gives. perform.test.ts has the limits.
import { describe, expect, it } from "vitest";
import { type RolloutWorld, rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import type { Time } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEffect } from "../../../engines/rollout/vocabulary.ts";
import { hangingApps, hangs } from "../../support/controlplane/hanging-apps.ts";

const target = { resourceGroup: "rg", app: "web" };
const uncut = new AbortController().signal;
const verify: RolloutEffect = { kind: "VerifyTraffic", target };
const shift: RolloutEffect = { kind: "ShiftTraffic", target, weights: [], labels: {}, overrideLock: false };
const activate: RolloutEffect = { kind: "Activate", target, revision: "web--1" };
const lock = { id: "1", by: "a pulumi up", seconds: 5 };

/** A clock that never moves by itself; naps end at once and are noted. */
function notingTime(): Time & { readonly naps: number[] } {
  const naps: number[] = [];
  return {
    naps,
    steady: () => 0,
    nap: async (milliseconds) => {
      naps.push(milliseconds);
    },
    every: () => () => {},
    deadline: () => uncut,
  };
}

const world = (apps: Partial<Apps>, lockOn: RolloutWorld["claims"]["lockOn"], time?: Time): RolloutWorld => ({
  apps: hangingApps(apps),
  requests: { measure: hangs },
  claims: { lockOn },
  clock: clockOf(() => 1_000_000),
  requestSeconds: 30,
  time,
});
const perform = (effect: RolloutEffect, on: RolloutWorld, isOurs = true, cancel = uncut) =>
  rolloutPerformer(on).perform(effect, {
    stream: "rollout/rg/web/web--1",
    length: 1,
    fence: async () => isOurs,
    cancel,
  });

/** Answers a number of times that the app is locked, then that it is not; fails if asked once more. */
function lockedFor(times: number) {
  const asked: string[] = [];
  const lockOn = async (app: string) => {
    asked.push(app);
    expect(asked.length).toBeLessThanOrEqual(times + 1);
    return asked.length <= times ? lock : undefined;
  };
  return { asked, lockOn };
}

describe("before a shift", () => {
  it("the performer asks for the app's lock every half second until there is none", async () => {
    const time = notingTime();
    const { asked, lockOn } = lockedFor(3);
    await rolloutPerformer(world({}, lockOn, time)).ready(shift, uncut);
    expect([asked.length, new Set(asked).size, asked[0], time.naps]).toEqual([4, 1, "app/rg/web", [500, 500, 500]]);
  });

  it("the performer waits no longer once it is cut short", async () => {
    const time = notingTime();
    const cut = new AbortController();
    const { asked, lockOn } = lockedFor(9);
    const cutting: Time = {
      ...time,
      nap: async () => {
        if (asked.length === 2) cut.abort();
      },
    };
    await rolloutPerformer(world({}, lockOn, cutting)).ready(shift, cut.signal);
    expect(asked).toHaveLength(2);
  });

  it.each<RolloutEffect>([{ ...shift, overrideLock: true }, verify, activate])(
    "a return to stable and every other effect wait for no lock: %o",
    async (effect) => {
      const { asked, lockOn } = lockedFor(0);
      await rolloutPerformer(world({}, lockOn)).ready(effect, uncut);
      expect(asked).toEqual([]);
    },
  );
});

it("a lock stops no activation, since that moves no traffic", async () => {
  let answer: boolean | undefined;
  const outcome = await perform(
    activate,
    world(
      {
        activate: async (_, fence) => {
          answer = await fence();
          return { ok: true, value: null };
        },
      },
      async () => lock,
    ),
  );
  expect([answer, outcome.found.ok]).toEqual([true, true]);
});

describe("what may still land", () => {
  const failing = async (_: unknown, fence: () => Promise<boolean>) => {
    await fence();
    return { ok: false as const, reason: "no answer" };
  };

  it("does not contain a shift that the fence kept from being sent", async () => {
    expect(
      await perform(
        shift,
        world({ shift: failing }, async () => undefined),
        false,
      ),
    ).not.toHaveProperty("mayLand");
  });

  it("does not contain an activation, which moves no traffic however late it lands", async () => {
    expect(
      await perform(
        activate,
        world({ activate: failing }, async () => undefined),
      ),
    ).not.toHaveProperty("mayLand");
  });
});

describe("traffic that was read", () => {
  const read = (ok: boolean, locked: boolean) =>
    perform(
      verify,
      world({ readTraffic: async () => (ok ? { ok, value: { weights: [] } } : { ok, reason: "503" }) }, async () =>
        locked ? lock : undefined,
      ),
    );

  it("says until when the app is locked, and only if it is", async () => {
    expect((await read(true, true)).found).toEqual({ ok: true, value: { weights: [], lockedUntil: 1_005_000 } });
    expect((await read(true, false)).found).toEqual({ ok: true, value: { weights: [] } });
  });

  it("remains a failure, with its reason, whether the app is locked or not", async () => {
    expect((await read(false, true)).found).toEqual({ ok: false, reason: "503" });
    expect((await read(false, false)).found).toEqual({ ok: false, reason: "503" });
  });
});

it.each<RolloutEffect>([{ kind: "Wait", until: 1_000_000 }, { kind: "AwaitSignal" }])(
  "$kind ends well, with nothing found",
  async (effect) => {
    const ended = await perform(
      effect,
      world({}, async () => undefined),
      true,
      AbortSignal.abort(),
    );
    expect(ended.found).toEqual({ ok: true, value: null });
  },
);

it("awaits a signal until it is cut short, and not a moment less", async () => {
  const cut = new AbortController();
  let ended = false;
  const waiting = perform(
    { kind: "AwaitSignal" },
    world({}, async () => undefined),
    true,
    cut.signal,
  ).then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  cut.abort();
  await waiting;
  expect(ended).toBe(true);
});

it("gives a probe its own time on top of the limit of a read, which is ten requests", async () => {
  const probe: RolloutEffect = { kind: "Probe", target, revision: "web--1", path: "/", timeoutSeconds: 7 };
  const within = async (effect: RolloutEffect) => {
    const time = notingTime();
    const { found } = await perform(
      effect,
      world({}, async () => undefined, time),
    );
    return [found, time.naps];
  };
  expect(await within(probe)).toEqual([{ ok: false, reason: "no answer within 307 s" }, [307_000]]);
  expect(await within(verify)).toEqual([{ ok: false, reason: "no answer within 300 s" }, [300_000]]);
});

it("counts the time of an effect no longer once it has its answer", async () => {
  const counting: AbortSignal[] = [];
  const time: Time = {
    ...notingTime(),
    nap: (_, cancel) => {
      counting.push(cancel);
      return hangs();
    },
  };
  await perform(
    verify,
    world({ readTraffic: async () => ({ ok: false, reason: "503" }) }, async () => undefined, time),
  );
  expect(counting.map(({ aborted }) => aborted)).toEqual([true]);
});
