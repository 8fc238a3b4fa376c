// Journal → one self-contained page: no script, no font, no picture, no link. Everything it says is in the journal. The
// head, the journal and the order of the parts are the same for every kind of work, which brings the sections between.
import type { AnyEvent } from "../engines/kind.ts";
import { duration, type Instant, secondsBetween } from "../engines/time.ts";
import type { Content, ReportedFact, Section } from "./content.ts";
import { html, type Markup, type Piece } from "./markup.ts";
import { styleSheet } from "./style.ts";

/** Gives a journal, which must not be empty, as one HTML page: the end, the sections of the kind, and every fact. */
export function page<Event extends AnyEvent>(facts: readonly ReportedFact<Event>[], content: Content<Event>): string {
  // The policy is a second line of defence: even if something is not escaped, nothing runs and nothing is fetched.
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark"><title>${titleOf(content)}</title>
<style>${{ markup: styleSheet(content.style) }}</style></head>
<body><main>
${head(facts, content)}
${content.sections.map(section)}
${journal(facts, content)}
</main></body></html>
`.markup;
}

/** Sets what stands between backticks as code. */
const withCode = (text: string): readonly Piece[] =>
  text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

/** The title begins with the result, because a tab shows only its first words. */
const titleOf = ({ end, title }: Pick<Content<AnyEvent>, "end" | "title">): string =>
  `${end?.result.replaceAll("-", " ") ?? "in progress"}: ${title}`;

function head<Event extends AnyEvent>(facts: readonly ReportedFact<Event>[], content: Content<Event>): Markup {
  const { subject, end, next, progress, details, isNoteworthy } = content;
  const headline = end?.result.replaceAll("-", " ") ?? `in progress: ${progress}`;
  const last = facts.findLast(({ event }) => isNoteworthy(event));
  const from = facts[0]!.event.at;
  const until = facts.at(-1)!.event.at;
  const rows: Content<Event>["details"] = [
    ...details,
    ["Started", moment(Math.floor(from / 1000) * 1000)],
    [end === undefined ? "So far" : "Took", duration(secondsBetween(from, until))],
  ];
  return html`<header class="${end?.tone ?? "open"}">
<p class="target">${subject}</p>
<h1>${headline}</h1><p class="message">${end?.message ?? last?.message ?? ""}</p>
<p class="next"><b>Next:</b> ${withCode(next)}</p>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>`;
}

const section = ({ heading, body }: Section): Markup =>
  html`<section>${heading === undefined ? "" : html`<h2>${heading}</h2>`}
${body}</section>`;

/**
 * Lists every fact, with the number of its mark. Bookkeeping is shown when its box is ticked, which needs no script.
 */
function journal<Event extends AnyEvent>(facts: readonly ReportedFact<Event>[], content: Content<Event>): Markup {
  const from = facts[0]!.event.at;
  const hash = facts.at(-1)!.hash;
  const noteworthy = facts.filter(({ event }) => content.isNoteworthy(event)).length;
  const numbers = new Map(content.marks.map(({ event, number }) => [event, number]));
  let writer = "";
  const rows = facts.map((fact) => {
    const { process, epoch } = fact;
    const isRecovered = epoch > 0 && writer !== "" && process !== writer;
    if (epoch > 0) writer = process;
    return html`${isRecovered ? recoveredRow(process, epoch) : ""}
${factRow(fact, content, from, numbers.get(fact.event))}`;
  });
  return html`<details open class="journal"><summary>Journal</summary>
<label><input type="checkbox"> show every fact (${facts.length}), not only the main ones (${noteworthy})</label>
<table><thead><tr><th></th><th>Time (UTC)</th><th>Fact</th><th>Message</th></tr></thead><tbody>${rows}</tbody></table>
${hash === undefined ? "" : html`<p class="note">Latest hash of its chain: <code>${hash}</code></p>`}</details>`;
}

function recoveredRow(process: string, epoch: number): Markup {
  const message = `recovered by another process: ${process}, epoch ${epoch}`;
  return html`<tr class="over"><td></td><td></td><td colspan="2">${message}</td></tr>`;
}

function factRow<Event extends AnyEvent>(
  { event, message }: ReportedFact<Event>,
  { toneOf, isNoteworthy }: Content<Event>,
  from: Instant,
  number: number | undefined,
): Markup {
  const tone = toneOf(event);
  const at = moment(event.at);
  const badge = number === undefined ? "" : html`<span class="badge ${tone}">${number}</span>`;
  const after = duration(secondsBetween(from, event.at));
  const time = html`<time datetime="${at}" title="${at}">${clockTime(event.at)} (${after})</time>`;
  const cells = [badge, time, event.kind, message].map((cell) => html`<td>${cell}</td>`);
  return html`<tr class="${isNoteworthy(event) ? tone : "dim"}">${cells}</tr>`;
}

const clockTime = (at: Instant): string => new Date(at).toISOString().slice(11, 19);

const moment = (at: Instant): string =>
  new Date(at).toISOString().replace("T", " ").replace(".000Z", " UTC").replace("Z", " UTC");
