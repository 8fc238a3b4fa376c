// The emulator's one TLS port: it chooses one of Azure's services by the Host header, checks the token, and passes the
// request on. It also serves the identity endpoint of containers, on plain HTTP.
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { headerBytesMax } from "./app/forwarding.ts";
import { openStream, type Streamed, streamPaths } from "./app/log-stream.ts";
import { sameText } from "./arm/bodies.ts";
import { ArmError, type ArmReply, type ArmRequest, type Body, type Cloud } from "./arm/resource.ts";
import type { ResourceManager } from "./arm/resource-manager.ts";
import { authorize } from "./authorization/roles.ts";
import { type Principal, type Tokens, tenant } from "./authorization/tokens.ts";
import type { Certificates } from "./certificates.ts";
import type { Control } from "./controls/control.ts";
import type { Met } from "./controls/faults.ts";
import { quirksOf } from "./controls/quirks-in-force.ts";
import { eventGridHost, validateByHand } from "./eventgrid/handshake.ts";
import { errorReply, isByAddress, originOf, readObject, send, urlOf } from "./http.ts";
import { takeTelemetry } from "./insights/ingestion.ts";
import { ingestionHost } from "./insights/insights.ts";
import { answerVault, vaultAudiences, vaultChallenge } from "./keyvault/vault-host.ts";
import { answerBlobs } from "./storage/blob-host.ts";

/** The services behind the hosts. */
export interface Services {
  readonly cloud: Cloud;
  readonly tokens: Tokens;
  readonly control: Control;
  readonly resourceManager: ResourceManager;
  /** Answers a log query to a workspace. */
  readonly logsQuery: (customerId: string, asked: Body) => Promise<ArmReply>;
  /** Answers further `/_emulator/` routes; undefined for an unknown one. */
  readonly emulatorRoutes: (request: ArmRequest) => Promise<ArmReply | undefined>;
  /** Takes a request for an app's host; false when no app has this host. */
  readonly ingress: { handle(request: IncomingMessage, response: ServerResponse): boolean };
  /** Writes changes to disk; called before the answer that reports them. */
  readonly keep: (method: string, path: string) => void;
}

