// Kusto queries as trees: parsed by Microsoft's own parser, then copied into plain nodes without tokens. The parser
// takes a third of a second to load, so it is loaded at the first query, or earlier by `warmParser`.
import { createRequire } from "node:module";

/** A node of a query. */
export interface Syntax {
  /** The parser's name for it: `FilterOperator`, `EqualExpression`, `NameReference`, … */
  readonly kind: string;
  readonly text: string;
  readonly parts: readonly Syntax[];
}

/** The refusal of a query in the form of Log Analytics: a SyntaxError or a SemanticError, with its code. */
export class KqlError extends Error {
  readonly kind: "SyntaxError" | "SemanticError";
  readonly code: string;

  constructor(kind: "SyntaxError" | "SemanticError", code: string, message: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

export const semantic = (code: string, message: string): KqlError => new KqlError("SemanticError", code, message);
/** Makes the refusal of something that Azure evaluates and the emulator does not. */
export const notServed = (what: string): KqlError =>
  semantic("EmulatorUnsupported", `The emulator does not evaluate ${what}. Azure does.`);

/** Makes the refusal of something that Azure refuses as well, with a code that is not public. */
export const refusedToo = (problem: string): KqlError =>
  semantic("EmulatorUnsupported", `${problem} Azure refuses this too; its code is not public.`);

/** Checks the number of arguments of a call. @throws KqlError when there are too few or too many */
export function checkArguments(called: string, count: number, least: number, most: number): void {
  if (count >= least && count <= most) return;
  const range = least === most ? least : `${least} to ${most}`;
  throw semantic("SEM0219", `${called}(): function expects ${range} argument(s).`);
}

// The part of the parser that is used here. Its own declarations are a namespace of globals.
interface ForeignNode {
  readonly Kind: number;
  readonly ChildCount: number;
  /** Where it starts in the query, after blanks and comments, and where it ends. */
  readonly TextStart: number;
  readonly End: number;
  GetChild(index: number): ForeignNode | null;
}
interface ForeignList<Item> {
  readonly Count: number;
  getItem(index: number): Item;
}
interface ForeignRoot extends ForeignNode {
  GetContainedDiagnostics(): ForeignList<{ readonly Code: string; readonly Message: string }>;
}
interface ParseOptions {
  WithAlwaysProduceEndTokens(always: boolean): ParseOptions;
}
interface Foreign {
  readonly Kusto: {
    readonly Language: {
      readonly KustoCode: { GetKind(text: string): string; Parse(text: string): { readonly Syntax: ForeignRoot } };
      readonly ParseOptions: { readonly Default: ParseOptions };
      readonly Parsing: {
        readonly TokenParser: { ParseTokens(text: string, options: ParseOptions): object };
        readonly QueryParser: { ParseQuery(tokens: object, start: number, options: ParseOptions): ForeignRoot };
      };
      readonly Syntax: { readonly SyntaxKind: object; readonly SyntaxTree: new (root: ForeignRoot) => object };
    };
  };
  readonly System: { readonly Enum: { toString(type: object, value: number): string } };
}

let loaded: Foreign | undefined;

function load(): Foreign {
  if (!loaded) {
    const require = createRequire(import.meta.url);
    require("@kusto/language-service-next/bridge.min.js");
    require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
    loaded = globalThis as unknown as Foreign;
  }
  return loaded;
}

let warm = false;

/**
 * Loads the parser soon, once, so that its start delays neither the first query nor the requests at that moment.
 */
export function warmParser(): void {
  if (!warm) setImmediate(() => void parseQuery("T | where A > ago(1m) | summarize count() by bin(B, 1s)")).unref();
  warm = true;
}

/** Alert rules and dashboards ask the same query again and again, and the parser takes milliseconds. */
const parsed = new Map<string, readonly Syntax[]>();
const parsedMax = 200;

/** Gives the statements of a query. @throws KqlError when the text is no query */
export function parseQuery(text: string): readonly Syntax[] {
  const known = parsed.get(text);
  if (known) return known;
  const [oldest] = parsed.keys();
  if (oldest !== undefined && parsed.size >= parsedMax) parsed.delete(oldest);
  const statements = parseAnew(text);
  parsed.set(text, statements);
  return statements;
}

/** The names of the kinds of nodes, by the parser's numbers for them; its own lookup is slow. */
const kinds = new Map<number, string>();

// The parser takes a second for queries beyond these, and then minutes. It runs in the thread that answers requests.
const charactersMax = 100_000;
const depthMax = 300;

/** Gives how deep the brackets of a query are nested. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "").matchAll(/[()[\]{}]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/**
 * Parses a text as `KustoCode.Parse` does, without the grammar of combinators that it also makes: that takes a second
 * of CPU in each process, and only completion and commands use it.
 */
function rootOf(text: string): ForeignRoot {
  const { KustoCode, ParseOptions, Parsing, Syntax } = load().Kusto.Language;
  if (KustoCode.GetKind(text) === "Command") return KustoCode.Parse(text).Syntax;
  const options = ParseOptions.Default.WithAlwaysProduceEndTokens(true);
  const root = Parsing.QueryParser.ParseQuery(Parsing.TokenParser.ParseTokens(text, options), 0, options);
  new Syntax.SyntaxTree(root); // gives the nodes their positions
  return root;
}

function parseAnew(text: string): readonly Syntax[] {
  if (text.length > charactersMax) throw notServed(`a query of more than ${charactersMax} characters`);
  if (depthOf(text) > depthMax) throw notServed(`a query with brackets in more than ${depthMax} others`);
  const { Kusto, System } = load();
  const root = rootOf(text);
  const diagnostics = root.GetContainedDiagnostics();
  if (diagnostics.Count > 0)
    throw new KqlError("SyntaxError", diagnostics.getItem(0).Code || "SYN0002", diagnostics.getItem(0).Message);
  const kindOf = ({ Kind }: ForeignNode): string => {
    const kind = kinds.get(Kind) ?? System.Enum.toString(Kusto.Language.Syntax.SyntaxKind, Kind);
    kinds.set(Kind, kind);
    return kind;
  };
  const copy = (node: ForeignNode): Syntax => {
    const parts: Syntax[] = [];
    for (let index = 0; index < node.ChildCount; index += 1) {
      const part = node.GetChild(index);
      if (!part) continue;
      const kind = kindOf(part);
      if (kind === "SeparatedElement") parts.push(...copy(part).parts);
      // Tokens are left out; operators and literals are distinguished by their node's kind and text.
      else if (!/(Token|Keyword)$/.test(kind) && kind !== "TokenName") parts.push(copy(part));
    }
    return { kind: kindOf(node), text: text.slice(node.TextStart, node.End), parts };
  };
  return copy(root)
    .parts.filter(({ kind, parts }) => kind === "List" && parts.length > 0)
    .flatMap(({ parts }) => parts);
}
