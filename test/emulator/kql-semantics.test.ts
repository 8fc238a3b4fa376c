// What Kusto's documentation says of values at the edges: nulls, letter case, types, terms, instants, bins, escapes,
// and aggregates of few rows or none. An expression whose answer the documentation leaves open must be refused by name.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../emulator/kql/evaluate.ts";
import type { KqlError } from "../../emulator/kql/syntax.ts";
import type { Row, Table, Value } from "../../emulator/kql/values.ts";

const noon = Date.parse("2026-01-01T12:00:00Z");
const numbers = (...all: readonly (number | null)[]): Table => ({
  columns: [
    { name: "N", type: "long" },
    { name: "S", type: "string" },
    { name: "At", type: "datetime" },
  ],
  rows: all.map((N) => ({ N, S: N === null ? null : `s${N}`, At: N === null ? null : noon + N })),
});
const ask = (query: string, table: Table): readonly Row[] => evaluate(query, { T: table }, noon).rows;
const value = (expression: string): Value => ask(`T | project x = ${expression}`, numbers(1))[0]!["x"]!;
const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return `${(error as KqlError).code}: ${(error as Error).message}`;
  }
  throw new Error("was not refused");
};

describe("scalars", () => {
  test.each<[string, Value]>([
    // Learn: "Null values". Equality of two nulls is null; a null differs from every value and has no order.
    ["isnull(int(null) == int(null))", true],
    ["isnull(int(null) != int(null))", true],
    ["int(null) == 1", false],
    ["int(null) != 1", true],
    ["isnull(int(null) > 1)", true],
    ["isnull(int(null) + 1)", true],
    ["isnull(int(null) between (1 .. 2))", true],
    ["isnull(bool(null) and true)", true],
    ["bool(null) and false", false],
    ["bool(null) or true", true],
    ["isnull(not(bool(null)))", true],
    ["iff(bool(null), 'yes', 'no')", "no"],
    ["isnull(case(true, int(null), 5))", true],
    ["case(bool(null), 1, 2)", 2],
    ["strcat('a', int(null), 'b')", "ab"],
    ["isempty(coalesce('', ''))", true],
    ["coalesce('', 'b')", "b"],
    ["isnull('')", false],
    ["isempty(int(null))", true],
    // Learn: "String operators". Only those with _cs, and ==, look at the case.
    ["'Shop' == 'shop'", false],
    ["'Shop' =~ 'shop'", true],
    ["'Shop' !~ 'shop'", false],
    ["'Shop' contains 'HO'", true],
    ["'Shop' !contains 'HO'", false],
    ["'Shop' startswith 'SH'", true],
    ["'Shop' endswith 'OP'", true],
    ["'Shop' !endswith 'x'", true],
    ["'a' in ('A')", false],
    ["'a' !in ('A')", true],
    // Learn: "What is a term?": a run of letters and digits, which `has` finds as a whole.
    ["'North America' has 'america'", true],
    ["'North America' has 'amer'", false],
    ["'North-America_1' has 'america'", true],
    ["'error500' has '500'", false],
    ["'error:500' has '500'", true],
    ["'user=shop_a db' has 'user=shop_a'", true],
    ["'user=shop_ab db' has 'user=shop_a'", false],
    ["'a.b.c' has 'b.c'", true],
    ["'axb' has 'a.b'", false],
    ["'x' !has 'y'", true],
    ["'Shop' has_cs 'shop'", false],
    ["'A Shop' has_cs 'Shop'", true],
    ["'AShop' has_cs 'Shop'", false],
    ["'A Shop' !has_cs 'shop'", true],
    ["'Shop' contains_cs 'ho'", true],
    ["'Shop' contains_cs 'HO'", false],
    ["'Shop' !contains_cs 'HO'", true],
    ["'Shop' startswith_cs 'sh'", false],
    ["'Shop' !startswith_cs 'Sh'", false],
    ["'Shop' endswith_cs 'op'", true],
    ["'Shop' !endswith_cs 'OP'", true],
    ["'db failed' has_any ('ok', 'DB')", true],
    ["'db failed' has_any ('ok', 'd')", false],
    ["'db failed' has_all ('failed', 'db')", true],
    ["'db failed' has_all ('failed', 'ok')", false],
    // Learn: "RE2 syntax", "matches regex operator" and "extract()": found anywhere, by RE2, with the case of letters.
    ["'code=503 now' matches regex 'code=[45]\\\\d\\\\d'", true],
    ["'code=203' matches regex 'code=[45]'", false],
    ["'Error' matches regex 'error'", false],
    ["'Error' matches regex '(?i)error'", true],
    ["'' matches regex '^$'", true],
    ["extract('code=(\\\\d+)', 1, 'code=503 now')", "503"],
    ["extract(@'code=(\\d+)', 0, 'code=503 now')", "code=503"],
    ["extract('(a)|(b)', 1, 'b')", ""],
    ["extract('x', 0, 'y')", ""],
    ["toint(extract(@'code=(\\d+)', 1, 'code=503'))", 503],
    // Learn: "Numerical operators". Whole numbers divide to whole ones; modulo is never negative.
    ["5 / 2", 2],
    ["-5 / 2", -2],
    ["5 / 2.0", 2.5],
    ["-5 % 3", 1],
    ["toint(-3.9)", -3],
    ["tolong('+12')", 12],
    ["tolong(' 12 ')", 12],
    ["isnull(toint('twelve'))", true],
    ["isnull(toint(''))", true],
    ["todouble('1e3')", 1000],
    ["tobool('TRUE')", true],
    ["toint(true)", 1],
    // Learn: "bin()": down to a multiple, below zero as well.
    ["bin(4.5, 1)", 4],
    ["bin(-4.5, 1)", -5],
    ["bin(-17, 5)", -20],
    ["bin(-1m, 1h) == -1h", true],
    ["bin(time(16d), 7d) == 14d", true],
    ["bin(datetime(1970-05-11 13:45:07), 1d)", Date.parse("1970-05-11T00:00:00Z")],
    ["isnull(bin(int(null), 5))", true],
    ["isnull(bin(5, 0))", true],
    // Learn: "Datetime / timespan arithmetic".
    ["datetime(1997-06-25) - datetime(1910-06-11) == 31791d", true],
    ["datetime(1910-06-11) - datetime(1997-06-25) == -31791d", true],
    ["datetime(1910-06-11) + 1d", Date.parse("1910-06-12T00:00:00Z")],
    ["1d + datetime(1910-06-11)", Date.parse("1910-06-12T00:00:00Z")],
    ["1d / 5h", 4.8],
    ["1d * 1.5 == 36h", true],
    ["tostring(-90m)", "-01:30:00"],
    ["tostring(1d + 1h)", "1.01:00:00"],
    ["datetime(2026-03-01) - 1d", Date.parse("2026-02-28T00:00:00Z")],
    ["datetime(2024-02-29 00:00:00.5)", Date.parse("2024-02-29T00:00:00.500Z")],
    ["todatetime('2026-01-01T13:00:00+01:00')", noon],
    ["isnull(todatetime('2026-02-30'))", true],
    ["isnull(todatetime('soon'))", true],
    ["isnull(todatetime(''))", true],
    // Learn: "String literals".
    ["strlen('\\t\\n\\\\\\'\\x41\\u0042')", 6],
    ["'\\x41\\u0042'", "AB"],
    ["@'\\d'", "\\d"],
    ["@'it''s'", "it's"],
    ['"it\'s"', "it's"],
  ])("%s is %j", (expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  test.each([
    ["'\\101'", "the escape \\1"],
    ["'a' 'b'", "the literal 'a' 'b'"],
    ["'caféa' has 'a'", "'has' with 'a' beside a letter or digit beyond ASCII"],
    ["'éa b' has 'a'", "'has' with 'a' beside a letter or digit beyond ASCII"],
    ["'a' has ''", "no term of letters and digits"],
    ["'a-b' has '-b'", "no term of letters and digits"],
    ["'a' matches regex '(?=a)'", "no regular expression of RE2"],
    ["'a' matches regex S", "a regular expression that differs by row"],
    ["extract('a', 1, 'a')", "has 0 groups, and not 1"],
    ["'a' has_any (parse_json('[1]'))", "with a dynamic list"],
    ["'a-b' has_cs '-b'", "no term of letters and digits"],
    ["'a' has_any ('-')", "no term of letters and digits"],
    ["'a' hasprefix 'a'", "does not evaluate"],
    ["replace_regex('a', 'a', 'b')", "the function replace_regex()"],
    ["extract_all('(a)', 'a')", "the function extract_all()"],
    ["int(3000000000)", "is no int, which has 32 bits"],
    ["toint(3000000000)", "as an int, which has 32 bits"],
    ["toint('0x10')", "the text '0x10' as a whole number"],
    ["todouble('Infinity')", "the text 'Infinity' as a real number"],
    ["todatetime('5')", "the text '5' as a datetime"],
    ["todatetime('Jan 1 2026')", "as a datetime"],
    ["datetime(2026-01-01T00:00:00.0001234Z)", "no whole millisecond"],
    ["timespan(25:00)", "the literal timespan(25:00)"],
    ["timespan(00:61)", "the literal timespan(00:61)"],
  ])("%s is refused by name where its answer is not public: %s", (expression, words) => {
    expect(messageOf(() => value(expression))).toMatch(/^EmulatorUnsupported: /);
    expect(messageOf(() => value(expression))).toContain(words);
  });

  test("an escape that Kusto does not have is a syntax error", () => {
    expect(messageOf(() => value("'\\d+'"))).toMatch(/^KS\d+: /);
  });

  test("a term that is none is refused where no row is looked at, as when an alert rule is written", () => {
    expect(messageOf(() => ask("T | where S has '-b'", numbers()))).toContain("no term of letters and digits");
  });
});

describe("aggregates", () => {
  const one = (aggregate: string, table: Table): Value => ask(`T | summarize x = ${aggregate}`, table)[0]!["x"]!;

  // Learn: "summarize operator", "Aggregates default values".
  test.each<[string, Value]>([
    ["count()", 0],
    ["countif(N > 1)", 0],
    ["dcount(N)", 0],
    ["sum(N)", 0],
    ["sumif(N, N > 1)", 0],
    ["avg(N)", NaN],
    ["avgif(N, N > 1)", NaN],
    ["avg(At)", null],
    ["min(N)", null],
    ["max(N)", null],
    ["take_any(N)", null],
    ["percentile(N, 50)", null],
    ["arg_max(N, S)", null],
  ])("%s of no rows is %j", (aggregate, expected) => {
    expect(one(aggregate, numbers())).toEqual(expected);
    expect(ask(`T | summarize x = ${aggregate} by S`, numbers())).toEqual([]);
  });

  test.each<[string, readonly (number | null)[], Value]>([
    // A null is no value of an aggregate, and a row all the same.
    ["count()", [1, null], 2],
    ["sum(N)", [1, null, 2], 3],
    ["avg(N)", [1, null, 2], 1.5],
    ["min(N)", [null, 2], 2],
    ["dcount(N)", [1, null, 1, 2], 2],
    ["countif(N > 1)", [1, null, 2], 1],
    ["percentile(N, 0)", [3, 1, 2], 1],
    ["percentile(N, 100)", [3, 1, 2], 3],
    ["percentile(N, 50)", [7], 7],
    ["percentile(N, 95)", [1, 2], 2],
    ["percentile(N, 50)", [3, 1, null, 2], 2],
    ["avg(N)", [1, 2], 1.5],
  ])("%s of %j is %j", (aggregate, given, expected) => {
    expect(one(aggregate, numbers(...given))).toEqual(expected);
  });

  test("an empty text is a value, and a null one is an empty text", () => {
    expect(ask("T | summarize dcount(S)", numbers(1, null))).toEqual([{ dcount_S: 2 }]);
    expect(ask("T | where S == '' | count", numbers(1, null))).toEqual([{ Count: 1 }]);
  });

  test("a sum that is not exact here is refused", () => {
    expect(messageOf(() => ask("T | summarize sum(N)", numbers(2 ** 53 - 1, 2)))).toContain("beyond 2^53");
  });

  test("rows are ordered with nulls first when ascending, and last when descending", () => {
    const order = (clause: string) => ask(`T | sort by N ${clause} | project N`, numbers(2, null, 1)).map(({ N }) => N);
    expect([order("asc"), order("desc"), order(""), order("asc nulls last"), order("desc nulls first")]).toEqual([
      [null, 1, 2],
      [2, 1, null],
      [2, 1, null],
      [1, 2, null],
      [null, 2, 1],
    ]);
  });
});
