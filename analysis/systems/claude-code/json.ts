// JSON of strangers: parsed without an exception, since a file that is no JSON is a finding and not a failure. The
// place and the words of a fault are ours, so that they are the same on every version of Node.

/** Gives the value, or undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** A clause without a subject, such as "a comment". */
  readonly what: string;
}

const token = /\s*(?:("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([{}[\],:]))/y;

/** Finds the first thing that keeps a text from being JSON; undefined if it is JSON. */
export function faultOfJson(text: string): JsonFault | undefined {
  if (parseJson(text) !== undefined) return undefined;
  const at = firstFault(text);
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1, what: whatIs(text, at) };
}

/** Follows the tokens: each must be one that may stand after the one before. */
function firstFault(text: string): number {
  let at = 0;
  let previous = "";
  for (;;) {
    token.lastIndex = at;
    const match = token.exec(text);
    const start = at + /^\s*/.exec(text.slice(at, at + 10_000))![0].length;
    if (match === null) return start;
    const current = match[1] === undefined ? match[2]! : "value";
    if (!mayFollow(previous, current)) return start;
    previous = current;
    at = token.lastIndex;
  }
}

function mayFollow(previous: string, current: string): boolean {
  if (current === "value" || current === "{" || current === "[") return ["", "{", "[", ",", ":"].includes(previous);
  if (current === ":") return previous === "value";
  if (current === ",") return ["value", "}", "]"].includes(previous);
  return previous !== "," && previous !== ":" && previous !== "";
}

function whatIs(text: string, at: number): string {
  if (at >= text.length) return text.trim() === "" ? "nothing" : "an end before it is complete";
  if (/^\/[/*]/.test(text.slice(at, at + 2))) return "a comment";
  if (/^[}\]]/.test(text[at]!)) return "a comma or a colon before a bracket";
  return `an unexpected ${/["'\w]/.test(text[at]!) ? "value" : `character ${text[at]}`}`;
}