/** A listening server. */
export interface Listening {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Starts the TLS port. The services need its number, so they are passed as a promise; every request waits for them. */
export async function serveHosts(
  certificates: Certificates,
  suffix: string,
  port: number,
  services: Promise<Services>,
): Promise<Listening> {
  const server = https.createServer(
    {
      SNICallback: (name, done) => done(null, certificates.contextOf(name)),
      ALPNProtocols: ["http/1.1"],
      maxHeaderSize: headerBytesMax,
      // Apps may want their clients' certificates, which must be asked for before the host is known. None is required.
      requestCert: true,
      rejectUnauthorized: false,
    },
    async (request, response) => {
      const ready = await services;
      const host = (request.headers.host ?? "").split(":")[0]!.toLowerCase();
      // The hosts of apps are in the domain of their environment, or custom ones outside of the emulator's own.
      const isApp = host.endsWith(`.westeurope.${suffix}`) || !host.endsWith(suffix);
      if (isApp && ready.ingress.handle(request, response)) return;
      await answerTo(request, response, () => answerHost(host, request, ready));
    },
  );
  // SNI chooses the certificate; a client without SNI (it uses an IP address) gets localhost's.
  server.setSecureContext({ ...certificates.localhost });
  // The server must keep idle connections longer than its clients do, or a client
  // writes to a socket that is being closed.
  server.keepAliveTimeout = 75_000;
  return listen(server, port);
}

/** Serves the identity endpoint of containers. */
export const serveIdentity = (tokens: Tokens): Promise<Listening> =>
  listen(
    http.createServer((request, response) => void answerTo(request, response, () => tokens.identity(request))),
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

/** Sends the reply or the error; if a fault says so, it cuts the connection or lets the client wait instead. */
async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  act: () => Promise<Answered>,
): Promise<void> {
  const reply = await act().catch(errorReply);
  if (reply === "cut") request.socket.destroy();
  else if (reply === "silence") return;
  else if ("stream" in reply) reply.stream(response);
  else send(request, response, reply);
}

type Answered = ArmReply | Streamed | Exclude<Met["fate"], "answered">;

/** What an endpoint needs to answer: the services, and how it checks a token. */
interface Asking {
  readonly services: Services;
  /** Gives the holder of the request's token. @throws ArmError 401 with the endpoint's challenge */
  readonly verify: () => Promise<Principal>;
}

/**
 * One endpoint of the cloud: its host, the paths by which it is found at the loopback address, for whom a token must
 * be, how a request without one is challenged, what answers, and the form of its errors.
 */
interface Endpoint {
  /** The host below the cloud's suffix, or a pattern for endpoints with hosts of their own. */
  readonly host: string | RegExp;
  /** No two endpoints share a path. An endpoint without paths is reached by name only. */
  readonly paths?: RegExp;
  /** The audiences of tokens; none for an endpoint that checks no token, or checks it by itself. */
  readonly audiences?: (suffix: string) => readonly string[];
  /** The header `www-authenticate` of a refusal. */
  readonly challenge?: (suffix: string) => string;
  readonly answer: (request: IncomingMessage, asking: Asking) => Promise<Answered>;
  /** @default Resource Manager's form, or that of the error itself */
  readonly errors?: (error: unknown) => ArmReply;
}

/** The endpoints, the one of the most general path last. */
const endpoints: readonly Endpoint[] = [
  {
    host: "login",
    paths: new RegExp(`^/+(${tenant}|common|organizations)(/|$)`, "i"),
    answer: (request, { services: { tokens } }) => tokens.login(request),
  },
  {
    host: ingestionHost,
    paths: /^\/+v2(\.1)?\/track/i,
    answer: (request, { services: { cloud, tokens } }) => takeTelemetry(request, cloud, tokens),
  },
  {
    host: "api.loganalytics",
    paths: /^\/+v1\/workspaces\//i,
    audiences: (suffix) => [
      "https://api.loganalytics.io",
      "https://api.loganalytics.azure.com",
      `https://api.loganalytics.${suffix}`,
    ],
    answer: answerLogs,
  },
  {
    host: /^[a-z0-9-]+\.vault$/,
    audiences: vaultAudiences,
    challenge: vaultChallenge,
    answer: answerVaults,
  },
  {
    host: /^[a-z0-9]+\.blob\.storage$/,
    answer: answerStorage,
  },
  {
    host: eventGridHost,
    paths: /^\/+eventsubscriptions\/[^/]+\/validate/i,
    answer: async (request, { services: { cloud } }) => validateByHand(cloud, urlOf(request)),
  },
  {
    host: "westeurope.azurecontainerapps",
    paths: streamPaths,
    answer: async (request, { services: { cloud } }) => openStream(cloud, request),
  },
  {
    host: "management",
    paths: /^/,
    audiences: (suffix) => [
      "https://management.azure.com/",
      "https://management.core.windows.net/",
      `https://management.${suffix}/`,
    ],
    answer: (request, asking) =>
      answerManagement(request, asking).finally(() =>
        asking.services.keep(request.method ?? "GET", (request.url ?? "/").split("?")[0]!),
      ),
  },
];

/** Finds the endpoint of a host; at the loopback address, for programs that cannot resolve names, that of the path. */
function endpointOf(host: string, url: string, suffix: string): Endpoint | undefined {
  if (isByAddress(`https://${host}`)) return endpoints.find(({ paths }) => paths?.test(url));
  if (!host.endsWith(`.${suffix}`)) return undefined;
  const name = host.slice(0, -suffix.length - 1);
  return endpoints.find((each) => (typeof each.host === "string" ? each.host === name : each.host.test(name)));
}

async function answerHost(host: string, request: IncomingMessage, services: Services): Promise<Answered> {
  const { suffix } = services.cloud;
  urlOf(request);
  const endpoint = endpointOf(host, request.url ?? "/", suffix);
  if (!endpoint) throw new ArmError(404, "HostNotFound", `The emulator has no host '${host}'.`);
  const { audiences, challenge, answer, errors = errorReply } = endpoint;
  const verify = () => services.tokens.verify(request, audiences?.(suffix) ?? [], challenge?.(suffix));
  return answer(request, { services, verify }).catch((error: unknown) => errors(error));
}

async function toArmRequest(request: IncomingMessage): Promise<ArmRequest> {
  const origin = originOf(request);
  // Some SDKs join endpoint and scope into `//subscriptions`. A redirect would lose
  // their token, so the path is corrected here.
  const url = urlOf(request);
  let path: string;
  try {
    path = decodeURIComponent(url.pathname)
      .replace(/\/{2,}/g, "/")
      .replace(/(?<=.)\/$/, "");
  } catch {
    // biome-ignore lint/style/useErrorCause: an ArmError is the client's answer, and the cause adds nothing to it
    throw new ArmError(400, "InvalidRequestUri", "The request URI is not well encoded.");
  }
  return {
    method: request.method ?? "GET",
    origin,
    path,
    query: url.searchParams,
    apiVersion: versionIn(url.searchParams),
    body: await readObject(request),
    ...(request.headers["if-match"] === undefined ? {} : { ifMatch: request.headers["if-match"] }),
    ...(request.headers["if-none-match"] === undefined ? {} : { ifNoneMatch: request.headers["if-none-match"] }),
  };
}

/** Gives the api-version. Names of parameters have no case; one that is there twice is the text of both. */
const versionIn = (query: URLSearchParams): string =>
  [...query].flatMap(([name, value]) => (name.toLowerCase() === "api-version" ? [value] : [])).join(",");

async function answerManagement(request: IncomingMessage, { services, verify }: Asking): Promise<Answered> {
  const { cloud, control } = services;
  const asked = await toArmRequest(request);
  if (asked.path === "/metadata/endpoints") return { status: 200, body: metadata(asked.origin, cloud.suffix) };
  const isControl = asked.path.toLowerCase().startsWith("/_emulator/");
  if (isControl) return answerControl(asked, await verify(), services);
  const toReply = (error: unknown): ArmReply => errorReply(error, !quirksOf(cloud)["error-forms-differ"]);
  const carryOut = async (meant: ArmRequest): Promise<ArmReply> => {
    const principal = await verify();
    if (asked.apiVersion === "")
      throw new ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
      );
    return services.resourceManager(meant, principal);
  };
  const outcome = await control
    .meetFault(asked, (meant) => carryOut(meant).catch(toReply))
    .catch((error: unknown): Met => ({ reply: toReply(error), fate: "answered" }));
  control.note(asked, outcome.reply.status, outcome.fate === "answered");
  return outcome.fate === "answered" ? outcome.reply : outcome.fate;
}

