// Telemetry sent to Application Insights (POST /v2.1/track) as rows of the workspace tables AppRequests,
// AppDependencies, AppExceptions, AppTraces and AppMetrics, bounded and in memory. Columns and their types are those
// documented for the real tables. Envelopes of other types are refused.
import { requestRows } from "../app/request-rows.ts";
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import type { KqlType, Row, Value } from "../kql/values.ts";

type Columns = readonly { readonly name: string; readonly type: KqlType }[];
const columnsOf = (list: string): Columns =>
  list.split(" ").map((each) => {
    const [name = "", type = "string"] = each.split(":");
    return { name, type: type as KqlType };
  });

const common =
  "TenantId TimeGenerated:datetime OperationName OperationId ParentId AppVersion AppRoleName AppRoleInstance " +
  "SDKVersion ItemCount:int Properties:dynamic";

/** The tables, with the columns that the emulator fills. */
export const telemetryColumns: { readonly [table: string]: Columns } = {
  AppRequests: columnsOf(`${common} Id Name Url Success:bool ResultCode DurationMs:real`),
  AppDependencies: columnsOf(`${common} Id Name Target DependencyType Data Success:bool ResultCode DurationMs:real`),
  AppMetrics: columnsOf(`${common} Name Sum:real Min:real Max:real`),
  AppExceptions: columnsOf(`${common} ProblemId ExceptionType OuterType OuterMessage SeverityLevel:int`),
  AppTraces: columnsOf(`${common} Message SeverityLevel:int`),
};

/** Each table keeps at least this many of its newest rows. */
const rowsMax = 50_000;
/** The most items that the service takes in one request. */
export const itemsMax = 50_000;

const tables = new WeakMap<Cloud, Map<string, Row[]>>();

function rowsOf(cloud: Cloud, table: string): Row[] {
  const all = tables.get(cloud) ?? new Map<string, Row[]>();
  tables.set(cloud, all);
  const rows = all.get(table) ?? [];
  all.set(table, rows);
  return rows;
}

/** Gives the rows of a table that a query of a workspace sees now. */
export const visibleTelemetry = (cloud: Cloud, table: string, workspace: string): readonly Row[] =>
  rowsOf(cloud, table).filter((row) => row["TenantId"] === workspace && Number(row["visibleAt"]) <= cloud.clock.now());

/** Finds the component that a key belongs to. */
export const componentOf = (cloud: Cloud, key: unknown): Resource | undefined =>
  cloud.store
    .list()
    .find(
      ({ type, body }) => type === "Microsoft.Insights/components" && body["properties"].InstrumentationKey === key,
    );

/** Keeps an envelope of a component, or gives why it is refused. */
export function keepEnvelope(cloud: Cloud, component: Resource, envelope: Body): string | undefined {
  const { baseType, baseData } = (envelope["data"] ?? {}) as { baseType?: string; baseData?: Body };
  const make = Object.hasOwn(makers, baseType ?? "") ? makers[baseType!] : undefined;
  if (make === undefined || baseData === undefined)
    return `Field 'data.baseType' is '${String(baseType)}', which is not served`;
  const at = Date.parse(String(envelope["time"]));
  if (Number.isNaN(at)) return "Field 'time' on type 'Envelope' is not a date";
  const tags = (envelope["tags"] ?? {}) as Record<string, string>;
  const customerId: unknown = cloud.store.get(String(component.body["properties"].WorkspaceResourceId))?.body[
    "properties"
  ].customerId;
  const shared: Row = {
    TenantId: String(customerId),
    TimeGenerated: at,
    visibleAt: cloud.clock.now() + requestRows(cloud).lagSeconds * 1000,
    OperationName: tags["ai.operation.name"] ?? "",
    OperationId: tags["ai.operation.id"] ?? "",
    ParentId: tags["ai.operation.parentId"] ?? "",
    AppVersion: tags["ai.application.ver"] ?? "",
    AppRoleName: tags["ai.cloud.role"] ?? "",
    AppRoleInstance: tags["ai.cloud.roleInstance"] ?? "",
    SDKVersion: tags["ai.internal.sdkVersion"] ?? "",
    Properties: JSON.stringify(baseData["properties"] ?? {}),
  };
  // A sampled item also represents those that were not sent.
  const itemCount = Math.round(100 / Number(envelope["sampleRate"] ?? 100));
  for (const [table, row] of make(baseData)) {
    const rows = rowsOf(cloud, table);
    rows.push({ ...shared, ItemCount: itemCount, ...row });
    if (rows.length > rowsMax * 1.1) rows.splice(0, rows.length - rowsMax);
  }
  return undefined;
}

type Made = readonly (readonly [table: string, row: Row])[];
const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const number = (value: unknown, otherwise: Value): Value => (typeof value === "number" ? value : otherwise);

const spanOf = ({ id, name, success, duration }: Body): Row => ({
  Id: text(id),
  Name: text(name),
  Success: success !== false,
  DurationMs: milliseconds(text(duration)),
});

const makers: { readonly [baseType: string]: (sent: Body) => Made } = {
  RequestData: (sent) => [
    ["AppRequests", { ...spanOf(sent), Url: text(sent["url"]), ResultCode: text(sent["responseCode"]) }],
  ],
  RemoteDependencyData: (sent) => [
    [
      "AppDependencies",
      {
        ...spanOf(sent),
        Target: text(sent["target"]),
        DependencyType: text(sent["type"]),
        Data: text(sent["data"]),
        ResultCode: text(sent["resultCode"]),
      },
    ],
  ],
  ExceptionData: ({ exceptions = [], problemId, severityLevel }) => {
    // The last one of the chain is the cause; the first is what was thrown to the outside.
    const chain = exceptions as readonly Body[];
    const { typeName: outer, message } = chain[0] ?? {};
    return [
      [
        "AppExceptions",
        {
          ProblemId: text(problemId),
          ExceptionType: text(chain.at(-1)?.["typeName"] ?? outer),
          OuterType: text(outer),
          OuterMessage: text(message),
          SeverityLevel: levelOf(severityLevel),
        },
      ],
    ];
  },
  MessageData: ({ message, severityLevel }) => [
    ["AppTraces", { Message: text(message), SeverityLevel: levelOf(severityLevel) }],
  ],
  MetricData: ({ metrics = [] }) =>
    (metrics as Body[]).map(({ name, value, count, min, max }) => [
      "AppMetrics",
      {
        Name: text(name),
        Sum: Number(value),
        Min: number(min, Number(value)),
        Max: number(max, Number(value)),
        ItemCount: number(count, 1),
      },
    ]),
};

const levels = ["Verbose", "Information", "Warning", "Error", "Critical"];

/** Reads a level, which is sent as a number or by its name. */
function levelOf(level: unknown): Value {
  if (typeof level === "number") return level;
  const index = levels.indexOf(text(level));
  return index === -1 ? null : index;
}

/** Reads a duration, `[days.]hours:minutes:seconds[.fraction]`. */
function milliseconds(duration: string): number {
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] =
    /^(?:(\d+)\.)?(\d+):(\d+):([\d.]+)$/.exec(duration) ?? [];
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
