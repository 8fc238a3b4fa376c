// The Azure clients of the adapters: their endpoints, identity, network route and timeouts. This is the only place
// where the emulator differs from Azure, and only the addresses differ: the same clients reach it over TLS, with tokens
// of its issuer.
import { AsyncLocalStorage } from "node:async_hooks";
import type https from "node:https";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { type PipelinePolicy, RestError } from "@azure/core-rest-pipeline";
import { ClientSecretCredential, ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import { LogsQueryClient } from "@azure/monitor-query-logs";
import { httpsAgent, parseConnectTo } from "../../../connect-to.ts";
import { boundedAnswers, type ClientLimits } from "../../../http-answer.ts";

/** Azure's addresses, and our identity there. */
export interface ConnectionSettings {
  readonly subscription: string;
  readonly tenant: string;
  /** `https://management.azure.com` or another cloud's. */
  readonly resourceManager: string;
  /** `https://api.loganalytics.io` or another cloud's. */
  readonly logs: string;
  /** `https://login.microsoftonline.com` or another cloud's. */
  readonly authority: string;
  /** The user-assigned identity of this process, or the application that a client secret belongs to. */
  readonly clientId: string;
  /** Only if no identity is assigned, as on a developer's machine. */
  readonly clientSecret?: string | undefined;
  /** The limit of one request. */
  readonly requestSeconds: number;
}

/** The clients, with the identity and the network route for other requests. */
export interface Connection {
  readonly apps: ContainerAppsAPIClient;
  readonly logs: LogsQueryClient;
  readonly credential: TokenCredential;
  /** Fetches a token, so that the next request to Resource Manager does not wait for one. */
  readonly ready: () => Promise<void>;
  readonly agent: https.Agent;
  /** Sets the network route and the time limit for requests of any client. */
  readonly way: PipelinePolicy;
  /** Refuses a write that comes too long after its fence. Every client that writes has it, per retry. */
  readonly inTime: PipelinePolicy;
  readonly close: () => void;
}

/** The API version of Container Apps that we use. The client's own default changes with its releases. */
const containerAppsVersion = "2025-07-01";

/** The most of an answer of Azure that is read: several times the request rows of the longest measurement. */
const answerBytesMax = 64 * 2 ** 20;

/** Opens the clients. Nothing is sent before the first request. */
export function connect(settings: ConnectionSettings, connectTo = process.env["BALLAST_CONNECT_TO"]): Connection {
  const to = parseConnectTo(connectTo);
  const agent = httpsAgent(to);
  const way = onTheWay(agent, to !== undefined, settings.requestSeconds);
  const policies = (rests: Pick<ClientLimits, "restSecondsMax"> = {}) => [
    { policy: way, position: "perCall" as const },
    {
      policy: boundedAnswers({ bytesMax: answerBytesMax, seconds: settings.requestSeconds, ...rests }),
      position: "perRetry" as const,
    },
  ];
  const common = {
    // The adapters retry themselves: a fence must be asked before each attempt of a write, which the
    // pipeline cannot do.
    retryOptions: { maxRetries: 0 },
    additionalPolicies: policies(),
  };
  const timely = inTime(settings.requestSeconds);
  const credential = credentialOf(settings, {
    retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
    // All requests wait for one token, and a sign-in that rested for an hour would hold up each of them.
    additionalPolicies: policies({ restSecondsMax: 1 }),
  });
  return {
    apps: new ContainerAppsAPIClient(credential, settings.subscription, {
      ...common,
      // Policies of this position run after the token was fetched.
      additionalPolicies: [...common.additionalPolicies, { policy: timely, position: "perRetry" }],
      endpoint: settings.resourceManager,
      apiVersion: containerAppsVersion,
      credentials: { scopes: [`${settings.resourceManager}/.default`] },
    }),
    logs: new LogsQueryClient(credential, {
      ...common,
      endpoint: `${settings.logs}/v1`,
      credentials: { scopes: [`${settings.logs}/.default`] },
    }),
    credential,
    ready: async () => void (await credential.getToken(`${settings.resourceManager}/.default`)),
    agent,
    way,
    inTime: timely,
    close: () => agent.destroy(),
  };
}

const fencedAt = new AsyncLocalStorage<number>();

/**
 * Sends a write that a fence has just allowed.
 *
 * @param askedAt When the fence was asked, by the monotonic clock. The claim is certainly valid from then on.
 */
export const afterFence = <Value>(askedAt: number, send: () => Promise<Value>): Promise<Value> =>
  fencedAt.run(askedAt, send);

/**
 * Sends a write within half of its time limit after its fence was asked, or not at all, and ends it at the limit.
 *
 * Otherwise a slow token or a suspended process could delay the request after its fence without bound.
 */
function inTime(requestSeconds: number): PipelinePolicy {
  return {
    name: "ballast-in-time",
    sendRequest: (request, next) => {
      const askedAt = fencedAt.getStore();
      if (askedAt === undefined || request.method === "GET") return next(request);
      const gone = performance.now() - askedAt;
      const whole = requestSeconds * 1000;
      if (gone > whole / 2)
        throw new RestError(`not sent, because its fence was ${Math.round(gone)} ms ago`, {
          code: "HeldUp",
        });
      request.timeout = whole - gone;
      return next(request);
    },
  };
}

function credentialOf(settings: ConnectionSettings, options: object): TokenCredential {
  if (settings.clientSecret === undefined)
    return new ManagedIdentityCredential({ clientId: settings.clientId, ...options });
  return new ClientSecretCredential(settings.tenant, settings.clientId, settings.clientSecret, {
    ...options,
    authorityHost: settings.authority,
    // The list of known authorities is Microsoft's. Another cloud's issuer is trusted because the settings name it.
    disableInstanceDiscovery: new URL(settings.authority).hostname !== "login.microsoftonline.com",
  });
}

/**
 * Sets the network route and the time limit of every request.
 *
 * Plain http is not redirected: the only such address is the identity endpoint on loopback. Without a redirection the
 * clients keep their own agents, so that they use a proxy that the environment names.
 */
function onTheWay(agent: https.Agent, redirected: boolean, requestSeconds: number): PipelinePolicy {
  return {
    name: "ballast-way",
    sendRequest: (request, next) => {
      if (redirected && request.url.startsWith("https:")) request.agent = agent;
      request.timeout = requestSeconds * 1000;
      return next(request);
    },
  };
}
