// Text → markup that cannot be anything but text. Every value that is put into a template is escaped, so that a page is safe by the way in
// which it is written and not by care. It knows no page and no rollout.

/** Markup that was made by `html`, and by nothing else. */
export interface Markup {
  readonly markup: string;
}

/** What a template takes: markup as it is, lists one after the other, everything else as text. */
export type Piece = Markup | string | number | readonly Piece[];

// What turns the direction of writing around or is not to be seen could show another name than the one that is there.
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Gives a text as it may stand between tags and in a quoted attribute; characters that are not to be seen become a visible mark. */
export const escape = (text: string): string =>
  text.replace(unseen, "\ufffd").replace(/[&<>"']/g, (character) => escapes[character]!);

/** Makes markup of a template, in which every value is text unless it was made here. */
export const html = (parts: TemplateStringsArray, ...values: readonly Piece[]): Markup => ({
  markup: parts.map((part, index) => part + (index < values.length ? render(values[index]!) : "")).join(""),
});

/** Writes a piece; a list is typed here and not by `Array.isArray`, which does not know read-only ones. */
function render(piece: Piece): string {
  if (typeof piece === "string" || typeof piece === "number") return escape(String(piece));
  return "markup" in piece ? piece.markup : piece.map(render).join("");
}
