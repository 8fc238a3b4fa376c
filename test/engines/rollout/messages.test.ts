// Every message that the judge and a rollout can produce, from generated states: one example of each form is kept in
// messages.txt, to be read by people. `UPDATE=1` writes it. Rules for all messages are checked on all examples.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bandOf, durationsOf } from "../../../engines/rollout/judge/durations.ts";
import type { Evidence } from "../../../engines/rollout/judge/evidence.ts";
import { beginStep, gather, noEvidence } from "../../../engines/rollout/judge/gather.ts";
import { judge, judgeWarmUp } from "../../../engines/rollout/judge/judge.ts";
import { defaultThresholds } from "../../../engines/rollout/plan.ts";
import { messageOf } from "../../../engines/rollout/tell.ts";
import type { Bucket, RolloutEvent, Tally, Verdict, WaitReason } from "../../../engines/rollout/vocabulary.ts";
import { duration } from "../../../engines/time.ts";
import { failWhen, healthy, isReversion, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { scenarios } from "../../support/worlds/scenario.ts";

interface Said {
  readonly what: string;
  readonly message: string;
  readonly reason?: WaitReason;
}

const minute = 60_000;

function tally(requests: number, failed: number, slow = 0, refused = 0): Tally {
  const durations = durationsOf([
    [bandOf(100), requests - slow],
    [bandOf(1_000), slow],
  ]);
  return { requests, failed, refused, ...(durations === undefined ? {} : { durations }) };
}

/** Verdicts over a grid of both arms: none to many requests; none, one, few and all of them bad, in each way. */
function verdicts(): readonly Said[] {
  const arms = [0, 1, 5, 20, 120, 600].flatMap((requests) => {
    const some = [
      ...new Set([0, Math.min(1, requests), Math.round(requests * 0.03), Math.round(requests / 4), requests]),
    ];
    return some.flatMap((bad) => [
      tally(requests, bad),
      ...(bad === 0 ? [] : [tally(requests, 0, bad), tally(requests, 0, 0, bad)]),
    ]);
  });
  const baselines = [tally(2_000, 0, 40), tally(2_000, 4, 40, 20), tally(1, 0), tally(200, 2, 0)];
  const befores = baselines.flatMap((baseline) => steps.map((percent) => beforeOf(baseline, percent)));
  return arms.flatMap((canary) =>
    arms.flatMap((stable) =>
      befores.flatMap((before) => [false, true].flatMap((isSilent) => verdictOf({ canary, stable, before, isSilent }))),
    ),
  );
}

const steps: readonly number[] = [10, 50, 100];

/** What is known when the canary's first requests of a step arrive, during its warm-up and after it. */
interface Before {
  readonly percent: number;
  readonly warm: Evidence;
  readonly cold: Evidence;
}

function beforeOf(baseline: Tally, percent: number): Before {
  const history: Bucket[] = Array.from({ length: 30 }, (_, index) => ({
    at: (index - 30) * minute,
    canary: tally(0, 0),
    stable: baseline,
  }));
  const begun = beginStep(noEvidence, steps.indexOf(percent), 2);
  return {
    percent,
    warm: gather(begun, history, watched(percent, 0)),
    cold: gather(begun, history, watched(percent, 10 * minute)),
  };
}

const watched = (percent: number, warmUntil: number) => ({
  thresholds: defaultThresholds,
  percent,
  intervalSeconds: 60,
  warmFrom: 0,
  warmUntil,
});

interface Case {
  readonly canary: Tally;
  readonly stable: Tally;
  readonly before: Before;
  readonly isSilent: boolean;
}

function verdictOf({ canary, stable, before: { percent, ...before }, isSilent }: Case): readonly Said[] {
  const alone = percent === 100 ? tally(0, 0) : stable;
  const buckets: Bucket[] = [0, 1].map((index) => ({ at: index * minute, canary, stable: alone }));
  const evidence = gather(before.warm, buckets, watched(percent, 0));
  const cold = judgeWarmUp(gather(before.cold, buckets, watched(percent, 10 * minute)));
  const said = (verdict: Verdict): Said => ({
    what: verdict.verdict === "inconclusive" ? `waits, ${verdict.reason}` : verdict.verdict,
    message: verdict.message,
    ...(verdict.verdict === "inconclusive" ? { reason: verdict.reason } : {}),
  });
  return [
    said(judge(evidence, defaultThresholds, { percent, steps, isSilent })),
    ...(cold === undefined ? [] : [said(cold)]),
  ];
}

/** Facts of every scenario, of failures, and the few forms that no scenario has. */
async function facts(): Promise<readonly Said[]> {
  const runs = await Promise.all([
    ...scenarios().map((scenario) => run(scenario)),
    run(sick, failWhen(isReversion)),
    run({ ...healthy, thresholds: { ...healthy.thresholds, probeFailuresMax: 1 }, probesAnswered: 3 }),
    run(
      healthy,
      failWhen((effect) => effect.kind === "Probe" || effect.kind === "Measure"),
    ),
    ...(["Inspect", "Activate", "VerifyTraffic", "Deactivate"] as const).map((kind) =>
      run(
        healthy,
        failWhen((effect) => effect.kind === kind),
      ),
    ),
    run({ ...healthy, dryRun: defaultThresholds }),
  ]);
  const journals = runs.map(({ journal }) => journal);
  const at = 0;
  const one = { at, canary: tally(1, 0), stable: tally(23, 2) };
  const forms: readonly RolloutEvent[] = [
    { kind: "Inspected", at, view: { weights: [], revisions: [] } },
    { kind: "Measured", at, buckets: [], to: 0 },
    { kind: "Measured", at, buckets: [one], to: 0 },
    { kind: "Measured", at, buckets: [{ ...one, canary: tally(0, 0) }], to: 0 },
    {
      kind: "Probed",
      at,
      good: true,
      detail: "answered 200",
      running: "Running",
      restarts: [{ replica: "a", times: 1 }],
    },
    { kind: "Probed", at, good: false, detail: "no answer in 2 s", running: "Running" },
    { kind: "TrafficMoved", at, percent: 10, seenPercent: 30 },
    { kind: "TrafficRead", at, weights: [], lockedUntil: 1 },
  ];
  return [...journals.flat(), ...forms].map((event) => ({ what: event.kind, message: messageOf(event) }));
}

const all: readonly Said[] = [...(await facts()), ...verdicts()];

/** The form of a message: without its numbers. */
const formOf = ({ what, message }: Said): string => `${what} ${message.replaceAll(/[\d,.]+/g, "#")}`;

test("each form of a message is in messages.txt, where people read it", () => {
  const examples = [...Map.groupBy(all, formOf).values()].map(([first]) => `${first!.what}: ${first!.message}\n`);
  const file = join(import.meta.dirname, "messages.txt");
  const text = examples.toSorted().join("");
  if (process.env["UPDATE"] === "1") writeFileSync(file, text);
  expect(readFileSync(file, "utf8")).toBe(text);
});

test.each([
  ["writes the singular for one", /\b1 (requests|replicas|revisions|probes|restarts|intervals)\b/],
  ["writes no share that is nothing or everything as a number", /(?<![\d.])(0|0\.0|0\.00|100\.0) %/],
  ["measures time in no unit that it does not know", /\b(same|these) minutes\b/],
  ["contradicts nothing that it has just said", /does not answer: answered|only all/],
  ["has a value in each place", /undefined|NaN|Infinity|null|\[object/],
  ["has no gap", / {2}|[;:,] ?[;:,]|[;:,]$|^[;:, ]/],
  ["is no sentence of its own: it follows a name and a time", /[a-z]\.$/],
  ["names no effect by its name in the code", /\b(ShiftTraffic|VerifyTraffic|AwaitSignal|Measure|Inspect)\b/],
])("a message %s", (_rule, wrong) => {
  expect(all.filter(({ message }) => wrong.test(message)).slice(0, 3)).toEqual([]);
});

test("a wait for more evidence says first that the canary is good so far, or that nothing is clear", () => {
  const lead =
    /^(canary is good so far|canary is not shown to be good yet|not clear yet|canary has answered|stable has)/;
  const waits = all.filter(({ reason }) => reason === "too-few-requests" || reason === "unsettled");
  expect(waits.length).toBeGreaterThan(50);
  expect(waits.filter(({ message }) => !lead.test(message)).slice(0, 3)).toEqual([]);
  const forEvidence = waits.filter(({ message }) => message.startsWith("canary is good so far"));
  expect(forEvidence.filter(({ message }) => !/ : 1 in its favour, 20 : 1 needed/.test(message)).slice(0, 3)).toEqual(
    [],
  );
});

test("a wait for requests that may hang does not say that none failed", () => {
  const lost = all.filter(({ reason }) => reason === "lost-requests");
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.filter(({ message }) => /fails/.test(message)).slice(0, 3)).toEqual([]);
});

const usual = tally(2_000, 0, 40);
const saidOf = (percent: 10 | 50, canary: Tally, stable: Tally): string =>
  verdictOf({ canary, stable, before: beforeOf(usual, percent), isSilent: false })[0]!.message;
const ann = { by: "aaaaaaaa-0000-0000-0000-000000000001", byName: "Ann Miller" };

test.each([
  [
    "a canary that is as good as stable",
    saidOf(50, tally(60, 0), tally(60, 0)),
    "canary is good so far, but the evidence is not enough yet: 3.3 : 1 in its favour, 20 : 1 needed, which takes " +
      "about 180 more requests; canary fails none of 120 requests, stable none of 120 over the same period",
  ],
  [
    "a canary whose requests hang",
    saidOf(50, tally(1, 0), tally(20, 0)),
    "canary gets 50 percent of the traffic but has completed only 2 of 42 requests (4.8 %); the others may be hanging",
  ],
  [
    "a probe that was answered 503",
    messageOf({ kind: "Probed", at: 0, good: false, detail: "answered 503", running: "Running" }),
    "probe of canary failed: answered 503",
  ],
  [
    "a single request",
    messageOf({
      kind: "Measured",
      at: 0,
      to: 0,
      buckets: [{ at: 0, canary: tally(1, 0), stable: tally(23, 2) }],
    }),
    "canary failed none of 1 request; stable failed 2 of 23 requests (8.7 %)",
  ],
  [
    "a person whose token has a name",
    messageOf({ kind: "Signalled", at: 0, signal: "abort", message: "prices are wrong", ...ann }),
    "abort requested by Ann Miller: prices are wrong",
  ],
  [
    "a program whose token has no name",
    messageOf({ kind: "Signalled", at: 0, signal: "pause", message: "lunch", by: ann.by }),
    "paused by aaaaaaaa-0000-0000-0000-000000000001: lunch",
  ],
])("the message about %s has the right words", (_what, message, right) => expect(message).toBe(right));

test("a duration is never sixty of anything", () => {
  expect([59.94, 59.96, 60, 3_599.6, 3_600, 5_399.7].map(duration)).toEqual([
    "59.9s",
    "1m",
    "1m",
    "1h",
    "1h",
    "1h 30m",
  ]);
});
