// Text → markup. Every value in a template is escaped, so that a page is safe by construction.

/** Markup made by `html`. */
export interface Markup {
  readonly markup: string;
}

/** What a template takes: markup unchanged, lists joined, everything else as text. */
export type Piece = Markup | string | number | readonly Piece[];

// Invisible characters and changes of direction could make a name look like another one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes a text for use between tags or in a quoted attribute; invisible characters become a visible mark. */
const escape = (text: string): string =>
  text.replace(unseen, "\ufffd").replace(/[&<>"']/g, (character) => escapes[character]!);

/** Makes markup from a template; every value in it is escaped unless it is markup already. */
export const html = (parts: TemplateStringsArray, ...values: readonly Piece[]): Markup => ({
  markup: parts.map((part, index) => part + (index < values.length ? render(values[index]!) : "")).join(""),
});

/** Writes a piece. It avoids `Array.isArray`, whose type does not cover read-only lists. */
function render(piece: Piece): string {
  if (typeof piece === "string" || typeof piece === "number") return escape(String(piece));
  return "markup" in piece ? piece.markup : piece.map(render).join("");
}
