// Conventions that all components share: the logical names of children, the names of Azure resources, sizes, and how an
// error of the catalogue reaches a person. A logical name is a resource's identity to Pulumi and never changes without
// an alias. Every name in Azure comes from `physicalName`.
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { BallastError } from "../errors/catalogue.ts";
import { componentNameRefused } from "../errors/components.ts";

/** A child's role within its component; the child's logical name ends in it. */
export type Role =
  | "workspace"
  | "environment"
  | "request-logs"
  | "server"
  | "database"
  | "azure-services"
  | "identity"
  | "apps-role"
  | "logs-role"
  | "alerts-role"
  | "issues-role"
  | "administrator"
  | "app"
  | "release"
  | "registry"
  | "pull-role"
  | "virtual-network"
  | "environment-subnet"
  | "database-subnet"
  | "database-zone"
  | "database-link"
  | "zone"
  | "zone-record"
  | "zone-link"
  | "insights"
  | "publisher-role"
  | "telemetry-role"
  | "action-group"
  | "workbook"
  | `alert-${string}`
  | "role"
  | `role-at-${string}`
  | "job"
  | "expand-job"
  | "contract-job"
  | "vault"
  | "access-logs"
  | "officer-role"
  | "operator-role"
  | "credential"
  | "settings"
  | `files-${string}`
  | `trust-${string}`;

/** Returns the logical name of a child. */
export const child = (name: string, role: Role): string => `${name}-${role}`;

/** Logs an error or warning of the catalogue on a resource, at the level of its severity. The program continues. */
export const say = (entry: BallastError, resource: pulumi.Resource): Promise<void> =>
  logOn(resource, entry.severity === "warning" ? "warn" : "error", entry.toString());

/**
 * Logs a line on a resource.
 *
 * A resource that waits for one that was refused is never registered, and the SDK would then deliver no later line of
 * the program either. Such a line stands alone.
 */
export async function logOn(resource: pulumi.Resource, level: "info" | "warn" | "error", line: string): Promise<void> {
  const { urn } = resource as unknown as { readonly urn: { readonly promise: () => Promise<string> } };
  const isRegistered = await urn.promise().then(
    () => true,
    () => false,
  );
  await pulumi.log[level](line, isRegistered ? resource : undefined);
}

/** Returns the subscription of a resource group from the group's id. */
export const subscriptionOf = (scope: string): string => scope.split("/")[2] ?? "";

