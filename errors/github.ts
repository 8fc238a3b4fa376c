// Errors of the commands that write to GitHub: `ballast comment` and `ballast issue`. What a preview holds is no error
// of theirs; these are about files that cannot be read, and about what GitHub refuses.
import { entry } from "./catalogue.ts";

/** The command does not know which repository it should write to, or as whom. */
export const githubAccessUnclear = entry<{ what: string; fix: string }>("github-access-unclear", {
  exitCode: 2,
  title: "Repository or token missing",
  message: ({ what }) => `GitHub was not called: ${what}.`,
  fix: ({ fix }) => fix,
  left: () => "Nothing was written.",
});

const remedies: Readonly<Record<number, string>> = {
  401: "give a token that has not expired in GITHUB_TOKEN",
  403: "give the job the permission that the command's help names",
  404: "check the repository and the number; GitHub also answers 404 if the token may not see them",
};

/** GitHub answered that it will not do it. */
export const githubRefused = entry<{ what: string; status: number; reason: string }>("github-refused", {
  title: "GitHub refused a request",
  variants: [{ status: 401 }, { status: 403 }, { status: 404 }, { status: 422 }],
  message: ({ what, status, reason }) => `GitHub refused ${what} with status ${status}: ${reason}.`,
  fix: ({ status }) => remedies[status] ?? "read GitHub's reason, and run the command again once it is met",
});

/** GitHub did not answer, or its answer is no answer of its API. */
export const githubUnreachable = entry<{ what: string; reason: string }>("github-unreachable", {
  title: "No usable answer from GitHub",
  message: ({ what, reason }) => `GitHub did not answer ${what}: ${reason}.`,
  fix: () => "run the command again; it finds what an earlier run wrote, and writes nothing twice",
  left: () => "The last request may have been carried out.",
});

/** A file that the comment is made of is missing or holds something else. */
export const commentSourceUnreadable = entry<{ file: string; reason: string; from: string }>(
  "comment-source-unreadable",
  {
    exitCode: 2,
    title: "Source of a comment unreadable",
    message: ({ file, reason }) => `No comment can be made from ${file}: ${reason}.`,
    fix: ({ from }) => `give the output of ${from}`,
    left: () => "Nothing was written.",
  },
);
