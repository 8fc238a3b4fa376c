// Journal → one self-contained page: no script, no font, no picture, no link. Everything it says is in the journal.
import { fold } from "../engines/engine.ts";
import { rollout } from "../engines/rollout/rollout.ts";
import { isNoteworthy } from "../engines/rollout/tell.ts";
import type { RolloutEvent, RolloutResult } from "../engines/rollout/vocabulary.ts";
import { percentOf } from "../engines/rollout/weights.ts";
import { duration, type Instant, secondsBetween } from "../engines/time.ts";
import { type Attempt, attemptsOf, type ReportedFact, type Step, type Sum } from "./attempts.ts";
import { type Chart, draw, place, type Time, timeTicks } from "./chart.ts";
import { chartsOf } from "./charts.ts";
import { type Badge, badgesOf } from "./marks.ts";
import { html, type Markup } from "./markup.ts";
import { style as styleSheet } from "./style.ts";

/** Gives a rollout's journal as one HTML page: the result, the charts and steps of each attempt, and every fact. */
export function report(facts: readonly ReportedFact[]): string {
  const events = facts.map(({ event }) => event);
  const [planned] = events;
  if (planned?.kind !== "Planned") throw new Error("The journal does not begin with a Planned fact.");
  const { target, revision } = planned.intent;
  const attempts = attemptsOf(facts);
  const numbers = new Map(attempts.flatMap(({ marks }) => marks.map(({ event, number }) => [event, number] as const)));
  // The policy is a second line of defence: even if something is not escaped, nothing runs and nothing is fetched.
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark"><title>${target.app}: ${revision}</title>
<style>${{ markup: styleSheet }}</style></head>
<body><main>
${heading(facts, planned)}
${attempts.toReversed().map((attempt) => section(attempt, attempts.length))}
${journal(facts, planned.at, numbers)}
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
  const last = facts.findLast(({ event }) => isNoteworthy(event));
  const until = facts.at(-1)!.event.at;
  const tone = end && (isGood(end.result) ? "good" : "bad");
  const title = end?.result ?? `in progress: ${state.phase} at ${percentOf(state)} percent`;
  const rows: readonly (readonly [string, string])[] = [
    ["Canary", intent.revision],
    ["Stable", state.stable ?? "nothing served before"],
    ["Release", intent.release],
    ["Requested by", intent.requestedBy],
    ["Started", moment(Math.floor(at / 1000) * 1000)],
    [end === undefined ? "So far" : "Took", duration(secondsBetween(at, until))],
  ];
  return html`<header class="${tone ?? "open"}">
<p class="target">${intent.target.resourceGroup} / ${intent.target.app}</p>
<h1>${title}</h1><p class="message">${end?.message ?? last?.message ?? ""}</p>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>`;
}

const unmeasured = html`<p class="note">The canary had no traffic, so nothing was measured.</p>`;

function section(attempt: Attempt, of: number): Markup {
  const charts = chartsOf(attempt);
  const { steps, from } = attempt;
  return html`<section>${of > 1 ? html`<h2>Attempt ${attempt.number}</h2>` : ""}
${charts.length > 0 ? panel(attempt, charts) : unmeasured}
${steps.length > 0 ? stepTable(steps, from) : ""}</section>`;
}

function panel({ from, to, marks, warmUps }: Attempt, charts: readonly Chart[]): Markup {
  const badges = badgesOf(marks, { from, to });
  const rows = Math.max(0, ...badges.map(({ row }) => row + 1));
  const time: Time = { from, to, marks: badges.map((badge) => badge.marks[0]!.event.at), shaded: warmUps };
  const tick = (seconds: number) =>
    html`<span style="left:${place(time, from + seconds * 1000).toFixed(1)}%">${duration(seconds)}</span>`;
  const missing = charts.length < 4 ? " What is not drawn was not measured." : "";
  return html`<div class="charts">
<div class="badges" style="height:${rows * badgeRem}rem">${badges.map(badgeMark)}</div>
${charts.map((chart) => draw(chart, time))}
<div class="axis">${timeTicks(time).map(tick)}</div>
<p class="note">Numbers refer to the journal below. Shaded: warm-up, which the judge ignores.${missing}</p></div>`;
}

