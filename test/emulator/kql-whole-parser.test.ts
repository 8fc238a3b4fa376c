// The emulator takes the quick way through Microsoft's parser, which makes no grammar for completion. It must read
// every text, also a wrong or an odd one, as the whole parser does.
import { expect, test } from "vitest";
import { KqlError, parseQuery } from "../../emulator/kql/syntax.ts";

const parserOfAll = (): any => {
  parseQuery("T"); // loads the parser
  return (globalThis as any).Kusto.Language.KustoCode;
};

const texts: readonly string[] = [
  "T",
  "T | where A > ago(1m) | summarize count(), avg(B) by bin(C, 1s), D",
  "let from = ago(5m); let rows = T | where A > from; rows | take 3 | project a = B, ['odd name']",
  "T // a comment\n| where text has 'x' and not(B in ('a', \"b\", @'c\\')) ; ",
  "T | mv-expand B to typeof(string) | join kind=leftouter (U | distinct *) on $left.A == $right.B",
  "#crp key=value\nT | count",
  "T | make-series n = count() default=0 on A from ago(1h) to now() step 1m by B",
  "union withsource=Source T, U | extend x = iff(isnull(A), dynamic({'a': [1, 2]}), parse_json(B)).a[0]",
  "declare query_parameters(x: int = 3); T | where A == x",
  "T | where",
  "T | where A >",
  "T | nonsense A",
  "T | where A == 'open",
  "let = 3; T",
  "| take 3",
  "T | summarize by )",
  "T ; ; U",
  "",
  " \n\t ",
  "// only a comment",
  "T | where Ä == '\u{1f600}' | take 1e9",
];

test.each(texts)("reads %j as the whole parser does", (text) => {
  const code = parserOfAll().Parse(text);
  const found = code.GetDiagnostics();
  const problem = found.Count > 0 ? [found.getItem(0).Code || "SYN0002", found.getItem(0).Message] : undefined;
  let refusal: readonly string[] | undefined;
  let statements: ReturnType<typeof parseQuery> = [];
  try {
    statements = parseQuery(text);
  } catch (error) {
    if (!(error instanceof KqlError)) throw error;
    refusal = [error.code, error.message];
  }
  expect(refusal).toEqual(problem);
  if (problem === undefined) expect(statements.map((each) => each.text)).toEqual(statementsOf(code));
});

/** Gives the texts of the directives and statements as the whole parser cuts them. */
function statementsOf({ Syntax, Text }: any): readonly string[] {
  const { Directives, Statements } = Syntax;
  const directives = Array.from({ length: Directives.Count }, (_, index) => Directives.getItem$1(index));
  const statements = Array.from({ length: Statements.Count }, (_, index) => Statements.getItem$1(index).Element$1);
  return [...directives, ...statements].map(({ TextStart, End }) => Text.slice(TextStart, End));
}
