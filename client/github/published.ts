// A published workflow: the text of its source below one line that says where it came from and what its hash was. The
// hash tells an edit by hand from a version that is merely old.
import { createHash } from "node:crypto";

/** What became of a published file. `edited` was changed there, or never was ours; `obsolete` is no longer wanted. */
export type PublishedState = "missing" | "current" | "outdated" | "edited" | "obsolete";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A checkout on Windows has other line ends, and they mean nothing in YAML. */
export const unixLines = (text: string): string => text.replaceAll("\r\n", "\n");

/** Gives a text as it is published. The source is `owner/name@commit`. */
export function published(given: string, source: string): string {
  const text = unixLines(given);
  return `# Published from ${source} by Ballast, which undoes edits. sha256 ${hashOf(text)}\n${text}`;
}

const headed = /^# Published from ([^\s@]+)@\S+ by .* sha256 ([0-9a-f]{64})\n([^]*)$/;

/**
 * Compares what a repository has with what should be there; undefined is to be there no longer.
 *
 * The same text of another commit of its source is current: a source that moves on must not make a commit in every
 * repository.
 */
export function stateOf(found: string | undefined, wanted: string | undefined, source: string): PublishedState {
  if (found === undefined) return wanted === undefined ? "current" : "missing";
  const [, from, hash, text = ""] = headed.exec(unixLines(found)) ?? [];
  if (hash === undefined || hash !== hashOf(text)) return "edited";
  if (wanted === undefined) return "obsolete";
  return text === unixLines(wanted) && from === source.split("@")[0] ? "current" : "outdated";
}
