// The streams of logs that the portal and `az containerapp logs show` read: what a container prints, and what the
// platform says about an app or an environment. A stream is at the loopback address, which every client can reach, and
// takes a token of its own that `getAuthToken` gives for one resource. The lines have the forms of Microsoft's samples.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ArmError, type ArmReply, type Body, type Cloud, type Resource } from "../arm/resource.ts";
import { urlOf } from "../http.ts";
import { runtimeOf } from "./app-runtime.ts";
import type { LogLine } from "./replica-logs.ts";
import { type AppRuntime, findRevision } from "./revisions.ts";
import { type SystemEvent, systemEventsOf } from "./system-rows.ts";

/** An answer without end: the server hands its response over. */
export interface Streamed {
  readonly stream: (response: ServerResponse) => void;
}

/** The paths of streams. They are those of resources without `/providers/Microsoft.App`. */
export const streamPaths = /^\/+subscriptions\/[^/]+\/resourceGroups\/[^/]+\/(containerApps|managedEnvironments)\//i;

/** Gives the address below which the streams of an app or an environment are. */
export const streamAddress = ({ port }: Cloud, id: string): string =>
  `https://127.0.0.1:${port}${id.replace(/\/providers\/Microsoft\.App/i, "")}`;

const hourMilliseconds = 3_600_000;
const keys = new WeakMap<Cloud, Buffer>();

function signed(cloud: Cloud, claims: string): string {
  const key = keys.get(cloud) ?? randomBytes(32);
  keys.set(cloud, key);
  return `${claims}.${createHmac("sha256", key).update(claims).digest("base64url")}`;
}

/** Answers `getAuthToken`: a token for the streams of this resource, valid for an hour. */
export async function authToken({ id, type, body }: Resource, cloud: Cloud): Promise<ArmReply> {
  const expires = Date.now() + hourMilliseconds;
  const token = signed(cloud, Buffer.from(JSON.stringify({ id, expires })).toString("base64url"));
  const { name, location } = body;
  return {
    status: 200,
    body: {
      id: body["id"],
      name,
      type: `${type}/accesstoken`,
      location,
      properties: { token, expires: new Date(expires).toISOString() },
    },
  };
}

/** @throws ArmError 401 unless a request has a valid token for the streams of a resource */
function requireToken(cloud: Cloud, request: IncomingMessage, id: string): void {
  const [, token = ""] = /^bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const [claims = ""] = token.split(".");
  const right = Buffer.from(signed(cloud, claims));
  const given = Buffer.from(token);
  const isOurs = right.length === given.length && timingSafeEqual(right, given);
  const read = isOurs ? (JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as Body) : {};
  if (read["id"] === id && read["expires"] > Date.now()) return;
  throw new ArmError(401, "Unauthorized", "A token of getAuthToken for this resource is needed to read its logs.");
}

/** What a client asks of a stream. */
interface Wish {
  /** True when the stream stays open and further lines follow. */
  readonly follow: boolean;
  readonly tail: number;
  readonly isText: boolean;
}

const tailMax = 300;

function wishOf(query: URLSearchParams): Wish {
  const tail = Number(query.get("tailLines") ?? 20);
  if (!Number.isInteger(tail) || tail < 0 || tail > tailMax)
    throw new ArmError(400, "InvalidRequestParameterValue", `tailLines must be between 0 and ${tailMax}.`);
  return { follow: query.get("follow") === "true", tail, isText: query.get("output") === "text" };
}

