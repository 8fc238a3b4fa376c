// The patches of `ballast analyze`: they are proven, shown as a diff, and written only with --implement and only to a
// clean git tree. The way back is a patch file inside of the git folder, where it does not make the tree dirty; it
// names the checksums of the files before and after.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Analysis } from "../../analysis/analyze.ts";
import { type Patches, provePatches } from "../../analysis/patches/prove.ts";
import type { Folder } from "../../analysis/systems/system.ts";
import { analyzeTreeDirty } from "../../errors/analysis.ts";
import { unifiedDiff } from "./diff.ts";

/** The options about patches. */
export interface PatchOptions {
  readonly depth: string;
  readonly output: string;
  readonly implement?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Proves the patches of an analysis and describes them; writes them if asked.
 *
 * @returns the section of the page; undefined if patches were not asked for
 * @throws cli-analyze-tree-dirty
 */
export async function patchesFor(
  root: string,
  folder: Folder,
  analysis: Analysis,
  { depth, output, implement = false, dryRun = false }: PatchOptions,
): Promise<string | undefined> {
  const writes = implement && !dryRun;
  if (!writes && !dryRun && depth !== "deep" && output !== "full") return undefined;
  if (writes) requireCleanTree(root);
  const rawOf = (file: string): string =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(readFileSync(join(root, file)));
  const patches = await provePatches(folder, rawOf, analysis.findings, analysis.rules);
  if (!writes || patches.files.size === 0) return described(patches, rawOf);
  const wayBack = writeWayBack(root, patches, rawOf);
  for (const [file, text] of patches.files) writeFileSync(join(root, file), text);
  return described(patches, rawOf, wayBack);
}

/** Writes the reverse patch before anything is changed. @returns the command that goes back */
function writeWayBack(root: string, { files }: Patches, rawOf: (file: string) => string): string {
  const path = resolve(root, git(root, ["rev-parse", "--git-path", "ballast/undo.patch"]).stdout.trim());
  const inside = git(root, ["rev-parse", "--show-prefix"]).stdout.trim();
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");
  const parts = [...files].map(
    ([file, text]) =>
      `# ${file}: sha256 ${sum(text)} becomes ${sum(rawOf(file))}\n` +
      unifiedDiff(`${inside}${file}`, text, rawOf(file)),
  );
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, parts.join(""));
  const named = relative(root, path).replaceAll("\\", "/");
  return `git apply --whitespace=nowarn ${/^[\w./-]+$/.test(named) ? named : JSON.stringify(named)}`;
}

function described({ proven, dropped, files }: Patches, rawOf: (file: string) => string, wayBack?: string): string {
  const drops = dropped.map(
    ({ finding, because }) =>
      `- not offered for \`${finding.place.file}:${finding.place.line}\` (${finding.rule}): ${because}`,
  );
  if (proven.length === 0) return ["No patch is proven.", ...drops].join("\n");
  const list = proven.map(({ finding, title }) => `- ${title}: \`${finding.place.file}\` (${finding.rule})`);
  const names = [...files.keys()];
  const diffs = names.map((file) => `\`\`\`diff\n${unifiedDiff(file, rawOf(file), files.get(file)!)}\`\`\``);
  return [
    [...list, ...drops].join("\n"),
    ...(wayBack !== undefined
      ? [`Written to ${names.map((name) => `\`${name}\``).join(", ")}. The way back: \`${wayBack}\``]
      : ["Nothing was changed. `--implement` writes this:", ...diffs]),
  ].join("\n\n");
}

/** Git is asked without hooks and monitors, because the folder may be a stranger's. */
const git = (root: string, words: readonly string[]) =>
  spawnSync("git", ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...words], {
    cwd: root,
    encoding: "utf8",
  });

function requireCleanTree(root: string): void {
  const { status, stdout } = git(root, ["status", "--porcelain", "--", "."]);
  if (status !== 0) throw analyzeTreeDirty({ path: root, reason: "it is not in a git repository" });
  if (stdout.trim() !== "") throw analyzeTreeDirty({ path: root, reason: "it has uncommitted changes" });
}
