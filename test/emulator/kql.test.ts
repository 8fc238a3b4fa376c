// Kusto over rows in memory: what each part of the subset answers, and that everything else is refused by name.
import { describe, expect, test } from "vitest";
import { evaluate, type Table } from "../../emulator/kql/evaluate.ts";
import type { Row, Value } from "../../emulator/kql/values.ts";

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

test("a dynamic value gives its properties, null for a missing one, and refuses access by index", () => {
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
  expect(() => ask("T | project x = Bag[0]", bag)).toThrow("does not evaluate 'Bag[0]'");
  expect(() => ask("T | where Bag.word == 'yes'", bag)).toThrow("Cannot compare values of types dynamic and string");
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
    ["-(3) % 2", -1],
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

describe("refusals", () => {
  test.each([
    [
      "T | join kind=inner (T) on RequestId",
      "EmulatorUnsupported: The emulator does not evaluate the operator 'join'. Azure does.",
    ],
    ["T | render timechart", "operator 'render'"],
    ["union T, T", "as a table"],
    ["T | make-series n=count() on TimeGenerated step 1s", "operator 'make-series'"],
    ["T | extend x = parse_json('{}')", "the function parse_json()"],
    ["T | summarize make_list(RequestId)", "the aggregate make_list()"],
    ["T | where constructor == 1", "SEM0100"],
    ["T | extend x = toString(1)", "the function toString()"],
    ["T | summarize hint.strategy=shuffle count() by RequestId", "hint.strategy=shuffle"],
    ["T | where RequestId matches regex 'a'", "MatchesRegexExpression"],
    ["let f = (x: long) { x }; T", "does not evaluate"],
    ["T | where RequestId in~ ('A')", "does not evaluate"],
    ["T | where Nothing == 1", "SEM0100: Failed to resolve column or scalar expression named 'Nothing'"],
    ["Elsewhere | count", "SEM0100: Failed to resolve table or column expression named 'Elsewhere'"],
    ["T | where TimeGenerated > 5", "SEM0064: Cannot compare values of types datetime and long"],
    ["T | where StatusCode == '500'", "SEM0064"],
    ["T | where StatusCode", "expected a bool, found int"],
    ["T | project-away Nothing", "SEM0100"],
    ["T | summarize percentile(RequestDuration, 101)", "SEM0220"],
    ["T | extend x = iff(true, 1)", "SEM0219"],
    ["T | take -1", "is not a number of rows"],
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
