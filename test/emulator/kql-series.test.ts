// Kusto's series and windows: make-series, mv-expand, serialize, prev, next and row_number, by the examples on Learn.
// Microsoft's own analysis of each query must find the same columns, and no error.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../emulator/kql/evaluate.ts";
import type { Row, Table } from "../../emulator/kql/values.ts";
import { kustoAnalysis } from "../support/emulator/kusto-analysis.ts";

const at = (text: string): number => Date.parse(`${text}Z`);
const day = (from: string): string => `${from}T00:00:00.0000000Z`;

// Learn: "make-series operator", its table of examples.
const metrics: readonly (readonly [string, number])[] = [
  ["2016-12-31T06:00", 50],
  ["2017-01-01T00:00", 4],
  ["2017-01-02T00:00", 3],
  ["2017-01-03T00:00", 4],
  ["2017-01-03T03:00", 6],
  ["2017-01-05T00:00", 8],
  ["2017-01-05T13:40", 13],
  ["2017-01-06T00:00", 4],
  ["2017-01-07T00:00", 3],
  ["2017-01-08T00:00", 8],
  ["2017-01-08T21:00", 8],
  ["2017-01-09T00:00", 2],
  ["2017-01-09T12:00", 11],
  ["2017-01-10T05:00", 5],
];
const table: Table = {
  columns: [
    { name: "timestamp", type: "datetime" },
    { name: "metric", type: "real" },
    { name: "app", type: "string" },
    { name: "n", type: "long" },
    { name: "list", type: "dynamic" },
    { name: "other", type: "dynamic" },
  ],
  rows: metrics.map(([moment, metric], index) => ({
    timestamp: at(`${moment}:00`),
    metric,
    app: index % 2 === 0 ? "web" : "cart",
    n: index,
    list: null,
    other: null,
  })),
};
const lists = (...all: readonly (readonly [unknown, unknown?])[]): Table => ({
  columns: table.columns,
  rows: all.map(([list, other], n) => ({
    timestamp: 0,
    metric: 0,
    app: "web",
    n: n + 1,
    list: list === null ? null : JSON.stringify(list),
    other: other === undefined ? null : JSON.stringify(other),
  })),
});
const analysed = kustoAnalysis("T", table.columns);
const run = (query: string, of: Table = table): readonly Row[] => {
  const { columns, rows } = evaluate(query, { T: of }, at("2017-01-10T12:00:00"));
  expect(analysed(query)).toEqual({ columns: columns.map(({ name, type }) => `${name}:${type}`), problems: [] });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null])));
};
const days = (first: number, last: number): string =>
  JSON.stringify(
    Array.from({ length: last - first + 1 }, (_, index) => day(`2017-01-${String(first + index).padStart(2, "0")}`)),
  );
const ends = "from datetime(2017-01-01) to datetime(2017-01-10)";

