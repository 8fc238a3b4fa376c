// A published workflow: the text of its source below one line that says where it came from and what its hash was. The
// hash tells an edit by hand from a version that is merely old.
import { createHash } from "node:crypto";

/** What became of a published file. `edited` was changed there, or never was ours. */
export type PublishedState = "missing" | "current" | "outdated" | "edited";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Gives a text as it is published. */
export const published = (text: string, source: string): string =>
  `# Published from ${source} by \`ballast workflows publish\`, which undoes edits. sha256 ${hashOf(text)}\n${text}`;

/** Compares what a repository has with what should be there. */
export function stateOf(found: string | undefined, wanted: string): PublishedState {
  if (found === undefined) return "missing";
  if (found === wanted) return "current";
  const [, hash, text = ""] = /^# Published from \S+ by .* sha256 ([0-9a-f]{64})\n([^]*)$/.exec(found) ?? [];
  return hash !== undefined && hash === hashOf(text) ? "outdated" : "edited";
}
