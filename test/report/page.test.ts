// The report page: what it says, that it is self-contained, and that everything from outside is shown as text. A real
// browser checks its layout: `npm run test:report`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { facts as codec } from "../../engines/rollout/facts.ts";
import type { Ending, RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { labelOf, roundScale, timeTicks } from "../../report/chart.ts";
import { badgesOf } from "../../report/marks.ts";
import { html } from "../../report/markup.ts";
import { attemptsOf } from "../../report/rollout/attempts.ts";
import { nextOf, type Standing } from "../../report/rollout/next.ts";
import { rolloutReport } from "../../report/rollout/report.ts";
import { factsOf, hostile, hostileFacts, scenarioFacts } from "../support/controlplane/report-facts.ts";

const rolledBack = await scenarioFacts("aborts-when-failures-exceed-the-limit");

/** The same fact with five percent in place of ten. */
const fivePercent = (event: RolloutEvent): RolloutEvent =>
  event.kind === "TrafficRead" || event.kind === "TrafficShifted"
    ? { ...event, weights: event.weights.map((weight) => ({ ...weight, percent: to5(weight.percent) })) }
    : event;
const halved = new Map([
  [10, 5],
  [90, 95],
]);
const to5 = (percent: number): number => halved.get(percent) ?? percent;

const ended = (result: Ending["result"], reason: Ending["reason"]): Ending => ({ result, reason, message: "m" });
const after = (...how: Parameters<typeof ended>): Partial<Standing> => ({ phase: "finished", ending: ended(...how) });

describe("the page", () => {
  test("begins with the result and the judge's message", () => {
    const page = rolloutReport(rolledBack);
    const { event } = rolledBack.at(-1)!;
    expect(
      event.kind === "Finished" && page.includes(`<h1>rolled back</h1><p class="message">${event.message}</p>`),
    ).toBe(true);
    expect([...page.matchAll(/<figcaption><b>([^<]+)/g)].map(([, title]) => title)).toEqual([
      "Traffic to the canary, the new release",
      "Failed requests, in percent of its own",
      "The slowest 1 % of requests take at least",
      "What the judge knows: odds of … to 1 that the canary is",
    ]);
  });

  test("shows the phase and the latest message of a rollout in progress", () => {
    const page = rolloutReport(
      rolledBack.slice(0, rolledBack.findIndex(({ event }) => event.kind === "StepPassed") + 1),
    );
    expect(page).toContain("<h1>in progress: shifting at 50 percent</h1>");
    expect(page).toContain('<p class="message">passed 10 percent: canary fails none of 600 requests');
  });

  test("says in its head what users met, what changed, who asked, and what to do next", () => {
    const page = rolloutReport(rolledBack);
    expect(page).toContain("<title>rolled back: storefront: storefront--2</title>");
    expect(page).toMatch(/<b>Next:<\/b> Users are on stable\. .*<code>pulumi up<\/code>/);
    // Of 3,120 requests 39 failed; stable failed 10 of 8,880 meanwhile, which would have been 4 of 3,120.
    expect(page).toContain("the canary answered 3,120\nrequests; 39 of them failed, about 35 more than stable");
    expect(page).toContain("<dt>Image</dt><dd>registry.example/storefront:2</dd>");
    expect(page).toContain("<dt>Image before</dt><dd>registry.example/storefront:1</dd>");
    expect(page).toContain("<dt>Requested by</dt><dd>pulumi</dd>");
    const named = rolledBack.map((fact) =>
      fact.event.kind === "Planned"
        ? { ...fact, event: { ...fact.event, intent: { ...fact.event.intent, requestedByName: "Ann <b>" } } }
        : fact,
    );
    expect(rolloutReport(named)).toContain(
      "<dd>Ann &lt;b&gt;</dd></div><div><dt>Requester&#39;s id</dt><dd>pulumi</dd>",
    );
  });

  test("names who asked last, and for what, if the release began again", () => {
    const [first] = rolledBack;
    if (first?.event.kind !== "Planned") throw new Error("the journal does not begin with a plan");
    const { intent } = first.event;
    const anew = {
      ...intent,
      requestedBy: "bob",
      thresholds: { ...intent.thresholds, ceilingPercent: 77 },
    };
    const again = { ...first, index: rolledBack.length, event: { ...first.event, intent: anew } };
    const page = rolloutReport([...rolledBack, again]);
    expect(page).toContain("<dt>Requested by</dt><dd>bob</dd>");
    expect(page).toContain("77 %");
  });

  test.each<readonly [Partial<Standing>, string]>([
    [{}, "Nothing to do: it is still being judged."],
    [{ waiting: "unapproved" }, "It waits for a person: `ballast release approve`"],
    [{ paused: true, waiting: "unapproved" }, "A person paused it"],
    [{ phase: "reverting", ending: ended("rolled-back", "worse-than-stable") }, "Nothing to do yet: it was aborted"],
    [{ phase: "settling", ending: ended("promoted", "every-step-passed") }, "Nothing to do: the verdict is there"],
    [after("promoted", "every-step-passed"), "Nothing to do: users are on the new release."],
    [after("promoted", "returned"), "Users are on the revision that served before."],
    [after("promoted", "repaired"), "Users are on a revision with the credential's other secret."],
    [after("rolled-back", "worse-than-stable"), "Users are on stable. Look at the canary's logs"],
    [after("rolled-back", "effect-failed"), "Users are on stable. Azure refused an operation."],
    [after("rolled-back", "reverted"), "Users are on stable. Nothing to do: the program has stable's template again."],
    [after("rolled-back", "superseded"), "Nothing to do: a later release took its place."],
    [after("rolled-back", "smoke-test-failed"), "Users are on stable. The canary did not start"],
    [after("rejected", "smoke-test-failed"), "No user met the canary. The canary did not start"],
    [after("rejected", "aborted-by-signal"), "No user met the canary. Ask the person who aborted"],
    [{ ...after("rejected", "app-unfit"), stable: null }, "No user met the canary. Change the app as the message says"],
    [{ ...after("rejected", "smoke-test-failed"), stable: null }, "Nobody serves the app's users: it has no other"],
    [{ ...after("rolled-back", "probes-failed"), stable: null }, "Nobody serves the app's users: it has no other"],
    [after("rolled-back", "of a newer version" as never), "Users are on stable. Read the message, then retry"],
    [after("degraded", "every-step-passed"), "A person must look now"],
  ])("says of %j what to do next", (state, says) => {
    const inFlight = { phase: "baking", ending: undefined, waiting: undefined, paused: false, stable: "s" } as const;
    expect(nextOf({ ...inFlight, ...state }).slice(0, says.length)).toBe(says);
  });

  test("says that no user met a canary that never had traffic", async () => {
    const page = rolloutReport(await scenarioFacts("rejects-a-canary-that-never-answers"));
    expect(page).toContain("none of their requests reached the canary");
    expect(page).toMatch(/<b>Next:<\/b> No user met the canary\./);
  });

  test("says how long the canary had traffic that was not measured any more", () => {
    const aborted = rolledBack.findIndex(({ event }) => event.kind === "Aborted");
    const late = rolledBack.map((fact, index) =>
      index > aborted ? { ...fact, event: { ...fact.event, at: fact.event.at + 90_000 } } : fact,
    );
    const missing = "Requests in its last 1m 30s with traffic were not measured and are missing here.";
    expect(rolloutReport(late)).toContain(missing);
    expect(rolloutReport(rolledBack)).not.toContain("are missing here");
    expect(rolloutReport(rolledBack.slice(0, aborted))).not.toContain("are missing here");
  });

  test("gives the verdict of every metric, and the thresholds", async () => {
    const rows = async (name: string) =>
      [...rolloutReport(await scenarioFacts(name)).matchAll(/<td data-name="Verdict">([^<]+)/g)].map(
        ([, verdict]) => verdict,
      );
    expect(await rows("aborts-when-failures-exceed-the-limit")).toEqual([
      "worse",
      "good",
      "good",
      "no difference shown",
      "good",
      "no difference shown",
      "not judged",
    ]);
    // At 100 percent there is no stable to compare with; what the steps before showed stays.
    expect((await rows("promotes-when-every-step-passes")).slice(0, 5)).toEqual([
      "good",
      "good",
      "good",
      "no difference shown",
      "good",
    ]);
    const slow = await rows("aborts-when-the-tail-is-slow");
    expect(slow.filter((verdict) => verdict === "worse")).not.toEqual([]);
    expect(slow[0]).toBe("no difference shown");
    expect(rolloutReport(rolledBack)).toContain('<td data-name="Setting">oddsTolerated</td>');
  });

  test("gives the status codes of both arms, and the canary's worst paths without what may be personal", () => {
    const page = rolloutReport(rolledBack);
    const rowsAfter = (heading: string) =>
      [
        ...page
          .slice(page.indexOf(`<h3>${heading}`))
          .split("</table>")[0]!
          .matchAll(/<tr class="(\w+)">(.*?)<\/tr>/g),
      ].map(([, tone, cells]) => [tone, ...[...cells!.matchAll(/<td[^>]*>([^<]*)/g)].map(([, text]) => text)]);
    expect(rowsAfter("Status codes")).toEqual([
      ["plain", "below 400", "3,081 (98.8 %)", "8,870 (99.9 %)", "as often as stable"],
      ["bad", "500", "39 (1.3 %)", "10 (0.1 %)", "11 times as often"],
    ]);
    expect(rowsAfter("The canary&#39;s worst paths".replace("&#39;", "'"))).toEqual([
      ["bad", "/orders/*", "500", "39", "10", "11 times as often"],
    ]);
    expect(page).not.toContain("4711");
  });

  test("says that every answer was good, and that an older journal does not have the codes", async () => {
    const good = rolloutReport(await scenarioFacts("waits-without-traffic-then-aborts"));
    expect(good).not.toContain("Status codes");
    const older = rolledBack.map((fact) => {
      if (fact.event.kind !== "Measured") return fact;
      const { answers: _answers, ...event } = fact.event;
      return { ...fact, event };
    });
    expect(rolloutReport(older)).toContain("The journal does not say which codes and paths failed.");
    const clean = older.map((fact) =>
      fact.event.kind === "Measured"
        ? {
            ...fact,
            event: {
              ...fact.event,
              buckets: fact.event.buckets.map((bucket) => ({
                ...bucket,
                canary: { ...bucket.canary, failed: 0 },
                stable: { ...bucket.stable, failed: 0 },
              })),
            },
          }
        : fact,
    );
    expect(rolloutReport(clean)).toContain("Every answer was below 400.");
  });

  test("draws a canary of five percent well above none", () => {
    const page = rolloutReport(factsOf(rolledBack.map(({ event }) => fivePercent(event))));
    const [, points = ""] = /curve canary" points="([^"]+)"/.exec(page) ?? [];
    const heights = points.split(" ").map((point) => Number(point.split(",")[1]));
    expect(100 - heights[0]!).toBeGreaterThan(30);
    expect(heights.at(-1)).toBe(100);
  });

  test("is self-contained: no script, no link, nothing fetched, and a policy that forbids all of it", () => {
    const page = rolloutReport(rolledBack);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\b(src|href)=|url\(|@import|\bon\w+=|https?:/i);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test("shows hostile names, reasons and processes as text", async () => {
    const page = rolloutReport(await hostileFacts());
    expect(page).not.toContain(hostile);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    expect(page).not.toMatch(/<script|<img|[\u0007\u202e]/);
    expect(page).toContain("&lt;/style&gt;&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img");
    expect(page.match(/<\/style>/g)).toHaveLength(1);
  });

  test("lists every fact, with the number of its mark", () => {
    const page = rolloutReport(rolledBack);
    const rows = [
      ...page.matchAll(
        new RegExp(
          '<tr class="[a-z]*"><td>(?:<span class="badge [a-z]+">(\\d+)</span>)?</td>' +
            "<td><time[^>]*>[^<]*</time></td><td>(\\w+)</td>",
          "g",
        ),
      ),
    ];
    expect(rows).toHaveLength(rolledBack.length);
    expect(rows.flatMap(([, number, kind]) => (number ? [`${number} ${kind}`] : []))).toEqual([
      "1 SmokePassed",
      "2 StepReached",
      "3 StepPassed",
      "4 StepReached",
      "5 Aborted",
      "6 Reverted",
      "7 Finished",
    ]);
  });

  test("reports a recovery by another process", () => {
    const facts = rolledBack.map((fact, index) => (index < 30 ? fact : { ...fact, process: "p2", epoch: 2 }));
    expect(rolloutReport(facts).match(/recovered by another process: [^<]+/g)).toEqual([
      "recovered by another process: p2, epoch 2",
    ]);
    expect(rolloutReport(rolledBack)).not.toContain("recovered by another process");
  });

  test("can be made of every kept journal, and of every beginning of a scenario", () => {
    for (const name of ["rollout-v1-aborted", "rollout-v1-retried"]) {
      const lines = readFileSync(
        join(import.meta.dirname, "..", "engines", "rollout", "journals", `${name}.jsonl`),
        "utf8",
      )
        .trim()
        .split("\n");
      const page = rolloutReport(factsOf(lines.map((line) => codec.read(JSON.parse(line)))));
      expect(page).not.toMatch(/NaN|Infinity|undefined/);
    }
    for (let length = 1; length <= rolledBack.length; length++)
      expect(rolloutReport(rolledBack.slice(0, length))).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("an attempt", () => {
  const [attempt] = attemptsOf(rolledBack);

  test("shows the judged evidence: it reaches the limit at the abort, and not before", () => {
    const over = attempt!.evidence.filter(({ against }) => against >= attempt!.againstMax);
    expect(over.map(({ at }) => at)).toEqual([attempt!.marks.find(({ event }) => event.kind === "Aborted")!.event.at]);
    const reported = attempt!.marks
      .map(({ event }) =>
        event.kind === "Aborted" ? /evidence ([\d,]+) : 1 against/.exec(event.message)?.[1] : undefined,
      )
      .find(Boolean)!;
    expect(Math.round(over[0]!.against)).toBe(Number(reported.replaceAll(",", "")));
  });

  test("shows what each arm did in each minute and in each step", () => {
    expect(attempt!.seen.canary.map(({ failedPercent }) => failedPercent && Math.round(failedPercent))).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 0, 6,
    ]);
    expect(
      attempt!.steps.map(({ percent, canary, stable, end }) => [
        percent,
        canary.requests,
        canary.failed,
        stable.requests,
        end?.kind,
      ]),
    ).toEqual([
      [10, 600, 0, 5400, "StepPassed"],
      [50, 1800, 38, 1800, "Aborted"],
    ]);
    expect(attempt!.weights.at(-1)!.percent).toBe(0);
  });

  test("begins again with each retry", async () => {
    const attempts = attemptsOf(await scenarioFacts("retries-after-a-rollback"));
    expect(attempts.map(({ number, marks }) => [number, marks[0]!.event.kind])).toEqual([
      [1, "SmokePassed"],
      [2, "Signalled"],
    ]);
    expect(attempts[1]!.from).toBeGreaterThan(attempts[0]!.to);
  });
});

describe("drawing", () => {
  test("never draws one badge over another, however many and however close", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_600_000 }), { minLength: 1, maxLength: 60 }), (moments) => {
        const marks = moments
          .toSorted((one, other) => one - other)
          .map((at, index) => ({ number: index + 1, event: { kind: "Waited" as const, at }, message: "" }));
        const badges = badgesOf(marks, { from: 0, to: 3_600_000 });
        expect(badges.flatMap((badge) => badge.marks)).toEqual(marks);
        for (const [index, one] of badges.entries())
          for (const other of badges.slice(index + 1))
            if (one.row === other.row) expect(other.left - one.left).toBeGreaterThanOrEqual(9);
      }),
      { verbose: true },
    );
  });

  test("labels the time at round moments, in at most five steps, for seconds and for days", () => {
    for (const seconds of [0, 3, 47, 600, 5_400, 86_400, 900_000])
      expect(timeTicks({ from: 0, to: seconds * 1000 }).length).toBeLessThanOrEqual(6);
    const nine = Date.parse("2026-01-05T09:00:00Z");
    const axis = { from: nine + 17_000, to: nine + 617_000 };
    expect(timeTicks(axis).map((at) => labelOf(at, axis))).toEqual(["09:02", "09:04", "09:06", "09:08", "09:10"]);
    const short = { from: nine, to: nine + 47_000 };
    expect(timeTicks(short).map((at) => labelOf(at, short))).toEqual([
      "09:00:00",
      "09:00:10",
      "09:00:20",
      "09:00:30",
      "09:00:40",
    ]);
  });

  test("ends a scale at a round number that no value exceeds", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e7, noNaN: true }), (value) => {
        expect(roundScale(value, 1, String).high).toBeGreaterThanOrEqual(value * 0.999);
      }),
      { verbose: true },
    );
    expect(roundScale(43.8, 1, String).high).toBe(50);
  });

  test("escapes every value in a template, including lists", () =>
    expect(html`<a title="${'"'}">${["<", html`<b>${"&"}</b>`, 1]}</a>`.markup).toBe(
      '<a title="&quot;">&lt;<b>&amp;</b>1</a>',
    ));
});
