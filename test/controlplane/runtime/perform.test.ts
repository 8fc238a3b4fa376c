// What performing an effect adds to the adapters: time limits, cancellation, and which trouble is an outcome and
// which is thrown.

import { describe, expect, it } from "vitest";
import { type RolloutWorld, rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";
import { clockOf, systemTime } from "../../../controlplane/runtime/clock.ts";
import type { Fence } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEffect } from "../../../engines/rollout/vocabulary.ts";
import { hangingApps, hangs } from "../../support/controlplane/hanging-apps.ts";

const target = { resourceGroup: "rg", app: "web" };
const never = new AbortController().signal;
const verify: RolloutEffect = { kind: "VerifyTraffic", target };
const shift: RolloutEffect = { kind: "ShiftTraffic", target, weights: [], labels: {}, overrideLock: false };
const open = async (): Promise<boolean> => true;

const world = (
  apps: Partial<Apps>,
  lockOn: RolloutWorld["claims"]["lockOn"] = async () => undefined,
): RolloutWorld => ({
  apps: hangingApps(apps),
  requests: { measure: hangs },
  claims: { lockOn },
  clock: clockOf(Date.now),
  requestSeconds: 0.01,
});

const { isWrite } = rolloutPerformer({} as RolloutWorld);
const performEffect = (effect: RolloutEffect, on: RolloutWorld, fence: Fence, cancel: AbortSignal) =>
  rolloutPerformer(on).perform(effect, { stream: "rollout/rg/web/web--1", length: 1, fence, cancel });

it("gives an outcome of the effect's kind, with the time of its end", async () => {
  const before = Date.now();
  const outcome = await performEffect(
    verify,
    world({ readTraffic: async () => ({ ok: true, value: { weights: [] } }) }),
    open,
    never,
  );
  expect(outcome).toEqual({
    kind: "Outcome",
    of: "VerifyTraffic",
    at: expect.any(Number),
    found: { ok: true, value: { weights: [] } },
  });
  expect(outcome.at).toBeGreaterThanOrEqual(before);
});

it.each([-600, 0, 600])(
  "reports until when another client locks the app, by the reader's clock, which is %i seconds off",
  async (skewSeconds) => {
    const now = () => Date.now() + skewSeconds * 1000;
    const held = async () => ({ id: "1", by: "a pulumi up", seconds: 5 });
    const outcome = await performEffect(
      verify,
      { ...world({ readTraffic: async () => ({ ok: true, value: { weights: [] } }) }, held), clock: clockOf(now) },
      open,
      never,
    );
    const { lockedUntil } = (outcome.found as { value: { lockedUntil: number } }).value;
    expect(lockedUntil - outcome.at).toBeGreaterThan(4000);
    expect(lockedUntil - outcome.at).toBeLessThanOrEqual(5000);
  },
);

describe("a shift says until when its weights may come into force unasked", () => {
  const shifts = (sendings: number, ok: boolean) =>
    performEffect(
      shift,
      {
        ...world({
          shift: async (_, fence) => {
            for (let sending = 0; sending < sendings; sending++) await fence();
            return ok ? { ok, value: { weights: [] } } : { ok, reason: "no answer" };
          },
        }),
        clock: clockOf(() => 1_000_000),
        requestSeconds: 30,
      },
      open,
      never,
    );

  it("if it was sent and failed, or was sent more than once", async () => {
    for (const outcome of [await shifts(1, false), await shifts(2, false), await shifts(2, true)])
      expect(outcome).toMatchObject({ mayLand: { weights: shift.weights, until: 1_120_000 } });
  });

  it("but not if nothing was sent, or its only request was answered", async () => {
    for (const outcome of [await shifts(0, false), await shifts(0, true), await shifts(1, true)])
      expect(outcome).not.toHaveProperty("mayLand");
  });
});

it("turns what an adapter throws into an outcome", async () => {
  const outcome = await performEffect(
    verify,
    world({
      readTraffic: async () => {
        throw new Error("the cloud stumbled");
      },
    }),
    open,
    never,
  );
  expect(outcome.found).toEqual({ ok: false, reason: "the cloud stumbled" });
});

