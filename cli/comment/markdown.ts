// Texts from files as parts of GitHub's Markdown. Whoever opens a pull request chooses names and values in it, so none
// of them may break a table, mention a person, link an issue, or end a comment's hidden marker.

/** Control characters, those that turn the direction of a text, and the colours in messages of the Pulumi CLI. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const unprintable = /\u001b\[[0-9;]*m|<\{%.*?%\}>|[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g;

const oneLine = (text: string): string => text.replaceAll(unprintable, "").replaceAll(/\s+/g, " ").trim();

/**
 * Gives a text as code within a line or a table. A table takes two backslashes for one that is escaped, so a bar behind
 * a backslash would end the cell, and the code with it.
 */
export const code = (text: string): string => {
  const escaped = oneLine(text)
    .replaceAll("`", "'")
    .replaceAll(/(\\*)\|/g, (_bar, backslashes: string) => (backslashes === "" ? "\\|" : `${backslashes}¦`));
  return `\`${escaped || " "}\``;
};

/** Gives a text as prose. */
export const prose = (text: string): string =>
  oneLine(text)
    .replaceAll(/[\\`*_{}[\]<>|~!]/g, "\\$&")
    // A character without width, so that nobody is notified, and that no issue and no address is linked.
    .replaceAll(/[@#]|:(?=\/\/)|\bwww(?=\.)|\bGH(?=-\d)/gi, "$&\u200b");

/** Gives lines as a block that shows them as they are. */
export function block(text: string): string {
  const clean = text.replaceAll(unprintable, "");
  const fence = "`".repeat(Math.max(3, ...[...clean.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `${fence}text\n${clean.trimEnd()}\n${fence}`;
}

/** Gives a table; nothing if it has no rows. */
export const table = (heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : [[heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")];
