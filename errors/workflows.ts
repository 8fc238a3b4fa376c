// Errors of `ballast workflows`. A breaking change that it finds is a result, not an error; these are about what it was
// told to compare, and where it was told to write.
import { entry } from "./catalogue.ts";

/** One side of the comparison is neither a folder nor a commit. */
export const workflowsSideUnreadable = entry<{ side: string; reason: string }>("workflows-side-unreadable", {
  exitCode: 2,
  title: "Workflows to compare unreadable",
  message: ({ side, reason }) => `${side} cannot be compared: ${reason}.`,
  fix: () => "name a folder with workflows, or a commit, branch or tag of the repository in this folder",
});

/** There is no project whose stacks the workflows could deploy. */
export const workflowsProjectMissing = entry<{ folder: string; reason: string }>("workflows-project-missing", {
  exitCode: 2,
  title: "No Pulumi project to write workflows for",
  message: ({ folder, reason }) => `No workflow was written to ${folder}: ${reason}.`,
  fix: () => "run the command in the folder of a Pulumi project, or name it with --program <folder>",
  left: () => "Nothing was changed.",
});

/** A file that would be written is there, with another text. */
export const workflowsFileExists = entry<{ files: readonly string[] }>("workflows-file-exists", {
  title: "Workflows exist already",
  variants: [{ files: [".github/workflows/preview.yml"] }],
  message: ({ files }) => `These files exist and differ from what would be written: ${files.join(", ")}.`,
  fix: () => "compare them with the output of --print; then replace them with --overwrite, or keep them",
  left: () => "Nothing was changed.",
});

/** A published file was changed by hand, or is another file of that name. */
export const workflowsFileEdited = entry<{ repository: string; files: readonly string[] }>("workflows-file-edited", {
  title: "Published workflows were edited",
  variants: [{ files: [".github/workflows/preview.yml"] }],
  message: ({ repository, files }) => `${repository} has other text in ${files.join(", ")} than was published there.`,
  fix: () => "keep the edit by changing the source, or overwrite it with --repair",
  left: () => "Nothing was changed in this repository, nor in those after it.",
});

/** Others commit to the branch faster than the command can. */
export const workflowsHeadMoving = entry<{ repository: string; branch: string; attempts: number }>(
  "workflows-head-moving",
  {
    title: "A branch moves with every attempt",
    message: ({ repository, branch, attempts }) =>
      `${branch} of ${repository} got another commit during each of ${attempts} attempts.`,
    fix: () => "find out what commits to the branch so often, then run the command again",
    left: () => "Nothing was changed in this repository, nor in those after it.",
  },
);

/** The token may not write workflow files. */
export const workflowsScopeMissing = entry<{ repository: string }>("workflows-scope-missing", {
  title: "Token may not write workflows",
  message: ({ repository }) => `The token for ${repository} does not have the scope workflow.`,
  fix: () => "give GITHUB_TOKEN of an app with the permission `workflows: write`, or a token with the scope workflow",
  left: () => "Nothing was changed.",
});
