// The control plane as a process: reads the settings, connects the adapters, recovers rollouts, serves the API, and
// ends in order. With the settings of the job `database-role` it prepares the database instead.
import { once } from "node:events";
import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { fetchDispatcher } from "../connect-to.ts";
import { kinds } from "../engines/kinds.ts";
import { appKey } from "../engines/targets.ts";
import { BallastError } from "../errors/catalogue.ts";
import { type Connection, connect } from "./adapters/azure/connection.ts";
import { createConsumers } from "./adapters/azure/consumers.ts";
import { createContainerApps, openSight } from "./adapters/azure/container-apps.ts";
import { createVault } from "./adapters/azure/key-vault.ts";
import { createLoginRows } from "./adapters/azure/login-rows.ts";
import { createRequestRows } from "./adapters/azure/request-rows.ts";
import { createStorageKeys } from "./adapters/azure/storage-keys.ts";
import { createStorageRows } from "./adapters/azure/storage-rows.ts";
import { patienceOf } from "./adapters/azure/trouble.ts";
import { createCredentialRoles } from "./adapters/credentials/roles.ts";
import { createSessions } from "./adapters/credentials/sessions.ts";
import { createWebhookSystem } from "./adapters/credentials/webhook.ts";
import { openOrchestrations } from "./adapters/dbos/orchestrations.ts";
import { createIssues } from "./adapters/github/issues.ts";
import { openClaims } from "./adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool, poolSizes } from "./adapters/postgres/connection.ts";
import { openDeclarations } from "./adapters/postgres/declarations.ts";
import { openJournal } from "./adapters/postgres/journal.ts";
import { migrate } from "./adapters/postgres/migrations.ts";
import { openNotifications } from "./adapters/postgres/notifications.ts";
import { openPauses } from "./adapters/postgres/pauses.ts";
import { openTime } from "./adapters/postgres/time.ts";
import { signerOf } from "./adapters/wire/signing.ts";
import { createApp, type Log } from "./api/app.ts";
import { type Authenticate, createAuthenticate } from "./api/authenticate.ts";
import type { Parts } from "./api/call.ts";
import { credentialsIn, declarationsOf } from "./declared-credentials.ts";
import { startLooking } from "./due-rotations.ts";
import { openOldRoles } from "./performers/old-roles.ts";
import { remediationPerformer } from "./performers/remediation.ts";
import type { Alerts } from "./performers/remediation-ports.ts";
import { rolloutPerformer } from "./performers/rollout.ts";
import { standingOf } from "./performers/rollout-standing.ts";
import { type RotationWorld, rotationPerformer } from "./performers/rotation.ts";
import type { System, Vault } from "./performers/rotation-ports.ts";
import { rotationsAhead } from "./performers/rotations-ahead.ts";
import { passwordOf, prepareDatabase } from "./prepare-database.ts";
import { openNotifiers } from "./read-notifiers.ts";
import {
  incidentKeys,
  openAlerts,
  openHints,
  pollAlerts,
  type RemediationSetting,
  remediationWorld,
} from "./remediations.ts";
import { clockOf } from "./runtime/clock.ts";
import { startNotifying } from "./runtime/notify.ts";
import { createOrchestrator, type Orchestrator } from "./runtime/orchestrate.ts";
import { readPreparation, readSettings, type Settings } from "./settings.ts";
import { joinSystems } from "./systems.ts";

/** How long an orderly end may take. The platform kills the process after 30 seconds. */
const endSeconds = 25;
const log: Log = (line) => void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
const logTrouble = (message: string): void => log({ what: "trouble", message });

try {
  const preparation = readPreparation(process.env);
  if (preparation === undefined) await run(readSettings(process.env));
  else {
    await prepareDatabase(preparation);
    log({ what: "prepared", role: preparation.grantee.name, database: preparation.database.name });
  }
} catch (thrown) {
  log(
    thrown instanceof BallastError
      ? { what: "stopped", id: thrown.id, message: thrown.message, fix: thrown.fix }
      : { what: "stopped", error: String((thrown as Error).stack ?? thrown) },
  );
  // A half-started process would look alive. The platform starts a new one.
  process.exit(1);
}

