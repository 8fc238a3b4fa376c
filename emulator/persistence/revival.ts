// Who owns which documents of a kept cloud: settings, resources, the contents of vaults, appointments, alerts, apps and
// operations, each with how it is restored. Processes, probes and connections are not kept; they start anew. How
// documents are written is in state.ts.
import type { JSONWebKeySet } from "jose";
import { alertBookOf, alertWord, type RuleBook } from "../alertsmanagement/alert-book.ts";
import { watchRules } from "../alertsmanagement/rules.ts";
import { runtimeOf, startRevision } from "../app/app-runtime.ts";
import { watchSchedules } from "../app/job-executions.ts";
import { requestRows } from "../app/request-rows.ts";
import type { AppRuntime, Revision } from "../app/revisions.ts";
import type { KeptOperation, Operations } from "../arm/operations.ts";
import type { Cloud, Resource, ResourceType } from "../arm/resource.ts";
import { resumeWrite } from "../arm/writes.ts";
import { type AppRoles, allAppRoles, assignAppRoles } from "../authorization/app-roles.ts";
import { issuersOf } from "../authorization/federated-sign-in.ts";
import type { Pace } from "../controls/clock.ts";
import type { Control } from "../controls/control.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { type Place, placeInLog, revivePlace } from "../dbforpostgresql/server-log.ts";
import { type Delivery, deliveriesOf } from "../delivery/deliveries.ts";
import { contentsOf, type Secret } from "../keyvault/contents.ts";
import { type DeletedVault, deletedVaultsOf } from "../keyvault/deleted-vaults.ts";
import type { Ledger, Owner } from "./ledger.ts";

/** The parts of a cloud that have state to keep. */
export interface Parts {
  readonly cloud: Cloud;
  readonly control: Control;
  readonly operations: Operations;
}

type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [name: string]: Plain };

interface Settings {
  /** How the clock goes; null while it shows the real time. */
  readonly pace: Pace | null;
  readonly lagSeconds: number;
  /** The issuers whose tokens identities may trust. A cloud that was kept before that has none. */
  readonly issuers?: readonly KeptIssuer[];
  /** Who may do what at applications. A cloud that was kept before that has none. */
  readonly appRoles?: readonly AppRoles[];
}

type KeptIssuer = readonly [issuer: string, keys: JSONWebKeySet];

type KeptApp = Omit<AppRuntime, "revisions" | "quirks" | "takenSuffixes" | "latestReady"> & {
  readonly revisions: readonly Omit<Revision, "set">[];
  readonly takenSuffixes: readonly string[];
  readonly latestReady: string | null;
};

/** Registers every owner, in the order in which a cloud is restored. */
export function registerOwners(ledger: Ledger, parts: Parts, types: readonly ResourceType[]): void {
  const { cloud, control, operations } = parts;
  ledger.register(settingsOwner(control, cloud));
  ledger.register(resourceOwner(cloud));
  ledger.register(secretOwner(cloud));
  ledger.register(deletedVaultOwner(cloud));
  ledger.register(serverLogOwner(cloud));
  ledger.register(scheduleOwner(cloud));
  ledger.register(deliveryOwner(cloud));
  ledger.register(alertOwner(cloud));
  ledger.register(appOwner(cloud));
  ledger.register(operationOwner(operations, cloud, types));
}

const settingsOwner = (control: Control, cloud: Cloud): Owner => ({
  word: "settings",
  ids: () => ["all"],
  read: () =>
    ({
      pace: control.clock.pace ?? null,
      lagSeconds: requestRows(cloud).lagSeconds,
      issuers: [...issuersOf(cloud.store)],
      appRoles: allAppRoles(cloud.store),
    }) satisfies Settings,
  changesByItself: true,
  revive: (documents) => {
    for (const { pace, lagSeconds, issuers = [], appRoles = [] } of documents.values() as Iterable<Settings>) {
      control.clock.pace = pace ?? undefined;
      requestRows(cloud).lagSeconds = lagSeconds;
      for (const [issuer, keys] of issuers) issuersOf(cloud.store).set(issuer, keys);
      for (const each of appRoles) assignAppRoles(cloud.store, each);
    }
  },
});

const resourceOwner = ({ store }: Cloud): Owner => ({
  word: "resource",
  ids: () => store.list().map(({ id }) => id),
  read: store.get,
  revive: (documents) => ([...documents.values()] as Resource[]).forEach(store.put),
});

