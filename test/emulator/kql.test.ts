// Kusto over rows in memory: what each part of the subset answers, and that everything else is refused by name.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../emulator/kql/evaluate.ts";
import { KqlError } from "../../emulator/kql/syntax.ts";
import type { Row, Table, Value } from "../../emulator/kql/values.ts";
import { kustoAnalysis } from "../support/emulator/kusto-analysis.ts";

const noon = Date.parse("2026-01-01T12:00:00Z");
const second = (offset: number): number => noon + offset * 1000;
const at = (offset: number): string => new Date(second(offset)).toISOString();

/** A row of the table; its times are seconds from noon. */
const request = (
  id: string,
  revision: string,
  shown: { readonly at: number; readonly status: number; readonly duration: number; readonly visible: number },
): Row => ({
  TimeGenerated: second(shown.at),
  RevisionName: revision,
  StatusCode: shown.status,
  RequestDuration: shown.duration,
  RequestId: id,
  visibleAt: second(shown.visible),
});
const twice = request("d", "shop--0000002", { at: -8.1, status: 503, duration: 20, visible: -1 });
const requests: Table = {
  columns: [
    { name: "TimeGenerated", type: "datetime" },
    { name: "RevisionName", type: "string" },
    { name: "StatusCode", type: "int" },
    { name: "RequestDuration", type: "long" },
    { name: "RequestId", type: "string" },
  ],
  rows: [
    request("a", "shop--0000001", { at: -9.5, status: 200, duration: 10, visible: -9 }),
    request("b", "shop--0000001", { at: -9.1, status: 500, duration: 30, visible: -8 }),
    request("c", "shop--0000002", { at: -8.2, status: 0, duration: 9000, visible: -7 }),
    twice,
    twice,
  ],
};
const withBag: Table = {
  columns: [...requests.columns, { name: "Bag", type: "dynamic" }],
  rows: requests.rows.map((row) => ({ ...row, Bag: JSON.stringify({ a: "x", n: 5 }) })),
};
const analysed = kustoAnalysis("T", withBag.columns);
const nothing: Table = { columns: requests.columns, rows: [] };

const ask = (query: string, table = requests): readonly Row[] => evaluate(query, { T: table }, noon).rows;
const columnsOf = (query: string): readonly string[] =>
  evaluate(query, { T: requests }, noon).columns.map(({ name, type }) => `${name}:${type}`);
/** Evaluates a scalar expression without rows. */
const value = (expression: string): Value =>
  evaluate(`T | take 1 | project x = ${expression}`, { T: requests }, noon).rows[0]!["x"]!;
