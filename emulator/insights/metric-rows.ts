// The platform metrics that stored rows show, a value for each row: requests of an app, requests to a vault, logins to
// a server. Azure has these metrics without a diagnostic setting; here a setting must send the rows to a workspace.
// What an app's replicas are like is sampled, and needs no setting.
import { environmentIdOf } from "../app/app-bodies.ts";
import { type Sample, samplesOf } from "../app/replica-samples.ts";
import { wiredWorkspaces } from "../app/request-rows.ts";
import { sameText } from "../arm/bodies.ts";
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { serverLogTable } from "../dbforpostgresql/log-rows.ts";
import { auditTable } from "../keyvault/audit-rows.ts";
import type { Row } from "../kql/values.ts";
import { tablesOf, type Window } from "../operationalinsights/tables.ts";

/** How rows show a metric: the value of each, and its dimensions by name in lower case. */
interface Shown {
  readonly valueOf: (row: Row) => number | undefined;
  readonly dimensions?: Readonly<Record<string, (row: Row) => string>>;
}

/** The rows that show metrics of a type of resources. */
interface Source {
  readonly table: string;
  readonly workspaces: (cloud: Cloud, resource: Resource) => readonly string[];
  readonly isOf: (row: Row, resource: Resource) => boolean;
  /** By name in lower case. */
  readonly metrics: Readonly<Record<string, Shown>>;
}

const one = (): number => 1;
const column =
  (name: string) =>
  (row: Row): string =>
    String(row[name] ?? "");
const classOf =
  (name: string) =>
  (row: Row): string =>
    `${column(name)(row).slice(0, 1)}xx`;
const isOfResource: Source["isOf"] = (row, { id }) => row["_ResourceId"] === id.toLowerCase();

const status = { statuscode: column("StatusCode"), statuscodecategory: classOf("StatusCode") };
const answers = { statuscode: column("HttpStatusCode"), statuscodeclass: classOf("HttpStatusCode") };
const refusals = /^(28|3D|53)/;

const sources: { readonly [type: string]: Source } = {
  "microsoft.app/containerapps": {
    table: "ContainerAppHTTPLogs",
    workspaces: (cloud, { body }) => wiredWorkspaces(cloud, environmentIdOf(body), "containerapphttplogs"),
    isOf: (row, { body }) => sameText(row["ContainerAppName"], body["name"]),
    metrics: {
      requests: {
        valueOf: one,
        dimensions: { ...status, revisionname: column("RevisionName"), podname: column("ReplicaName") },
      },
      responsetime: { valueOf: ({ RequestDuration }) => Number(RequestDuration), dimensions: status },
    },
  },
  "microsoft.keyvault/vaults": {
    table: auditTable.name,
    workspaces: (cloud, { id }) => wiredWorkspaces(cloud, id, auditTable.category, auditTable.isDedicated),
    isOf: isOfResource,
    metrics: {
      serviceapihit: { valueOf: one },
      serviceapiresult: { valueOf: one, dimensions: answers },
      serviceapilatency: { valueOf: ({ DurationMs }) => Number(DurationMs), dimensions: answers },
      availability: { valueOf: ({ HttpStatusCode }) => (Number(HttpStatusCode) >= 500 ? 0 : 100), dimensions: answers },
    },
  },
  "microsoft.dbforpostgresql/flexibleservers": {
    table: serverLogTable.name,
    workspaces: (cloud, { id }) => wiredWorkspaces(cloud, id, serverLogTable.category, serverLogTable.isDedicated),
    isOf: isOfResource,
    metrics: {
      connections_failed: {
        valueOf: ({ ErrorLevel, SqlErrorCode }) =>
          ErrorLevel === "FATAL" && refusals.test(String(SqlErrorCode)) ? 1 : undefined,
      },
      connections_succeeded: {
        valueOf: ({ Message }) => (/: {2}connection authorized\b/.test(String(Message)) ? 1 : undefined),
      },
    },
  },
};

type Pod = Sample["pods"][number];

/** The values of one sample: of each replica with its name, or of the revision. */
const sampled: { readonly [metric: string]: (sample: Sample) => readonly Row[] } = {
  replicas: ({ pods }) => [{ value: pods.length }],
  restartcount: ofPods(({ restarts }) => restarts),
  usagenanocores: ofPods(({ nanoCores }) => nanoCores),
  workingsetbytes: ofPods(({ bytes }) => bytes),
};

function ofPods(valueOf: (pod: Pod) => number | undefined): (sample: Sample) => readonly Row[] {
  return ({ pods }) =>
    pods.flatMap((pod) => {
      const value = valueOf(pod);
      return value === undefined ? [] : [{ value, podname: pod.name }];
    });
}

/** Gives the values of a sampled metric of an app; undefined for another resource or metric. */
function sampledRows(
  cloud: Cloud,
  { id, type }: Resource,
  { metricName, dimensions = [] }: Body,
  { from, to }: Window,
): readonly Row[] | undefined {
  const valuesOf = sampled[String(metricName).toLowerCase()];
  if (type.toLowerCase() !== "microsoft.app/containerapps" || valuesOf === undefined) return undefined;
  const names = (dimensions as Body[]).map(({ name }) => String(name));
  return samplesOf(cloud)
    .all.filter(({ app, at }) => app === id.toLowerCase() && at >= from && at < to)
    .flatMap((sample) =>
      valuesOf(sample).map((row) => {
        const known: Row = { ...row, revisionname: sample.revision };
        return { value: row["value"]!, ...Object.fromEntries(names.map((name) => [name, known[name.toLowerCase()]!])) };
      }),
    );
}

/**
 * Gives the values of a condition's metric within a window, as rows with the value and the condition's dimensions; a
 * text if no stored row shows that metric.
 */
export function metricRows(cloud: Cloud, resource: Resource, condition: Body, window: Window): readonly Row[] | string {
  const samples = sampledRows(cloud, resource, condition, window);
  if (samples !== undefined) return samples;
  const { metricName, dimensions = [] } = condition;
  const source = sources[resource.type.toLowerCase()];
  const shown = source?.metrics[String(metricName).toLowerCase()];
  if (source === undefined || shown === undefined) return `the emulator has no values of ${String(metricName)}`;
  const [workspace] = source.workspaces(cloud, resource);
  if (workspace === undefined) return `no diagnostic setting sends the rows that show ${String(metricName)} anywhere`;
  const named: [string, ((row: Row) => string) | undefined][] = (dimensions as Body[]).map(({ name }) => [
    String(name),
    shown.dimensions?.[String(name).toLowerCase()],
  ]);
  const without = named.find(([, of]) => of === undefined);
  if (without !== undefined) return `the emulator has no values of ${String(metricName)} by ${without[0]}`;
  return (tablesOf(cloud, workspace, window, window.to)[source.table]?.rows ?? [])
    .filter((row) => source.isOf(row, resource))
    .flatMap((row) => {
      const value = shown.valueOf(row);
      if (value === undefined) return [];
      return [{ value, ...Object.fromEntries(named.map(([name, of]) => [name, of!(row)])) }];
    });
}
