// The dangerous quirks of the platform, each under a permanent name: what Azure does that a product must live
// with, the source of that, and what a naive emulator does instead. Each can be switched off, so that a
// mutation test shows which product test notices.
//
// Sources on GitHub: aca is microsoft/azure-container-apps, cli is Azure/azure-cli-extensions, and avm is
// Azure/terraform-azurerm-avm-res-app-containerapp.

/** One quirk: what Azure does, what a naive emulator does instead, and the source. */
export interface Quirk {
  readonly azure: string;
  /** What happens while the quirk is switched off. */
  readonly naive: string;
  readonly source: string;
  /** Our reading, unverified on Azure. */
  readonly unverified?: true;
  /** Why the quirk is off at the start; absent for one that is in force. */
  readonly offAtStart?: string;
  /** Settings beside true and false, each with what happens then. */
  readonly forms?: { readonly [form: string]: string };
}

/** Every quirk, in the order in which a release meets it. */
export const quirks = {
  "suffix-taken-for-life": {
    azure:
      "a revision's suffix stays taken for the app's lifetime; " +
      "a second use is accepted, and the operation fails after the 2xx",
    source: "avm#115, aca#1278",
    naive: "the revision of that name is replaced by a new one",
    forms: {
      silent:
        "a second use of an inactive revision's suffix succeeds and does nothing (aca#650); " +
        "that of an active revision's fails",
    },
  },
  "names-by-counter": {
    azure: "the first revision is named by seven random characters, later ones by a counter",
    source: "aca#1460",
    naive: "a revision is named by a hash of its template, and a template that comes back gets its old revision back",
  },
  "weights-sum-to-100": {
    azure: "weights that do not add up to 100 are refused",
    source: "Learn: traffic splitting; the code is ours",
    unverified: true,
    naive: "any weights are accepted, and shares are in proportion",
  },
  "weights-name-known-revisions": {
    azure: "traffic for an unknown revision, or for a revision by its suffix alone, is refused",
    source: "aca#1443; the code is ours",
    unverified: true,
    naive: "any name is accepted",
  },
  "deactivated-keeps-its-entry": {
    azure: "a deactivated revision's entry stays in the traffic list",
    source: "aca#410",
    naive: "it is removed",
  },
  "deactivated-may-have-weight": {
    azure: "weight on a deactivated revision is accepted, and is an outage",
    source: "aca#1345",
    naive: "it is refused",
  },
  "last-active-may-be-deactivated": {
    azure: "the last active revision may be deactivated",
    source: "aca#1345",
    naive: "that is refused",
  },
  "names-do-not-wait": {
    azure: "a revision that traffic names gets its weight before it is ready",
    source: "aca#804",
    naive: "it gets none until then, and the others share it",
  },
  "latest-waits": {
    azure: "latestRevision means the latest that became ready",
    source: "the schema's own text",
    naive: "it means the latest, at once",
  },
  "labels-last-at-zero": {
    azure:
      "an entry of weight 0 keeps its label, and the label keeps its address; " +
      "the labels that vanished in aca#1078 were removed by the portal",
    source: "aca#254, aca#1078",
    unverified: true,
    naive:
      "a label is removed when its entry's weight becomes 0, as in aca#1078; " +
      "this is the only quirk whose absence is the harder case",
  },
  "revision-hides-its-labels": {
    azure: "a revision does not show its labels; the app's traffic does",
    source: "aca#641",
    naive: "it shows them",
  },
  "succeeds-unstarted": {
    azure: "a write succeeds although its container never starts, and does not wait for readiness",
    source: "cli#6251",
    naive: "the operation ends when the revision is ready, and fails when it cannot be",
  },
  "actions-do-not-wait": {
    azure: "activate and restart are answered before a replica is ready",
    source: "the specification: 200 without a body",
    unverified: true,
    naive: "they are answered when one is",
  },
  "one-write-at-a-time": {
    azure: "a write during a write is refused with 409 ContainerAppOperationInProgress",
    source: "aca#175",
    naive: "both are carried out",
  },
  "secret-makes-no-revision": {
    azure: "a changed secret makes no revision, and running replicas keep the old value until they are restarted",
    source: "aca#691",
    naive: "every replica is restarted with it",
  },
  "patch-merges-deeply": {
    azure: "a PATCH is merged at every depth",
    source: "the specification: JSON Merge Patch",
    naive: "values below properties.configuration and properties.template are replaced whole",
  },
  "patch-replaces-arrays": {
    azure: "a list in a PATCH replaces the whole list: a revision left out loses weight and label",
    source: "RFC 7396, aca#962",
    naive: "its entries are added to the existing ones",
  },
  "secrets-are-write-only": {
    azure: "a read never shows a secret's value",
    source: "the specification: write-only",
    naive: "it does",
  },
  "put-repeats-secrets": {
    azure: "a PUT that does not repeat the value of every secret is refused",
    source: "the error text that the CLI meets; the code is ours",
    unverified: true,
    naive: "a secret without a value keeps its value",
  },
  "defaults-on-read": {
    azure: "a read shows every default that the server filled in",
    source: "Learn: template reference",
    naive: "it shows what was sent",
  },
  "open-enums": {
    azure: "states go beyond those of the specification: RunningAtMaxScale, ScaledToZero, Activating",
    source: "vscode-azurecontainerapps#1088, recordings by others",
    naive: "Running and Processing stand for them",
  },
  "no-if-match": {
    azure: "there is no conditional write: If-Match changes nothing, and no answer has an ETag",
    source: "the specification has neither",
    unverified: true,
    naive: "a read gives an ETag, and a write with another one in If-Match is 412",
  },
  "affinity-in-single-only": {
    azure:
      "session affinity in Multiple mode is refused with ContainerAppInvalidIngressStickySessionRevisionMode, " +
      "and so is Multiple mode while there is affinity",
    source: "Learn: sticky sessions; reports of refused deployments in public repositories, 2026",
    naive: "it binds a client to its replica in any mode",
  },
  "traffic-checked-in-single": {
    azure: "traffic is checked in Single mode too, where it moves nothing",
    source: "Learn: traffic splitting; the code is ours",
    unverified: true,
    naive: "in Single mode any traffic is accepted and shown back",
  },
  "single-takes-old-down": {
    azure: "in Single mode the old revision is deactivated once the new one is ready",
    source: "Learn: revisions",
    naive: "it stays active, without traffic",
  },
  "wrong-port-never-healthy": {
    azure:
      "a container that listens on another port than targetPort is never ready: " +
      "Unhealthy, Deployment Progress Deadline Exceeded",
    source: "recordings by others: 261 s",
    naive: "the port is ignored",
  },
  "error-forms-differ": {
    azure:
      "errors have three forms: Resource Manager's, the flat one of diagnostic settings, and that of the JSON reader " +
      "of Container Apps",
    source: "Azure/terraform-azurerm-avm-ptn-aiml-landing-zone#19, vscode-azurecontainerapps#116",
    naive: "every error is in Resource Manager's form",
  },
  "lists-are-paged": {
    azure:
      "the list of revisions comes in pages, each with the link to the next; " +
      "ours have ten entries, Azure's size is unknown",
    source: "the specification: pageable",
    unverified: true,
    naive: "it comes whole",
  },
  "scales-to-zero": {
    azure:
      "without a minimum of replicas a revision goes to zero after its cool-down, " +
      "and the next request starts it and waits",
    source: "Learn: scaling",
    naive: "one replica always runs",
  },
  "inactive-are-purged": {
    azure:
      "inactive revisions beyond maxInactiveRevisions are purged, the oldest first and a quarter of an hour late; " +
      "their traffic entries stay",
    source: "Learn: revisions; the delay by recordings of others",
    unverified: true,
    naive: "they stay",
  },
  "reference-must-exist": {
    azure:
      "a write that sets a reference to a vault which cannot be fetched is accepted, and its operation fails without " +
      "the reason",
    source: "azureossd.github.io 2024/08/27: troubleshooting secrets on Container Apps",
    naive: "the write succeeds, and the secret has no value until it can be fetched",
  },
  "set-reference-syncs-at-once": {
    azure: "a write that sets a reference to a vault fetches it at once, also when it names the same address again",
    source: "a public operations log of 2026-10-01",
    naive: "a secret that had a value keeps it until the next half hour",
  },
  "restart-keeps-the-synced-value": {
    azure: "a restart gives replicas the value that the platform fetched last, not the vault's latest",
    source: "aca#856, a public operations log of 2026-10-01",
    naive: "a restart reads the vault",
  },
  "versionless-syncs-each-half-hour": {
    azure: "a reference without a version is fetched every 30 minutes, at a phase that its app keeps",
    source: "Learn: manage secrets; a public operations log of 2026-09-22: 08:13:53, 08:43:53",
    naive: "it is fetched when it is set, and never again",
  },
  "sync-restarts-active-revisions": {
    azure:
      "a fetched value that has changed restarts every active revision that names the secret at once, stable and " +
      "canary together, without a new revision",
    source: "Learn: manage secrets; a public operations log of 2026-09-22 (RevisionRestartWithNewSecrets)",
    naive: "running replicas keep the old value until they are restarted",
    forms: { all: "active revisions that do not name the secret are restarted as well" },
  },
  "failed-sync-keeps-the-value": {
    azure: "a sync that fails keeps the value and restarts nothing; one row a cycle says so",
    source: "a public operations log of 2026-09-22: a role taken away, the app goes on",
    naive: "the secret loses its value",
  },
  "revisions-hold-their-secrets": {
    azure:
      "in Multiple mode a secret that a revision names, even an inactive one, cannot be removed: the operation hangs " +
      "for ten minutes and expires",
    source: "aca#395, aca#654, vscode-azurecontainerapps#1098",
    naive: "it is removed",
    forms: { refused: "the write is refused at once with ContainerAppSecretInvalid (aca#654)" },
  },
  "owners-need-data-roles": {
    azure: "an owner of the subscription may not read or write secrets until a role says so",
    source: "a public operations log of 2026-09-22: Owner alone gets Forbidden, with Secrets Officer it works",
    naive: "an owner may do everything",
  },
  "vault-throttles": {
    azure:
      "a vault answers 4,000 requests in ten seconds, and makes 300 secrets; one more is 429 with Retry-After " +
      "(the header is our reading)",
    source: "Learn: Key Vault service limits",
    unverified: true,
    naive: "it answers all",
  },
  "server-logs-come-late": {
    azure: "a row of PGSQLServerLogs is there up to four minutes after its login; ours come after four minutes",
    source: "a public repository's measurement of 2026: Postgres's lines within 4 minutes",
    naive: "it is there as soon as any other row",
  },
  "roles-come-late": {
    azure:
      "a role assignment is listed at once and takes effect up to ten minutes later; ours takes effect after ten " +
      "minutes. A removed one ends at once here, and may last for as long on Azure",
    source: "Learn: troubleshoot Azure RBAC",
    unverified: true,
    offAtStart: "Azure takes seconds most of the time, and every first deployment would take ten minutes",
    naive: "it takes effect at once",
  },
} as const satisfies { readonly [name: string]: Quirk };

/** The name of a quirk. */
export type QuirkName = keyof typeof quirks;
/** True for a quirk in force, false for one that is switched off, or the name of another form. */
export type Setting = boolean | "silent" | "all" | "refused";
/** Settings for some quirks; the others stay as they are. */
export type QuirkChoice = { readonly [Name in QuirkName]?: Setting };
/** The settings of all quirks. One object for a cloud's whole life, so that a change applies at once. */
export type Quirks = { readonly [Name in QuirkName]: Setting };
