// The clients that the adapters speak through: which endpoints, which identity, which way, how patient. This is the one
// place where "offline" differs from Azure, and all that differs is addresses: the stand-in is reached by the same
// clients, over TLS, with tokens of its own issuer. Nothing here knows what is said through the clients.
import { AsyncLocalStorage } from "node:async_hooks";
import type https from "node:https";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { type PipelinePolicy, RestError } from "@azure/core-rest-pipeline";
import { ClientSecretCredential, ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import { LogsQueryClient } from "@azure/monitor-query-logs";
import { httpsAgent, parseConnectTo } from "../../../connect-to.ts";

/** Where Azure is and who we are there. */
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
  /** Only where no identity is assigned, as on a developer's machine. */
  readonly clientSecret?: string | undefined;
  /** What one request may take. */
  readonly requestSeconds: number;
}

/** The clients, and what else asks for an identity or for a way. */
export interface Connection {
  readonly apps: ContainerAppsAPIClient;
  readonly logs: LogsQueryClient;
  readonly credential: TokenCredential;
  /** Has a token ready, so that the next request to Resource Manager need not wait for one. */
  readonly ready: () => Promise<void>;
  readonly agent: https.Agent;
  /** Sends a request of any client our way. */
  readonly way: PipelinePolicy;
  readonly close: () => void;
}

/** The version of Resource Manager's Container Apps that we hold ourselves to; the client's own default moves with its releases. */
const containerAppsVersion = "2025-07-01";

/** Opens the clients. Nothing is sent before the first question. */
export function connect(settings: ConnectionSettings, connectTo = process.env["BALLAST_CONNECT_TO"]): Connection {
  const to = parseConnectTo(connectTo);
  const agent = httpsAgent(to);
  const way = onTheWay(agent, to !== undefined, settings.requestSeconds);
  const common = {
    // The adapters try again themselves, since before each sending of a write a fence must be asked, which the pipeline cannot know.
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: way, position: "perCall" as const }],
  };
  const lastly = { policy: inTime(settings.requestSeconds), position: "perRetry" as const }; // Which comes after the token was fetched.
  const credential = credentialOf(settings, {
    ...common,
    retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  });
  return {
    apps: new ContainerAppsAPIClient(credential, settings.subscription, {
      ...common,
      additionalPolicies: [...common.additionalPolicies, lastly],
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
    close: () => agent.destroy(),
  };
}

const fencedAt = new AsyncLocalStorage<number>();

/** Sends what a fence has just allowed. `askedAt`, by the steady clock, is when the fence was asked, since which the claim holds for certain. */
export const afterFence = <Value>(askedAt: number, send: () => Promise<Value>): Promise<Value> =>
  fencedAt.run(askedAt, send);

/**
 * Sends a write within half of its request's time after its fence was asked, or not at all, and gives it up when that time ends.
 *
 * A token that is slow to come, or a process that was put to sleep, would otherwise lie between fence and sending for as long as it likes.
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
        throw new RestError(`held up for ${Math.round(gone)} ms since its fence, so it was not sent`, {
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
    // The list of known authorities is Microsoft's own; another cloud's issuer is trusted because the settings name it.
    disableInstanceDiscovery: new URL(settings.authority).hostname !== "login.microsoftonline.com",
  });
}

/**
 * Sends every request our way and gives it its time.
 *
 * Plain http is left alone: the only such address is the identity endpoint, which is on loopback. Without a redirection
 * the client's own agents stay, so that a proxy named in the environment is obeyed.
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
