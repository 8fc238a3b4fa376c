// `ballast top`: what it draws for a terminal of any size, what it writes to a log, and the command itself with and
// without a terminal, against a control plane with canned answers.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type View, watch } from "../../cli/release/top.ts";
import { bar, evidence, logLine, screen, sizeOf, type Watched } from "../../cli/release/top-lines.ts";
import type { RolloutSummary } from "../../client/rollouts.ts";
import { journalChainBroken } from "../../errors/journal.ts";
import { type FakeControlPlane, startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";
import { goodFacts, releaseInputs } from "../support/program/release-inputs.ts";

const now = Date.parse("2026-01-05T09:03:05Z");
const rollout: RolloutSummary = {
  id: "rollout/rg/storefront/r2",
  resourceGroup: "rg",
  app: "storefront",
  revision: "r2",
  release: "two",
  images: null,
  trace: null,
  phase: "baking",
  percent: 25,
  attempt: 1,
  paused: null,
  result: null,
  reason: null,
  message: "canary has 25 percent",
  startedAt: now - 185_000,
  facts: 30,
  evidence: { against: 0.71, againstMax: 20, favour: 1234.5, favourMin: 20 },
};
const flying: Watched = { rollout, endedAt: undefined };
const drawn = (watched: readonly Watched[], columns = 160, rows = 24, trouble?: string) =>
  screen(watched, { now, columns, rows, ...(trouble && { trouble }) }, (tone, text) =>
    tone === "plain" ? text : `<${tone}>${text}`,
  );

describe("the screen", () => {
  test("has one line per rollout: app, weight, phase, evidence, reason", () => {
    expect(drawn([flying])).toEqual([
      "<bold>ballast top  1 in progress  09:03:05 UTC  press q to quit",
      "",
      "<dim>APP         WEIGHT                      PHASE         EVIDENCE (ODDS)                     WHY",
      "<canary>storefront  █████░░░░░░░░░░░░░░░  25 %  baking 3m 5s  " +
        "against 0.7 of 20, for 1.23K of 20  canary has 25 percent",
    ]);
  });

  test("says of a paused rollout that it is, by whom and why, in a log too", () => {
    const paused = { by: "ann", message: "lunch" };
    const each = { rollout: { ...rollout, paused, message: "paused by ann: lunch" }, endedAt: undefined };
    expect(drawn([each]).at(-1)).toMatch(/ 25 % {2}paused 3m 5s {2}.* {2}paused by ann: lunch$/);
    expect(logLine(each, now)).toMatch(/^09:03:05 {2}storefront {2}25 % {2}paused {2}.* {2}paused by ann: lunch$/);
    const ended = { ...each, rollout: { ...each.rollout, result: "promoted" as const } };
    expect(logLine(ended, now)).toContain("  promoted  ");
  });

  test("names the phase in the field's words", () => {
    const smoking = { rollout: { ...rollout, phase: "smoking" }, endedAt: undefined };
    expect(drawn([smoking]).at(-1)).toContain(" smoke test 3m 5s ");
  });

  test("takes a common size for a terminal that does not know its own", () => {
    expect(sizeOf({ columns: 0, rows: 0 })).toEqual({ columns: 80, rows: 24 });
    expect(sizeOf({ columns: 132, rows: 50 })).toEqual({ columns: 132, rows: 50 });
  });

  test("has a brief form for narrow terminals, and stops the time at the rollout's end", () => {
    const lines = screen(
      [
        {
          rollout: { ...rollout, result: "rolled-back", message: "rolled back at 25 percent: canary fails" },
          endedAt: now - 60_000,
        },
      ],
      { now, columns: 80, rows: 24 },
      (_, text) => text,
    );
    expect(lines.slice(2)).toEqual([
      "APP         WEIGHT          PHASE              AGAINST    WHY",
      "storefront  ██░░░░░░  25 %  rolled-back 2m 5s  0.7 of 20  rolled back at 25 per…",
    ]);
  });

  test("shows that no rollout is in progress, and the error of a failed poll", () => {
    expect(drawn([])[0]).toBe("<bold>ballast top  no rollouts in progress  09:03:05 UTC  press q to quit");
    expect(drawn([], 80, 24, "The control plane does not answer.")[1]).toBe("<bad>The control plane does not answer.");
  });

  test("shows the results of rollouts that have ended", () => {
    const lines = drawn([
      flying,
      {
        rollout: { ...rollout, percent: 0, result: "rolled-back", message: "rolled back at 25 percent" },
        endedAt: now,
      },
    ]);
    expect(lines[0]).toContain("1 in progress");
    expect(lines.at(-1)).toMatch(/^<bad>storefront .*rolled-back 3m 5s .*rolled back at 25 percent$/);
  });

  test("is never wider or higher than its terminal, whatever the messages", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 5, max: 40 }),
        fc.integer({ min: 0, max: 60 }),
        fc.string({ unit: "binary" }),
        (columns, rows, count, message) => {
          const lines = screen(
            Array.from({ length: count }, () => ({ rollout: { ...rollout, message }, endedAt: undefined })),
            { now, columns, rows },
            (_, text) => text,
          );
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect([line.length <= columns, /\p{Cc}/u.test(line)]).toEqual([true, false]);
        },
      ),
      { verbose: true },
    );
  });

  test("draws at least one cell for any weight, and all cells only at 100 percent", () => {
    expect([0, 1, 50, 99, 100].map((percent) => bar(percent, 8))).toEqual([
      "░░░░░░░░",
      "█░░░░░░░",
      "████░░░░",
      "███████░",
      "████████",
    ]);
  });

  test("has no evidence before the first step, and none in favour at 100 percent", () => {
    expect(evidence({ ...rollout, evidence: null })).toBe("none yet");
    expect(evidence({ ...rollout, percent: 100, evidence: { ...rollout.evidence!, favour: null } })).toBe(
      "against 0.7 of 20",
    );
  });

  test("a line for a log is complete, and a single line", () =>
    expect(logLine({ rollout: { ...rollout, message: "a\nb".repeat(90) }, endedAt: undefined }, now)).toMatch(
      /^09:03:05 {2}storefront {2}25 % {2}baking {2}against 0\.7 of 20, for 1\.23K of 20 {2}(a b){90}$/,
    ));
});

