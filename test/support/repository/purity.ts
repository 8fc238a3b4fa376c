// Finds what makes code impure: globals that are not known to be pure, such as a clock, chance, timers or the network;
// everything asynchronous; what depends on the machine's language; and state of a module that outlives a call. It
// allows a list of globals rather than forbidding one, so a global of a later Node is impure until it is listed.
import { type Resolve, resolverOf } from "./scopes.ts";
import {
  isReference,
  literalText,
  type Node,
  nameOf,
  nodesOf,
  type Placed,
  propertyOf,
  rootOf,
  type Source,
} from "./syntax.ts";

/** One impure word, and the line where it stands. */
export interface Use {
  readonly word: string;
  readonly line: number;
}

/**
 * The language's own values whose results depend on their arguments only. `WeakMap` is one of them, because it shows
 * nothing of the garbage collector; `WeakRef` shows it.
 */
const pureValues =
  "undefined Infinity NaN Math Map Set WeakMap Object Array Number String Boolean BigInt Symbol JSON RegExp Iterator " +
  "Error TypeError RangeError Uint8Array Float64Array parseInt parseFloat isNaN isFinite " +
  "encodeURIComponent decodeURIComponent structuredClone Intl";

/** TypeScript's own types that stand for such values, or for no value. */
const pureTypes =
  "Readonly Record Partial Required Pick Omit Exclude Extract NonNullable Parameters ReturnType NoInfer Capitalize " +
  "Uncapitalize Uppercase Lowercase ReadonlyMap ReadonlySet ReadonlyArray Iterable IterableIterator IteratorObject " +
  "Generator ArrayLike PropertyKey const";

const pure = new Set(`${pureValues} ${pureTypes}`.split(" "));

/** Properties of pure globals that are not pure, by the global. */
const impureProperties: Readonly<Record<string, readonly string[]>> = {
  Math: ["random"],
  Array: ["fromAsync"],
  Error: ["captureStackTrace", "prepareStackTrace", "stackTraceLimit"],
};

/** Properties of any value that depend on the machine's language or on the call stack, or that lead to `Function`. */
const impureMembers = new Set([
  "localeCompare",
  "toLocaleString",
  "toLocaleDateString",
  "toLocaleTimeString",
  "toLocaleUpperCase",
  "toLocaleLowerCase",
  "stack",
  "constructor",
  "__proto__",
]);

/** What of `Intl` is pure if it is built with a literal language: no date, because that knows the time zone. */
const pureIntl = new Set(["NumberFormat", "PluralRules", "ListFormat"]);

/** Methods that change a collection. */
const changing = new Set(
  "set add delete clear push pop shift unshift splice sort reverse fill copyWithin exec test".split(" "),
);

/** Finds what is impure in a file, each with a word for it. */
export function impuritiesOf(source: Source): readonly Use[] {
  const resolve = resolverOf(source);
  return nodesOf(source).flatMap((placed) => {
    const word =
      waitingIn(placed.node) ?? globalIn(placed, resolve) ?? memberIn(placed) ?? stateIn(placed, resolve, source);
    return word === undefined ? [] : [{ word, line: placed.line }];
  });
}

function waitingIn(node: Node): string | undefined {
  const waits =
    node["async"] === true ||
    node["await"] === true ||
    node.type === "AwaitExpression" ||
    node["kind"] === "await using" ||
    node.type === "ImportExpression";
  return waits ? "async" : undefined;
}

function globalIn(placed: Placed, resolve: Resolve): string | undefined {
  const { node, field, parent } = placed;
  if (node.type === "MetaProperty" && node["meta"].name === "import") return "import.meta";
  if (!isReference(placed) || resolve(placed) !== undefined) return undefined;
  const name = nameOf(node)!;
  if (name === "Promise" || name === "PromiseLike" || name === "AsyncIterable") return "async";
  if (!pure.has(name)) return name;
  if (name === "Intl") return isFixedIntl(placed) ? undefined : "Intl";
  const impure = impureProperties[name];
  if (impure === undefined || (field === "callee" && name !== "Math") || isType(parent)) return undefined;
  const read = field === "object" ? propertyOf(parent?.node) : undefined;
  const [first] = impure;
  if (read === undefined) return isInert(placed) ? undefined : `${name}.${first}`;
  return impure.includes(read) ? `${name}.${read}` : undefined;
}

