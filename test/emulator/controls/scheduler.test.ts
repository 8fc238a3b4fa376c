// Appointments on the emulator's clock: in order, replaced, cancelled, never twice, and the same after SIGKILL.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeClock } from "../../../emulator/controls/clock.ts";
import { makeScheduler, type Scheduler } from "../../../emulator/controls/scheduler.ts";

/** Gives a scheduler on a clock that a test sets, and what happened to it in order. */
function made(): { scheduler: Scheduler; log: string[]; set: (now: number) => void } {
  let now = 1_000_000;
  const log: string[] = [];
  const scheduler = makeScheduler(() => now, { changed: () => undefined, keep: () => log.push("kept") });
  return {
    scheduler,
    log,
    set: (to) => {
      now = to;
      scheduler.pass();
    },
  };
}

test("what is due fires in order of its time, and its effects come after it is on disk", () => {
  const { scheduler, log, set } = made();
  scheduler.handle("ring", ({ key }) => {
    log.push(key);
    return () => log.push(`effect of ${key}`);
  });
  scheduler.at(1_003_000, "ring late");
  scheduler.at(1_001_000, "ring early");
  scheduler.at(1_002_000, "ring moved");
  scheduler.at(1_004_000, "ring moved");
  scheduler.at(1_002_500, "ring cancelled");
  scheduler.cancel("ring cancelled");
  set(1_000_999);
  expect(log).toEqual([]);
  set(1_003_500);
  expect(log).toEqual(["ring early", "ring late", "kept", "effect of ring early", "effect of ring late"]);
  expect(scheduler.due()).toEqual([{ key: "ring moved", at: 1_004_000 }]);
  scheduler.close();
});

test("a handler may make its next appointment, which fires in the same pass if it is due", () => {
  const { scheduler, log, set } = made();
  scheduler.handle("hourly", ({ key, at }) => {
    log.push(String(at));
    scheduler.at(at + 3_600_000, key);
    return undefined;
  });
  scheduler.at(2_000_000, "hourly report");
  set(2_000_000 + 2 * 3_600_000);
  expect(log).toEqual(["2000000", "5600000", "9200000"]);
  scheduler.close();
});

test("an appointment of a kind without a handler waits for one", () => {
  const { scheduler, log, set } = made();
  scheduler.at(1_000_001, "later thing");
  set(2_000_000);
  expect(scheduler.due()).toHaveLength(1);
  scheduler.handle("later", ({ key }) => void log.push(key) as undefined);
  set(2_000_001);
  expect(log).toEqual(["later thing"]);
  scheduler.close();
});

test("a clock that is set back is reported, so that times can be made anew", () => {
  const { scheduler, log, set } = made();
  scheduler.handle(
    "cron",
    () => undefined,
    (now) => log.push(String(now)),
  );
  set(9_000_000);
  set(2_000_000);
  expect(log).toEqual(["2000000"]);
  scheduler.close();
});

test("each appointment fires once at its time or at the first look after it, whatever the clock does", () => {
  const times = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(times, times, (wanted, looks) => {
      const { scheduler, set } = made();
      const fired = new Map<string, number[]>();
      let now = 0;
      scheduler.handle("ring", ({ key }) => {
        fired.set(key, [...(fired.get(key) ?? []), now]);
        return undefined;
      });
      for (const [index, at] of wanted.entries()) scheduler.at(2_000_000 + at, `ring ${index}`);
      const moments = [...looks.toSorted((a, b) => a - b), 1000];
      for (const look of moments) {
        now = look;
        set(2_000_000 + look);
      }
      wanted.forEach((at, index) => {
        expect(fired.get(`ring ${index}`)).toEqual([moments.find((look) => look >= at)]);
      });
      scheduler.close();
    }),
  );
});

test("a clock stands, runs fast, and goes on from where it was when it is advanced", () => {
  let real = 5_000;
  const clock = makeClock(() => real);
  clock.set({ at: 1_000_000 });
  real += 10_000;
  expect(clock.now()).toBe(1_000_000);
  clock.set({ rate: 60 });
  real += 1_000;
  expect(clock.now()).toBe(1_060_000);
  clock.set({ advanceSeconds: 100 });
  real += 1_000;
  expect([clock.now(), clock.shown()]).toEqual([1_220_000, expect.objectContaining({ rate: 60, stopped: false })]);
  clock.set({ at: null });
  expect(clock.now()).toBe(real);
});

test("killed with SIGKILL at any moment, everything that was due is still due, and nothing fires twice", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-schedule-"));
  const [appointments, spreadMilliseconds] = [60, 6000];
  const program = path.join(import.meta.dirname, "../../support/emulator/schedule-to-kill.ts");
  const start = () =>
    spawn(process.execPath, [program, folder, String(appointments), String(spreadMilliseconds)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    let kills = 0;
    for (let tries = 0; tries < 40; tries += 1) {
      const child = start();
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      const ended = once(child, "close");
      // The last tries are left to end by themselves.
      if (tries < 8) {
        await once(child.stdout, "data");
        await pause(20 + 150 * Math.random());
        child.kill("SIGKILL");
      }
      const [exitCode] = await ended;
      if (exitCode !== 0) {
        kills += 1;
        continue;
      }
      const fired = JSON.parse(text.split("\n").at(-2)!) as Record<string, number>;
      expect(Object.keys(fired)).toHaveLength(appointments);
      expect(Object.values(fired).filter((times) => times !== 1)).toEqual([]);
      expect(kills).toBeGreaterThan(2);
      return;
    }
    throw new Error("the process never ended by itself");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