test("a rollout in progress whose journal failed verification is reported", async () => {
  const stop = new AbortController();
  const error = journalChainBroken({ stream: "rollout/rg/storefront/r3", index: 1, why: "its hash is another" });
  const view = new Promise<View>(
    (resolve) =>
      void watch(
        {
          list: async () => ({
            rollouts: [rollout],
            unreadable: [{ id: "rollout/rg/storefront/r3", error }],
            stuck: [],
          }),
          show: async () => rollout,
        },
        stop.signal,
        resolve,
      ),
  );
  expect(await view).toMatchObject({ watched: [flying], trouble: error.message });
  stop.abort();
});

describe("the command", () => {
  let plane: FakeControlPlane;
  let child: ChildProcess | undefined;
  let out = "";
  beforeEach(async () => {
    plane = await startFakeControlPlane();
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await plane.stop();
  });
  const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;

  function start(command: string, ...args: readonly string[]): Promise<number | null> {
    out = "";
    child = spawn(command, args, {
      env: { ...inherited, BALLAST_TOKEN: token, BALLAST_ENDPOINT: plane.endpoint, TERM: "xterm" },
      stdio: "pipe",
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.on("data", (bytes: Buffer) => {
        out += String(bytes);
      });
    return new Promise((resolve) => child!.once("close", resolve));
  }
  const printed = (text: string | RegExp): Promise<void> =>
    expect.poll(() => out, { timeout: 50_000 }).toMatch(text) as unknown as Promise<void>;

  async function put(): Promise<void> {
    plane.scripts.set("slow", {
      facts: goodFacts,
      pausesAt: 3,
      result: "promoted",
      message: "promoted: every step passed",
    });
    const { release: _release, strategy, thresholds, probePath } = releaseInputs(plane.endpoint);
    await fetch(`${plane.endpoint}/rollouts/rg/storefront/r2`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ release: "slow", strategy, thresholds, probePath }),
    });
  }

  test("writes each change once, survives a lost connection, and exits with 0 on SIGTERM", async () => {
    const ended = start(process.execPath, main, "top");
    await expect.poll(() => plane.asked.length, { timeout: 50_000 }).toBeGreaterThan(0);
    await put();
    await printed(/storefront {2}25 % {2}baking/);
    await plane.stop();
    await printed("connection was refused");
    await plane.start();
    plane.goOn("rollout/rg/storefront/r2");
    await printed(/storefront {2}100 % {2}promoted .*every step passed/);
    child!.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .filter((line) => line.includes("storefront")),
    ).toHaveLength(2);
    expect(out).not.toContain("\x1b");
  });

  test("writes each change as a line of JSON with --json", async () => {
    await put();
    const ended = start(process.execPath, main, "top", "--json");
    await printed("baking");
    child!.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      app: "storefront",
      revision: "r2",
      phase: "baking",
      percent: 25,
      result: null,
    });
  });

  test("redraws a terminal, and restores it at q", async () => {
    await put();
    const ended = start("script", "-qec", `stty rows 20 cols 100; '${process.execPath}' '${main}' top`, "/dev/null");
    await printed(/1 in progress[\s\S]*storefront[\s\S]*baking/);
    plane.goOn("rollout/rg/storefront/r2");
    await printed(/no rollouts in progress[\s\S]*promoted/);
    child!.stdin!.write("q");
    expect(await ended).toBe(0);
    expect(out.startsWith("\x1b[?1049h\x1b[?25l")).toBe(true);
    expect(out.trimEnd().endsWith("\x1b[?25h\x1b[?1049l")).toBe(true);
  });

  test("exits with 3 if the control plane cannot be reached at the start", async () => {
    await plane.stop();
    expect(await start(process.execPath, main, "top")).toBe(3);
    expect(out).toContain("release-control-plane-unreachable");
    await plane.start();
  });
});
