// The README claims no more than its sources. Its rollback is a scenario's journal, its program is the tested example,
// its benchmark figures are those of the judge's page, and the page on costs that it links gives the deployed sizes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replicaSizes } from "../../components/conventions.ts";
import { databaseSku } from "../../defaults.ts";

const read = (...path: readonly string[]): string =>
  readFileSync(join(import.meta.dirname, "..", "..", ...path), "utf8");
const readme = read("README.md");
const unwrapped = readme.replaceAll(/\s+/g, " ");
/** Gives the first block of a language. */
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)![1]!;
const withoutIndent = (text: string): readonly string[] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.trim());

test("the rollback is the journal of the scenario that the README links", () => {
  const [, scenario] = /\]\((test\/scenarios\/rollout\/[\w-]+\.yaml)\)/.exec(readme)!;
  const journal = read(scenario!).split("\n---\n")[2]!.replace(/^.*\n/, "");
  expect(withoutIndent(block("text"))).toEqual(withoutIndent(journal));
});

test("the program is examples/canary-app, which a test runs", () =>
  expect(block("ts")).toBe(read("examples", "canary-app", "index.ts")));

test("the page on adopting gives the sizes that are deployed by default", () => {
  const costs = read("docs", "start", "adopting.md").split("## What it costs")[1]!;
  const { cpu, gib } = replicaSizes.controlPlane;
  expect(costs).toContain(`${cpu} vCPU and ${gib} GiB`);
  expect(costs).toContain(`\`${databaseSku}\``);
});

/** The packages of the lock file that leave out a version of Node: the start of their names, and the range. */
function unfit(isFit: (version: string) => boolean): readonly (readonly [name: string, versions: string])[] {
  const { packages } = JSON.parse(read("package-lock.json")) as {
    readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
  };
  return Object.entries(packages).flatMap(([at, { engines }]) =>
    at === "" || engines?.node === undefined || engines.node.split("||").some(isFit)
      ? []
      : [[at.split("node_modules/").at(-1)!.replace(/\/.*/, ""), engines.node]],
  );
}

test("the warnings of npm ci are those of the lock file", () => {
  const isFor20 = (versions: string) => /^\s*(\*|\^?20(\.|\s|$)|>=?\s*(\d|1\d|20)(\.|\s|$))/.test(versions);
  const isFor24 = (versions: string) => isFor20(versions) || /^\s*(>=\s*2[1-3](\.|$)|(>=|\^)\s*24\.0)/.test(versions);
  const on20 = unfit(isFor20);
  const families = Map.groupBy(on20, ([name]) => name);
  expect(Object.fromEntries([...families].map(([name, { length }]) => [name, length]))).toEqual({
    "@azure": 6,
    "@pulumi": 1,
    commander: 1,
    vitest: 1,
  });
  expect(unwrapped).toContain(`prints ${on20.length} \`EBADENGINE\` warnings: six packages of the Azure SDK`);
  expect(unwrapped).toContain("the Pulumi SDK, commander and vitest need Node 22 or newer");
  expect(unfit(isFor24)).toEqual([]);
  expect(unwrapped).toContain("On Node 24 there is no warning.");
});

/** Gives the promoted bad, rolled-back good and undecided percentages of a contestant's row in track B. */
function percentages(contestant: string): readonly [promoted: number, rolledBack: number, waiting: number] {
  const [, trackB = ""] = read("docs", "evidence", "judge.md").split("\n## Track B");
  const row = trackB.split("\n").find((line) => line.replaceAll(/[()]/g, "").startsWith(`| ${contestant} |`));
  const cells = row!.split("|").map((cell) => Number.parseFloat(cell));
  return [cells[2]!, cells[4]!, cells[6]!];
}
const range = (values: readonly number[]): string => {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(1));
  return least === most ? `${least} %` : `${least} to ${most} %`;
};

test("the benchmark figures are those of the judge's page", () => {
  const ours = "ballast, default plan";
  const groups = [["Flagger 5", "Flagger 10"], ["Argo docs", "Argo docs, canary only", "Argo tuned"], [ours]];
  const row = (which: 0 | 1): string =>
    groups.map((names) => range(names.map((name) => percentages(name)[which]))).join(" | ");
  expect(readme).toContain(`| bad canaries promoted, benchmark | | ${row(0)} |`);
  expect(readme).toContain(`| good canaries rolled back, benchmark | | ${row(1)} |`);
  expect(unwrapped).toContain(`${percentages(ours)[2]} % of its runs had no verdict`);
  const [hour, hours] = [percentages("Kayenta 1 h"), percentages("Kayenta 4 h")];
  expect(unwrapped).toContain(`fewest false rollbacks: ${range([hour[1], hours[1]])}.`);
  expect(unwrapped).toContain(
    `It promoted ${hour[0]} % of the bad canaries with an analysis of one hour, and none with`,
  );
  expect([hours[0], unwrapped]).toEqual([0, expect.stringContaining(`after which ${hours[2]} % of its runs had no`)]);
});
