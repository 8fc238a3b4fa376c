// The incidents of the story: what strikes, what may be done about it, and what must come of it. A seed draws their
// order and their sizes.

import { app as orders, resourceGroup as sales, vaultName } from "../rotation/places.ts";
import { seeded } from "../seeded.ts";
import { databases, resourceGroup, type ServiceSpec } from "./estate.ts";

/** The kinds of incidents. */
export type IncidentKind =
  | "hang"
  | "late"
  | "blocked"
  | "exhausted"
  | "expired"
  | "clears"
  | "dependency"
  | "returning";

/** One incident. */
export interface IncidentSpec {
  readonly kind: IncidentKind;
  readonly title: string;
  readonly services: readonly ServiceSpec[];
  /** Whether a twin of its service has the same fault, and nothing is done about it. */
  readonly hasTwin: boolean;
  /** Whether it runs beside the others from the start: it takes minutes until it strikes, or until it ends. */
  readonly isBeside: boolean;
  readonly ladder: readonly object[];
  readonly limits: Readonly<Record<string, number>>;
  /** The results of its remediations, in their order. */
  readonly expected: readonly { readonly result: string; readonly reason: string }[];
}

/** Requests a second that each service gets. */
export const requestsPerSecond = 20;
export const jobName = "end-blocking-session";
const repaired = { result: "repaired", reason: "verified" };

/** Gives the incidents in the order in which they strike. */
export function incidentsOf(seed: number | undefined): readonly IncidentSpec[] {
  const random = seeded(seed ?? 1);
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const made = specs(between);
  // Those that a restart repairs come first: the circuit of a runbook counts over all targets, and this closes it.
  const middle = (["late", "blocked", "expired", "clears"] as const).toSorted(() => random() - 0.5);
  return (["returning", "exhausted", "hang", ...middle, "dependency"] as const).map((kind) => made[kind]);
}

/** Gives the one incident of plain `npm start`. */
export const shortIncidents = (): readonly IncidentSpec[] =>
  incidentsOf(undefined).filter(({ kind }) => kind === "hang");

const diagnostics = { runbook: "collect-diagnostics" };
const restart = { runbook: "restart-revision" };
const own = (name: string, more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  name,
  database: databases.own,
  ...more,
});

type Between = (least: number, most: number) => number;
type Specs<Kind extends IncidentKind> = Readonly<Record<Kind, IncidentSpec>>;
const usual = { hasTwin: true, isBeside: false, limits: {} };

/** Those that a restart repairs, if only for a while. */
const restarted = (between: Between): Specs<"hang" | "exhausted" | "returning"> => ({
  hang: {
    ...usual,
    kind: "hang",
    title: "one of two replicas hangs, and no probe notices",
    services: [own("basket", { replicas: 2 })],
    ladder: [restart, diagnostics],
    expected: [repaired],
  },
  exhausted: {
    ...usual,
    kind: "exhausted",
    title: "a service keeps connections until its role may open no more",
    services: [
      own("ledger", {
        replicas: 2,
        connectionsMax: 20,
        fault: { FAULT: "leak", FAULT_AFTER: String(between(600, 700)) },
      }),
    ],
    isBeside: true,
    ladder: [restart, diagnostics],
    expected: [repaired],
  },
  returning: {
    ...usual,
    isBeside: true,
    kind: "returning",
    title: "a fault that comes back after each restart",
    services: [own("payments", { replicas: 2, fault: { FAULT: "errors", FAULT_AFTER: String(between(900, 1000)) } })],
    hasTwin: false,
    ladder: [restart, diagnostics],
    expected: [repaired, repaired, { result: "person-called", reason: "circuit-open" }],
  },
});

const specs = (between: Between): Specs<IncidentKind> => ({
  ...restarted(between),
  late: {
    ...usual,
    kind: "late",
    title: "a bad release that shows only after its bake",
    services: [own("search", { fault: { FAULT: "errors", FAULT_AFTER: String(between(550, 700)) } })],
    ladder: [{ runbook: "return-to-previous" }, diagnostics],
    expected: [repaired],
  },
  blocked: {
    ...usual,
    kind: "blocked",
    title: "a forgotten session holds a lock that all requests need",
    services: [own("checkout", { table: "locked" })],
    ladder: [{ runbook: "start-job", job: jobName }, diagnostics],
    expected: [repaired],
  },
  expired: {
    ...usual,
    kind: "expired",
    title: "the password of a service has expired",
    services: [{ name: orders, group: sales, database: databases.own }],
    hasTwin: false,
    ladder: [{ runbook: "rotate-credential", credential: `${vaultName}/database` }, diagnostics],
    expected: [repaired],
  },
  clears: {
    ...usual,
    kind: "clears",
    title: "errors that stop by themselves",
    services: [
      own("wishlist", { fault: { FAULT: "errors", FAULT_AFTER: "200", FAULT_FOR: String(between(1300, 1500)) } }),
    ],
    hasTwin: false,
    ladder: [restart, diagnostics],
    limits: { settleSeconds: 150 },
    expected: [{ result: "self-healed", reason: "cleared-by-itself" }],
  },
  dependency: {
    ...usual,
    kind: "dependency",
    title: "a database that three services cannot do without is gone",
    services: ["reviews", "prices", "stock"].map((name) => ({ name, database: databases.shared, replicas: 2 })),
    hasTwin: false,
    ladder: [restart, diagnostics],
    limits: { settleSeconds: 10 },
    expected: [
      { result: "person-called", reason: "common-cause" },
      { result: "attributed", reason: "common-cause" },
      { result: "attributed", reason: "common-cause" },
    ],
  },
});

/** The server on which the services of `dependency` depend. */
const shared = "server/shop/catalogue";

/** Gives the key of the target that a service is. */
export const targetOf = ({ name, group = resourceGroup }: ServiceSpec): string => `app/${group}/${name}`;

/** Gives what the control plane is told about the services. Twins are not declared, so nothing is done about them. */
export function declarationOf(incidents: readonly IncidentSpec[]): object {
  return {
    targets: [
      ...incidents.flatMap(({ services }) =>
        services.map((spec) => ({
          target: targetOf(spec),
          dependsOn: spec.database === databases.shared ? [shared] : [],
        })),
      ),
      { target: shared, dependsOn: [] },
    ],
    policies: incidents.map(({ kind, services, ladder, limits }) => ({
      rule: ruleOf(kind),
      owner: "shop team",
      targets: services.map(targetOf),
      ladder,
      verification: { delaySeconds: 3, windowSeconds: 10, intervalSeconds: 2, samplesMin: 50, badPercentMax: 5 },
      // The times of the demo. On Azure they are minutes and hours: engines/remediation/policy.ts.
      limits: {
        settleSeconds: 5,
        lookBackSeconds: 60,
        cooldownSeconds: 60,
        attemptsMax: 5,
        recurrenceSeconds: 900,
        correlationSeconds: 1,
        blastRadiusMax: 2,
        ...limits,
      },
    })),
  };
}

export const ruleOf = (kind: IncidentKind): string => `${kind}-failing`;

/** The query of a rule: each service with more than 5 percent of failed requests within the last 15 seconds. */
export const queryOf = ({ services }: IncidentSpec): string =>
  [
    "ContainerAppHTTPLogs",
    `where TimeGenerated > ago(15s) and ContainerAppName in (${services.map(({ name }) => `"${name}"`).join(", ")})`,
    "summarize requests = count(), failed = countif(StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode)) " +
      "by ContainerAppName",
    "where requests >= 20 and failed * 100 > requests * 5",
  ].join("\n| ");
