// The parts of a query in KQL that the rules of an objective and the page about a service share.

/** Joins the lines of a query. */
export const kql = (...lines: readonly string[]): string => lines.join("\n| ");

/** Writes the lines that choose an app's requests, without the probes that go to a revision's own address. */
export const requestsOfApp = (app: string): readonly [table: string, condition: string] => [
  "ContainerAppHTTPLogs",
  `where ContainerAppName == ${JSON.stringify(app)} and Authority !startswith ${JSON.stringify(`${app}--`)}`,
];
