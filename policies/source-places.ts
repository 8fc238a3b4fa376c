// Finds where a program makes a resource. The Pulumi CLI gives a policy pack no source position, and the SDK has none
// for what `index.ts` itself makes, so the call is looked for in the program's sources: by the type, the name and, for
// a part of a component, the component's class. It works for every language whose resources are made by a call with the
// name as the first argument. If nothing is found, the place is that of the nearest parent that was.
import type { Place } from "../analysis/place.ts";
import type { Folder } from "../analysis/systems/system.ts";

/** What is known of a resource. */
export interface Sought {
  readonly urn: string;
  readonly token: string;
  readonly name: string;
  readonly parent: string | undefined;
}

const sourceFile = /\.(ts|mts|cts|js|mjs|cjs|py|go|cs|java|fs|vb)$/;
const generated = /(^|\/)(dist|out|build|bin|obj|sdks)\//;

/** A call that makes a resource. */
interface Call {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The first argument as it is written. */
  readonly argument: string;
  /** The class around it, if one is. */
  readonly owner: string | undefined;
}

/** Gives a function that finds the places of resources. Sources are read when the first one is asked for. */
export function sourcePlaces(
  folder: () => Folder,
  resources: ReadonlyMap<string, Sought>,
  otherwise: Place,
): (urn: string) => Place {
  const calls = new Map<string, readonly Call[]>();
  let sources: readonly Source[] | undefined;
  const callsOf = (type: string): readonly Call[] => {
    sources ??= sourcesOf(folder());
    const found = calls.get(type) ?? sources.flatMap((source) => callsIn(source, type));
    calls.set(type, found);
    return found;
  };
  const placeOf = (urn: string, depth: number): Place => {
    const sought = resources.get(urn);
    if (sought === undefined || depth > 20) return otherwise;
    const parent = sought.parent === undefined ? undefined : resources.get(sought.parent);
    const call = bestOf(callsOf(className(sought.token)), sought.name, parent && className(parent.token));
    if (call === undefined) return placeOf(sought.parent ?? "", depth + 1);
    const { file, line, column } = call;
    return { file, line, column, endLine: line, endColumn: column };
  };
  return (urn) => placeOf(urn, 0);
}

/** The class that SDKs give a type: the last part of its token, with a capital. */
const className = (token: string): string => {
  const last = token.split(":").at(-1) ?? "";
  return last.slice(0, 1).toUpperCase() + last.slice(1);
};

/**
 * The call with exactly this name; else, in the parent's class, the one whose literals fit the name best; else one in a
 * file without a class, since a component may leave its parts to a function.
 */
function bestOf(calls: readonly Call[], name: string, parentClass: string | undefined): Call | undefined {
  const exact = calls.filter(({ argument }) => literalOf(argument) === name);
  if (exact.length > 0) return exact.length === 1 || isOneFile(exact) ? exact[0] : undefined;
  const ofParent = calls.filter(({ owner }) => owner !== undefined && owner === parentClass);
  const ofNobody = calls.filter(({ owner }) => owner === undefined);
  return bestFit(ofParent, name) ?? bestFit(ofNobody, name);
}

function bestFit(calls: readonly Call[], name: string): Call | undefined {
  const fits = calls
    .map((call) => ({ call, fit: fitOf(call.argument, name) }))
    .filter(({ fit }) => fit > 0)
    .toSorted((one, other) => other.fit - one.fit);
  const [first, second] = fits;
  return first !== undefined && first.fit !== second?.fit ? first.call : undefined;
}

const isOneFile = (calls: readonly Call[]): boolean => new Set(calls.map(({ file }) => file)).size === 1;

const literalOf = (argument: string): string | undefined => /^(["'`])([^"'`$]*)\1$/.exec(argument.trim())?.[2];

/** How many characters of a name its literals explain: all must occur in order, and the last one at the end. */
function fitOf(argument: string, name: string): number {
  const literals = [...argument.matchAll(/(["'`])((?:(?!\1).)*)\1/g)].flatMap(([, , text]) =>
    text!.split(/\$\{[^}]*\}/).filter((part) => part !== ""),
  );
  const last = literals.at(-1);
  if (last === undefined) return 0;
  const isOpen = /\}[`"']\)?$/.test(argument.trim());
  if (!isOpen && !name.endsWith(last)) return 0;
  let at = 0;
  for (const literal of literals) {
    const found = name.indexOf(literal, at);
    if (found < 0) return 0;
    at = found + literal.length;
  }
  return literals.join("").length;
}

interface Source {
  readonly file: string;
  readonly text: string;
}

function sourcesOf(folder: Folder): readonly Source[] {
  return folder.files
    .filter((file) => sourceFile.test(file) && !generated.test(file) && !/\.(test|spec|d)\.[cm]?[jt]s$/.test(file))
    .flatMap((file) => {
      const content = folder.read(file);
      return "text" in content ? [{ file, text: withoutComments(content.text) }] : [];
    });
}

/** Blanks comments of whole lines, which may show how a resource is made. Lines and columns stay. */
const withoutComments = (text: string): string =>
  text.replaceAll(/^[ \t]*(\/\/|\/?\*|#(?!include)).*$/gm, (line) => " ".repeat(line.length));

function callsIn({ file, text }: Source, type: string): readonly Call[] {
  if (!/^\w+$/.test(type) || !text.includes(type)) return [];
  const call = new RegExp(
    `(?:\\bnew\\s+|[.\\s=(,])(?:[A-Za-z_][\\w.]*\\.)?(?:New)?${type}\\s*(?:<[^>()]*>)?\\(\\s*(?:ctx\\s*,\\s*)?`,
    "g",
  );
  return [...text.matchAll(call)].map((match) => {
    const begin = match.index + match[0].search(/[A-Za-z]/);
    const before = text.slice(0, begin);
    return {
      file,
      line: before.split("\n").length,
      column: begin - before.lastIndexOf("\n"),
      argument: argumentAt(text, match.index + match[0].length),
      owner: [
        ...before.matchAll(/^(?:export\s+)?(?:default\s+)?(?:abstract\s+)?(?:public\s+)?(?:sealed\s+)?class\s+(\w+)/gm),
      ].at(-1)?.[1],
    };
  });
}

/** Gives the text from here to the end of the argument. */
function argumentAt(text: string, from: number): string {
  let depth = 0;
  let quote = "";
  for (let at = from; at < Math.min(text.length, from + 400); at += 1) {
    const sign = text[at]!;
    if (quote !== "") {
      if (sign === "\\") at += 1;
      else if (sign === quote) quote = "";
    } else if (`"'\``.includes(sign)) quote = sign;
    else if ("([{".includes(sign)) depth += 1;
    else if (")]}".includes(sign) || (sign === "," && depth === 0)) {
      if (depth === 0) return text.slice(from, at);
      depth -= 1;
    }
  }
  return text.slice(from, from + 400);
}