/** Runs the control plane until it receives a signal to end, and then ends in order. */
async function run(settings: Settings): Promise<void> {
  const connection = connect(settings);
  const dispatcher = fetchDispatcher();
  const store = await openStore(settings, connection);
  const vault = createVault({ connection, patience: patienceOf(settings.requestSeconds), suffix: settings.vaults });
  const remediations = remediationsOf(settings, connection, store, dispatcher);
  const alerts = openAlerts(remediations);
  const rotating = rotationsOf(settings, connection, store, vault, dispatcher);
  const streams = orchestratorOf(settings, connection, store, { rotating, remediations, alerts });
  await streams.launch();
  const credentials = credentialsIn(store.declared);
  const looking = startLooking({ credentials, vault, streams, now: store.clock.now, log: logTrouble });
  store.telemetry?.begin(store.opened);
  const notifications = openNotifications(store.pool);
  const notifying = startNotifying({
    journal: store.journal,
    kinds,
    notifications: store.telemetry?.notifications(notifications) ?? notifications,
    notifiers: openNotifiers(settings.notifiers, { dispatcher }),
    now: store.clock.now,
    log: logTrouble,
  });
  const closing = new AbortController();
  const hints = openHints(remediations);
  const everyMilliseconds = settings.alertPollSeconds * 1000;
  const polling = pollAlerts(remediations, alerts, streams, closing.signal, everyMilliseconds, hints);
  const refreshing = store.opened
    .refresh(closing.signal)
    .catch((error: unknown) => logTrouble(`rows of earlier versions are brought up to date later: ${String(error)}`));
  const declarations = {
    credentials: declarationsOf({
      ...store.declared,
      managed: settings.managedTargets,
      world: rotating,
      streams,
      journal: store.journal,
    }),
  };
  const standing = standingOf({
    journal: store.journal,
    see: openSight(connection, remediations.patience),
    patienceSeconds: settings.requestSeconds,
  });
  const authenticate = createAuthenticate(settings, dispatcher);
  const server = serveApi(
    settings,
    { ...store, standing, declarations, hint: hints.hint, eventHint: looking.hint },
    streams,
    authenticate,
    closing.signal,
  );
  await once(server, "listening");
  const { process: name, managedTargets } = settings;
  log({ what: "started", process: name, address: server.address(), managedTargets });
  await signalToEnd();
  log({ what: "ending", process: name });
  setTimeout(() => process.exit(1), endSeconds * 1000).unref();
  closing.abort();
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  await Promise.all([streams.close(), notifying.close(), looking.close(), refreshing, polling]);
  server.closeAllConnections();
  await closed;
  await store.telemetry?.close();
  await store.opened.close();
  store.time.close();
  await Promise.all([store.pool.end(), store.claimsPool.end(), dispatcher.close()]);
  connection.close();
}

type Store = Awaited<ReturnType<typeof openStore>>;

/** Opens everything that lives in the database, and the telemetry that watches the journal. */
async function openStore(settings: Settings, connection: Connection) {
  const database: Database = { ...settings.database, password: passwordOf(settings.database, connection.credential) };
  const pool = openPool(database, logTrouble);
  const claimsPool = openPool(database, logTrouble, poolSizes.claims);
  await migrate(pool);
  const telemetry = await openTelemetry(settings, connection);
  const opened = openJournal(pool, connectionOptions(database), kinds, logTrouble, undefined, claimsPool);
  const time = await openTime(pool);
  return {
    pool,
    telemetry,
    opened,
    journal: telemetry?.journal(opened) ?? opened,
    claimsPool,
    claims: openClaims(claimsPool, settings.leaseSeconds),
    declared: { settings: settings.credentials, store: openDeclarations(pool) },
    pauses: openPauses(pool),
    time,
    clock: clockOf(time.now),
  };
}

/** Gives what remediations are joined to. */
function remediationsOf(
  settings: Settings,
  connection: Connection,
  { journal, clock, declared, pauses }: Store,
  dispatcher: ReturnType<typeof fetchDispatcher>,
): RemediationSetting {
  const patience = patienceOf(settings.requestSeconds);
  return {
    ...settings,
    credentials: credentialsIn(declared),
    sessions: createSessions(rotatorAccess(settings, connection)),
    declared: settings.remediations,
    connection,
    patience,
    journal,
    kinds,
    apps: createContainerApps(connection, patience),
    issues: settings.issues && createIssues(settings.issues, { dispatcher }),
    pauses,
    clock,
    log: logTrouble,
  };
}

/** Gives how the servers of credentials are reached. */
function rotatorAccess({ rotatorPassword: password, database }: Settings, { credential }: Connection) {
  return { password: passwordOf({ ...database, password }, credential), tls: database.tls };
}