/** Opens the stream at an address. @throws ArmError 401 for a wrong token, 404 for an unknown address */
export function openStream(cloud: Cloud, request: IncomingMessage): Streamed {
  const url = urlOf(request);
  const [, subscription, , group, kind = "", name, ...rest] = url.pathname.split("/").filter((each) => each !== "");
  const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.App/${kind}/${name}`;
  requireToken(cloud, request, id.toLowerCase());
  const wish = wishOf(url.searchParams);
  const route = rest.map((each, index) => (index % 2 === 0 ? each.toLowerCase() : "?")).join("/");
  if (cloud.store.get(id) && route === "eventstream") return eventStream(cloud, id.toLowerCase(), wish);
  const app = runtimeOf(cloud).apps.get(id.toLowerCase());
  const [, revision = "", , replica = "", , container = ""] = rest;
  if (app && route === "revisions/?/replicas/?/containers/?/logstream")
    return consoleStream(cloud, app, { revision, replica, container }, wish);
  throw new ArmError(404, "ResourceNotFound", `There is no stream of logs at '${url.pathname}'.`);
}

const goneMilliseconds = 1_000;

/** Streams what a container prints. The stream ends with its replica. */
function consoleStream(
  cloud: Cloud,
  app: AppRuntime,
  at: { readonly revision: string; readonly replica: string; readonly container: string },
  wish: Wish,
): Streamed {
  const { logs } = runtimeOf(cloud);
  const found = () => findRevision(app, at.revision)?.set?.replicas.find(({ name }) => name === at.replica);
  if (!found()?.containers.some(({ name }) => name === at.container))
    throw new ArmError(
      404,
      "ResourceNotFound",
      `Container '${at.container}' of replica '${at.replica}' was not found.`,
    );
  const isOfContainer = (line: LogLine): boolean => line.replica === at.replica && line.container === at.container;
  const now = new Date(cloud.clock.now()).toISOString().slice(0, -1);
  const head = [
    { TimeStamp: now, Log: `Connecting to the container '${at.container}'...` },
    {
      TimeStamp: now,
      Log:
        `Successfully Connected to container: '${at.container}' ` +
        `[Revision: '${at.revision}', Replica: '${at.replica}']`,
    },
  ];
  const toRow = ({ at: time, text }: LogLine): Body => ({
    TimeStamp: new Date(time).toISOString().replace("Z", "+00:00"),
    Log: text,
  });
  const past = logs.read(app.name, 0).filter(isOfContainer);
  return streaming(wish, [...head, ...lastOf(past, wish.tail).map(toRow)], (write, end) => {
    const stop = logs.follow((line) => {
      if (isOfContainer(line)) write(toRow(line));
    });
    const timer = setInterval(() => {
      if (!found()) end();
    }, goneMilliseconds);
    return () => {
      clearInterval(timer);
      stop();
    };
  });
}

/** Streams what the platform says about an app, or about all apps of an environment. */
function eventStream(cloud: Cloud, id: string, wish: Wish): Streamed {
  const now = `${new Date(cloud.clock.now()).toISOString().slice(0, 19)}Z`;
  const connecting = (Msg: string, Reason: string): Body => ({
    ...{ TimeStamp: now, Type: "Normal", ContainerAppName: null, RevisionName: null, ReplicaName: null },
    ...{ Msg, Reason, EventSource: "ContainerAppController", Count: 1 },
  });
  const head = [
    connecting("Connecting to the events collector...", "StartingGettingEvents"),
    connecting("Successfully connected to events server", "ConnectedToEventsServer"),
  ];
  const events = systemEventsOf(cloud);
  const isOfResource = ({ appId, environmentId }: SystemEvent): boolean => appId === id || environmentId === id;
  const toRow = ({
    at,
    row: { ContainerAppName, RevisionName, ReplicaName, Log, Reason, EventSource, ...row },
  }: SystemEvent) => ({
    TimeStamp: `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`,
    ...{
      Type: row["Type"],
      ContainerAppName,
      RevisionName,
      ReplicaName,
      Msg: Log,
      Reason,
      EventSource,
      Count: row["Count"],
    },
  });
  const past = lastOf(events.past.filter(isOfResource), wish.tail);
  return streaming({ ...wish, isText: false }, [...head, ...past.map(toRow)], (write) =>
    events.follow((event) => {
      if (isOfResource(event)) write(toRow(event));
    }),
  );
}

const lastOf = <Each>(all: readonly Each[], count: number): readonly Each[] => (count === 0 ? [] : all.slice(-count));

/** A client that has stopped reading is cut off here, since its lines would fill the emulator's memory. */
const unreadBytesMax = 16 * 1024 * 1024;

/** Writes rows one a line, and those that follow until the client leaves. */
const streaming = (
  { follow, isText }: Wish,
  rows: readonly Body[],
  followed: (write: (row: Body) => void, end: () => void) => () => void,
): Streamed => ({
  stream: (response) => {
    response.writeHead(200, { "content-type": isText ? "text/plain; charset=utf-8" : "application/json" });
    const write = (row: Body): void => {
      // A slow client still reads after the end, and a write would then be an error that nobody handles.
      if (response.writableEnded) return;
      response.write(isText ? `${row["TimeStamp"]}  ${row["Log"]}\n` : `${JSON.stringify(row)}\n`);
      if (response.writableLength > unreadBytesMax) response.destroy();
    };
    rows.forEach(write);
    if (!follow) return void response.end();
    response.once(
      "close",
      followed(write, () => response.end()),
    );
  },
});
