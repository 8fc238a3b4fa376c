// The hidden first line of a comment of ours: which project and stack it is about, and which commit it was made for.
// One project and stack have one comment in a pull request, whatever else comments there, and however often.

/** What a comment is about. */
export interface Subject {
  readonly project: string;
  readonly stack: string;
}

const escaped = (text: string): string => encodeURIComponent(text).replaceAll("-", "%2D");
const prefix = "<!-- ballast:preview ";

/** Gives the first line of a comment. */
export const markerOf = ({ project, stack }: Subject, commit: string): string =>
  `${prefix}${escaped(project)}/${escaped(stack)} ${commit} -->`;

/** Reads the first line of a comment. @returns undefined if the comment is not one of ours */
export function readMarker(body: string): (Subject & { readonly commit: string }) | undefined {
  const [, project, stack, commit] = /^<!-- ballast:preview ([^\s/]+)\/([^\s/]+) ([0-9a-f]+) -->/.exec(body) ?? [];
  if (project === undefined || stack === undefined || commit === undefined) return undefined;
  return { project: decoded(project), stack: decoded(stack), commit };
}

/** A comment may have been edited by hand, so what cannot be decoded stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const staleLine = "<!-- ballast:stale -->";

/** Gives a comment with the notice that the pull request has a newer commit, in place of an older notice. */
export function withStaleNotice(body: string, head: string): string {
  const [marker = "", ...rest] = withoutStaleNotice(body).split("\n");
  const commit = readMarker(marker)?.commit;
  const made = commit === undefined ? "an older commit" : short(commit);
  const words = `> This preview is out of date. It was made for ${made}; the pull request is at ${short(head)}.`;
  return [marker, staleLine, "> [!WARNING]", words, "", ...rest].join("\n");
}

/** Gives a comment without such a notice. */
export function withoutStaleNotice(body: string): string {
  const lines = body.split("\n");
  return lines[1] === staleLine ? [lines[0], ...lines.slice(5)].join("\n") : body;
}

/** Gives the first characters of a commit, as GitHub shows it. */
export const short = (commit: string): string => commit.slice(0, 7);