const refusal = (query: string): string => {
  try {
    evaluate(query, { T: requests }, noon);
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  throw new Error(`was not refused: ${query}`);
};

test("a dynamic value gives its properties, null for a missing one, and equals the value that it holds", () => {
  const bag: Table = {
    columns: [{ name: "Bag", type: "dynamic" }],
    rows: [{ Bag: JSON.stringify({ word: "yes", many: 3, "two words": "no" }) }, { Bag: null }],
  };
  expect(
    ask(
      "T | project word = tostring(Bag.word), many = toint(Bag.many), " +
        'other = tostring(Bag["two words"]), gone = isnull(Bag.gone)',
      bag,
    ),
  ).toEqual([
    { word: "yes", many: 3, other: "no", gone: true },
    { word: "", many: null, other: "", gone: true },
  ]);
  expect(ask("T | where Bag.word == 'yes' and Bag.many == 3 and Bag.many != 'yes' | count", bag)).toEqual([
    { Count: 1 },
  ]);
  expect(ask("T | where Bag.gone != 'yes' | count", bag)).toEqual([{ Count: 2 }]);
  expect(ask("T | where Bag.word has 'YES' and Bag.word in ('no', 'yes') | project toupper(Bag.word)", bag)).toEqual([
    { Column1: "YES" },
  ]);
  expect(() => ask("T | where Bag.many > 2", bag)).toThrow("'Bag.many > 2' without casts");
  expect(() => ask("T | project Bag.many + 1", bag)).toThrow("without casts");
});

test("a dynamic list gives its elements by index, from the end as well, and converts as what it holds", () => {
  const list = `T | take 1 | project all = parse_json('[1, "2", {"a": true}]')`;
  expect(
    ask(`${list} | project a = toint(all[0]), b = toint(all[1]), c = tobool(all[-1].a), none = isnull(all[3])`),
  ).toEqual([{ a: 1, b: 2, c: true, none: true }]);
});

describe("operators", () => {
  test("counts all requests and failures by bin and revision", () => {
    const query =
      "let interval = 1s; T | where TimeGenerated >= ago(1m) " +
      "| summarize requests=count(), failed=countif(StatusCode >= 500 or StatusCode == 0), " +
      "slow=countif(RequestDuration > 25) by bin(TimeGenerated, interval), RevisionName | order by TimeGenerated asc";
    expect(columnsOf(query)).toEqual([
      "TimeGenerated:datetime",
      "RevisionName:string",
      "requests:long",
      "failed:long",
      "slow:long",
    ]);
    expect(ask(query)).toEqual([
      { TimeGenerated: second(-10), RevisionName: "shop--0000001", requests: 2, failed: 1, slow: 1 },
      { TimeGenerated: second(-9), RevisionName: "shop--0000002", requests: 3, failed: 3, slow: 1 },
    ]);
  });

  test("keeps one of duplicate rows when the query asks for it", () => {
    expect(ask("T | summarize arg_max(TimeGenerated, *) by RequestId | summarize n=count()")).toEqual([{ n: 4 }]);
    expect(ask("T | distinct RequestId | count")).toEqual([{ Count: 4 }]);
    expect(ask("T | summarize take_any(StatusCode) by RequestId | where RequestId == 'd'")).toEqual([
      { RequestId: "d", StatusCode: 503 },
    ]);
  });

  test("ingestion_time() gives the time from which a row is visible", () => {
    expect(ask("T | where ingestion_time() > ago(2s) | summarize count()")).toEqual([{ count_: 2 }]);
  });

  test("without rows there is one group with a count of zero, but no group by a column", () => {
    expect(evaluate("T | summarize n=count(), worst=max(RequestDuration)", { T: nothing }, noon).rows).toEqual([
      { n: 0, worst: null },
    ]);
    expect(evaluate("T | summarize n=count() by RevisionName", { T: nothing }, noon).rows).toEqual([]);
  });

  test("sorts in descending order by default, and serves take, top, project, extend and project-away", () => {
    expect(ask("T | sort by RequestDuration | take 2 | project RequestId").map((row) => row["RequestId"])).toEqual([
      "c",
      "b",
    ]);
    expect(ask("T | top 1 by RequestDuration asc | project RequestId, doubled = RequestDuration * 2")).toEqual([
      { RequestId: "a", doubled: 20 },
    ]);
    expect(
      columnsOf(
        "T | extend ok = StatusCode == 200, RevisionName = 1 | project-away StatusCode, RequestId, TimeGenerated",
      ),
    ).toEqual(["RevisionName:long", "RequestDuration:long", "ok:bool"]);
  });

  test("aggregates are named and typed as Kusto names and types them", () => {
    const query =
      "T | summarize count(), dcount(RequestId), sum(StatusCode), min(TimeGenerated), max(RequestDuration), " +
      "avg(RequestDuration), percentile(RequestDuration, 95), percentiles(RequestDuration, 50, 99.9)";
    expect(columnsOf(query)).toEqual([
      "count_:long",
      "dcount_RequestId:long",
      "sum_StatusCode:long",
      "min_TimeGenerated:datetime",
      "max_RequestDuration:long",
      "avg_RequestDuration:real",
      "percentile_RequestDuration_95:long",
      "percentile_RequestDuration_50:long",
      "percentile_RequestDuration_99_9:long",
    ]);
    expect(Object.values(ask(query)[0]!)).toEqual([5, 4, 1706, second(-9.5), 9000, 1816, 9000, 20, 9000]);
  });

  test("the later of two columns with one name is numbered", () => {
    expect(columnsOf("T | summarize count(), count()")).toEqual(["count_:long", "count_1:long"]);
  });
});

describe("scalars", () => {
  test.each<[string, Value]>([
    ["1 + 2 * 3", 7],
    ["7 / 2", 3],
    ["7 / 2.0", 3.5],
    ["1 / 0", null],
    ["-(3) % 2", 1],
    ["14 % -12", 2],
    ["-14 % 12", 10],
    ["-14 % -12", 10],
    ["-7.5 % 2.0", 0.5],
    ["-14 % 12 == 10", true],
    ["5 % 0", null],
    ["-7 / 2", -3],
    ["1.0 / 0", Infinity],
    ["90s % 1m == 30s", true],
    ["isnull(int(null) == int(null))", true],
    ["isnull(tostring(int(null)))", false],
    ["int(null) in (1, 2)", false],
    ["'a' == ''", false],
    ["case(1 > 2, 'a', 2 > 1, 'b', 'c')", "b"],
    ["coalesce(int(null), 3)", 3],
    ["min_of(3, 2.5, 4)", 2.5],
    ["strlen('héllo')", 5],
    ["tobool('false')", false],
    ['tostring(parse_json(\'{"a": "x"}\').a)', "x"],
    ["isnull(parse_json(''))", true],
    ["7.5 - 1", 6.5],
    ["now() - 1m", noon - 60_000],
    ["ago(1h) == now(-1h)", true],
    ["datetime(2026-01-01T12:00:05Z) - now()", 5000],
    ["todatetime('2026-01-01 12:00:00')", noon],
    ["bin(datetime(2026-01-01T12:34:56.789Z), 1m)", Date.parse("2026-01-01T12:34:00Z")],
    ["bin(17, 5)", 15],
    ["bin(-1.5, 1.0)", -2],
    ["5m / 1s", 300],
    // Weeks count from Monday, 1 January of the year 1.
    ["bin(datetime(2026-01-01), 7d)", Date.parse("2025-12-29T00:00:00Z")],
    ["timespan(1.02:00:00) == 26h", true],
    ["tostring(90s)", "00:01:30"],
    ["tostring(now())", "2026-01-01T12:00:00.0000000Z"],
    ["strcat('a', 1, true)", "a1true"],
    ["toint('12')", 12],
    ["toint('x')", null],
    ["todouble('1.5')", 1.5],
    ["iff(1 > 2, 'yes', 'no')", "no"],
    ["isempty('')", true],
    ["isempty(tostring(int(null)))", true],
    ["'Shop' =~ 'sHOP'", true],
    ["'Shop' == 'shop'", false],
    ["'upstreams,x' has 'upstream'", false],
    ["'a b-c' has 'B'", true],
    ["bin_at(datetime(2026-01-01T12:00:07Z), 5s, datetime(2026-01-01T12:00:01Z))", noon + 6000],
    ["'shop--1' startswith 'SHOP'", true],
    ["3 between (1 .. 3)", true],
    ["now() between (ago(1m) .. 5m)", true],
    ["'b' in ('a', 'b')", true],
    ["4 !in (1, 2)", true],
    ["not(true)", false],
    ["int(null) == 1", false],
    ["int(null) != 1", true],
    ["int(null) < 1", null],
    ["isnull(int(null) + 1)", true],
    ["(int(null) < 1) or true", true],
    ["'it\\'s \\u0041'", "it's A"],
    ["@'C:\\temp'", "C:\\temp"],
    ["\"quote''d\"", "quote''d"],
    ["tolower('ABC')", "abc"],
  ])("%s is %j", (expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  test("a let is evaluated once, before the table", () => {
    expect(
      ask(
        `let from = datetime(${at(-9)}); let name = 'shop--0000002'; ` +
          "T | where TimeGenerated > from and RevisionName == name | count",
      ),
    ).toEqual([{ Count: 3 }]);
  });
});

test("a let may name a table, which the query may use with further operators", () => {
  expect(ask("let t = T; t | where StatusCode == 500 | count")).toEqual([{ Count: 1 }]);
  expect(ask("let bad = T | where StatusCode >= 500; let many = 2; bad | take many | count")).toEqual([{ Count: 2 }]);
});

// Microsoft's own analysis of queries, which the emulator does not use, is the judge of names and types.
describe("Microsoft's analysis of a query agrees", () => {
  test.each([
    "T | extend i = StatusCode + StatusCode, n = -StatusCode, m = StatusCode % 2, b = bin(StatusCode, 2), d = 1 / 2",
    "T | project StatusCode * 1.5, RequestDuration / 2, TimeGenerated - 1h, now() - now(), 1h % 7m, 2 * 1h, 5m / 1s",
    "T | summarize count(), sum(StatusCode), avg(StatusCode), min(RevisionName), max(StatusCode), dcount(RequestId)",
    "T | summarize percentile(StatusCode, 5), percentiles(RequestDuration, 50, 99.9), avg(TimeGenerated)",
    "T | summarize sumif(StatusCode, RequestDuration > 5), avgif(RequestDuration, true), take_any(StatusCode)",
    "T | summarize arg_max(TimeGenerated, *) by RequestId",
    "T | summarize worst = max(RequestDuration), count() by bin(TimeGenerated, 1m), StatusCode / 100, RevisionName",
    "T | summarize count(), count() by tostring(Bag.a), tostring(Bag['b c']), toint(StatusCode)",
    "T | project Bag.a, Bag['b'], tostring(Bag.a.b), bin(RequestDuration, 5), RequestDuration + 1, strcat('a', 1)",
    "T | project iff(true, 1, 2.0), max_of(1, 2.0), coalesce(StatusCode, RequestDuration), case(true, 1, 2)",
    "T | extend bin(TimeGenerated, 1h), x = Bag.a == 'x' and Bag.n == 5, StatusCode in (1, 2), RequestId has Bag.a",
    "T | distinct RevisionName, StatusCode | count",
    "T | project-away Bag | top 1 by RequestDuration | extend RevisionName = 1",
    "let t = T | where StatusCode == 1; let n = 5; t | take n | project n",
  ])("%s", (query) => {
    const theirs = analysed(query);
    expect(theirs.problems).toEqual([]);
    expect(evaluate(query, { T: withBag }, noon).columns.map(({ name, type }) => `${name}:${type}`)).toEqual(
      theirs.columns,
    );
  });

  test.each([
    "T | where RequestId < 'b'",
    "T | where RequestId between ('a' .. 'b')",
    "T | where TimeGenerated > 5",
    "T | where StatusCode",
    "T | where Bag",
    "T | project RequestId + RequestId",
    "T | project -RequestId",
    "T | project StatusCode, StatusCode",
    "T | project x = ago(5)",
    "T | project x = not(StatusCode)",
    "T | project x = iff(StatusCode, 1, 2)",
    "T | project x = log2(RequestId)",
    "T | project TimeGenerated + 1",
    "T | summarize sum(RequestId)",
    "T | summarize avg(RevisionName)",
    "T | summarize countif(StatusCode)",
    "T | summarize sumif(StatusCode, StatusCode)",
    "T | sort by Nothing",
    "T | where Nothing == 1",
    "T | project x = toint(1, 2)",
    "T | project x = nothing(1)",
    "Elsewhere | count",
  ])("%s is an error", (query) => {
    expect(analysed(query).problems).not.toEqual([]);
    expect(() => evaluate(query, { T: withBag }, noon)).toThrow(KqlError);
  });
});

describe("refusals", () => {
  test.each([
    [
      "T | join kind=fullouter (T) on RequestId",
      "EmulatorUnsupported: The emulator does not evaluate 'kind=fullouter' of the operator 'join'. Azure does.",
    ],
    ["T | render timechart", "operator 'render'"],
    ["union T*", "'T*', which names several tables"],
    ["T | sample 3", "operator 'sample'"],
    ["T | extend x = extract_all('a', RequestId)", "the function extract_all()"],
    ["T | count; T | take 1", "does not evaluate several tabular statements in one query"],
    ["let a = 1; T | count; T", "several tabular statements"],
    ["T | summarize make_list(RequestId)", "the aggregate make_list()"],
    ["T | where constructor == 1", "SEM0100"],
    ["T | extend x = toString(1)", "the function toString()"],
    ["T | summarize hint.strategy=shuffle count() by RequestId", "hint.strategy=shuffle"],
    ["let f = (x: long) { x }; T", "does not evaluate"],
    ["let t = T | take 1; T | where RequestId in (t)", "the table 't' where a value is expected"],
    ["T | where RequestId in~ ('A')", "does not evaluate"],
    ["T | where Nothing == 1", "SEM0100: Failed to resolve column or scalar expression named 'Nothing'"],
    ["Elsewhere | count", "EmulatorUnsupported: The emulator has no table 'Elsewhere'. Its tables are: T."],
    ["T | where RequestId < 'b'", "SEM0064: Cannot compare values of types string and string"],
    ["T | project x = 1, x = 2", "EmulatorUnsupported: A column with the name 'x' is declared twice."],
    ["T | project ago(5)", "SEM0219: ago(): argument 1 cannot be of type long"],
    ["T | where TimeGenerated > 5", "SEM0064: Cannot compare values of types datetime and long"],
    ["T | where StatusCode == '500'", "SEM0064"],
    ["T | where StatusCode", "expected a bool, found int"],
    ["T | project-away Nothing", "SEM0100"],
    ["T | summarize percentile(RequestDuration, 101)", "SEM0220"],
    ["T | extend x = iff(true, 1)", "SEM0219"],
    ["T | take -1", "is not a number of rows"],
    ["T | extend x = datetime(2024-02-30)", "the literal datetime(2024-02-30)"],
    ["T | extend x = 9223372036854775807", "the number 9223372036854775807, which is beyond 2^53"],
    ["T | extend x = StatusCode * 3000000000000000 * 3", "which is beyond 2^53"],
    ["T | extend x = tolong(TimeGenerated)", "a datetime as a number"],
    ["T | extend x = todouble(1h)", "a timespan as a number"],
    ["T | extend x = todatetime(5)", "a long as a datetime"],
    ["T | extend x = tolong('3.7')", "the text '3.7' as a whole number"],
    ["T | extend x = strcat(1.0)", "the real number 1 as a text"],
    ["T | extend x = bin(StatusCode, 1s)", "cannot round int to timespan"],
  ])("%s", (query, words) => {
    expect(refusal(query)).toContain(words);
  });

  test("text that is no query is a syntax error", () => {
    expect(() => evaluate("T | where (", { T: requests }, noon)).toThrow(
      expect.objectContaining({ kind: "SyntaxError" }),
    );
  });
});
