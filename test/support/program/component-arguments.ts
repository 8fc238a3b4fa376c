// The arguments of every component: valid ones to start from, and a walk over all of them by their forms. A new
// argument is in it as soon as it has a form, and it cannot be read without.
import { argumentForms } from "../../../components/argument-forms.ts";
import type { Schema } from "../../../engines/schema.ts";
import * as components from "../../../package.ts";

export type Name = keyof typeof argumentForms;
type Made = new (name: unknown, args: unknown) => unknown;
export type Path = readonly (string | number)[];
export type Values = { readonly [name: string]: unknown };

export const componentNames = Object.keys(argumentForms) as Name[];
const group = "/subscriptions/s/resourceGroups/shop";
const place = { scope: group, resourceGroupName: "shop", location: "westeurope" };
const image = "example.azurecr.io/shop:1";
const pull = { server: "example.azurecr.io", identity: `${group}/identities/pull` };
const environment = { id: "environment", domain: "apps.example.net" };
const id = "00000000-0000-0000-0000-0000ba11a57e";
const endpoint = "https://control-plane.apps.example.net";

const answered = { actionGroupIds: ["group"], owner: "shop team", runbook: "Failing app" };
const remedyOf = { ladder: [{ runbook: "return-to-previous" }], verification: { samplesMin: 10 }, limits: {} };

/** What every kind of rotated credential takes. */
const rotated = {
  ...place,
  vault: { id: "vault", name: "shop-kv" },
  controlPlane: { endpoint, audience: "api://ballast" },
  consumers: [{ resourceGroup: "shop", app: "shop" }],
  timings: { quietSeconds: 2_100 },
  window: { from: "22:00", until: "04:00" },
  freezes: [{ from: "2026-12-20T00:00:00Z", until: "2027-01-02T00:00:00Z", why: "the holidays" }],
  mayRotate: ["object"],
  managedBy: "shop-kv/administrator",
};

const reference = {
  credential: "database",
  form: "uri",
  slots: ["database-a", "database-b"],
  urls: { a: "https://kv.vault.azure.net/secrets/database-a/1", b: "https://kv.vault.azure.net/secrets/database-b/1" },
  identity: "reader",
  consumers: [{ resourceGroup: "shop", app: "shop" }],
};

/** What each component needs, and an object or a list wherever an argument has parts. */
export const validArguments: Readonly<Record<Name, Values>> = {
  BaselineAlerts: {
    scope: group,
    resourceGroupName: "shop",
    ...answered,
    apps: [{ id: "app", name: "shop", cpu: 0.5, memoryGib: 1, scalesToZero: true }],
    databases: [{ id: "server", name: "db", sku: "Standard_B2s" }],
    vaults: [{ id: "vault", name: "keys" }],
    topics: [{ id: "topic", name: "events" }],
    thresholds: { "app-restarts": 5 },
    leaveOut: ["app-replicas"],
  },
  CanaryApp: {
    containerAppName: "shop",
    resourceGroupName: "shop",
    location: "westeurope",
    managedEnvironmentId: "environment",
    controlPlane: { endpoint, audience: "api://ballast" },
    configuration: { ingress: { external: true, targetPort: 8080 } },
    template: { containers: [{ name: "shop", image }] },
    strategy: { weights: [5, 50] },
    thresholds: { failurePointsMax: 0.5 },
    dryRunThresholds: { failurePointsMax: 0.4 },
    gate: { beforePercent: 100, expiresSeconds: 3_600 },
    keepLive: ["tags"],
    acceptLoss: ["sidecars"],
    credentialSlots: [["db-a", "db-b"]],
    credentials: { DATABASE_URL: reference },
  },
  ContainerEnvironment: place,
  ControlPlane: {
    ...place,
    tenant: "tenant",
    image,
    pull,
    environment,
    workspace: { id: "workspace", customerId: "customer" },
    database: { host: "journal.example.net", name: "ballast", login: { user: "ballast", password: "hunter2" } },
    managedTargets: [{ resourceGroup: "shop", app: "shop" }],
    audience: "api://ballast",
    endpoints: {},
    telemetry: { insightsId: "insights", connectionString: "InstrumentationKey=key" },
    issues: { vaultId: "vault", tokenUrl: "https://shop.vault.azure.net/secrets/github-issues" },
    callers: ["10.0.0.0/8"],
  },
  DatabaseCredential: {
    ...rotated,
    credential: "database",
    server: { host: "shop.postgres.database.azure.com" },
    database: "shop",
    roles: { a: "shop_a", b: "shop_b" },
    rotator: "control-plane",
    preparedBy: { resourceGroup: "shop", job: "shop-roles" },
    checks: ["select 1"],
  },
  DatabaseMigration: {
    ...place,
    image,
    pull,
    environmentId: "environment",
    database: { host: "shop.example.net", name: "shop", login: { user: "migrator", password: "hunter2" } },
  },
  DatabaseRole: {
    ...place,
    tenant: "tenant",
    image,
    pull,
    environmentId: "environment",
    database: { serverName: "journal", host: "journal.example.net", name: "ballast" },
    grantee: { name: "control-plane", objectId: "object" },
    credentials: [
      { owner: "shop_owner", a: "shop_a", b: "shop_b", migrator: { name: "shop-migrations", objectId: "object" } },
    ],
  },
  DeadMansSwitch: {
    ...place,
    image,
    pull,
    environmentId: "environment",
    controlPlaneEndpoint: endpoint,
    managedTargets: [{ resourceGroup: "shop", app: "shop", id: "app" }],
  },
  DeliveryWorkflows: {
    source: `example/ballast@${"4f2a".repeat(10)}`,
    version: "v1.4.0",
    stacks: [{ name: "prod", tenantId: id, subscriptionId: id, secrets: ["pulumi-config-passphrase"] }],
    folder: "infra",
    branch: "main",
    project: "shop",
    has: ["credentials"],
    workflows: { "own.yml": "name: own\n" },
    waves: [["acme/canary"], ["acme/shop"]],
    checks: ["up-prod / up"],
  },
  ImageRegistry: { ...place, registry: "shopimages" },
  JournalDatabase: { ...place, tenant: "tenant", network: { subnet: "subnet", zone: "zone" } },
  Network: { ...place, range: "10.40.0.0/22" },
  RemediatedAlert: {
    ...place,
    ...answered,
    workspaceId: "workspace",
    title: "Conflicts",
    means: "A lock is stale.",
    query: "ContainerAppHTTPLogs | where StatusCode == 409",
    dimension: "ContainerAppHTTPLogs",
    severity: 2,
    windowMinutes: 10,
    targets: ["app/shop/shop"],
    remedy: remedyOf,
  },
  RepositoryGuard: {
    repository: "acme/shop",
    environments: {
      prod: {
        reviewers: ["operations"],
        waitMinutes: 5,
        branches: ["main"],
        identity: { resourceGroupName: "shop", identityName: "deploy" },
      },
    },
    branch: "main",
    reportedChecks: ["preview-prod / preview"],
    requiredChecks: ["preview-prod / preview"],
    bypassApps: [1],
    previewIdentity: { resourceGroupName: "shop", identityName: "preview" },
  },
  SecretVault: { ...place, tenant: "tenant", workspaceId: "workspace", officer: "object" },
  ServiceObjectives: {
    ...place,
    ...answered,
    workspaceId: "workspace",
    app: "shop",
    objectives: [{ measures: "availability", goodPercent: 99.9 }],
    remedy: remedyOf,
  },
  ServiceWorkbook: {
    ...place,
    workspaceId: "workspace",
    app: "shop",
    runbook: "Failing app",
    objectives: [{ target: "app/shop/shop", measures: "availability", goodPercent: 99.9 }],
  },
  StorageCredential: {
    ...rotated,
    credential: "data",
    account: { id: "account", resourceGroup: "shop", name: "shopdata" },
    operator: "object",
    workspaceId: "workspace",
  },
  Telemetry: { ...place, workspaceId: "workspace", emails: ["ann@example.com"], apps: ["shop"] },
  WebhookCredential: {
    ...rotated,
    credential: "partner",
    url: "https://rotate.example.com/partner",
    roles: { a: "shop-1", b: "shop-2" },
  },
  httpApp: {
    containerAppName: "shop",
    resourceGroupName: "shop",
    location: "westeurope",
    environmentId: "environment",
    image,
    variables: { GREETING: "hello" },
    secrets: { key: "hunter2" },
    secretVariables: { KEY: "key" },
    registries: [pull],
    telemetry: { connectionString: "InstrumentationKey=key", identity: "identity" },
  },
};

