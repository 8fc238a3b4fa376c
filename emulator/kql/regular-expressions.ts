// Regular expressions of Kusto queries, for `matches regex` and `extract`. Kusto runs RE2, and so does this: those of
// JavaScript mean other things in places, and take exponential time for some texts.
import { createRequire } from "node:module";
import type { RE2JS } from "re2js";
import { notServed, refusedToo } from "./syntax.ts";
import { type Scalar, textOf } from "./values.ts";

// It takes a moment to load, and most queries have none.
let loaded: typeof RE2JS | undefined;

function compiled(pattern: string): RE2JS {
  loaded ??= (createRequire(import.meta.url)("re2js") as { readonly RE2JS: typeof RE2JS }).RE2JS;
  try {
    return loaded.compile(pattern);
  } catch (error) {
    throw refusedToo(`'${pattern}' is no regular expression of RE2: ${(error as Error).message}.`);
  }
}

/** Gives the one value of an expression. @throws KqlError when it has one for each row */
function fixed(of: Scalar, what: string): unknown {
  if (of.isFixed) return of.of({});
  throw notServed(`${what} that differs by row`);
}

/** Makes `matches regex`, which finds the expression anywhere in the text. */
export function matching(text: Scalar, pattern: Scalar): Scalar {
  const expression = compiled(String(fixed(pattern, "a regular expression")));
  return { type: "bool", of: (row) => expression.matcher(textOf(text.of(row), text.type)).find() };
}

/** Makes `extract(regex, group, text)`: what a group found first, and an empty text where it found nothing. */
export function extracted([pattern, group, text]: readonly Scalar[]): Scalar {
  const expression = compiled(String(fixed(pattern!, "a regular expression")));
  const number = Number(fixed(group!, "the number of a group"));
  if (!(number >= 0 && number <= expression.groupCount()))
    throw refusedToo(`The regular expression has ${expression.groupCount()} groups, and not ${number}.`);
  return {
    type: "string",
    of(row) {
      const matcher = expression.matcher(textOf(text!.of(row), text!.type));
      return matcher.find() ? (matcher.group(number) ?? "") : "";
    },
  };
}