/** Gives what rotations need beside other streams. */
function rotationsOf(
  settings: Settings,
  connection: Connection,
  { declared, clock, journal }: Store,
  vault: Vault,
  dispatcher: ReturnType<typeof fetchDispatcher>,
): Omit<RotationWorld, "streams"> {
  const { requestSeconds, rotationsAtOnce: atOnce } = settings;
  const system = systemsOf(settings, connection, clock.now, dispatcher);
  return {
    credentials: credentialsIn(declared),
    ahead: rotationsAhead(journal),
    atOnce,
    vault,
    roles: system,
    logins: system,
    consumers: createConsumers(connection, patienceOf(requestSeconds)),
    clock,
    requestSeconds,
  };
}

/** Opens the systems that accept credentials. */
function systemsOf(
  settings: Settings,
  connection: Connection,
  now: Store["clock"]["now"],
  dispatcher: ReturnType<typeof fetchDispatcher>,
): System {
  const { requestSeconds, workspace } = settings;
  const patience = patienceOf(requestSeconds);
  const { resourceManager, subscription, storage: suffix, credentialWebhookSecret: secret } = settings;
  return joinSystems({
    database: {
      ...createCredentialRoles(rotatorAccess(settings, connection)),
      ...createLoginRows(connection, patience, workspace, now),
    },
    storage: {
      ...createStorageKeys({ connection, patience, resourceManager, subscription, suffix }),
      ...createStorageRows(connection, patience, workspace, now),
    },
    webhook: createWebhookSystem({
      wire: { dispatcher, patienceSeconds: requestSeconds },
      signed: secret === undefined ? undefined : signerOf(secret),
    }),
  });
}

/** What the loop is assembled of beside the store. */
interface Assembled {
  readonly rotating: Omit<RotationWorld, "streams">;
  readonly remediations: RemediationSetting;
  readonly alerts: Alerts;
}

/** Assembles the control loop. It does not run yet. */
function orchestratorOf(
  settings: Settings,
  connection: Connection,
  store: Store,
  { rotating, remediations, alerts }: Assembled,
): Orchestrator {
  const { patience, apps } = remediations;
  const { journal, claims, clock } = store;
  const { requestSeconds, workspace } = settings;
  return createOrchestrator({
    ports: { journal, claims, clock },
    kinds,
    performers: (asked) => ({
      remediation: remediationPerformer(remediationWorld(remediations, alerts, asked)),
      rotation: rotationPerformer({ ...rotating, streams: asked }),
      rollout: rolloutPerformer({
        apps,
        requests: createRequestRows(connection, patience, workspace, settings.ingestionSeconds),
        oldRoles: openOldRoles(journal, asked),
        claims,
        clock,
        requestSeconds,
      }),
    }),
    orchestrations: openOrchestrations({ pool: store.pool, process: settings.process, log: logTrouble }),
    process: settings.process,
    leaseSeconds: settings.leaseSeconds,
    log: logTrouble,
    telemetry: store.telemetry,
  });
}

function serveApi(
  { managedTargets: managedApps, remediations, process: name, host, port }: Settings,
  {
    journal,
    claims,
    clock,
    telemetry,
    ...asked
  }: Store & Pick<Parts, "standing" | "declarations" | "hint" | "eventHint">,
  streams: Orchestrator,
  authenticate: Authenticate,
  closing: AbortSignal,
): Server {
  const parts = {
    journal,
    claims,
    kinds,
    streams,
    pauses: asked.pauses,
    ...(asked.standing && { standing: asked.standing }),
    ...(asked.hint && { hint: asked.hint }),
    ...(asked.eventHint && { eventHint: asked.eventHint }),
    managedApps,
    managedTargets: [...managedApps.map(appKey), ...incidentKeys(remediations)],
    ...(asked.declarations && { declarations: asked.declarations }),
    now: clock.now,
    process: name,
    closing,
  };
  const app = createApp(parts, authenticate, log, telemetry?.served);
  return serve({ fetch: app.fetch, hostname: host, port, overrideGlobalObjects: false }) as Server;
}

/** Opens telemetry, if it is configured. Its packages are loaded only then. */
async function openTelemetry({ telemetry: wanted }: Settings, { credential, way }: Connection) {
  if (wanted === undefined) return undefined;
  const [{ openSending }, { openWatch }] = await Promise.all([
    import("./adapters/telemetry/send.ts"),
    import("./adapters/telemetry/watch.ts"),
  ]);
  const sending = openSending({ ...wanted, credential, way, log: logTrouble });
  return { ...openWatch(sending, kinds), close: sending.close };
}

/** Resolves at the first signal to end. */
function signalToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });
}
