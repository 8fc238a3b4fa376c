// Where something stands in a repository, and how the analysis knows it. Every node, edge and finding carries both, so
// that a reader can check it and a report can link to it. Files are relative to the analysed folder, with `/`.

/** A range in a file. Lines and columns begin at 1; the end is exclusive. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A text of a file with its place. */
export interface Text {
  readonly text: string;
  readonly place: Place;
  /** Whether it is a block (`|` or `>`), whose first line stands on the line after its place. */
  readonly isBlock: boolean;
}

/**
 * How something is known: it follows from the files (`structural`), it was measured (run history, event log), or it was
 * inferred from names or prose, with a confidence between 0 and 1.
 */
export type Known = "structural" | "measured" | { readonly inferred: number };

/** What a node or an edge is based on. */
export interface Evidence {
  readonly place: Place;
  readonly known: Known;
}

/** Gives evidence that follows from the files. */
export const structural = (place: Place): Evidence => ({ place, known: "structural" });

/** Gives evidence that was inferred. */
export const inferred = (place: Place, confidence: number): Evidence => ({ place, known: { inferred: confidence } });

/** Gives the confidence as a number; what is structural or measured is certain. */
export const confidenceOf = (known: Known): number => (typeof known === "object" ? known.inferred : 1);

/** Gives the less certain of two. */
export const weaker = (one: Known, other: Known): Known => (confidenceOf(other) < confidenceOf(one) ? other : one);

/** Gives the place of one line of a text, counted from 0. */
export function lineOf({ place, isBlock }: Text, index: number): Place {
  const line = place.line + index + (isBlock ? 1 : 0);
  return index === 0 && !isBlock ? place : { ...place, line, column: 1, endLine: line, endColumn: 1 };
}

/** Orders places by file, line and column. Files are compared by code units, so the order has no locale. */
export const byPlace = (one: Place, other: Place): number =>
  compareText(one.file, other.file) || one.line - other.line || one.column - other.column;

/** Compares by code units. */
export const compareText = (one: string, other: string): number => Number(one > other) - Number(one < other);
