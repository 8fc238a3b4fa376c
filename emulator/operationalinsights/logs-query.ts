// The Log Analytics query service: GET and POST /v1/workspaces/{customerId}/query over the rows that a workspace has
// now. The tables are in tables.ts. The server checks permissions before it calls this.
import { randomUUID } from "node:crypto";
import type { ArmReply, Body, Cloud } from "../arm/resource.ts";
import { evaluate } from "../kql/evaluate.ts";
import { KqlError } from "../kql/syntax.ts";
import type { Table } from "../kql/values.ts";
import { instantText, type KqlType, spanText, type Value } from "../kql/values.ts";
import { isoMilliseconds } from "./iso-duration.ts";
import { tablesOf, type Window } from "./tables.ts";

/**
 * Makes the function that answers what is asked of a workspace, in a body or in the parameters of a GET. An invalid
 * query is an error in its reply, never thrown.
 */
export function logsQuery(cloud: Cloud): (customerId: string, asked: Body) => Promise<ArmReply> {
  return async (customerId, body) => {
    const query: unknown = body["query"];
    if (typeof query !== "string" || query.trim() === "")
      return badArgument({ code: "MissingQuery", message: "The body has no query." });
    if (Array.isArray(body["workspaces"]) ? body["workspaces"].length > 0 : body["workspaces"] != null)
      return badArgument({ code: "EmulatorUnsupported", message: "The emulator does not query further workspaces." });
    const now = cloud.clock.now();
    const window = windowOf(body["timespan"], now);
    if (!window)
      return badArgument({
        code: "InvalidTimespan",
        message: `'${String(body["timespan"])}' is not an ISO 8601 duration or interval.`,
      });
    try {
      const table = evaluate(query, tablesOf(cloud, customerId, window), now);
      return { status: 200, body: { tables: [{ name: "PrimaryResult", ...onTheWire(table) }] } };
    } catch (error) {
      if (!(error instanceof KqlError)) throw error;
      const message =
        error.kind === "SyntaxError" ? "A recognition error occurred in the query." : "A semantic error occurred.";
      return badArgument({ code: error.kind, message, innererror: { code: error.code, message: error.message } });
    }
  };
}

const badArgument = (innererror: object): ArmReply => ({
  status: 400,
  body: {
    error: {
      message: "The request had some invalid properties",
      code: "BadArgumentError",
      correlationId: randomUUID(),
      innererror,
    },
  },
});

function onTheWire({ columns, rows }: Table): {
  readonly columns: readonly { readonly name: string; readonly type: KqlType }[];
  readonly rows: readonly (readonly Value[])[];
} {
  const write = (value: Value, type: KqlType): Value => {
    if (value === null) return type === "string" ? "" : null;
    if (type === "datetime") return instantText(Number(value));
    // JSON has no words for these; Kusto writes them as text.
    if (type === "real" && !Number.isFinite(value)) return String(value);
    return type === "timespan" ? spanText(Number(value)) : value;
  };
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows.map((row) => columns.map(({ name, type }) => write(row[name] ?? null, type))),
  };
}

/**
 * Reads a timespan: a duration up to now, `start/end`, `start/duration` or
 * `duration/end`. An absent one means all time.
 */
function windowOf(timespan: unknown, now: number): Window | undefined {
  if (timespan === undefined || timespan === null) return { from: -Infinity, to: Infinity };
  const [first = "", second] = String(timespan).split("/");
  const span = isoMilliseconds(first);
  if (second === undefined) return span === undefined ? undefined : { from: now - span, to: Infinity };
  const spanAfter = isoMilliseconds(second);
  const start = Date.parse(first);
  const end = Date.parse(second);
  const window =
    span !== undefined
      ? { from: end - span, to: end }
      : { from: start, to: spanAfter !== undefined ? start + spanAfter : end };
  // A time that is no number is not before another.
  return window.from <= window.to ? window : undefined;
}
