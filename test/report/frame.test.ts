// The report's frame with a kind of work made up for this test: a page needs no charts, no marks and no colours, and
// shows those that the kind has.
import { expect, test } from "vitest";
import type { Content, ReportedFact } from "../../report/content.ts";
import { html } from "../../report/markup.ts";
import { page } from "../../report/page.ts";
import { panel } from "../../report/panel.ts";
import { table } from "../../report/table.ts";

interface Walk {
  readonly kind: "Left" | "Rested" | "Arrived";
  readonly at: number;
}

const facts: readonly ReportedFact<Walk>[] = (["Left", "Rested", "Arrived"] as const).map((kind, index) => ({
  event: { kind, at: index * 60_000 },
  message: `<${kind}>`,
  process: "p1",
  epoch: 1,
}));

const walk: Content<Walk> = {
  title: "a walk",
  subject: "park / bench",
  end: undefined,
  progress: "halfway",
  next: "Wait for `Ann`.",
  details: [["Walker", "<Ann>"]],
  sections: [],
  marks: [],
  isNoteworthy: ({ kind }) => kind !== "Rested",
  toneOf: ({ kind }) => (kind === "Arrived" ? "good" : "plain"),
  style: { colours: {}, open: "dim", curves: {} },
};

test("shows a stream in flight of a kind without charts", () => {
  const text = page(facts.slice(0, 2), walk);
  expect(text).toContain("<title>in progress: a walk</title>");
  expect(text).toContain('<header class="open">\n<p class="target">park / bench</p>\n<h1>in progress: halfway</h1>');
  expect(text).toContain('<p class="message">&lt;Left&gt;</p>');
  expect(text).toContain('<p class="next"><b>Next:</b> Wait for <code>Ann</code>.</p>');
  expect(text).toContain("<dt>Walker</dt><dd>&lt;Ann&gt;</dd>");
  expect(text).toContain("<dt>So far</dt><dd>1m</dd>");
  expect(text).toContain("show every fact (2), not only the main ones (1)");
  expect(text).toContain("--tone: var(--dim); }");
  expect(text).not.toMatch(/<section|<svg|undefined|\n {[^}]*}/);
});

test("shows the end, the sections and the looks of curves that a kind has", () => {
  const marks = [{ number: 1, event: facts[2]!.event, message: "there" }];
  const chart = {
    title: "Way",
    description: "rises",
    curves: [{ name: "walker", look: "walker", points: facts.map(({ event: { at } }) => [at, at] as const) }],
    scale: { low: 0, high: 120_000, ticks: [] },
  };
  const drawn = panel({
    from: 0,
    to: 120_000,
    shaded: [],
    charts: [chart],
    marks,
    toneOf: walk.toneOf,
    note: "On foot.",
  });
  const rests = table([["Rest", (at: number) => `${at} s`]], [60], () => "warn");
  const text = page(facts, {
    ...walk,
    end: { result: "arrived", message: "at last", tone: "good" },
    sections: [{ heading: "The way", body: html`${drawn}${rests}` }],
    marks,
    style: {
      colours: { walker: { light: "#123456", dark: "#abcdef" } },
      open: "walker",
      curves: { walker: { colour: "walker", isDashed: true } },
    },
  });
  expect(text).toContain('<header class="good">');
  expect(text).toContain('<h1>arrived</h1><p class="message">at last</p>');
  expect(text).toContain("<dt>Took</dt><dd>2m</dd>");
  expect(text).toContain('<section><h2>The way</h2>\n<div class="charts">');
  expect(text).toContain('<polyline class="curve walker"');
  expect(text).toContain("Numbers refer to the journal below. On foot.");
  expect(text).toContain('<tr class="warn"><td data-name="Rest">60 s</td></tr>');
  expect(text).toContain('<tr class="good"><td><span class="badge good">1</span></td>');
  expect(text.match(/--walker: #[a-f\d]+;/g)).toEqual(["--walker: #123456;", "--walker: #abcdef;"]);
  expect(text).toContain(".walker { --look: var(--walker); }");
  expect(text).toContain(".curve.walker { stroke-dasharray");
});