const secretOwner = (cloud: Cloud): Owner => ({
  word: "secret",
  ids: () => contentsOf(cloud).keys(),
  read: contentsOf(cloud).at,
  revive: (documents) => contentsOf(cloud).revive(documents.values() as Iterable<Secret>),
});

const deletedVaultOwner = (cloud: Cloud): Owner => ({
  word: "deleted-vault",
  ids: () => deletedVaultsOf(cloud).names(),
  read: deletedVaultsOf(cloud).get,
  revive: (documents) => deletedVaultsOf(cloud).revive(documents.values() as Iterable<DeletedVault>),
});

const serverLogOwner = (cloud: Cloud): Owner => ({
  word: "server-log",
  ids: () => (placeInLog(cloud) ? ["place"] : []),
  read: () => placeInLog(cloud),
  revive: (documents) => {
    for (const place of documents.values() as Iterable<Place>) revivePlace(cloud, place);
  },
});

const scheduleOwner = (cloud: Cloud): Owner => ({
  word: "due",
  ids: () =>
    schedulerOf(cloud)
      .due()
      .map(({ key }) => key),
  read: (key) => schedulerOf(cloud).timeOf(key),
  revive: (documents) => {
    for (const [key, at] of documents as ReadonlyMap<string, number>) schedulerOf(cloud).at(at, key);
    watchSchedules(cloud);
    watchRules(cloud);
  },
});

const deliveryOwner = (cloud: Cloud): Owner => ({
  word: "delivery",
  ids: () =>
    deliveriesOf(cloud)
      .journal()
      .map(({ id }) => id),
  read: deliveriesOf(cloud).get,
  revive: (documents) => deliveriesOf(cloud).revive(documents.values() as Iterable<Delivery>),
});

/** What the rules of alerts remember, and their alerts: a document for each rule. */
const alertOwner = (cloud: Cloud): Owner => ({
  word: alertWord,
  ids: () => alertBookOf(cloud).ruleIds(),
  read: (id) => alertBookOf(cloud).of(id),
  revive: (documents) => {
    for (const [id, book] of documents as ReadonlyMap<string, RuleBook>) alertBookOf(cloud).write(id, book);
  },
});

const appOwner = (cloud: Cloud): Owner => ({
  word: "app",
  ids: () => runtimeOf(cloud).apps.keys(),
  read: (id) => {
    const app = runtimeOf(cloud).apps.get(id);
    return app && keptApp(app);
  },
  changesByItself: true,
  followsResources: true,
  revive: (documents) => {
    for (const app of ([...documents.values()] as KeptApp[]).map((kept) => revivedApp(kept, cloud))) {
      runtimeOf(cloud).apps.set(app.id.toLowerCase(), app);
      for (const revision of app.revisions)
        if (revision.active && !revision.atZero) startRevision(cloud, app, revision, revision.started?.by);
    }
  },
});

/** An operation keeps its id, so that a client that polls it sees its end. */
const operationOwner = (operations: Operations, cloud: Cloud, types: readonly ResourceType[]): Owner => ({
  word: "operation",
  ids: () => operations.kept().map(({ id }) => id),
  read: operations.keptAs,
  revive: async (documents) => {
    for (const operation of documents.values() as Iterable<KeptOperation>) {
      if (operation.status === "InProgress") await resumeWrite(cloud, types, operations, operation);
      else operations.remember(operation);
    }
  },
});

// A new field of an app or a revision that is no plain value does not compile
// here until it is decided how it is restored.
const keptApp = ({ quirks: _quirks, ...app }: AppRuntime): KeptApp =>
  ({
    ...app,
    operating: false,
    takenSuffixes: [...app.takenSuffixes],
    latestReady: app.latestReady?.name ?? null,
    revisions: app.revisions.map(({ set: _set, ...revision }) => revision satisfies Plain),
  }) satisfies Plain;

function revivedApp(kept: KeptApp, cloud: Cloud): AppRuntime {
  const revisions = kept.revisions.map((revision): Revision => ({ ...revision, set: undefined }));
  return {
    ...kept,
    // A cloud that was kept before there were vaults has none.
    fetched: kept.fetched ?? {},
    quirks: quirksOf(cloud),
    revisions,
    takenSuffixes: new Set(kept.takenSuffixes),
    latestReady: revisions.find(({ name }) => name === kept.latestReady),
  };
}
