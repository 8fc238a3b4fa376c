// Microsoft's own clients on the emulator of a test: how their requests reach it, and the client of Container Apps,
// signed in as the emulator's fixed client.
import type https from "node:https";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { ClientSecretCredential } from "@azure/identity";
import type { RunningEmulator } from "../../../emulator/start.ts";
import { management } from "./cloud.ts";

/** Gives options of a client by which its requests reach the emulator. Requests without TLS are left as they are. */
export function throughAgent(agent: https.Agent): {
  additionalPolicies: { policy: PipelinePolicy; position: "perCall" }[];
} {
  const policy: PipelinePolicy = {
    name: "through-agent",
    sendRequest: (request, next) => {
      if (request.url.startsWith("https:")) request.agent = agent;
      return next(request);
    },
  };
  return { additionalPolicies: [{ policy, position: "perCall" }] };
}

/** Makes the client of Container Apps, with its own retries unless others are given. */
export function sdkClient(
  { client, tenant, subscription }: Omit<RunningEmulator, "close">,
  agent: https.Agent,
  options: { readonly retryOptions?: { readonly maxRetries: number } } = {},
): ContainerAppsAPIClient {
  const credential = new ClientSecretCredential(tenant, client.id, client.secret, {
    authorityHost: "https://login.ballast.localhost",
    disableInstanceDiscovery: true,
    ...throughAgent(agent),
  });
  return new ContainerAppsAPIClient(credential, subscription, {
    endpoint: management,
    apiVersion: "2025-07-01",
    credentials: { scopes: [`${management}/.default`] },
    ...options,
    ...throughAgent(agent),
  });
}