interface Argument {
  readonly path: Path;
  readonly schema: Schema;
  readonly required: boolean;
}

/** Lists every argument within a form, with those of its objects, of the items of its lists and of its names. */
function argumentsIn(schema: Schema, at: Path, value: unknown): readonly Argument[] {
  const {
    properties = {},
    required = [],
    items,
    additionalProperties,
  } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    required?: readonly string[];
    items?: Schema;
    additionalProperties?: Schema | boolean;
  };
  const child = (name: string | number): unknown => (value as Values | undefined)?.[name];
  const parts = [
    ...Object.entries(properties).map(([name, each]) => [name, each, required.includes(name)] as const),
    ...(items && Array.isArray(value) ? [[0, items, false] as const] : []),
    ...(typeof additionalProperties === "object" && value
      ? Object.keys(value).map((name) => [name, additionalProperties, false] as const)
      : []),
  ];
  return parts.flatMap(([name, each, isRequired]) => [
    { path: [...at, name], schema: each, required: isRequired },
    ...argumentsIn(each, [...at, name], child(name)),
  ]);
}

export const pathOf = (path: Path): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");

/** Gives the same arguments with another value at a path; without a value there, the argument is left out. */
export function changed(given: unknown, [step, ...rest]: Path, ...to: readonly unknown[]): unknown {
  const next = (given as Values | undefined)?.[step!];
  if (Array.isArray(given)) return given.with(Number(step), rest.length > 0 ? changed(next, rest, ...to) : to[0]);
  const { [step!]: _, ...others } = (given ?? {}) as Values;
  if (rest.length > 0) return { ...others, [step!]: changed(next, rest, ...to) };
  return to.length === 0 ? others : { ...others, [step!]: to[0] };
}

/** Makes a component, or calls a function, as a JavaScript program would. */
export function makeComponent(component: Name, name: unknown, args: unknown): unknown {
  const exported = (components as Readonly<Record<string, unknown>>)[component];
  if (isFunction(component)) return (exported as (args: unknown) => unknown)(args);
  return new (exported as Made)(name, args);
}

/** The package exports components by names with a capital letter, and functions. */
export const isFunction = (name: Name): boolean => /^[a-z]/.test(name);

/** Every argument of every component. */
export const everyArgument = componentNames.flatMap((component) =>
  argumentsIn(argumentForms[component].schema, [], validArguments[component]).map((argument) => ({
    component,
    ...argument,
  })),
);