const isType = (placed: Placed | undefined): boolean => /^TS|^Super/.test(placed?.node.type ?? "");

/** `extends Error` and `x instanceof Error` read no property. */
const isInert = ({ field, parent }: Placed): boolean =>
  field === "superClass" || (field === "right" && parent?.node["operator"] === "instanceof");

/** Reports `new Intl.NumberFormat("en", …)`. */
function isFixedIntl({ field, parent }: Placed): boolean {
  if (field !== "object" || !pureIntl.has(propertyOf(parent?.node) ?? "") || parent?.field !== "callee") return false;
  return literalText(parent.parent?.node["arguments"]?.[0]) !== undefined;
}

function memberIn({ node, field, parent }: Placed): string | undefined {
  const read =
    node.type === "Property" && field === "properties" && parent?.node.type === "ObjectPattern"
      ? nameOf(node["key"])
      : propertyOf(node);
  return read !== undefined && impureMembers.has(read) ? `.${read}` : undefined;
}

/** Finds variables of a module, and constants of a module that are written to. */
function stateIn({ node, parent }: Placed, resolve: Resolve, source: Source): string | undefined {
  const isTop = parent?.node.type === "Program" || parent?.node.type === "ExportNamedDeclaration";
  if (node.type === "VariableDeclaration" && isTop && node["kind"] !== "const") return "state";
  if (node.type === "PropertyDefinition" && node["static"] && !node["readonly"]) return "state";
  if (node.type === "CallExpression" && isFunction(node["callee"]) && isOutside(parent)) return "state";
  const written = writtenBy(node);
  // `make(x).set(…)` changes what a call made, not a constant of the module.
  if (written === undefined || containsCall(written)) return undefined;
  const root = nodesOf(source).find((placed) => placed.node === rootOf(written));
  const declared = root && isReference(root) ? resolve(root) : undefined;
  return declared?.isTop && !isStateless(node, declared.value) ? "state" : undefined;
}

const isFunction = (node: Node): boolean => /^(ArrowFunction|Function)Expression$/.test(node.type);

/** Reports whether code runs when its module is loaded. */
const isOutside = (placed: Placed | undefined): boolean =>
  placed === undefined || (!/Function/.test(placed.node.type) && isOutside(placed.parent));

/** Gives what an expression writes to: the object of an assignment, of `delete`, or of a method that changes it. */
function writtenBy(node: Node): Node | undefined {
  if (node.type === "AssignmentExpression") return memberOf(node["left"]);
  if (node.type === "UpdateExpression") return memberOf(node["argument"]);
  if (node.type === "UnaryExpression" && node["operator"] === "delete") return memberOf(node["argument"]);
  if (node.type !== "CallExpression") return undefined;
  const { callee } = node as Node & { readonly callee: Node };
  if (changing.has(propertyOf(callee) ?? "")) return callee["object"];
  const writesFirst = ["assign", "defineProperty", "defineProperties", "setPrototypeOf"].includes(
    propertyOf(callee) ?? "",
  );
  return writesFirst && nameOf(callee["object"]) === "Object" ? node["arguments"][0] : undefined;
}

const memberOf = (node: Node): Node | undefined => (node.type === "MemberExpression" ? node["object"] : undefined);

/** A pattern without `g` and `y` keeps no place from one `exec` or `test` to the next. */
function isStateless(call: Node, value: Node | undefined): boolean {
  const method = propertyOf(call["callee"]);
  return (method === "exec" || method === "test") && !/[gy]/.test(value?.["regex"]?.flags ?? "");
}

const containsCall = (node: Node): boolean =>
  node.type === "CallExpression" || (node.type === "MemberExpression" && containsCall(node["object"]));
