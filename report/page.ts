// Journal → one page that needs nothing else: no script, no font, no picture, no address. What it says is the journal's; it adds nothing that
// was not decided. It does not know where the journal comes from, nor where the page goes.

import { fold } from "../engines/engine.ts";
import { percentOf } from "../engines/rollout/evolve.ts";
import { rollout } from "../engines/rollout/rollout.ts";
import { isWorthTelling } from "../engines/rollout/tell.ts";
import type { RolloutEvent, RolloutResult } from "../engines/rollout/vocabulary.ts";
import { duration, type Instant, secondsBetween } from "../engines/time.ts";
import { type Attempt, attemptsOf, type ReportedFact, type Step, type Sum } from "./attempts.ts";
import { type Chart, draw, place, type Time, timeTicks } from "./chart.ts";
import { chartsOf } from "./charts.ts";
import { badgesOf } from "./marks.ts";
import { html, type Markup } from "./markup.ts";
import { style } from "./style.ts";

/** Gives a rollout's journal as one HTML page: the verdict, charts of each attempt, its steps, its decisions, and every fact. */
export function report(facts: readonly ReportedFact[]): string {
  const events = facts.map(({ event }) => event);
  const [planned] = events;
  if (planned?.kind !== "Planned") throw new Error("a journal begins with its plan");
  const { target, revision } = planned.intent;
  const attempts = attemptsOf(facts);
  // The policy is for the day on which something is not escaped: even then nothing runs and nothing is fetched.
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark"><title>${target.app}: ${revision}</title>
<style>${{ markup: style }}</style></head>
<body><main>
${heading(facts, planned)}
${attempts.toReversed().map((attempt) => section(attempt, attempts.length))}
${journal(facts, planned.at, new Map(attempts.flatMap(({ marks }) => marks.map(({ event, number }) => [event, number]))))}
</main></body></html>
`.markup;
}

type Planned = Extract<RolloutEvent, { kind: "Planned" }>;

function heading(facts: readonly ReportedFact[], { intent, at }: Planned): Markup {
  const state = fold(
    rollout,
    facts.map(({ event }) => event),
  );
  const end = state.phase === "finished" ? state.ending : undefined;
  const last = facts.findLast(({ event }) => isWorthTelling(event));
  const until = facts.at(-1)!.event.at;
  const tone = end === undefined ? "open" : isGood(end.result) ? "good" : "bad";
  const rows: readonly (readonly [string, string])[] = [
    ["Canary", intent.revision],
    ["Stable", state.stable ?? "nothing served before"],
    ["Release", intent.release],
    ["Asked for by", intent.requestedBy],
    ["Began", moment(Math.floor(at / 1000) * 1000)],
    [end === undefined ? "So far" : "Took", duration(secondsBetween(at, until))],
  ];
  return html`<header class="${tone}"><p class="target">${intent.target.resourceGroup} / ${intent.target.app}</p>
<h1>${end?.result ?? `in flight: ${state.phase} at ${percentOf(state)} percent`}</h1><p class="sentence">${end?.sentence ?? last?.text ?? ""}</p>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>`;
}

function section(attempt: Attempt, of: number): Markup {
  const charts = chartsOf(attempt);
  const { steps, from } = attempt;
  return html`<section>${of > 1 ? html`<h2>Attempt ${attempt.number}</h2>` : ""}
${charts.length > 0 ? panel(attempt, charts) : html`<p class="note">The canary had no traffic, so nothing was measured.</p>`}
${steps.length > 0 ? stepTable(steps, from) : ""}</section>`;
}

function panel({ from, to, marks, warmUps }: Attempt, charts: readonly Chart[]): Markup {
  const badges = badgesOf(marks, { from, to });
  const rows = Math.max(0, ...badges.map(({ row }) => row + 1));
  const time: Time = { from, to, marks: badges.map((badge) => badge.marks[0]!.event.at), shaded: warmUps };
  return html`<div class="charts"><div class="badges" style="height:${rows * 1.6}rem">${badges.map(
    (badge) =>
      html`<span class="badge ${toneOf(badge.marks.map(({ event }) => event))}" style="left:${badge.left.toFixed(1)}%;top:${badge.row * 1.6}rem" title="${badge.marks.map(({ text }) => text).join("; ")}">${badge.label}</span>`,
  )}</div>
${charts.map((chart) => draw(chart, time))}
<div class="axis">${timeTicks(time).map((seconds) => html`<span style="left:${place(time, from + seconds * 1000).toFixed(1)}%">${duration(seconds)}</span>`)}</div>
<p class="note">Numbers are those of the journal below. Shaded: warm-up, which the judge leaves out.${charts.length < 4 ? " What is not drawn was not measured." : ""}</p></div>`;
}

function stepTable(steps: readonly Step[], from: Instant): Markup {
  const failed = ({ requests, failed: bad }: Sum) =>
    requests === 0 ? "no requests" : `${((100 * bad) / requests).toFixed(1)} % of ${requests.toLocaleString("en")}`;
  const tail = ({ p99Milliseconds }: Sum) =>
    p99Milliseconds === undefined ? "not told" : `${Math.round(p99Milliseconds).toLocaleString("en")} ms`;
  const columns: readonly (readonly [name: string, of: (step: Step) => string])[] = [
    ["Weight", ({ percent }) => `${percent} %`],
    ["From", (step) => duration(secondsBetween(from, step.from))],
    ["Watched", (step) => duration(secondsBetween(step.from, step.to))],
    ["Canary fails", ({ canary }) => failed(canary)],
    ["Stable fails", ({ stable }) => failed(stable)],
    ["Canary p99", ({ canary }) => tail(canary)],
    ["Stable p99", ({ stable }) => tail(stable)],
    ["End", ({ end }) => end?.kind ?? "open"],
  ];
  return html`<h3>Steps, without their warm-up</h3><table><thead><tr>${columns.map(([name]) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${steps.map((step) => html`<tr class="${toneOf(step.end === undefined ? [] : [step.end])}">${columns.map(([name, of]) => html`<td data-name="${name}">${of(step)}</td>`)}</tr>`)}</tbody></table>`;
}

/** Lists every fact, with the number of its mark. What is bookkeeping shows when its box is ticked, which needs no script. */
function journal(facts: readonly ReportedFact[], from: Instant, numbers: ReadonlyMap<RolloutEvent, number>): Markup {
  const head = facts.at(-1)?.hash;
  const told = facts.filter(({ event }) => isWorthTelling(event)).length;
  let writer = "";
  const rows = facts.map(({ event, text, process, epoch }) => {
    const isTakenOver = epoch > 0 && writer !== "" && process !== writer;
    if (epoch > 0) writer = process;
    const number = numbers.get(event);
    const tone = toneOf([event]);
    return html`${isTakenOver ? html`<tr class="over"><td></td><td></td><td colspan="2">another process took over: ${process}, epoch ${epoch}</td></tr>` : ""}
<tr class="${isWorthTelling(event) ? tone : "dim"}"><td>${number === undefined ? "" : html`<span class="badge ${tone}">${number}</span>`}</td><td><time datetime="${moment(event.at)}" title="${moment(event.at)}">${duration(secondsBetween(from, event.at))}</time></td><td>${event.kind}</td><td>${text}</td></tr>`;
  });
  return html`<details open class="journal"><summary>Journal</summary>
<label><input type="checkbox"> all ${facts.length} facts, not only the ${told} worth telling</label>
<table><thead><tr><th></th><th>After</th><th>Fact</th><th>In words</th></tr></thead><tbody>${rows}</tbody></table>
${head === undefined ? "" : html`<p class="note">Head of its chain of hashes: <code>${head}</code></p>`}</details>`;
}

type Tone = "bad" | "person" | "warn" | "good" | "plain";

/** Gives what colour adds to facts that are shown together: that of the gravest. The words alone say everything. */
const toneOf = (events: readonly RolloutEvent[]): Tone => {
  const tones = events.map(toneOfOne);
  return (["bad", "person", "warn", "good"] as const).find((tone) => tones.includes(tone)) ?? "plain";
};

function toneOfOne(event: RolloutEvent): Tone {
  switch (event.kind) {
    case "Finished":
      return isGood(event.result) ? "good" : "bad";
    case "StepPassed":
    case "SmokePassed":
    case "Reverted":
    case "FoundEqual":
      return "good";
    case "Aborted":
    case "AttemptFailed":
      return "bad";
    case "Held":
    case "TrafficDrifted":
    case "TrafficAdopted":
      return "warn";
    case "Signalled":
      return "person";
    default:
      return "plain";
  }
}

const isGood = (result: RolloutResult): boolean => result === "promoted" || result === "equal";

const moment = (at: Instant): string =>
  new Date(at).toISOString().replace("T", " ").replace(".000Z", " UTC").replace("Z", " UTC");
