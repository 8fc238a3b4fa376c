// What can be wrong with a value that a form reads, as data: where, what was expected, and what was found. Whoever
// shows it decides whether the found value may be repeated: a body of a stranger or a secret must not be.

/** Where in a value: the names of fields and the indexes of items that lead there. */
export type Place = readonly (string | number)[];

/** One problem of a value. A `limit` is broken by a value of the right type, so that checks of the whole go on. */
export type Problem = { readonly at: Place } & (
  | { readonly kind: "shape" | "limit"; readonly expected: string; readonly found: unknown }
  | { readonly kind: "missing" }
  | { readonly kind: "unknown"; readonly names: readonly string[]; readonly known: readonly string[] }
  | { readonly kind: "contradiction"; readonly message: string }
);

/** Writes a place as a path: `strategy.weights[0]`. */
export const pathOf = (at: Place): string =>
  at.reduce<string>((path, step) => {
    if (typeof step === "number") return `${path}[${step}]`;
    return path === "" ? step : `${path}.${step}`;
  }, "");

/** Describes a problem in a sentence that repeats no value. */
export function complaintOf(problem: Problem): string {
  const path = pathOf(problem.at);
  switch (problem.kind) {
    case "shape":
    case "limit":
      return `${path || "the value"} must be ${problem.expected}.`;
    case "missing":
      return `${path} is missing.`;
    case "unknown":
      return unknownField(path || "the value", problem.names, problem.known);
    case "contradiction":
      return path === "" ? problem.message : `${path}: ${problem.message}`;
  }
}

/** Describes a problem in a sentence with the value that was found. Only for values that may be shown. */
export function complaintWithValue(problem: Problem): string {
  if (problem.kind !== "shape" && problem.kind !== "limit") return complaintOf(problem);
  return `${pathOf(problem.at) || "the value"} is ${shown(problem.found)}, but must be ${problem.expected}.`;
}

/** Shows a value in a sentence, cut to a readable length. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.every(isSimple) ? `the list ${cut(JSON.stringify(value))}` : "a list";
  if (typeof value === "string") return cut(JSON.stringify(value));
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  return value === undefined ? "missing" : String(value);
}

/** Lists of anything else may refer to themselves, or be too long to read. */
const isSimple = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);

const cut = (text: string): string => {
  const shownText = withoutCredentials(text);
  return shownText.length > 120 ? `${shownText.slice(0, 120)}…` : shownText;
};

/** Leaves out what an address may hold beside the place: a user with a password, and what is asked with it. */
const withoutCredentials = (text: string): string =>
  text
    .replace(/\/\/[^\s/"]*@|(?<=")[^\s/:@"]+:[^\s/@"]+@(?!sha256:)/g, (found) =>
      found.startsWith("//") ? "//…@" : "…@",
    )
    .replace(/(\/\/[^\s?"]*\?)[^\s"]+/g, "$1…");

function unknownField(where: string, [name = "", ...more]: readonly string[], known: readonly string[]): string {
  // Repeats only what could be a misspelt name of ours; anything else may be a secret or a terminal escape sequence.
  const quoted = /^\w{1,40}$/.test(name) ? ` "${name}"` : "";
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return `${where} has an unknown field${quoted}${others}; the known fields are ${known.join(", ")}.`;
}
