// The labelled places of public repositories: what the page of evidence says of them is counted here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rulebook } from "../../analysis/rulebook.ts";

interface Labelled {
  readonly repository: string;
  readonly places: readonly { readonly rule?: string }[];
}
const root = join(import.meta.dirname, "../..");
const { repositories } = JSON.parse(readFileSync(join(root, "bench/analysis/labels.json"), "utf8")) as {
  readonly repositories: readonly Labelled[];
};
const places = repositories.flatMap((each) => each.places);
const rules = places.flatMap(({ rule }) => rule ?? []);

test("the page of evidence counts the labelled places right", () => {
  const names = new Set(repositories.map(({ repository }) => repository));
  const page = readFileSync(join(root, "docs/evidence/analysis.md"), "utf8").replaceAll(/\s+/g, " ");
  const most = Math.max(...[...new Set(rules)].map((rule) => rules.filter((each) => each === rule).length));
  expect(page).toContain(
    `names ${places.length.toLocaleString("en")} places in ${names.size} public repositories: ` +
      `${rules.length} defects and ${(places.length - rules.length).toLocaleString("en")} quiet places.`,
  );
  expect(page).toContain(`no rule has more than ${most} labelled defects`);
});

test("each label names a rule of the rulebook", () => {
  const known = new Set(rulebook.map(({ id }) => id));
  expect(rules.filter((rule) => !known.has(rule))).toEqual([]);
});
