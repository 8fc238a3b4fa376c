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

/** The folder is below the root of its repository. */
export const workflowsRootElsewhere = entry<{ folder: string; root: string; program: string }>(
  "workflows-root-elsewhere",
  {
    exitCode: 2,
    title: "Not the root of the repository",
    message: ({ folder, root }) =>
      `GitHub reads workflows in the root of a repository only, and ${folder} is below the root ${root}.`,
    fix: ({ root, program }) => `run the command in ${root}, with --program ${program}`,
    left: () => "Nothing was written.",
  },
);

/** A file that would be written is there, with another text. */
export const workflowsFileExists = entry<{
  files: readonly { readonly path: string; readonly purpose: string }[];
}>("workflows-file-exists", {
  title: "Workflows exist already",
  variants: [
    { files: [{ path: ".github/workflows/preview.yml", purpose: "Shows in each pull request what changes" }] },
  ],
  message: ({ files }) =>
    `These files exist with different content: ${files
      .map(({ path, purpose }) => `${path} ("${purpose}")`)
      .join(", ")}.`,
  fix: ({ files }) =>
    "see with --print what would be written; then replace the files with --overwrite, keep yours with " +
    `${files.map(({ path }) => `--skip ${path.slice(path.lastIndexOf("/") + 1)}`).join(" ")}, or rename yours`,
  left: () => "Nothing was written.",
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

/** What was published to a repository does not work there. */
export const workflowsChecksFailed = entry<{
  repository: string;
  checks: readonly { readonly name: string; readonly conclusion: string; readonly url: string }[];
  back: string;
}>("workflows-checks-failed", {
  title: "Published workflows failed their checks",
  variants: [
    { checks: [{ name: "preview-dev / preview", conclusion: "failure", url: "https://github.com/acme/canary" }] },
  ],
  message: ({ repository, checks }) =>
    `The workflows that were published to ${repository} do not work there: ` +
    `${checks.map(({ name, conclusion, url }) => `${name} is ${conclusion}${url && ` (${url})`}`).join(", ")}.`,
  fix: () => "read the run, mend the workflows, and run the command again",
  left: ({ repository, back }) =>
    `${repository} has its former workflows again, by the commit ${back.slice(0, 7)}. ` +
    "The repositories after it were left as they are.",
});

/** GitHub sells what the program asks for. */
export const workflowsPlanTooSmall = entry<{ repository: string; plan: string; wishes: readonly string[] }>(
  "workflows-plan-too-small",
  {
    title: "The plan of a repository's owner is too small",
    variants: [{ wishes: ["reviewers or a wait for the environment prod"] }],
    message: ({ repository, plan, wishes }) =>
      `${repository} is private, and the plan "${plan}" of its owner does not have ${wishes.join(" and ")}.`,
    fix: () => "leave it out, make the repository public, or change the plan",
    left: () => "Nothing was changed.",
  },
);

/** Deployments would wait for people who cannot approve them, or for nobody. */
export const workflowsReviewersUnusable = entry<{ repository: string; reasons: readonly string[] }>(
  "workflows-reviewers-unusable",
  {
    title: "Reviewers cannot approve deployments",
    variants: [{ reasons: ["acme has no team operations, or the token may not see it"] }],
    message: ({ repository, reasons }) =>
      `The reviewers of environments of ${repository} cannot be set: ${reasons.join("; ")}.`,
    fix: () => "name teams of the repository's organisation by their slugs, and give them access to the repository",
    left: () => "Nothing was changed.",
  },
);

/** Two environments would be one, or GitHub would not take the name. */
export const workflowsEnvironmentsMisnamed = entry<{ repository: string; reasons: readonly string[] }>(
  "workflows-environments-misnamed",
  {
    title: "Names of environments refused",
    variants: [{ reasons: ["prod and Prod are one environment, since GitHub ignores letter case"] }],
    message: ({ repository, reasons }) => `The environments of ${repository} cannot be set: ${reasons.join("; ")}.`,
    fix: () => "rename the environment in the program, and in the workflows that name it",
    left: () => "Nothing was changed.",
  },
);

/** An archived repository can only be read. */
export const workflowsRepositoryArchived = entry<{ repository: string }>("workflows-repository-archived", {
  title: "Archived repository",
  message: ({ repository }) => `${repository} is archived, so nothing can be written to it.`,
  fix: () => "unarchive it, or take it out of the program",
  left: () => "Nothing was changed.",
});

/** Azure limits how many kinds of tokens an identity trusts. */
export const workflowsCredentialsTooMany = entry<{ identity: string; needed: number; most: number }>(
  "workflows-credentials-too-many",
  {
    title: "Too many federated credentials for one identity",
    message: ({ identity, needed, most }) =>
      `The identity ${identity} would need ${needed} federated credentials, and Azure allows ${most} for one. ` +
      "Each environment of a repository takes two, since GitHub has two forms of subjects.",
    fix: () => "give some of the environments, or each repository, a guard with an identity of its own",
    left: () => "Nothing was changed.",
  },
);

/** A required check that nothing reports is waited for, for ever. */
export const workflowsCheckUnknown = entry<{ checks: readonly string[]; emitted: readonly string[] }>(
  "workflows-check-unknown",
  {
    title: "A required check is reported by no workflow",
    variants: [{ checks: ["preview"], emitted: ["preview-dev / preview"] }],
    message: ({ checks, emitted }) =>
      `The workflows report no check ${checks.join(", ")}, so a pull request would wait for it for ever. ` +
      `They report ${emitted.join(", ")}.`,
    fix: () => "name one of those in `requiredChecks`",
    left: () => "Nothing was changed.",
  },
);
