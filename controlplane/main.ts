// The control plane as a process: settings in, adapters wired, rollouts taken up, calls served, and an orderly end. This is
// the one place in the control plane that knows everybody.
import { once } from "node:events";
import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { fetchDispatcher } from "../connect-to.ts";
import { rollout } from "../engines/rollout/rollout.ts";
import { BallastError } from "../errors/catalogue.ts";
import { type Connection, connect } from "./adapters/azure/connection.ts";
import { createContainerApps } from "./adapters/azure/container-apps.ts";
import { createRequestRows } from "./adapters/azure/request-rows.ts";
import { patienceOf } from "./adapters/azure/trouble.ts";
import { openClaims } from "./adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "./adapters/postgres/connection.ts";
import { openJournal } from "./adapters/postgres/journal.ts";
import { migrate } from "./adapters/postgres/migrations.ts";
import { openNotices } from "./adapters/postgres/notifications.ts";
import { openTime } from "./adapters/postgres/time.ts";
import { createApp, type Log } from "./api/app.ts";
import { createAuthenticate } from "./api/authenticate.ts";
import { passwordOf, prepareDatabase } from "./prepare-database.ts";
import { openChannels } from "./read-notifiers.ts";
import { clockOf } from "./runtime/clock.ts";
import { startNotifier } from "./runtime/notify.ts";
import { createOrchestrator } from "./runtime/orchestrate.ts";
import { readPreparation, readSettings, type Settings } from "./settings.ts";

/** For how long an orderly end may last; the platform kills after 30 seconds. */
const endSeconds = 25;
const log: Log = (line) => void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
const tellTrouble = (sentence: string): void => log({ what: "trouble", sentence });

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
  // A half-started service would look alive; the platform starts a whole one.
  process.exit(1);
}

async function run(settings: Settings): Promise<void> {
  const connection = connect(settings);
  const database: Database = { ...settings.database, password: passwordOf(settings.database, connection.credential) };
  const pool = openPool(database, tellTrouble);
  await migrate(pool);
  const telemetry = await openTelemetry(settings, connection);
  const opened = openJournal(pool, connectionOptions(database), tellTrouble);
  const journal = telemetry?.journal(opened) ?? opened;
  const claims = openClaims(pool, settings.leaseSeconds);
  const time = await openTime(pool);
  const clock = clockOf(time.now);
  const patience = patienceOf(settings.requestSeconds);
  const rollouts = createOrchestrator({
    ports: {
      apps: createContainerApps(connection, patience),
      requests: createRequestRows(connection, patience, settings.workspace, settings.ingestionSeconds),
      journal,
      claims,
      clock,
    },
    engine: rollout,
    pool,
    process: settings.process,
    leaseSeconds: settings.leaseSeconds,
    requestSeconds: settings.requestSeconds,
    log: tellTrouble,
    telemetry,
  });
  await rollouts.launch();
  telemetry?.begin(opened);
  const dispatcher = fetchDispatcher();
  const notices = openNotices(pool);
  const notifier = startNotifier({
    journal,
    notices: telemetry?.notices(notices) ?? notices,
    channels: openChannels(settings.channels, { dispatcher }),
    now: clock.now,
    log: tellTrouble,
  });
  const closing = new AbortController();
  const app = createApp(
    {
      journal,
      claims,
      rollouts,
      inventory: settings.inventory,
      now: clock.now,
      process: settings.process,
      closing: closing.signal,
    },
    createAuthenticate(settings, dispatcher),
    log,
    telemetry?.served,
  );
  const server = serve({
    fetch: app.fetch,
    hostname: settings.host,
    port: settings.port,
    overrideGlobalObjects: false,
  }) as Server;
  await once(server, "listening");
  log({ what: "started", process: settings.process, address: server.address(), inventory: settings.inventory });
  await toldToEnd();
  log({ what: "ending", process: settings.process });
  setTimeout(() => process.exit(1), endSeconds * 1000).unref();
  closing.abort();
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  await Promise.all([rollouts.close(), notifier.close()]);
  server.closeAllConnections();
  await closed;
  await telemetry?.close();
  await opened.close();
  time.close();
  await Promise.all([pool.end(), dispatcher.close()]);
  connection.close();
}

/** Opens what watches us, where somebody wants to know. Its packages are loaded only then. */
async function openTelemetry({ telemetry: wanted }: Settings, { credential, way }: Connection) {
  if (wanted === undefined) return undefined;
  const [{ openSending }, { openWatch }] = await Promise.all([
    import("./adapters/telemetry/send.ts"),
    import("./adapters/telemetry/watch.ts"),
  ]);
  const sending = openSending({ ...wanted, credential, way, log: tellTrouble });
  return { ...openWatch(sending), close: sending.close };
}

/** Resolves at the first request to end. */
function toldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });
}