describe("make-series", () => {
  test.each<[string, readonly Row[]]>([
    [
      `T | make-series avg(metric) on timestamp ${ends} step 1d`,
      [{ avg_metric: "[4.0,3.0,5.0,0.0,10.5,4.0,3.0,8.0,6.5]", timestamp: days(1, 9) }],
    ],
    [`T | take 0 | make-series avg(metric) default=1.0 on timestamp ${ends} step 1d | count`, [{ Count: 0 }]],
    [
      `T | take 0 | make-series kind=nonempty avg(metric) default=1.0 on timestamp ${ends} step 1d`,
      [{ avg_metric: "[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0]", timestamp: days(1, 9) }],
    ],
    [
      "T | make-series k=count(), sum(n) default=-1 on day=timestamp from datetime(2017-01-03) step 2d",
      [
        {
          k: "[2,3,3,3]",
          sum_n: "[7,18,27,36]",
          day: JSON.stringify(["03", "05", "07", "09"].map((each) => day(`2017-01-${each}`))),
        },
      ],
    ],
    [
      "T | where n > 1 and n < 7 | make-series count() default=long(null) on timestamp step 1d by app",
      [
        { app: "web", count_: "[1,1,null,1]", timestamp: days(2, 5) },
        { app: "cart", count_: "[1,null,1]", timestamp: days(3, 5) },
      ],
    ],
    ["T | where n < 3 | make-series s=max(metric) on n step 2", [{ s: "[50.0,3.0]", n: "[0,2]" }]],
  ])("answers as Learn has it: %s", (query, expected) => expect(run(query)).toEqual(expected));

  test.each<[string, string]>([
    ["make-series max(timestamp) on timestamp step 1d", "gives no single number"],
    ["make-series arg_max(metric, n) on timestamp step 1d", "gives no single number"],
    ["make-series count() on app step 1", "along a string"],
    ["make-series count() on timestamp step 1", "does not fit a datetime axis"],
    ["make-series count() on timestamp step 0d", "must be above zero"],
    ["make-series count() on timestamp from 1 to 2 step 1d", "does not fit a datetime axis"],
    ["make-series count() default='a' on timestamp step 1d", "is no number"],
    ["make-series count() on timestamp step 1ms", "is longer than 1048576"],
    ["make-series count() on timestamp in range(ago(1d), now(), 1h)", "'in range(…)'"],
    ["make-series hint.shufflekey=app count() on timestamp step 1d by app", "'hint.shufflekey=app'"],
    ["make-series sum(n), sum(n) on timestamp step 1d", "two columns of the name 'sum_n'"],
    ["make-series count() on timestamp from datetime(2020-01-01) to datetime(2020-01-02) step 1d", "no row between"],
    ["take 0 | make-series kind=nonempty count() on timestamp step 1d", "without its ends"],
    ["take 0 | make-series kind=nonempty count() on timestamp step 1d by app", "groups of no rows"],
    ["make-series stdev(n) on timestamp step 1d", "the aggregate stdev()"],
  ])("%s is refused by name", (operator, text) =>
    expect(() => evaluate(`T | ${operator}`, { T: table }, 0)).toThrow(text),
  );
});

describe("mv-expand", () => {
  // Learn: "mv-expand operator", its examples.
  test.each<[string, Table, readonly unknown[]]>([
    [
      "mv-expand list | project n, list",
      lists([[10, 20]], [["a", "b"]]),
      [
        [1, "10"],
        [1, "20"],
        [2, '"a"'],
        [2, '"b"'],
      ],
    ],
    [
      "mv-expand list | project n, list",
      lists([{ a: 1, b: "x" }]),
      [
        [1, '{"a":1}'],
        [1, '{"b":"x"}'],
      ],
    ],
    [
      "mv-expand kind=array list | project key=tostring(list[0]), value=tostring(list[1])",
      lists([{ a: "a1", b: "b1" }]),
      [
        ["a", "a1"],
        ["b", "b1"],
      ],
    ],
    [
      "mv-expand list, other | project list, other",
      lists([{ a: "a", b: "b" }, [5, 4, 3]]),
      [
        ['{"a":"a"}', "5"],
        ['{"b":"b"}', "4"],
        [null, "3"],
      ],
    ],
    [
      "mv-expand list | mv-expand other | project list, other",
      lists([
        ["x", "y"],
        [5, 6],
      ]),
      [
        ['"x"', "5"],
        ['"x"', "6"],
        ['"y"', "5"],
        ['"y"', "6"],
      ],
    ],
    ["mv-expand list to typeof(long) | project list", lists([[1, "2", null]]), [[1], [null], [null]]],
    ["mv-expand with_itemindex=i list limit 2 | project i", lists([[7, 8, 9]], [[6]]), [[0], [1], [0]]],
    [
      "mv-expand list | project n, list",
      lists([null], [[]], [5]),
      [
        [1, null],
        [3, "5"],
      ],
    ],
    ["mv-expand each = list | project each, list", lists([[1]]), [["1", "[1]"]]],
  ])("answers as Learn has it: %s", (operator, of, expected) =>
    expect(run(`T | ${operator}`, of).map((row) => Object.values(row))).toEqual(expected),
  );

  test("gives the rows of a series back, in their types", () =>
    expect(
      run(
        `T | make-series avg(metric) on timestamp ${ends} step 1d
        | mv-expand timestamp to typeof(datetime), avg_metric to typeof(real)
        | where avg_metric > 6`,
      ),
    ).toEqual([
      { avg_metric: 10.5, timestamp: at("2017-01-05T00:00:00") },
      { avg_metric: 8, timestamp: at("2017-01-08T00:00:00") },
      { avg_metric: 6.5, timestamp: at("2017-01-09T00:00:00") },
    ]));

  test.each<[string, string]>([
    ["mv-expand app", "is a string and not dynamic"],
    ["mv-expand list to typeof(timespan)", "mv-expand 'to typeof(timespan)'"],
    ["mv-expand list to typeof(string)", "of what is no text"],
    ["mv-expand parse_json(app)", "without a name"],
    ["mv-expand with_itemindex=n list", "the column 'n' twice"],
  ])("%s is refused by name", (operator, text) =>
    expect(() => evaluate(`T | ${operator}`, { T: lists([[1]]) }, 0)).toThrow(text),
  );
});