/** The height of a row of badges. */
const badgeRem = 1.6;

function badgeMark({ left, row, label, marks }: Badge): Markup {
  const tone = toneOf(marks.map(({ event }) => event));
  const style = `left:${left.toFixed(1)}%;top:${row * badgeRem}rem`;
  const title = marks.map(({ message }) => message).join("; ");
  return html`<span class="badge ${tone}" style="${style}" title="${title}">${label}</span>`;
}

function stepTable(steps: readonly Step[], from: Instant): Markup {
  const failed = ({ requests, failed: bad }: Sum) =>
    requests === 0 ? "no requests" : `${((100 * bad) / requests).toFixed(1)} % of ${requests.toLocaleString("en")}`;
  const tail = ({ p99Milliseconds }: Sum) =>
    p99Milliseconds === undefined ? "unknown" : `${Math.round(p99Milliseconds).toLocaleString("en")} ms`;
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
  const row = (step: Step) => {
    const tone = toneOf(step.end === undefined ? [] : [step.end]);
    const cells = columns.map(([name, of]) => html`<td data-name="${name}">${of(step)}</td>`);
    return html`<tr class="${tone}">${cells}</tr>`;
  };
  const head = columns.map(([name]) => html`<th>${name}</th>`);
  return html`<h3>Steps, without their warm-up</h3><table><thead><tr>${head}</tr></thead>
<tbody>${steps.map(row)}</tbody></table>`;
}

/**
 * Lists every fact, with the number of its mark. Bookkeeping is shown when its box is ticked, which needs no script.
 */
function journal(facts: readonly ReportedFact[], from: Instant, numbers: ReadonlyMap<RolloutEvent, number>): Markup {
  const hash = facts.at(-1)?.hash;
  const noteworthy = facts.filter(({ event }) => isNoteworthy(event)).length;
  let writer = "";
  const rows = facts.map(({ event, message, process, epoch }) => {
    const isRecovered = epoch > 0 && writer !== "" && process !== writer;
    if (epoch > 0) writer = process;
    return html`${isRecovered ? recoveredRow(process, epoch) : ""}
${factRow(event, message, from, numbers.get(event))}`;
  });
  return html`<details open class="journal"><summary>Journal</summary>
<label><input type="checkbox"> show all ${facts.length} facts, not only the ${noteworthy} main ones</label>
<table><thead><tr><th></th><th>After</th><th>Fact</th><th>Message</th></tr></thead><tbody>${rows}</tbody></table>
${hash === undefined ? "" : html`<p class="note">Latest hash of its chain: <code>${hash}</code></p>`}</details>`;
}

function recoveredRow(process: string, epoch: number): Markup {
  const message = `recovered by another process: ${process}, epoch ${epoch}`;
  return html`<tr class="over"><td></td><td></td><td colspan="2">${message}</td></tr>`;
}

function factRow(event: RolloutEvent, message: string, from: Instant, number: number | undefined): Markup {
  const tone = toneOf([event]);
  const at = moment(event.at);
  const badge = number === undefined ? "" : html`<span class="badge ${tone}">${number}</span>`;
  const time = html`<time datetime="${at}" title="${at}">${duration(secondsBetween(from, event.at))}</time>`;
  const cells = [badge, time, event.kind, message].map((cell) => html`<td>${cell}</td>`);
  return html`<tr class="${isNoteworthy(event) ? tone : "dim"}">${cells}</tr>`;
}

type Tone = "bad" | "person" | "warn" | "good" | "plain";

/** Gives the tone of facts that are shown together: that of the most serious. */
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
    case "FoundUnchanged":
      return "good";
    case "Aborted":
    case "AttemptFailed":
      return "bad";
    case "Waiting":
    case "TrafficDrifted":
    case "TrafficAdopted":
      return "warn";
    case "Signalled":
      return "person";
    default:
      return "plain";
  }
}

const isGood = (result: RolloutResult): boolean => result === "promoted" || result === "unchanged";

const moment = (at: Instant): string =>
  new Date(at).toISOString().replace("T", " ").replace(".000Z", " UTC").replace("Z", " UTC");
