// What is taken where nobody says anything else, as public Azure has it: of the components, of a stack's configuration, of the control plane's
// own settings. Each number stands here once; test/program/defaults.test.ts holds Pulumi.yaml and the docstrings to it. The defaults of the pace
// and the limits are the engine's. It knows nobody.

/** The doors of public Azure. */
export const publicAzure = {
  resourceManager: "https://management.azure.com",
  logs: "https://api.loganalytics.io",
  login: "https://login.microsoftonline.com",
} as const;

/** How Azure's databases are reached. */
export const databaseAccess = { port: 5432, tls: "require" } as const;

/** How long the control plane's work may take, and how long its silence. */
export const patience = { leaseSeconds: 60, requestSeconds: 30, ingestionSeconds: 180, silenceSeconds: 240 } as const;

/** Between how many replicas services have. */
export const replicaCounts = { storefrontMin: 1, storefrontMax: 10, controlPlaneMin: 1, controlPlaneMax: 3 } as const;

/** For how long logs and backups are kept. */
export const retentionDays = { logDays: 30, backupDays: 7 } as const;

/** The version of PostgreSQL that the database's server is of; nobody chooses another. */
export const databaseVersion = "18";

/** The size of the database's server. */
export const databaseSku = "Standard_B1ms";