describe("the rows beside one", () => {
  const shown = (query: string): readonly unknown[] => run(query).map((row) => Object.values(row));
  test.each<[string, readonly unknown[]]>([
    [
      "T | sort by n asc | take 3 | project n, p = prev(n), q = next(n)",
      [
        [0, null, 1],
        [1, 0, 2],
        [2, 1, null],
      ],
    ],
    [
      "T | top 3 by n asc | project p = prev(n, 2, -1), a = prev(app)",
      [
        [-1, ""],
        [-1, "web"],
        [0, "cart"],
      ],
    ],
    ["T | sort by n asc | where next(metric, 1, 0.0) - metric > 4 | project n", [[5], [8], [11]]],
    [
      "T | serialize r = row_number(), p = prev(metric) | where r <= 2 | project r, p",
      [
        [1, null],
        [2, 50],
      ],
    ],
    ["T | serialize | extend r = row_number(0) | where r > 12 | project n", [[13]]],
    [
      "T | where n < 2 | union (T | where n == 1) | serialize p = prev(n) | project n, p",
      [
        [0, null],
        [1, 0],
        [1, 1],
      ],
    ],
    [
      "T | sort by n asc | where app == 'web' | extend gap = timestamp - prev(timestamp) | where gap > 2d | project n",
      [[6]],
    ],
  ])("answers as Learn has it: %s", (query, expected) => expect(shown(query)).toEqual(expected));

  const unordered = "needs rows in an order that counts";
  test.each<[string, string]>([
    ["T | extend p = prev(n)", unordered],
    ["T | sort by n | summarize sum(n) by app | extend p = next(sum_n)", unordered],
    ["T | sort by n | distinct n | extend p = prev(n)", unordered],
    ["T | sort by n | union T | extend p = prev(n)", unordered],
    ["T | sort by n | join kind=inner T on n | extend p = prev(n)", unordered],
    ["T | sort by n | mv-expand list | extend p = prev(n)", unordered],
    ["T | sort by n | make-series count() on n step 1 | extend p = prev(n)", unordered],
    ["T | sort by prev(n)", unordered],
    ["T | extend r = row_number()", unordered],
    ["T | sort by n | extend p = prev(n + 1)", "takes a column, and 'n + 1' is none"],
    ["T | sort by n | extend p = prev(n, -1)", "by '-1'"],
    ["T | sort by n | extend p = prev(metric, 1, 'a')", "with ''a'' as the value without a row"],
    ["T | serialize r = row_number(1, true)", "row_number() that begins again"],
  ])("%s is refused by name", (query, text) => expect(() => evaluate(query, { T: table }, 0)).toThrow(text));
});
