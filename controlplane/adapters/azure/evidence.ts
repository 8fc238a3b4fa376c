// What Azure has to say about an incident, for the person who is called: the replicas that serve, the paths that fail,
// and the exceptions that the app reports. A message of an exception may hold a person's data, so only types are read.
import { many } from "../../../engines/wording.ts";
import type { Evidence } from "../../performers/remediation-ports.ts";
import type { Cloud } from "./cloud.ts";
import type { Connection } from "./connection.ts";
import { rowsIn } from "./log-table.ts";
import { maskPath } from "./mask-path.ts";
import { partsOf, replicasOf } from "./runbooks.ts";
import { ask, type Patience } from "./trouble.ts";

/** How far back it looks. */
const minutes = 15;
const linesMax = 10;
const exceptionsMax = 5;

/** Opens the evidence of Azure. Whatever cannot be read is said to be missing. */
export const azureEvidence =
  (connection: Pick<Connection, "apps" | "ready" | "logs">, patience: Patience, workspace: string): Evidence =>
  async (target, cancel) => {
    if (!target.startsWith("app/")) return [];
    const app = JSON.stringify(partsOf(target).name);
    const rows = (query: readonly string[], columns: readonly string[]) =>
      rowsOf(connection, patience, workspace, query, columns, cancel);
    const [replicas, failing, exceptions] = await Promise.all([
      replicasLine({ ...connection, patience }, target, cancel),
      rows(
        [
          "ContainerAppHTTPLogs",
          `where ContainerAppName == ${app} and StatusCode >= 500`,
          "summarize requests = count() by RevisionName, StatusCode, Path",
          `top ${linesMax} by requests desc`,
        ],
        ["requests", "RevisionName", "Path", "StatusCode"],
      ),
      rows(
        [
          "AppExceptions",
          `where AppRoleName =~ ${app}`, // the name of a role has the letters that the app's own code gave it
          "summarize times = sum(ItemCount) by ExceptionType, ProblemId",
          `top ${exceptionsMax} by times desc`,
        ],
        ["times", "ExceptionType", "ProblemId"],
      ),
    ]);
    return [
      replicas,
      ...(failing?.map(describeFailing) ?? ["the request rows could not be read"]),
      ...(exceptions?.map(([times, type, problem]) => `${times} times ${type} (${problem})`) ?? [
        "the exceptions could not be read",
      ]),
    ];
  };

async function replicasLine(cloud: Cloud, target: string, cancel: AbortSignal): Promise<string> {
  const serving = await replicasOf(cloud, target, cancel);
  if (!serving.ok) return `the app cannot be read: ${serving.reason}`;
  const { revision, replicas } = serving.value;
  const restarts = replicas.flatMap(({ containers = [] }) => containers.map(({ restartCount = 0 }) => restartCount));
  const sum = restarts.reduce((total, count) => total + count, 0);
  return `${revision} serves; replicas: ${replicas.length}, restarts: ${sum}`;
}

const describeFailing = ([requests, revision, path, status]: readonly string[]): string =>
  `${many(Number(requests), "request")} of ${revision} to ${maskPath(path ?? "")} answered ${status}`;

/** Gives the rows of a query by these columns; undefined if they could not be read whole. */
async function rowsOf(
  { logs }: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  query: readonly string[],
  columns: readonly string[],
  cancel: AbortSignal,
): Promise<readonly (readonly string[])[] | undefined> {
  const answered = await ask(patience, cancel, () =>
    logs.queryWorkspace(workspace, query.join("\n| "), { duration: `PT${minutes}M` }),
  );
  if (!answered.ok || answered.value.status !== "Success") return undefined;
  return rowsIn(answered.value.tables[0], columns)?.map((row) => row.map(String));
}
