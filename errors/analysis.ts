// Errors of `ballast analyze`. What it finds in a repository is a finding, not an error; these are about the command.
import { entry } from "./catalogue.ts";

/** The path is missing, or is no folder. */
export const analyzeFolderMissing = entry<{ path: string }>("cli-analyze-folder-missing", {
  exitCode: 2,
  title: "Folder to analyse not found",
  message: ({ path }) => `${path} is not a folder that can be read.`,
  fix: () => "name the root of a repository, such as `ballast analyze .`",
});

/** The baseline is missing or was not written by this command. */
export const analyzeBaselineUnreadable = entry<{ file: string; reason: string }>("cli-analyze-baseline-unreadable", {
  exitCode: 2,
  title: "Baseline unreadable",
  message: ({ file, reason }) => `${file} cannot be used as a baseline: ${reason}.`,
  fix: () => "write one with `ballast analyze --write-baseline <file>`, or omit --baseline",
});

/** The baseline cannot be written where the option says. */
export const analyzeBaselineUnwritable = entry<{ file: string; reason: string }>("cli-analyze-baseline-unwritable", {
  exitCode: 2,
  title: "Baseline cannot be written",
  message: ({ file, reason }) => `The baseline was not written to ${file} (${reason}).`,
  fix: () => "name a file in a folder that exists and can be written to",
  left: () => "Nothing was changed.",
});

/** The run history is missing or is not what GitHub's API gives. */
export const analyzeHistoryUnreadable = entry<{ file: string; reason: string }>("cli-analyze-history-unreadable", {
  exitCode: 2,
  title: "Run history unreadable",
  message: ({ file, reason }) => `${file} cannot be used as a run history: ${reason}.`,
  fix: () =>
    "write one with `gh api --paginate --slurp repos/<owner>/<name>/actions/runs/<id>/jobs`, or omit --history",
});

/** Patches are written only where git can take them back. */
export const analyzeTreeDirty = entry<{ path: string; reason: string }>("cli-analyze-tree-dirty", {
  title: "Patches need a clean git tree",
  variants: [{ reason: "it has uncommitted changes" }, { reason: "it is not in a git repository" }],
  message: ({ path, reason }) => `No patch was written to ${path}, because ${reason}.`,
  fix: () => "commit or stash first, or read the patches with --dry-run",
  left: () => "Nothing was changed.",
});
