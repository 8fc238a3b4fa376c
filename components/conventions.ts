// What all components agree on: how children are called, how Azure's resources are called, how a refusal reaches a person.
// A logical name is identity to Pulumi and never changes without an alias; a physical name comes from here alone.
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { BallastError } from "../errors/catalogue.ts";
import { componentNameRefused } from "../errors/components.ts";

/** What a child is to its component; its logical name ends in it. */
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
  | `alert-${string}`
  | "role"
  | `role-at-${string}`
  | "job";

/** Gives the logical name of a child. */
export const child = (name: string, role: Role): string => `${name}-${role}`;

/** Gives the subscription that a resource group is in, by the group's id. */
export const subscriptionOf = (scope: string): string => scope.split("/")[2] ?? "";

/** Gives settings as a container's environment. */
export const variablesOf = <Value>(settings: { readonly [name: string]: Value }) =>
  Object.entries(settings).map(([name, value]) => ({ name, value }));

/** Azure's role Monitoring Metrics Publisher, by the GUID that it has in every tenant: sends telemetry, reads none. */
export const metricsPublisher = "3913510d-42f4-4e42-8a64-420c390055eb";

/** What one replica of each service gets. Container Apps takes these two in this proportion alone. */
export const replicaSizes = {
  storefront: { cpu: 0.25, gib: 0.5 },
  controlPlane: { cpu: 0.5, gib: 1 },
  job: { cpu: 0.25, gib: 0.5 },
} as const;

/** Gives a size as a template says it. */
export const resourcesOf = ({ cpu, gib }: { readonly cpu: number; readonly gib: number }) => ({
  cpu,
  memory: `${gib}Gi`,
});

interface Shape {
  readonly kind: string;
  readonly pattern: RegExp;
  readonly rule: string;
  /** Whether all of Azure shares one name space, so that a name needs something of its own. */
  readonly global: boolean;
}

const plain = (kind: string, most: number, global = false): Shape => ({
  kind,
  global,
  pattern: new RegExp(`^(?!.*--)[a-z][a-z0-9-]{0,${most - 2}}[a-z0-9]$`),
  rule: `2 to ${most} lower-case letters, digits and single hyphens, beginning with a letter and not ending in a hyphen`,
});

const shapes = {
  app: plain("container app", 32), // the revisions' names, `app--suffix`, are limited to 54
  job: plain("job", 32),
  environment: plain("managed environment", 60),
  workspace: plain("workspace", 63),
  identity: plain("managed identity", 128),
  registry: {
    kind: "container registry",
    global: false,
    pattern: /^[a-z0-9]{5,50}$/,
    rule: "5 to 50 lower-case letters and digits",
  }, // all of Azure shares them, and images are named by it
  network: plain("virtual network", 64),
  insights: plain("Application Insights component", 255),
  actionGroup: plain("action group", 260),
  alert: plain("alert rule", 260),
  server: plain("PostgreSQL server", 63, true),
  zone: plain("private DNS zone", 63, true),
};

/**
 * Gives the name that a resource has in Azure, or refuses the one that Azure would refuse.
 *
 * `scope` is the resource group's id. A name that all of Azure shares ends in a few letters of its hash, so that two stacks
 * never meet, and the same stack always comes to the same name.
 */
export function physicalName(of: keyof typeof shapes, name: string, scope: string): string {
  const { kind, pattern, rule, global } = shapes[of];
  const physical = global
    ? `${name}-${createHash("sha256").update(scope.toLowerCase()).digest("hex").slice(0, 8)}`
    : name;
  if (!pattern.test(physical)) throw refusal(componentNameRefused({ kind, name: physical, rule }));
  return physical;
}

/** Gives the GUID under which a role is assigned or defined: the same for the same scope, grantee and role, so that `up` never does so twice. */
export function assignmentName(scope: string, grantee: string, role: string): string {
  const hex = createHash("sha256").update(`${scope}\n${grantee}\n${role}`.toLowerCase()).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

/** Makes an error of the catalogue one that Pulumi prints as it stands, without a stack trace; any other is our own mistake and keeps it. */
export const refusal = (error: unknown): unknown =>
  error instanceof BallastError ? new pulumi.RunError(error.toString()) : error;
