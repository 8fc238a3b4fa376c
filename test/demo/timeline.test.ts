// Lines of a story that runs beside another one: they wait, and keep the time at which they were said.
import { expect, test } from "vitest";
import { startTimeline } from "../../demo/timeline.ts";

const plain = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.replace(/^ *\d+:\d\d {2}/, "").trim());

test("held lines come after their release, in their order, and are followed by others at once", () => {
  const lines: string[] = [];
  const timeline = startTimeline((line) => lines.push(line));
  const { timeline: held, release } = timeline.held();
  held.chapter("beside");
  held.line("one");
  timeline.line("before");
  held.check(true, "two");
  expect(plain(lines)).toEqual(["before"]);
  release();
  held.line("three");
  expect(plain(lines)).toEqual(["before", "beside", "one", "\u2713 two", "three"]);
});

test("a check that failed while its lines were held counts for the whole demo", () => {
  const timeline = startTimeline(() => undefined);
  const { timeline: held } = timeline.held();
  held.check(false, "repaired");
  held.check(false, "quick", true);
  expect([timeline.failed(), timeline.undecided()]).toEqual([["repaired"], ["quick"]]);
});
