// What the story of the remediations strikes: an environment with services on a real database, put up on the emulator
// as a program would. Each service has a twin with the same fault and the same load that nothing is done about.
import { randomUUID } from "node:crypto";
import pg from "pg";
import type { RunningPostgres } from "../../toolchain/postgres.ts";
import type { CloudAddress } from "../ground.ts";
import { type Arm, armOf } from "../rotation/arm.ts";
import { eventually } from "../rotation/eventually.ts";
import { minuteRule } from "./minute-rule.ts";

/** Where everything runs. */
export interface Land {
  readonly cloud: CloudAddress;
  readonly postgres: Omit<RunningPostgres, "stop">;
}

/** A service of the estate. */
export interface ServiceSpec {
  readonly name: string;
  /** The resource group of a service that another estate has put up. @default "shop" */
  readonly group?: string;
  readonly database: string;
  /** The table that each request reads. */
  readonly table?: string;
  readonly replicas?: number;
  /** How many connections its role may have. With a limit it logs in with a role of its own. */
  readonly connectionsMax?: number;
  /** The variables of its fault. */
  readonly fault?: Readonly<Record<string, string>>;
}

/** The estate, and how to look at it. */
export interface Estate extends Land {
  readonly arm: Arm;
  /** The customer id of the workspace with the logs. */
  readonly workspace: string;
  /** Puts a service with one revision, and gives the address at which users reach it. */
  readonly put: (spec: ServiceSpec) => Promise<string>;
  /** Makes another revision without traffic, and gives its name. */
  readonly release: (spec: ServiceSpec, suffix: string, weight?: 0 | 100) => Promise<string>;
  /** Puts a log alert rule that looks at the last minute, each minute. */
  readonly rule: (name: string, query: string) => Promise<void>;
  readonly putJob: (name: string, database: string) => Promise<void>;
  /** Runs a statement as the server's superuser. */
  readonly admin: (database: string, statement: string) => Promise<readonly pg.QueryResultRow[]>;
  /** Opens a session that takes a lock, and then does nothing. */
  readonly block: (database: string, table: string) => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

export const resourceGroup = "shop";
const versions = { app: "2025-07-01", rule: "2025-01-01-preview" } as const;
/** The databases: that of the services, that of their twins, and one that three services cannot do without. */
export const databases = { own: "story", twins: "story_alone", shared: "catalogue" } as const;
/** The tables; `locked` is the one that a session blocks. */
const tables = ["prices", "locked"];

/** Where the logs go: a workspace of another estate. */
export interface LogsElsewhere {
  readonly workspaceId: string;
  /** Its customer id. */
  readonly workspace: string;
}

/** Puts the group, the environment and the databases. @param elsewhere default: a workspace of its own */
export async function putUp(land: Land, elsewhere?: LogsElsewhere): Promise<Estate> {
  const { cloud, postgres } = land;
  const arm = armOf(cloud);
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/${resourceGroup}`;
  const idOf = (type: string, name: string): string => `${group}/providers/${type}/${name}`;
  const environmentId = idOf("Microsoft.App/managedEnvironments", "shop");
  await arm.ask("PUT", group, "2024-03-01", { location: "westeurope" });
  const ownId = idOf("Microsoft.OperationalInsights/workspaces", "shop-logs");
  const { workspaceId, workspace } = elsewhere ?? {
    workspaceId: ownId,
    workspace: (await arm.settle(ownId, "2023-09-01", { location: "westeurope", properties: {} })).properties
      .customerId,
  };
  await arm.settle(environmentId, versions.app, {
    location: "westeurope",
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  await arm.ask("PUT", `${environmentId}/providers/Microsoft.Insights/diagnosticSettings/logs`, "2021-05-01-preview", {
    properties: { workspaceId, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] },
  });
  await arm.control("ingestion", { lagSeconds: 0 });
  const pools = await openDatabases(postgres);
  const admin: Estate["admin"] = async (database, statement) => (await pools(database).query(statement)).rows;
  const at = {
    arm,
    environmentId,
    postgres,
    admin,
    appId: (name: string) => idOf("Microsoft.App/containerApps", name),
  };
  return {
    ...land,
    arm,
    workspace,
    put: (spec) => putService(at, spec),
    release: (spec, suffix, weight = 0) => putRevision(at, spec, suffix, weight),
    rule: async (name, query) => {
      await arm.ask(
        "PUT",
        idOf("Microsoft.Insights/scheduledQueryRules", name),
        versions.rule,
        minuteRule(workspaceId, query, 1),
      );
    },
    putJob: async (name, database) => {
      await arm.settle(idOf("Microsoft.App/jobs", name), versions.app, jobOf(at, name, postgres.url(database)));
    },
    admin,
    block: async (database, table) => {
      const client = new pg.Client({ connectionString: postgres.url(database), application_name: "forgotten" });
      client.on("error", () => undefined); // it is ended from outside
      await client.connect();
      await client.query(`begin; lock table ${table} in access exclusive mode`);
      return () => client.end().catch(() => undefined);
    },
    close: async () => {
      await arm.remove(group, "2024-03-01");
      for (const database of ["postgres", ...Object.values(databases)]) await pools(database).end();
    },
  };
}

/** Makes the databases with a table of prices each, and gives their pools. */
async function openDatabases(postgres: Land["postgres"]): Promise<(database: string) => pg.Pool> {
  const pools = new Map(
    ["postgres", ...Object.values(databases)].map((database) => {
      const pool = new pg.Pool({ connectionString: postgres.url(database), max: 2 });
      pool.on("error", () => undefined);
      return [database, pool] as const;
    }),
  );
  for (const database of Object.values(databases)) {
    await pools.get("postgres")!.query(`create database ${database}`);
    for (const table of tables)
      await pools.get(database)!.query(`create table ${table} (price int); insert into ${table} values (1)`);
  }
  return (database) => pools.get(database)!;
}

interface Place {
  readonly arm: Arm;
  readonly environmentId: string;
  readonly postgres: Land["postgres"];
  readonly appId: (name: string) => string;
  readonly admin: Estate["admin"];
}

/** The password of the roles of services: random, so that no other run knows it. */
const rolePassword = randomUUID();

/** Gives where a service finds its database. */
function urlOf(postgres: Land["postgres"], { name, database, connectionsMax }: ServiceSpec): string {
  const url = new URL(postgres.url(database));
  if (connectionsMax !== undefined) Object.assign(url, { username: name, password: rolePassword });
  return url.href;
}

const templateOf = ({ postgres }: Place, spec: ServiceSpec, suffix: string): object => ({
  revisionSuffix: suffix,
  containers: [
    {
      name: "service",
      image: "registry.example/service:1",
      env: Object.entries({
        RELEASE: suffix,
        DATABASE_URL: urlOf(postgres, spec),
        TABLE: spec.table ?? "prices",
        ...spec.fault,
      }).map(([name, value]) => ({ name, value })),
      // A process that hangs still accepts connections, so this probe does not notice it.
      probes: [{ type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 }],
    },
  ],
  scale: { minReplicas: spec.replicas ?? 1, maxReplicas: spec.replicas ?? 1 },
});

async function putService(at: Place, spec: ServiceSpec): Promise<string> {
  const { arm, environmentId, appId, admin } = at;
  const { name, connectionsMax, database } = spec;
  if (connectionsMax !== undefined)
    await admin(
      database,
      `create role "${name}" login password '${rolePassword}' connection limit ${connectionsMax}; ` +
        `grant select on ${tables.join(", ")} to "${name}"`,
    );
  const put = await arm.settle(appId(spec.name), versions.app, {
    location: "westeurope",
    properties: {
      managedEnvironmentId: environmentId,
      configuration: {
        activeRevisionsMode: "Multiple",
        ingress: { external: true, targetPort: 8080, traffic: [{ revisionName: `${spec.name}--one`, weight: 100 }] },
      },
      template: templateOf(at, spec, "one"),
    },
  });
  await ready(at, spec.name, "one");
  return `https://${put.properties.configuration.ingress.fqdn}`;
}

async function putRevision(at: Place, spec: ServiceSpec, suffix: string, weight: 0 | 100): Promise<string> {
  const { arm, appId } = at;
  const traffic = weight === 100 ? { ingress: { traffic: [{ latestRevision: true, weight: 100 }] } } : undefined;
  await arm.ask("PATCH", appId(spec.name), versions.app, {
    location: "westeurope",
    properties: { template: templateOf(at, spec, suffix), ...(traffic && { configuration: traffic }) },
  });
  await ready(at, spec.name, suffix);
  return `${spec.name}--${suffix}`;
}

async function ready({ arm, appId }: Place, name: string, suffix: string): Promise<void> {
  const health = async (): Promise<true | undefined> => {
    const found = await arm
      .ask("GET", `${appId(name)}/revisions/${name}--${suffix}`, versions.app)
      .catch(() => undefined);
    return found?.properties.healthState === "Healthy" || undefined;
  };
  await eventually(health, `${name}--${suffix} to be healthy`);
}

const jobOf = ({ environmentId }: Place, name: string, databaseUrl: string): object => ({
  location: "westeurope",
  properties: {
    environmentId,
    configuration: {
      triggerType: "Manual",
      replicaTimeout: 60,
      replicaRetryLimit: 0,
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
      secrets: [{ name: "database-url", value: databaseUrl }],
    },
    template: {
      containers: [
        {
          name,
          image: "registry.example/runbook-job:1",
          env: [
            { name: "DATABASE_URL", secretRef: "database-url" },
            { name: "IDLE_SECONDS", value: "3" },
          ],
        },
      ],
    },
  },
});
