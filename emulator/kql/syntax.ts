// Kusto queries as trees: parsed by Microsoft's own parser, then copied into plain nodes without tokens.
// Knows the shape of queries, not what they mean. The parser costs half a second to load, so it is loaded at the first query.
import { createRequire } from "node:module";

export interface Syntax {
  /** As the parser names it: `FilterOperator`, `EqualExpression`, `NameReference`, … */
  readonly kind: string;
  readonly text: string;
  readonly parts: readonly Syntax[];
}

/** A query that is refused, as Log Analytics words it: SyntaxError, or SemanticError with its number. */
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
/** Refuses what Azure evaluates and the stand-in does not, by name. */
export const notServed = (what: string): KqlError =>
  semantic("LocalCloudUnsupported", `The stand-in cloud does not evaluate ${what}. Azure does.`);

// What the parser has, as far as we touch it; its own declarations are a namespace of globals.
interface ForeignNode {
  readonly Kind: number;
  readonly ChildCount: number;
  GetChild(index: number): ForeignNode | null;
  toString(): string;
}
interface ForeignList<Item> {
  readonly Count: number;
  getItem(index: number): Item;
}
interface ForeignCode {
  readonly Syntax: ForeignNode;
  GetDiagnostics(): ForeignList<{ readonly Code: string; readonly Message: string }>;
}
interface Foreign {
  readonly Kusto: {
    readonly Language: {
      readonly KustoCode: { Parse(query: string): ForeignCode };
      readonly Syntax: { readonly SyntaxKind: object };
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

/** Loads the parser soon, once, so that the half second it takes does not fall on the first query and on every request beside it. */
export function warmParser(): void {
  if (!warm) setImmediate(() => void parseQuery("T | where A > ago(1m) | summarize count() by bin(B, 1s)")).unref();
  warm = true;
}

/** Gives the statements of a query. @throws KqlError where the text is no query. */
export function parseQuery(text: string): readonly Syntax[] {
  const { Kusto, System } = load();
  const code = Kusto.Language.KustoCode.Parse(text);
  const complaints = code.GetDiagnostics();
  if (complaints.Count > 0)
    throw new KqlError("SyntaxError", complaints.getItem(0).Code || "SYN0002", complaints.getItem(0).Message);
  const kindOf = (node: ForeignNode): string => System.Enum.toString(Kusto.Language.Syntax.SyntaxKind, node.Kind);
  const copy = (node: ForeignNode): Syntax => {
    const parts: Syntax[] = [];
    for (let index = 0; index < node.ChildCount; index += 1) {
      const part = node.GetChild(index);
      if (!part) continue;
      const kind = kindOf(part);
      if (kind === "SeparatedElement") parts.push(...copy(part).parts);
      // Tokens are what has no parts and is no node; operators and literals are told apart by their node's kind and text.
      else if (!/(Token|Keyword)$/.test(kind) && kind !== "TokenName") parts.push(copy(part));
    }
    return { kind: kindOf(node), text: node.toString().trim(), parts };
  };
  return copy(code.Syntax)
    .parts.filter(({ kind, parts }) => kind === "List" && parts.length > 0)
    .flatMap(({ parts }) => parts);
}
