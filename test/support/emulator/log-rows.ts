// A log query over the wire, as the rule of an alert sends it, and its answer as rows.
import type { CloudForTests } from "./cloud.ts";

/** A row of an answer, by column. */
export type LogRow = Readonly<Record<string, any>>;

const service = "https://api.loganalytics.ballast.localhost";

/** Queries a workspace, over all rows or over the latest seconds. @throws when the query is refused */
export async function logRows(
  { ask, tokenFor }: Pick<CloudForTests, "ask" | "tokenFor">,
  customerId: string,
  query: string,
  seconds?: number,
): Promise<readonly LogRow[]> {
  const { status, body } = await ask(
    "POST",
    `${service}/v1/workspaces/${customerId}/query`,
    { query, ...(seconds === undefined ? {} : { timespan: `PT${seconds}S` }) },
    { token: await tokenFor(service) },
  );
  if (status !== 200) throw new Error(JSON.stringify(body));
  const { columns, rows } = body.tables[0];
  return rows.map((row: readonly unknown[]) =>
    Object.fromEntries(columns.map(({ name }: { name: string }, index: number) => [name, row[index]])),
  );
}
