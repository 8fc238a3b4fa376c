// The patches of `ballast analyze`: they are proven, shown as a diff, and written only with --implement and only to a
// clean git tree, so that git can take them back byte for byte.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  if (writes) for (const [file, text] of patches.files) writeFileSync(join(root, file), text);
  return described(patches, rawOf, writes);
}

function described({ proven, dropped, files }: Patches, rawOf: (file: string) => string, isWritten: boolean): string {
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
    ...(isWritten
      ? [`Written. The way back: \`git checkout -- ${names.join(" ")}\``]
      : ["Nothing was changed. `--implement` writes this:", ...diffs]),
  ].join("\n\n");
}

/** Git is asked without hooks and monitors, because the folder may be a stranger's. */
function requireCleanTree(root: string): void {
  const { status, stdout } = spawnSync(
    "git",
    ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "status", "--porcelain", "--", "."],
    { cwd: root, encoding: "utf8" },
  );
  if (status !== 0) throw analyzeTreeDirty({ path: root, reason: "it is not in a git repository" });
  if (stdout.trim() !== "") throw analyzeTreeDirty({ path: root, reason: "it has uncommitted changes" });
}
