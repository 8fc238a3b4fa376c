// Kusto's union and join: what they answer, and that what Azure leaves open is refused by name.
import { expect, test } from "vitest";
import { evaluate } from "../../emulator/kql/evaluate.ts";
import type { Table } from "../../emulator/kql/values.ts";

const calls: Table = {
  columns: [
    { name: "app", type: "string" },
    { name: "failed", type: "long" },
  ],
  rows: [
    { app: "web", failed: 3 },
    { app: "cart", failed: 0 },
    { app: "web", failed: 5 },
  ],
};
const teams: Table = {
  columns: [
    { name: "app", type: "string" },
    { name: "team", type: "string" },
  ],
  rows: [
    { app: "web", team: "shop" },
    { app: "search", team: "find" },
  ],
};
const named: Table = { columns: [{ name: "service", type: "string" }], rows: [{ service: "cart" }] };
const counted: Table = { columns: [{ name: "app", type: "long" }], rows: [{ app: 1 }] };
const empty: Table = { columns: [{ name: "app", type: "long" }], rows: [{ app: null }] };
const run = (query: string): Table =>
  evaluate(query, { Calls: calls, Teams: teams, Named: named, Counted: counted, Empty: empty }, 0);
const shown = (query: string): readonly unknown[] => {
  const { columns, rows } = run(query);
  return [columns.map(({ name }) => name).join(), ...rows.map((row) => columns.map(({ name }) => row[name]).join())];
};

test.each<[string, readonly string[]]>([
  ["union Calls, Teams", ["app,failed,team", "web,3,", "cart,0,", "web,5,", "web,,shop", "search,,find"]],
  ["Calls | union kind=inner (Teams | where team == 'find')", ["app", "web", "cart", "web", "search"]],
  ["let all = union Named, Teams; all | count", ["Count", "3"]],
  ["Calls | union Teams | summarize rows = count() by app | where rows > 2", ["app,rows", "web,3"]],
  ["Calls | join kind=inner Teams on app", ["app,failed,app1,team", "web,3,web,shop", "web,5,web,shop"]],
  [
    "Calls | join kind=leftouter (Teams | project app, team) on app | project app, failed, team",
    ["app,failed,team", "web,3,shop", "cart,0,", "web,5,shop"],
  ],
  ["Calls | join kind=leftanti Teams on app", ["app,failed", "cart,0"]],
  ["Calls | join kind=leftsemi Teams on app", ["app,failed", "web,3", "web,5"]],
  ["Calls | join kind=inner Named on $left.app == $right.service", ["app,failed,service", "cart,0,cart"]],
  ["Teams | join Calls on app", ["app,team,app1,failed", "web,shop,web,3", "web,shop,web,5"]],
])("%s", (query, expected) => expect(shown(query)).toEqual(expected));

test.each<[string, string]>([
  ["Calls | join Teams on app", "whose left side has a key twice"],
  ["Calls | join kind=fullouter Teams on app", "'kind=fullouter' of the operator 'join'"],
  ["Calls | join hint.strategy=broadcast Teams on app", "'hint.strategy=broadcast' of the operator 'join'"],
  ["union withsource=source Calls, Teams", "'withsource=source' of the operator 'union'"],
  ["union Calls, Counted", "in which 'app' has several types"],
  ["Calls | join kind=inner Counted on app", "joins string and long"],
  ["Counted | join kind=inner Empty on app", "a join by a value that is null"],
  ["Calls | join kind=inner Teams on nothing", "Failed to resolve column or scalar expression named 'nothing'"],
  ["Calls | join kind=inner Teams on $right.app == $left.app", "as the condition of a join"],
  ["union Call*, Teams", "'Call*', which names several tables"],
  ["Teams | join kind=inner (Teams | join kind=inner Teams on app) on app", "a column that is numbered so"],
])("%s is refused by name", (query, text) => expect(() => run(query)).toThrow(text));

test("text that a table of a union does not have is empty, and not null", () =>
  expect(run("union Calls, Teams | distinct *").rows[0]).toEqual({ app: "web", failed: 3, team: "" }));