/** Returns the id of a role definition by the role's GUID. */
export const roleDefinitionId = (subscription: string, role: string): string =>
  `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;

/** Returns settings as the environment variables of a container. */
export const variablesOf = <Value>(settings: { readonly [name: string]: Value }) =>
  Object.entries(settings).map(([name, value]) => ({ name, value }));

/** Monitoring Metrics Publisher, by the GUID that the role has in every tenant: may send telemetry, may not read it. */
export const metricsPublisher = "3913510d-42f4-4e42-8a64-420c390055eb";

/** The size of one replica of each service. Container Apps accepts CPU and memory in this proportion only. */
export const replicaSizes = {
  storefront: { cpu: 0.25, gib: 0.5 },
  controlPlane: { cpu: 0.5, gib: 1 },
  job: { cpu: 0.25, gib: 0.5 },
} as const;

/** Returns a size in the form that a template has. */
export const resourcesOf = ({ cpu, gib }: { readonly cpu: number; readonly gib: number }) => ({
  cpu,
  memory: `${gib}Gi`,
});

interface Shape {
  readonly kind: string;
  readonly pattern: RegExp;
  readonly rule: string;
  /** Whether the name must be unique in all of Azure, so that it gets a suffix of its own. */
  readonly global: boolean;
}

/** The usual shape of a name, up to `most` letters long. */
const plain = (kind: string, most: number, global = false): Shape => ({
  kind,
  global,
  pattern: new RegExp(`^(?!.*--)[a-z][a-z0-9-]{0,${most - 2}}[a-z0-9]$`),
  rule: `2 to ${most} lower-case letters, digits and single hyphens, with a letter first and no hyphen last`,
});

/** The shapes of names in Azure, by what has them. */
export const nameShapes = {
  app: plain("container app", 32), // a revision's name, `app--suffix`, is limited to 54
  job: plain("job", 32),
  environment: plain("managed environment", 60),
  workspace: plain("workspace", 63),
  identity: plain("managed identity", 128),
  // Unique in all of Azure too, but without a suffix: the user chooses the name, since images are named by it.
  registry: {
    kind: "container registry",
    global: false,
    pattern: /^[a-z0-9]{5,50}$/,
    rule: "5 to 50 lower-case letters and digits",
  },
  network: plain("virtual network", 64),
  insights: plain("Application Insights component", 255),
  actionGroup: plain("action group", 260),
  alert: plain("alert rule", 260),
  server: plain("PostgreSQL server", 63, true),
  zone: plain("private DNS zone", 63, true),
  vault: plain("key vault", 24, true),
};

/**
 * Returns the name of a resource in Azure, and refuses a name that Azure would refuse.
 *
 * `scope` is the resource group's id. A name that must be unique in all of Azure ends in eight letters of the scope's
 * hash, so that two stacks never collide and the same stack always gets the same name.
 *
 * @throws component-name-refused
 */
export function physicalName(of: keyof typeof nameShapes, name: string, scope: string): string {
  const { kind, pattern, rule, global } = nameShapes[of];
  const physical = global
    ? `${name}-${createHash("sha256").update(scope.toLowerCase()).digest("hex").slice(0, 8)}`
    : name;
  if (!pattern.test(physical)) throw refusal(componentNameRefused({ kind, name: physical, rule }));
  return physical;
}

/**
 * Returns the GUID of a role assignment or definition.
 *
 * It is the same for the same scope, grantee and role, so that a repeated `up` never assigns the role twice.
 */
export function assignmentName(scope: string, grantee: string, role: string): string {
  const hex = createHash("sha256").update(`${scope}\n${grantee}\n${role}`.toLowerCase()).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

/**
 * Names what a program sets an argument with: the stack's configuration if it has the key, else the argument itself.
 *
 * A fix must name only what exists in the reader's program.
 */
export const settingOf = (argument: string, key = argument): string =>
  new pulumi.Config("ballast").get(key) === undefined ? `the argument ${argument}` : `ballast:${key}`;

/** Reports whether the program runs under `pulumi.runtime.setMocks`, without a Pulumi CLI. */
export const usesMocks = (): boolean => pulumi.runtime.getMonitor() instanceof MockMonitor;

/** Reports whether the program's monitor can register hooks. Mocks cannot, and make no updates that need one. */
export const takesHooks = (): boolean => "registerResourceHook" in (pulumi.runtime.getMonitor() ?? {});

/**
 * Reports whether mocks answered a read with nothing or with its own arguments, as Pulumi's own example of mocks does.
 *
 * A program under test then behaves as if the resource did not exist yet.
 */
export const isEchoOfMocks = (live: unknown): boolean =>
  usesMocks() &&
  typeof live === "object" &&
  live !== null &&
  (Object.keys(live).length === 0 || "resourceGroupName" in live);

/**
 * Wraps an error of the catalogue so that Pulumi prints it without a stack trace. Any other error is a bug and keeps
 * it.
 *
 * Its message stays as it is: the SDK puts its own words before it for every resource that waits for a refused output.
 */
export function refusal(error: unknown): unknown {
  if (!(error instanceof BallastError)) return error;
  const text = error.toString();
  // Of an output that is refused later, the SDK prints the stack, whatever the error is.
  const asText = { get: () => text, set: () => undefined };
  return Object.defineProperties(new pulumi.RunError(text), { message: asText, stack: asText });
}
