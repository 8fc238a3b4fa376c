// What a query must show of itself before a rule is made of it. It is not parsed: only what is certain is refused.
import { many } from "../../engines/wording.ts";

/** The largest number of rows that a query can return, if its end says so. */
function mostRowsOf(query: string): number | undefined {
  const last = query.split("|").at(-1)?.trim() ?? "";
  const [, rows] = /^(?:take|limit|top)\s+(\d+)\b/.exec(last) ?? [];
  if (/^count\s*$/.test(last)) return 1;
  return rows === undefined ? undefined : Number(rows);
}

/** Says why a rule on a query could never fire, or would name no target. */
export function objectionsToQuery({
  query,
  dimension,
  threshold = 0,
  windowMinutes,
  everyMinutes = 5,
}: {
  readonly query: string;
  readonly dimension: string;
  readonly threshold?: number | undefined;
  readonly windowMinutes: number;
  readonly everyMinutes?: number | undefined;
}): readonly string[] {
  const most = mostRowsOf(query);
  const isNamed = new RegExp(`\\b${dimension.replace(/[^\w]/g, "\\$&")}\\b`).test(query);
  return [
    ...(isNamed ? [] : [`The query does not name ${dimension}, so its alerts would name no target.`]),
    ...(most !== undefined && threshold >= most
      ? [`The threshold (${threshold}) can never be crossed: the query returns at most ${many(most, "row")}.`]
      : []),
    ...(everyMinutes > windowMinutes
      ? [`windowMinutes (${windowMinutes}) is shorter than everyMinutes (${everyMinutes}): rows would be missed.`]
      : []),
  ];
}
