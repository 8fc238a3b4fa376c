// The one TLS port of the stand-in: tells by the Host header which of Azure's doors a request knocks at, checks the token, and hands on.
// It also serves, on plain http, the identity endpoint that containers find on their own loopback. Doors are elsewhere; this is the hall.
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { ArmError, type ArmReply, type ArmRequest, type Cloud } from "./arm/resource.ts";
import type { ResourceManager } from "./arm/resource-manager.ts";
import { authorize } from "./authorization/roles.ts";
import { type Principal, type Tokens, tenant } from "./authorization/tokens.ts";
import type { Certificates } from "./certificates.ts";
import type { Control } from "./controls/control.ts";
import type { Met } from "./controls/faults.ts";
import { errorReply, isByAddress, originOf, readObject, send } from "./http.ts";
import { takeTelemetry } from "./insights/ingestion.ts";
import { ingestionHost } from "./insights/insights.ts";

/** What the doors lead to. */
export interface Doors {
  readonly cloud: Cloud;
  readonly tokens: Tokens;
  readonly control: Control;
  readonly resourceManager: ResourceManager;
  /** Answers a log query to `/v1/workspaces/{customerId}/query`. */
  readonly logsQuery: (request: ArmRequest) => Promise<ArmReply>;
  /** Answers further `/_standin/` routes; undefined where there is none. */
  readonly standInRoutes: (request: ArmRequest) => Promise<ArmReply | undefined>;
  /** Takes a request for an app's host; false where the host is no app's. */
  readonly ingress: { handle(request: IncomingMessage, response: ServerResponse): boolean };
  /** Writes down what has changed; called before anybody is told of it. */
  readonly keep: () => void;
}

/** A server that listens. */
export interface Listening {
  readonly port: number;
  readonly close: () => Promise<void>;
}

const managementAudiences = (suffix: string): readonly string[] => [
  "https://management.azure.com/",
  "https://management.core.windows.net/",
  `https://management.${suffix}/`,
];
const logsAudiences = (suffix: string): readonly string[] => [
  "https://api.loganalytics.io",
  "https://api.loganalytics.azure.com",
  `https://api.loganalytics.${suffix}`,
];

/** Starts the TLS port; the doors are given a moment later, for they want to know the port, and until then every request waits. */
export async function serveHosts(
  certificates: Certificates,
  suffix: string,
  port: number,
  doors: Promise<Doors>,
): Promise<Listening> {
  const server = https.createServer(
    { SNICallback: (name, done) => done(null, certificates.contextOf(name)), ALPNProtocols: ["http/1.1"] },
    async (request, response) => {
      const open = await doors;
      const host = (request.headers.host ?? "").split(":")[0]!.toLowerCase();
      if (host.endsWith(`.westeurope.${suffix}`) && open.ingress.handle(request, response)) return;
      await answerTo(request, response, () => answerHost(host, request, open));
    },
  );
  // Names in SNI choose the certificate; a client that sends none (an IP address) gets localhost's.
  server.setSecureContext({ ...certificates.localhost });
  // Keep-alive of ours must outlast the clients', or one of them writes into a socket that is just being closed.
  server.keepAliveTimeout = 75_000;
  return listen(server, port);
}

/** Starts the identity endpoint of containers. */
export const serveIdentity = (tokens: () => Tokens): Promise<Listening> =>
  listen(
    http.createServer((request, response) => void answerTo(request, response, () => tokens().identity(request))),
    0,
  );

async function listen(server: http.Server | https.Server, port: number): Promise<Listening> {
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends whatever comes of it, or, on order, cuts the connection or lets the client wait. */
async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  act: () => Promise<ArmReply | Exclude<Met["fate"], "answered">>,
): Promise<void> {
  const reply = await act().catch(errorReply);
  if (reply === "cut") request.socket.destroy();
  else if (reply !== "silence") send(request, response, reply);
}

async function answerHost(host: string, request: IncomingMessage, doors: Doors): ReturnType<typeof answerManagement> {
  const { suffix } = doors.cloud;
  if (host === `login.${suffix}`) return doors.tokens.login(request, originOf(request));
  if (host === `management.${suffix}`) return answerManagement(request, doors).finally(doors.keep);
  if (host === `api.loganalytics.${suffix}`) return answerLogs(request, doors);
  if (host === `${ingestionHost}.${suffix}`) return takeTelemetry(request, doors.cloud, doors.tokens);
  if (isByAddress(`https://${host}`)) return answerHost(`${doorOf(request.url ?? "/")}.${suffix}`, request, doors);
  throw new ArmError(404, "HostNotFound", `The stand-in cloud has no host '${host}'.`);
}

