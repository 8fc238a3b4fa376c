// Proves patches before they are offered: after a patch, its finding is gone, no new one has come, nothing else in the
// file means something else, and GitHub's own parser accepts the file. A patch that fails any of this is dropped.
import { parseDocument } from "yaml";
import { type Analysis, judge, readGraph } from "../analyze.ts";
import { compareText } from "../place.ts";
import type { Finding, Repair, Rule } from "../rule.ts";
import { fingerprintOf } from "../summary.ts";
import type { Folder } from "../systems/system.ts";
import { rejectionsOf } from "../systems/workflows/official.ts";
import { applyEdits } from "./apply.ts";

/** A change of files that was proven. */
export interface Proven {
  readonly finding: Finding;
  readonly title: string;
}

/** All proven patches together. */
export interface Patches {
  readonly proven: readonly Proven[];
  /** Patches that were dropped, and why. */
  readonly dropped: readonly { readonly finding: Finding; readonly because: string }[];
  /** The files as they become, by path. Line ends are those of the raw texts. */
  readonly files: ReadonlyMap<string, string>;
}

/** Proves the repairs of findings one after another, each on the result of those before. */
export async function provePatches(
  folder: Folder,
  rawOf: (file: string) => string,
  findings: readonly Finding[],
  rules: readonly Rule[],
): Promise<Patches> {
  const files = new Map<string, string>();
  const proven: Proven[] = [];
  const dropped: { finding: Finding; because: string }[] = [];
  for (const wanted of findings.filter(({ repair }) => repair !== undefined)) {
    // Lines have moved: the finding is looked up again in the files as they are now.
    const current = await judged(overlaid(folder, files), rules);
    const finding = current.findings.find((each) => fingerprintOf(each) === fingerprintOf(wanted));
    if (finding?.repair === undefined) continue;
    const next = patched(files, rawOf, finding.repair);
    const because =
      next === undefined ? "its edits overlap" : await objection(folder, files, next, finding, current, rules);
    if (because === undefined) {
      for (const [file, text] of next!) files.set(file, text);
      proven.push({ finding, title: finding.repair.title });
    } else dropped.push({ finding: wanted, because });
  }
  return { proven, dropped, files };
}

type Judged = Pick<Analysis, "findings" | "failed">;

const judged = async (folder: Folder, rules: readonly Rule[]): Promise<Judged> =>
  judge(await readGraph(folder, { asksGitHub: false }), rules);

/** A folder with some files replaced. */
const overlaid = (folder: Folder, files: ReadonlyMap<string, string>): Folder => ({
  files: folder.files,
  read: (file) => {
    const text = files.get(file);
    return text === undefined ? folder.read(file) : { text: text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n") };
  },
});

function patched(
  files: ReadonlyMap<string, string>,
  rawOf: (file: string) => string,
  { edits }: Repair,
): ReadonlyMap<string, string> | undefined {
  const next = new Map<string, string>();
  for (const file of [...new Set(edits.map(({ place }) => place.file))].toSorted(compareText)) {
    const own = edits.filter(({ place }) => place.file === file);
    const text = applyEdits(files.get(file) ?? rawOf(file), own);
    if (text === undefined) return undefined;
    next.set(file, text);
  }
  return next;
}

/** Says what speaks against a patch. */
async function objection(
  folder: Folder,
  before: ReadonlyMap<string, string>,
  next: ReadonlyMap<string, string>,
  finding: Finding,
  current: Judged,
  rules: readonly Rule[],
): Promise<string | undefined> {
  const after = await judged(overlaid(folder, new Map([...before, ...next])), rules);
  const known = new Set(current.findings.map(fingerprintOf));
  const failed = after.failed.find(({ rule }) => !current.failed.some((each) => each.rule === rule));
  if (failed) return `${failed.rule} cannot judge the result`;
  if (after.findings.some((each) => fingerprintOf(each) === fingerprintOf(finding))) return "the finding would stay";
  const added = after.findings.find((each) => !known.has(fingerprintOf(each)));
  if (added) return `it would cause ${added.rule}`;
  const sources = [...next].map(([file, text]) => ({ file, text: text.replace(/^\uFEFF/, "") }));
  if (sources.some(({ file, text }) => fieldsChanged(file, textBefore(folder, before, file), text) > 4))
    return "it would change more than the patched field";
  const { rejected, unchecked } = await rejectionsOf(sources.filter(({ file }) => file.startsWith(".github/")));
  if (unchecked.length > 0) return "GitHub's parser did not finish with it";
  return [...rejected.values()].some((errors) => errors.length > 0) ? "GitHub would reject the file" : undefined;
}

function textBefore(folder: Folder, before: ReadonlyMap<string, string>, file: string): string {
  const text = before.get(file);
  if (text !== undefined) return text;
  const read = folder.read(file);
  return "text" in read ? read.text : "";
}

/** Counts the values that two texts of YAML do not share. Below its frontmatter, Markdown is one value a line. */
function fieldsChanged(file: string, one: string, other: string): number {
  const [ones, others] = [one, other].map((text) => {
    const [, head, body] = /^---\n(.*?\n)---\n(.*)$/s.exec(file.endsWith(".md") ? text : "") ?? [];
    const values = leaves(parseDocument(head ?? text).toJS({ maxAliasCount: 100 }), "");
    return new Set([...values, ...(body ?? "").split("\n").map((line, at) => `${at} ${line}`)]);
  });
  return (
    [...ones!].filter((leaf) => !others!.has(leaf)).length + [...others!].filter((leaf) => !ones!.has(leaf)).length
  );
}

function leaves(value: unknown, path: string): readonly string[] {
  if (typeof value !== "object" || value === null) return [`${path}=${String(value)}`];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, `${path}/${key}`));
}
