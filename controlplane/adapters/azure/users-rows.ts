// The rows of users' requests, as the lines of a Kusto query: what is counted, and what is not. Every query about the
// requests of a release begins with them, so that all of them count the same requests.
import type { RolloutEffect } from "../../../engines/rollout/vocabulary.ts";

/** Writes a text as a KQL literal, whose escapes are those of JSON. */
const literal = (text: string): string => JSON.stringify(text);

/**
 * Gives the first lines of a query about both revisions. Names are inserted as literals, never as text.
 *
 * Requests to a revision's own address or to a label's are left out: they are our probes and people who try the canary,
 * not users routed by weight. Rows that were delivered twice count once; they are equal in every column that identifies
 * a request (the request id alone does not, because clients may send their own).
 */
export function usersRows(
  { target, canary, stable }: Pick<Extract<RolloutEffect, { kind: "Measure" }>, "target" | "canary" | "stable">,
  moreColumns: readonly string[] = [],
): readonly string[] {
  const revisions = stable === null ? [canary] : [canary, stable];
  const ownAddresses = [...revisions.map((revision) => `${revision}.`), `${target.app}---`];
  const columns = ["TimeGenerated", "StartTime", "RequestId", "RevisionName", "StatusCode", "RequestDuration"];
  return [
    "ContainerAppHTTPLogs",
    `where ContainerAppName == ${literal(target.app)} and RevisionName in (${revisions.map(literal).join(", ")})`,
    `where ${ownAddresses.map((address) => `Authority !startswith ${literal(address)}`).join(" and ")}`,
    `distinct ${[...columns, ...moreColumns].join(", ")}`,
  ];
}
