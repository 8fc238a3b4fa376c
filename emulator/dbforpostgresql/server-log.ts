// Reads the log of the one PostgreSQL server behind flexible servers, by SQL and as its superuser, so that the server
// may run anywhere. It reads while a diagnostic setting asks for PostgreSQLLogs, and keeps its place in the log across
// restarts. A server that writes no JSON log (`logging_collector`) leaves the table empty, and the emulator says so.
import pg from "pg";
import { wiredWorkspaces } from "../app/request-rows.ts";
import type { Cloud, Resource } from "../arm/resource.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { addPlatformRow } from "../operationalinsights/platform-rows.ts";
import { logsConnections } from "./configurations.ts";
import { type LogLine, linesIn, loginAspect, makeSessions, rowOf, serverLogTable, timeOf } from "./log-rows.ts";

/** Where reading goes on. Lines from before `since` (real time) are skipped. */
export interface Place {
  readonly file: string;
  readonly offset: number;
  readonly since: number;
}

const places = new WeakMap<Cloud, Place>();
const documents = "server-log";

/** Gives the place in the log; undefined when none was read. */
export const placeInLog = (cloud: Cloud): Place | undefined => places.get(cloud);

/** Takes the place of an emulator that was killed. */
export const revivePlace = (cloud: Cloud, place: Place): void => void places.set(cloud, place);

const everyMilliseconds = 250;
const chunkBytes = 1024 * 1024;
// A line holds the whole statement of an error. One that is longer than this has no row.
const lineBytesMax = 64 * chunkBytes;
const serverType = "Microsoft.DBforPostgreSQL/flexibleServers";
// A public repository's measurement of 2026: the rows of a server's log are there within four minutes.
const lateSeconds = 240;

const wiredServers = (cloud: Cloud): readonly Resource[] =>
  cloud.store
    .list()
    .filter(
      ({ type, id }) =>
        type === serverType &&
        wiredWorkspaces(cloud, id, serverLogTable.category, serverLogTable.isDedicated).length > 0,
    );

/** Reads the log from now on. Gives the function that stops it. */
export function watchServerLog(cloud: Cloud): () => Promise<void> {
  const { postgres } = cloud.options;
  if (!postgres) return async () => undefined;
  const sessions = makeSessions();
  let client: pg.Client | undefined;
  let seenAt = Date.now();
  let hasSaid = false;
  const say = (text: string): void => {
    if (!hasSaid) cloud.log(text);
    hasSaid = true;
  };
  const connected = async (): Promise<pg.Client> => {
    if (client) return client;
    const made = new pg.Client({ ...postgres, database: "postgres", application_name: "emulator" });
    made.on("error", () => {
      client = undefined;
    });
    await made.connect();
    client = made;
    return made;
  };
  const look = async (): Promise<void> => {
    const servers = wiredServers(cloud);
    const before = seenAt;
    seenAt = Date.now();
    if (servers.length === 0) return;
    const asked = await connected();
    const file = (await asked.query<{ file: string | null }>("select pg_current_logfile('jsonlog') as file")).rows[0]
      ?.file;
    if (file == null) return say("the PostgreSQL server writes no JSON log, so that PGSQLServerLogs stays empty");
    const place = places.get(cloud) ?? { file, offset: 0, since: before };
    const rest = await readFrom(cloud, asked, place, sessions, servers);
    if (rest.file !== file) await readFrom(cloud, asked, { ...rest, file, offset: 0 }, sessions, servers);
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // A look that takes long is the only one.
    looking ??= look()
      .catch((error: Error) => {
        // The server may be down, or restart. The next look connects again.
        const broken = client;
        client = undefined;
        void broken?.end().catch(() => undefined);
        say(`cannot read the log of the PostgreSQL server: ${error.message}`);
      })
      .finally(() => {
        looking = undefined;
      });
  }, everyMilliseconds).unref();
  return async () => {
    clearInterval(timer);
    await looking;
    await client?.end().catch(() => undefined);
  };
}

/** Reads a file from a place to its end, writes the rows, and gives the place after it. */
async function readFrom(
  cloud: Cloud,
  client: pg.Client,
  from: Place,
  sessions: ReturnType<typeof makeSessions>,
  servers: readonly Resource[],
): Promise<Place> {
  let place = from;
  let size = chunkBytes;
  for (;;) {
    const { rows } = await client.query<{ part: Buffer | null }>(
      "select pg_read_binary_file($1, $2, $3, true) as part",
      [place.file, place.offset, size],
    );
    const part = rows[0]?.part ?? Buffer.alloc(0);
    const isFull = part.length === size;
    const { lines, bytes: inLines } = linesIn(part);
    const bytes = isFull && inLines === 0 && size === lineBytesMax ? size : inLines;
    if (bytes > 0) {
      const owners = await ownersOf(client, servers);
      for (const line of lines.filter((each) => timeOf(each) >= place.since).flatMap(sessions.settle))
        for (const server of owners(line)) write(cloud, server, line);
      place = { ...place, offset: place.offset + bytes };
      places.set(cloud, place);
      // Rows and place are written in one turn: a kill between the two would repeat rows, as Azure may.
      cloud.changed?.(documents, "place");
      cloud.keep?.();
    } else if (!places.has(cloud)) places.set(cloud, place);
    if (!isFull) return place;
    size = bytes > 0 ? chunkBytes : lineBytesMax;
  }
}

function write(cloud: Cloud, server: Resource, line: LogLine): void {
  const aspect = loginAspect(line);
  if (aspect && !logsConnections(cloud, server, aspect)) return;
  addPlatformRow(
    cloud,
    serverLogTable,
    server.id,
    {
      ...rowOf(line),
      TimeGenerated: cloud.clock.at?.(timeOf(line)) ?? timeOf(line),
      LogicalServerName: server.body["name"],
      Location: server.body["location"],
    },
    quirksOf(cloud)["server-logs-come-late"] ? lateSeconds : 0,
  );
}

/**
 * Gives which flexible servers a line is of, since all share one PostgreSQL: those whose administrator owns the
 * database or is the user, or administers the one or the other.
 */
async function ownersOf(
  client: pg.Client,
  servers: readonly Resource[],
): Promise<(line: LogLine) => readonly Resource[]> {
  const { rows: databases } = await client.query<{ name: string; owner: string }>(
    "select datname as name, pg_get_userbyid(datdba) as owner from pg_database",
  );
  const { rows: rights } = await client.query<{ role: string; login: string }>(
    "select pg_get_userbyid(roleid) as role, pg_get_userbyid(member) as login from pg_auth_members where admin_option",
  );
  const ownerOf = new Map(databases.map(({ name, owner }) => [name, owner]));
  const controls = (login: string, role: string | undefined): boolean =>
    role === login || rights.some((each) => each.role === role && each.login === login);
  return ({ user, dbname }) =>
    servers.filter(({ body }) => {
      const login: string = body["properties"].administratorLogin;
      return controls(login, user) || controls(login, ownerOf.get(dbname ?? ""));
    });
}
