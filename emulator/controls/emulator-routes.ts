// The stand-in's own routes that concern running apps: request rows, replica logs, processes, killing them, the ingestion lag, truths.
// For tests and demonstrations; no Azure client ever asks here, and nothing of Azure's lies under /_standin.
import { runtimeOf } from "../app/app-runtime.ts";
import { jobProcesses } from "../app/job-executions.ts";
import { type KeptRow, requestRows, rowFrom } from "../app/request-rows.ts";
import type { AppRuntime } from "../app/revisions.ts";
import { ArmError, type ArmReply, type ArmRequest, type Body, type Cloud } from "../arm/resource.ts";
import { presentTruths, setTruths } from "./quirks-in-force.ts";

type StandInRequest = Pick<ArmRequest, "method" | "path" | "query" | "body">;

/**
 * Gives the answerer of `/_standin/rows`, `/logs`, `/kill`, `/processes`, `/ingestion` and `/truths`; undefined where the route is not of these.
 *
 * `GET rows?app=&since=&failed=true` · `POST rows {rows}` · `DELETE rows` · `GET logs?app=&since=` · `POST kill {app, signal}` · `GET processes` ·
 * `POST ingestion {lagSeconds}` · `GET truths` · `POST truths {<name>: true or false}`. `since` is milliseconds or an ISO text.
 */
export function standInRoutes(cloud: Cloud): (request: StandInRequest) => Promise<ArmReply | undefined> {
  return async ({ method, path, query, body = {} }) => {
    switch (`${method} ${path.replace(/^\/_standin\//, "").replace(/\/$/, "")}`) {
      case "GET rows":
        return { status: 200, body: { rows: readRows(cloud, query) } };
      case "DELETE rows":
        return { status: 200, body: { forgotten: requestRows(cloud).forget() } };
      case "POST rows":
        return { status: 200, body: { kept: putRows(cloud, body) } };
      case "GET logs":
        return {
          status: 200,
          body: {
            lines: runtimeOf(cloud)
              .logs.read(query.get("app") ?? undefined, instant(query.get("since")))
              .map((line) => ({ ...line, at: new Date(line.at).toISOString() })),
          },
        };
      case "GET processes":
        return {
          status: 200,
          body: { processes: [...[...runtimeOf(cloud).apps.values()].flatMap(processesOf), ...jobProcesses(cloud)] },
        };
      case "POST kill":
        return { status: 200, body: { pids: kill(cloud, body) } };
      case "POST ingestion":
        return { status: 200, body: { lagSeconds: (requestRows(cloud).lagSeconds = positive(body["lagSeconds"])) } };
      case "GET truths":
        return { status: 200, body: { truths: presentTruths(cloud) } };
      case "POST truths":
        setTruths(cloud, body);
        return { status: 200, body: { truths: presentTruths(cloud) } };
      default:
        return undefined;
    }
  };
}

const refuse = (message: string): never => {
  throw new ArmError(400, "InvalidRequestContent", message);
};

function instant(text: string | null): number {
  if (!text) return 0;
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(at) ? refuse(`"${text}" is not a moment`) : at;
}

const positive = (value: unknown): number =>
  typeof value === "number" && value >= 0
    ? value
    : refuse(`lagSeconds is ${JSON.stringify(value)}; it is a number from 0`);

/** Failed is what a user would call so: 5xx, or no answer at all. */
const failed = ({ StatusCode }: KeptRow): boolean => StatusCode >= 500 || StatusCode === 0;

function readRows(cloud: Cloud, query: URLSearchParams): readonly Body[] {
  const app = query.get("app");
  const since = instant(query.get("since"));
  const onlyFailed = query.get("failed") === "true";
  return requestRows(cloud)
    .visible(undefined)
    .filter(
      (row) => row.TimeGenerated >= since && (!app || row.ContainerAppName === app) && (!onlyFailed || failed(row)),
    )
    .map((row) => ({
      ...row,
      TimeGenerated: new Date(row.TimeGenerated).toISOString(),
      StartTime: new Date(row.StartTime).toISOString(),
      visibleAt: new Date(row.visibleAt).toISOString(),
    }));
}

function putRows(cloud: Cloud, body: Body): number {
  const rows: unknown = body["rows"];
  if (!Array.isArray(rows)) return refuse("rows is a list of rows");
  requestRows(cloud).put(rows.map((row: Body) => rowFrom(row, cloud)));
  return rows.length;
}

const processesOf = (app: AppRuntime): readonly Body[] =>
  app.revisions.flatMap((revision) =>
    (revision.set?.replicas ?? []).map((replica) => ({
      app: app.name,
      revision: revision.name,
      replica: replica.name,
      pid: replica.pid ?? null,
      port: replica.port,
      ready: replica.ready,
      restarts: replica.restarts,
      lastEnd: replica.lastEnd,
    })),
  );

/** Kills as a person with a shell would. Without `revision`, those of every active revision. */
function kill(cloud: Cloud, { app: name, revision, signal = "SIGKILL" }: Body): readonly number[] {
  const app = [...runtimeOf(cloud).apps.values()].find((each) => each.name === name);
  if (!app) throw new ArmError(404, "ResourceNotFound", `No container app '${name}' is running.`);
  return app.revisions
    .filter((each) => revision === undefined || each.name === revision)
    .flatMap((each) => each.set?.kill(signal as NodeJS.Signals) ?? []);
}