async function answerControl(
  asked: ArmRequest,
  principal: Principal,
  { control, emulatorRoutes }: Services,
): Promise<ArmReply> {
  if (!principal.owner)
    throw new ArmError(403, "AuthorizationFailed", "Only the emulator's own client may use its controls.");
  const reply = control.answer(asked) ?? (await emulatorRoutes(asked));
  if (reply) return reply;
  throw new ArmError(404, "ResourceNotFound", `The emulator has no control '${asked.method} ${asked.path}'.`);
}

/**
 * Answers a request to the host of one resource. Faults and the log of requests know it by host and path:
 * `/shop.vault/secrets/a`.
 */
async function answerOwnHost(
  request: IncomingMessage,
  { cloud, control }: Services,
  kind: "vault" | "blob",
  act: (meant: ArmRequest, name: string) => Promise<ArmReply>,
): Promise<Answered> {
  const sent = await toArmRequest(request);
  const [name = ""] = (request.headers.host ?? "").toLowerCase().split(".");
  const asked = { ...sent, path: `/${name}.${kind}${sent.path}` };
  const outcome = await control.meetFault(asked, (meant) => act(meant, name).catch(errorReply));
  control.note(asked, outcome.reply.status, outcome.fate === "answered");
  cloud.keep?.();
  return outcome.fate === "answered" ? outcome.reply : outcome.fate;
}

function answerVaults(request: IncomingMessage, { services, verify }: Asking): Promise<Answered> {
  const userAgent = request.headers["user-agent"] ?? "";
  return answerOwnHost(request, services, "vault", (meant) =>
    answerVault({ cloud: services.cloud, request: meant, userAgent, verify }),
  );
}

function answerStorage(request: IncomingMessage, { services }: Asking): Promise<Answered> {
  const { headers, socket } = request;
  const from = `${socket.remoteAddress}:${socket.remotePort}`;
  return answerOwnHost(request, services, "blob", async ({ method }, account) =>
    answerBlobs(services.cloud, { account, method, url: urlOf(request), headers, from }),
  );
}

async function answerLogs(
  request: IncomingMessage,
  { services: { cloud, logsQuery }, verify }: Asking,
): Promise<ArmReply> {
  const asked = await toArmRequest(request);
  const principal = await verify();
  const [, customerId] = /^\/v1\/workspaces\/([^/]+)\/query$/i.exec(asked.path) ?? [];
  if (customerId === undefined) throw new ArmError(404, "PathNotFoundError", "The requested path does not exist.");
  if (asked.method !== "GET" && asked.method !== "POST")
    throw new ArmError(405, "HttpMethodNotAllowed", `The http method '${asked.method}' is not supported.`);
  const workspace = cloud.store
    .list()
    .find(
      (each) =>
        each.type === "Microsoft.OperationalInsights/workspaces" &&
        sameText(each.body["properties"].customerId, customerId),
    );
  if (workspace === undefined)
    throw new ArmError(404, "WorkspaceNotFoundError", `The workspace ${customerId} could not be found.`);
  try {
    authorize(cloud, principal, "Microsoft.OperationalInsights/workspaces/query/read", workspace.id);
  } catch {
    // biome-ignore lint/style/useErrorCause: an ArmError is the client's answer, here in the words of the query service
    throw new ArmError(
      403,
      "InsufficientAccessError",
      "The provided credentials have insufficient access to perform the requested operation.",
    );
  }
  return logsQuery(
    workspace.body["properties"].customerId,
    asked.method === "GET" ? Object.fromEntries(asked.query) : (asked.body ?? {}),
  );
}

/** Describes the cloud as Azure's management host does. The real azure-native provider finds the other hosts here. */
function metadata(origin: string, suffix: string): unknown {
  return {
    name: "BallastEmulator",
    portal: origin,
    // A client that uses the loopback address must find the login host there too.
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
