// What `ballast analyze` does: it opens the folder, analyses it, compares with the baseline, proves patches if they
// were asked for, and prints the report.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Analysis, analyze } from "../../analysis/analyze.ts";
import { baselineOf, compareWithBaseline } from "../../analysis/baseline.ts";
import { openFolder } from "../../analysis/folder.ts";
import type { Graph } from "../../analysis/graph.ts";
import { compareText } from "../../analysis/place.ts";
import { htmlPage } from "../../analysis/reports/html.ts";
import { jsonPage } from "../../analysis/reports/json.ts";
import { markdownPage } from "../../analysis/reports/markdown.ts";
import { sarifPage } from "../../analysis/reports/sarif.ts";
import { rankOf } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { type Gap, type Summary, summarize } from "../../analysis/summary.ts";
import type { Folder } from "../../analysis/systems/system.ts";
import { historyFile, readHistory } from "../../analysis/systems/workflows/history.ts";
import {
  analyzeBaselineUnreadable,
  analyzeBaselineUnwritable,
  analyzeFolderMissing,
  analyzeHistoryUnreadable,
} from "../../errors/analysis.ts";
import { lookAfter } from "../still-running.ts";
import { print } from "../terminal.ts";
import { type AnalyzeOptions, scopes } from "./options.ts";
import { patchesFor } from "./patches.ts";

const findingsOfQuick = 10;

/**
 * Runs the command.
 *
 * @throws cli-analyze-folder-missing, cli-analyze-history-unreadable, cli-analyze-baseline-unreadable,
 *   cli-analyze-baseline-unwritable, cli-analyze-tree-dirty
 */
export async function runAnalyze(path: string, options: AnalyzeOptions, version: string): Promise<void> {
  const root = resolve(path);
  if (!isFolder(root)) throw analyzeFolderMissing({ path });
  const look = lookAfter(() => `analyzing ${path}`);
  const folder = watched(withHistory(openFolder(root), options.history), look);
  const whole = await analyze(folder, {
    rules: rulebook.map((rule) => ({
      ...rule,
      check: (graph: Graph) => {
        look();
        return rule.check(graph);
      },
    })),
    scope: scopes[options.scope] ?? [],
    ...(options.focus !== "all" && { focus: options.focus }),
  });
  if (options.writeBaseline) writeBaseline(options.writeBaseline, baselineOf(whole.findings));
  const analysis = narrowed(whole, options);
  const patches = await patchesFor(root, folder, analysis, options);
  const summary = summarize(analysis, unreadOf(options.scope));
  // A program reads the other forms, so what happened to the files is said on standard error.
  if (patches !== undefined && options.format !== "md") process.stderr.write(`${patches}\n`);
  if (!options.validateOnly) print(pageOf(analysis, summary, options, version, patches));
  const isFailed = analysis.findings.some(({ severity }) => rankOf(severity) >= rankOf(options.failOn));
  if (isFailed || unreadOf(options.scope).length > 0) process.exitCode = 1;
}

function writeBaseline(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw analyzeBaselineUnwritable({ file, reason: (error as NodeJS.ErrnoException).code ?? "unknown reason" });
  }
}

/** Calls `look` at each file that is read, since reading and judging leave no pause for a timer. */
const watched = (folder: Folder, look: () => void): Folder => ({
  ...folder,
  read: (file) => {
    look();
    return folder.read(file);
  },
});

/** Puts a run history from elsewhere where the analysis looks for one. */
function withHistory(folder: Folder, file: string | undefined): Folder {
  if (file === undefined) return folder;
  const text = historyText(file);
  return {
    files: [...new Set([...folder.files, historyFile])].toSorted(compareText),
    read: (each) => (each === historyFile ? { text } : folder.read(each)),
  };
}

function historyText(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw analyzeHistoryUnreadable({
      file,
      reason: `it cannot be read (${(error as NodeJS.ErrnoException).code})`,
    });
  }
  if (readHistory(text) === undefined) throw analyzeHistoryUnreadable({ file, reason: "it is no list of jobs" });
  return text;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** What a scope asks for and nothing reads yet. Such a scope is never green. */
const unreadOf = (scope: string): readonly Gap[] =>
  scope === "production" ? [{ what: "program code", because: "program code is not read yet" }] : [];

/** Leaves out what the baseline has. */
function narrowed(analysis: Analysis, { baseline }: AnalyzeOptions): Analysis {
  if (baseline === undefined) return analysis;
  const compared = compareWithBaseline(analysis, textOf(baseline));
  if (compared === undefined)
    throw analyzeBaselineUnreadable({ file: baseline, reason: "it was not written by --write-baseline" });
  const lines = compared.gone.map(({ rule, file }) => `  ${file}  ${rule}\n`).join("");
  if (lines !== "") process.stderr.write(`No longer found; remove from the baseline:\n${lines}`);
  return { ...analysis, findings: compared.added };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw analyzeBaselineUnreadable({ file, reason: `it cannot be read (${(error as NodeJS.ErrnoException).code})` });
  }
}

function pageOf(
  analysis: Analysis,
  summary: Summary,
  { format, output, depth }: AnalyzeOptions,
  version: string,
  patches: string | undefined,
): string {
  if (format === "json") return jsonPage(analysis, summary);
  if (format === "sarif") return sarifPage(analysis, version);
  if (format === "html") return htmlPage(analysis, summary);
  const shown = depth === "quick" ? { ...analysis, findings: analysis.findings.slice(0, findingsOfQuick) } : analysis;
  return markdownPage(shown, summary, {
    onlyFixes: output === "recommendations",
    ...(output === "full" && { most: Number.POSITIVE_INFINITY }),
    ...(patches !== undefined && { patches }),
  });
}
