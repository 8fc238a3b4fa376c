// `npm run bench:analysis`: compares the analyser with places that were labelled by hand in public repositories. It
// needs clones of them, each in a folder `<owner>__<name>` at the commit of labels.json, because their files are not
// kept here. It prints found, missed and false alarms for each rule.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { analyze } from "../../analysis/analyze.ts";
import { openFolder } from "../../analysis/folder.ts";
import { type Finding, rankOf } from "../../analysis/rule.ts";
import { beside } from "./beside.ts";
import { speed } from "./speed.ts";

interface Place {
  readonly file: string;
  readonly line: number;
  /** The line's text, by which it is found if lines have moved. */
  readonly text: string;
  /** The rule that should report here; absent if the place is quiet. */
  readonly rule?: string;
  /** The place is the whole item that begins at the line: a step with its script. */
  readonly whole?: boolean;
}
interface Labelled {
  readonly repository: string;
  readonly commit: string;
  readonly places: readonly Place[];
}
interface Score {
  found: number;
  missed: number;
  /** Findings of the rule at quiet places. */
  alarms: number;
}

const labels = JSON.parse(readFileSync(join(import.meta.dirname, "labels.json"), "utf8")) as {
  readonly repositories: readonly Labelled[];
};
const { values } = parseArgs({
  options: { clones: { type: "string" }, beside: { type: "string" }, speed: { type: "boolean" } },
});

async function main(clones: string): Promise<void> {
  const scores = new Map<string, Score>();
  const alarms: string[] = [];
  const missed: string[] = [];
  const missing: string[] = [];
  let quiet = 0;
  for (const { repository, places } of labels.repositories) {
    const folder = join(clones, repository.replace("/", "__"));
    if (!existsSync(folder)) {
      missing.push(repository);
      continue;
    }
    const { findings } = await analyze(openFolder(folder), { scope: ["github", "claude-code"] });
    const above = findings.filter(({ severity }) => rankOf(severity) > 0);
    for (const place of places) {
      const here = above.filter((finding) => isAt(folder, finding, place));
      if (place.rule === undefined) {
        quiet += 1;
        for (const { rule } of here) scoreOf(scores, rule).alarms += 1;
        alarms.push(...here.map(({ rule }) => `${repository} ${place.file}:${place.line} ${rule}`));
        continue;
      }
      const score = scoreOf(scores, place.rule);
      if (here.some(({ rule }) => rule === place.rule)) score.found += 1;
      else {
        score.missed += 1;
        missed.push(`${repository} ${place.file}:${place.line} ${place.rule}`);
      }
    }
  }
  print(scores, quiet);
  for (const alarm of alarms) console.log(`- false alarm: ${alarm}`);
  for (const place of missed) console.log(`- missed: ${place}`);
  for (const repository of missing) console.log(`- no clone of ${repository}`);
}

function scoreOf(scores: Map<string, Score>, rule: string): Score {
  const score = scores.get(rule) ?? { found: 0, missed: 0, alarms: 0 };
  scores.set(rule, score);
  return score;
}

const percent = (part: number, all: number): string => (all === 0 ? "" : `${Math.round((100 * part) / all)} %`);

/** Whether a finding is at a labelled place: the line with the label's text that is nearest to its number. */
function isAt(folder: string, finding: Finding, { file, line, text, whole = false }: Place): boolean {
  if (finding.place.file !== file) return false;
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  const matching = lines.flatMap((each, at) => (each.trim().startsWith(text) ? [at + 1] : []));
  const nearest = matching.toSorted((one, other) => Math.abs(one - line) - Math.abs(other - line))[0];
  if (nearest === undefined) return false;
  return whole ? isWithin(lines, nearest, finding.place.line) : finding.place.line === nearest;
}

/** Whether a line belongs to the item that begins at another: every line between them is indented deeper, or empty. */
function isWithin(lines: readonly string[], from: number, line: number): boolean {
  const indent = (text: string): number => text.search(/\S/);
  const outer = indent(lines[from - 1]!);
  return line >= from && lines.slice(from, line).every((each) => each.trim() === "" || indent(each) > outer);
}

function print(scores: ReadonlyMap<string, Score>, quiet: number): void {
  console.log(
    "| rule | labelled | found | missed | false alarms | recall | precision |\n|---|---|---|---|---|---|---|",
  );
  let [found, all, alarms] = [0, 0, 0];
  for (const [rule, score] of [...scores].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const { found: hits, missed, alarms: wrong } = score;
    console.log(
      `| ${rule} | ${hits + missed} | ${hits} | ${missed} | ${wrong} | ${percent(hits, hits + missed)} | ` +
        `${percent(hits, hits + wrong)} |`,
    );
    found += hits;
    all += hits + missed;
    alarms += wrong;
  }
  console.log(`\nFound ${found} of ${all}; ${alarms} false alarms in ${quiet} quiet places.`);
}

if (values.speed) await speed();
else if (values.beside !== undefined) beside(resolve(values.beside));
else if (values.clones === undefined) {
  console.log(
    "Pass --speed, or --beside <folder> for zizmor and actionlint, or --clones <folder>. The folder of clones",
  );
  console.log(" holds one folder <owner>__<name> for each repository:");
  for (const { repository, commit } of labels.repositories) console.log(`- ${repository} at ${commit}`);
  process.exitCode = 2;
} else await main(values.clones);
