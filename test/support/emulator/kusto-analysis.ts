// Microsoft's own analysis of Kusto queries (@kusto/language-service-next), as a judge of the emulator's: it finds the
// names and types of a query's columns, and its errors. The emulator uses the parser of that package and not this part.
import { createRequire } from "node:module";
import type { Column } from "../../../emulator/kql/values.ts";

/** What the analysis says of a query: its columns as `name:type`, and its errors. */
export interface Analysed {
  readonly columns: readonly string[];
  readonly problems: readonly string[];
}

/** Makes the function that analyses queries of a database with one table. */
export function kustoAnalysis(table: string, columns: readonly Column[]): (query: string) => Analysed {
  const require = createRequire(import.meta.url);
  require("@kusto/language-service-next/bridge.min.js");
  require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
  const { GlobalState, KustoCode, Symbols } = (globalThis as any).Kusto.Language;
  const shape = `(${columns.map(({ name, type }) => `${name}: ${type}`).join(", ")})`;
  const database = new Symbols.DatabaseSymbol.ctor("db", [Symbols.TableSymbol.From(shape).WithName(table)]);
  const globals = GlobalState.Default.WithDatabase(database);
  const listed = (list: any): readonly any[] => Array.from({ length: list.Count }, (_, index) => list.getItem(index));
  return (query) => {
    const code = KustoCode.ParseAndAnalyze(query, globals);
    return {
      columns: code.ResultType?.Columns
        ? listed(code.ResultType.Columns).map(({ Name, Type }) => `${Name}:${Type.Name}`)
        : [],
      problems: listed(code.GetDiagnostics()).map(({ Code, Message }) => `${Code}: ${Message}`),
    };
  };
}
