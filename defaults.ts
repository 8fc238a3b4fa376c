// Defaults that the components, a stack's configuration and the control plane's settings share, for public Azure. Each
// value is here once; test/program/defaults.test.ts compares Pulumi.yaml and the docstrings with it. The defaults of
// the strategy and the thresholds are in the rollout engine.

/** The addresses of public Azure's APIs. */
export const publicAzure = {
  resourceManager: "https://management.azure.com",
  logs: "https://api.loganalytics.io",
  login: "https://login.microsoftonline.com",
  vaults: "vault.azure.net",
  storage: "core.windows.net",
} as const;

/** How a database server on Azure is reached. */
export const databaseAccess = { port: 5432, tls: "require" } as const;

/** The control plane's time limits, and the silence after which the dead man's switch acts. */
export const patience = { leaseSeconds: 60, requestSeconds: 30, ingestionSeconds: 180, silenceSeconds: 240 } as const;

/**
 * Gives the longest time for which a healthy control plane leaves a rollout alone that is due: a replica has died, so
 * its lease expires, another replica recovers at its next round, and its first heartbeat follows a round later. A
 * round is a third of a lease; one request to the database may be slow.
 */
export const quietSecondsOf = ({ leaseSeconds, requestSeconds }: { leaseSeconds: number; requestSeconds: number }) =>
  Math.ceil((leaseSeconds * 5) / 3 + requestSeconds);

/** The minimum and maximum number of replicas of each service. */
export const replicaCounts = { storefrontMin: 1, storefrontMax: 10, controlPlaneMin: 1, controlPlaneMax: 3 } as const;

/** How many days logs and backups are kept. */
export const retentionDays = { logDays: 30, backupDays: 7 } as const;

/** The major version of PostgreSQL. It is not configurable. */
export const databaseVersion = "18";

/** The size of the database server. */
export const databaseSku = "Standard_B1ms";

/** How many rotations may be under way at once. */
export const rotationsAtOnce = 3;
