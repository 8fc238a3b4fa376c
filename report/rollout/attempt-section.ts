// An attempt → its section of the page: the charts, then a table of its steps.
import type { MetricVerdict } from "../../engines/rollout/judge/metric-verdicts.ts";
import { share } from "../../engines/rollout/judge/wording.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import type { Section } from "../content.ts";
import { html, type Markup } from "../markup.ts";
import { panel } from "../panel.ts";
import { type Column, table } from "../table.ts";
import type { Tone } from "../tone.ts";
import type { Attempt, Step, Sum } from "./attempts.ts";
import { badAnswers } from "./bad-answers.ts";
import { chartsOf } from "./charts.ts";
import { harmOf } from "./harm.ts";
import { toneOf } from "./tones.ts";

const unmeasured = html`<p class="note">The canary had no traffic, so nothing was measured.</p>`;

/** Makes the section of one of several attempts. The only one has no heading. */
export function attemptSection(attempt: Attempt, of: number): Section {
  const { number, from, to, marks, warmUps, steps, metrics } = attempt;
  const charts = chartsOf(attempt);
  const missing = charts.length < 4 ? " What is not drawn was not measured." : "";
  const note = `Shaded: warm-up, which the judge ignores.${missing}`;
  const drawn = charts.length > 0 ? panel({ from, to, shaded: warmUps, charts, marks, toneOf, note }) : unmeasured;
  return {
    heading: of > 1 ? `Attempt ${number}` : undefined,
    body: html`${harmOf(attempt)}
${drawn}
${badAnswers(attempt)}
${steps.length > 0 ? stepTable(steps) : ""}
${metrics.length > 0 ? metricTable(metrics) : ""}`,
  };
}

const metricTones: { readonly [V in MetricVerdict["verdict"]]: Tone } = {
  worse: "bad",
  "looks worse": "warn",
  good: "good",
  "no difference shown": "plain",
  "not judged": "plain",
};

function metricTable(metrics: readonly MetricVerdict[]): Markup {
  const columns: readonly Column<MetricVerdict>[] = [
    ["Requests that were", ({ metric }) => metric],
    ["Canary", ({ canary }) => canary],
    ["Stable", ({ stable }) => stable],
    ["Verdict", ({ verdict }) => verdict],
  ];
  return html`<h3>What each metric shows</h3>
<p class="note">The judge decides by all of them together, over the whole attempt or over the step in which it is
clearest. A canary counts as slow only beyond stable's limit times slowdownTolerated.</p>
${table(columns, metrics, ({ verdict }) => metricTones[verdict])}`;
}

/** Says how a step ended, in words that need no knowledge of the journal. */
function endWords(end: Step["end"]): string {
  if (end === undefined) return "open";
  if (end.kind === "StepPassed") return "passed";
  return end.kind === "Aborted" ? "aborted" : "ended";
}

function stepTable(steps: readonly Step[]): Markup {
  const failed = ({ requests, failed: bad }: Sum) => (requests === 0 ? "no requests" : share(bad, requests));
  const tail = ({ p99Milliseconds }: Sum) =>
    p99Milliseconds === undefined ? "unknown" : `${Math.round(p99Milliseconds).toLocaleString("en")} ms`;
  const columns: readonly Column<Step>[] = [
    ["Weight", ({ percent }) => `${percent} %`],
    ["From (UTC)", (step) => new Date(step.from).toISOString().slice(11, 19)],
    ["Watched", (step) => duration(secondsBetween(step.from, step.to))],
    ["Canary fails", ({ canary }) => failed(canary)],
    ["Stable fails", ({ stable }) => failed(stable)],
    ["Canary p99", ({ canary }) => tail(canary)],
    ["Stable p99", ({ stable }) => tail(stable)],
    ["End", ({ end }) => endWords(end)],
  ];
  return html`<h3>Steps, without their warm-up</h3>${table(columns, steps, ({ end }) =>
    end === undefined ? "plain" : toneOf(end),
  )}`;
}