it("ends a read that never answers", async () => {
  expect((await performEffect(verify, world({}), open, never)).found).toEqual({
    ok: false,
    reason: "no answer within 0.1 s",
  });
});

it.each<RolloutEffect>([
  verify,
  { kind: "Inspect", target },
  { kind: "Wait", until: Date.now() + 1e9 },
  { kind: "AwaitSignal" },
  { kind: "Probe", target, revision: "r", path: "/", timeoutSeconds: 1e4 },
])("ends $kind at once when it is cut short", async (effect) => {
  const cut = new AbortController();
  const performing = performEffect(effect, { ...world({}), requestSeconds: 1e4 }, open, cut.signal);
  cut.abort();
  expect((await performing).of).toBe(effect.kind);
  expect(isWrite(effect)).toBe(false);
});

it("does not cut a write short", async () => {
  const gate = Promise.withResolvers<void>();
  const performing = performEffect(
    shift,
    {
      ...world({
        shift: async () => {
          await gate.promise;
          return { ok: true, value: { weights: [] } };
        },
      }),
      requestSeconds: 1e4,
    },
    open,
    AbortSignal.abort(),
  );
  gate.resolve();
  expect((await performing).found.ok).toBe(true);
  expect(isWrite(shift)).toBe(true);
});

it("shuts the fence of a write that never answers, so that nothing is sent after it is given up", async () => {
  let ask: () => Promise<boolean> = open;
  const performing = performEffect(
    shift,
    world({
      shift: (_, fence) => {
        ask = fence;
        return hangs();
      },
    }),
    open,
    never,
  );
  expect(await ask()).toBe(true);
  expect((await performing).found).toEqual({ ok: false, reason: "no answer within 0.3 s" });
  expect(await ask()).toBe(false);
});

it("throws when the database is lost, whatever the adapter returns", async () => {
  const lost = new Error("the database is away");
  const fenced: Apps["shift"] = async (_, fence) => ({
    ok: (await fence().catch(() => false)) as false,
    reason: "fenced",
  });
  await expect(performEffect(shift, world({ shift: fenced }), () => Promise.reject(lost), never)).rejects.toBe(lost);
  await expect(
    performEffect(
      verify,
      world({}, () => Promise.reject(lost)),
      open,
      never,
    ),
  ).rejects.toBe(lost);
});

it("sends no step's shift once the app is locked, but still returns traffic to stable", async () => {
  const lock = { id: "1", by: "pulumi", seconds: 60 };
  const fenced = async (overrideLock: boolean): Promise<boolean> => {
    let answer: boolean | undefined;
    await performEffect(
      { ...shift, overrideLock },
      world(
        {
          shift: async (_, fence) => {
            answer = await fence();
            return { ok: false, reason: "seen" };
          },
        },
        async () => lock,
      ),
      open,
      never,
    );
    return answer!;
  };
  expect([await fenced(false), await fenced(true)]).toEqual([false, true]);
});

describe("a wait for a lock", () => {
  const lock = { id: "1", by: "a pulumi up", seconds: 60 };
  const later = { ...shift, waitsUntil: Date.now() + 40 };

  it("ends when the rollout's time is up, although the lock is renewed, and then fails with its holder", async () => {
    const on = world({ shift: async () => ({ ok: true, value: { weights: [] } }) }, async () => lock);
    const short = { ...on, time: { ...systemTime, nap: () => systemTime.nap(5, never) } };
    await rolloutPerformer(short).ready(later, never);
    expect(Date.now()).toBeGreaterThanOrEqual(later.waitsUntil);
    expect((await performEffect(later, short, open, never)).found).toEqual({
      ok: false,
      reason: "the app is still locked by a pulumi up",
    });
  });

  it("ends with the lock, and the shift is sent even if the time was up meanwhile", async () => {
    const on = world({ shift: async () => ({ ok: true, value: { weights: [] } }) });
    const past = { ...shift, waitsUntil: Date.now() - 1 };
    await rolloutPerformer(on).ready(past, never);
    expect((await performEffect(past, on, open, never)).found.ok).toBe(true);
  });
});