/** By its address alone the stand-in is reached by programs that cannot be told how to find its names; no two doors share a path. */
function doorOf(url: string): "login" | "management" | "api.loganalytics" | typeof ingestionHost {
  if (/^\/+v2(\.1)?\/track/i.test(url)) return ingestionHost;
  if (/^\/+v1\/workspaces\//i.test(url)) return "api.loganalytics";
  return [tenant, "common", "organizations"].includes(url.split("/")[1] ?? "") ? "login" : "management";
}

async function toArmRequest(request: IncomingMessage): Promise<ArmRequest> {
  const origin = originOf(request);
  // Some SDKs join endpoint and scope into `//subscriptions`; a redirect would lose their token, so it is set right in place.
  const url = new URL((request.url ?? "/").replace(/^\/+/, "/"), origin);
  let path: string;
  try {
    path = decodeURIComponent(url.pathname)
      .replace(/\/{2,}/g, "/")
      .replace(/(?<=.)\/$/, "");
  } catch {
    throw new ArmError(400, "InvalidRequestUri", "The request URI is not well encoded.");
  }
  return {
    method: request.method ?? "GET",
    origin,
    path,
    query: url.searchParams,
    apiVersion: url.searchParams.get("api-version") ?? "",
    body: await readObject(request),
    ...(request.headers["if-match"] === undefined ? {} : { ifMatch: request.headers["if-match"] }),
  };
}

async function answerManagement(
  request: IncomingMessage,
  doors: Doors,
): Promise<ArmReply | Exclude<Met["fate"], "answered">> {
  const { cloud, control, tokens } = doors;
  const asked = await toArmRequest(request);
  if (asked.path === "/metadata/endpoints") return { status: 200, body: metadata(asked.origin, cloud.suffix) };
  const isControl = asked.path.toLowerCase().startsWith("/_standin/");
  if (isControl) return answerControl(asked, await tokens.verify(request, managementAudiences(cloud.suffix)), doors);
  const outcome = await control
    .meetFault(asked, async (meant) => {
      const principal = await tokens.verify(request, managementAudiences(cloud.suffix));
      if (asked.apiVersion === "")
        throw new ArmError(
          400,
          "MissingApiVersionParameter",
          "The api-version query parameter (?api-version=) is required for all requests.",
        );
      return doors.resourceManager(meant, principal);
    })
    .catch((error: unknown): Met => ({ reply: errorReply(error), fate: "answered" }));
  control.note(asked, outcome.reply.status, outcome.fate === "answered");
  return outcome.fate === "answered" ? outcome.reply : outcome.fate;
}

async function answerControl(
  asked: ArmRequest,
  principal: Principal,
  { control, standInRoutes }: Doors,
): Promise<ArmReply> {
  if (!principal.owner)
    throw new ArmError(403, "AuthorizationFailed", "Only the stand-in's own client may use its controls.");
  const reply = control.answer(asked) ?? (await standInRoutes(asked));
  if (reply) return reply;
  throw new ArmError(404, "ResourceNotFound", `The stand-in has no control '${asked.method} ${asked.path}'.`);
}

async function answerLogs(request: IncomingMessage, { cloud, tokens, logsQuery }: Doors): Promise<ArmReply> {
  const asked = await toArmRequest(request);
  const principal = await tokens.verify(request, logsAudiences(cloud.suffix));
  const [, customerId] = /^\/v1\/workspaces\/([^/]+)\/query$/i.exec(asked.path) ?? [];
  if (customerId === undefined) throw new ArmError(404, "PathNotFoundError", "The requested path does not exist.");
  const workspace = cloud.store
    .list()
    .find(
      (each) =>
        each.type === "Microsoft.OperationalInsights/workspaces" && each.body["properties"].customerId === customerId,
    );
  if (workspace === undefined)
    throw new ArmError(404, "WorkspaceNotFoundError", `The workspace ${customerId} could not be found.`);
  try {
    authorize(cloud.store, principal, "Microsoft.OperationalInsights/workspaces/query/read", workspace.id);
  } catch {
    // The query service has words of its own for this.
    throw new ArmError(
      403,
      "InsufficientAccessError",
      "The provided credentials have insufficient access to perform the requested operation.",
    );
  }
  return logsQuery(asked);
}

/** What Azure's management host says of its cloud; read by the real azure-native provider to find the rest. */
function metadata(origin: string, suffix: string): unknown {
  return {
    name: "BallastStandIn",
    portal: origin,
    // Whoever has come by the address finds the rest there too.
    authentication: {
      loginEndpoint: isByAddress(origin) ? `${origin}/` : `https://login.${suffix}/`,
      audiences: ["https://management.core.windows.net/", "https://management.azure.com/"],
      tenant: "common",
      identityProvider: "AAD",
    },
    resourceManager: `${origin}/`,
    microsoftGraphResourceId: `https://graph.${suffix}/`,
    logAnalyticsResourceId: `https://api.loganalytics.${suffix}`,
    suffixes: { storage: `storage.${suffix}`, keyVaultDns: `vault.${suffix}` },
  };
}
