// Vaults on the emulator of a test: how one is made, who may do what in it, and Microsoft's client of its secrets,
// signed in as the emulator's fixed client.
import { randomUUID } from "node:crypto";
import type https from "node:https";
import { ClientSecretCredential } from "@azure/identity";
import { SecretClient, type SecretClientOptions } from "@azure/keyvault-secrets";
import type { Body } from "../../../emulator/arm/resource.ts";
import type { RunningEmulator } from "../../../emulator/start.ts";
import type { CloudForTests } from "./cloud.ts";
import { throughAgent } from "./sdk-client.ts";

/** Built-in roles by name. */
const vaultRoles = {
  user: "4633458b-17de-408a-b874-0445c86b69e6",
  officer: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
  reader: "21090545-7ca7-4776-b22c-e363652d74d2",
  administrator: "00482a5a-887f-4fb3-b363-3b7fe8e74483",
} as const;

export const vaultVersion = "api-version=2024-11-01";
export const hostOf = (name: string): string => `https://${name}.vault.ballast.localhost`;

/** Gives the object id of the emulator's fixed client. */
export async function clientObjectId({ tokenFor }: Pick<CloudForTests, "tokenFor">): Promise<string> {
  const [, claims = ""] = (await tokenFor("https://vault.azure.net")).split(".");
  return (JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as { oid: string }).oid;
}

/** Gives a principal a role at a scope; gives the id of the assignment. */
export async function giveRole(
  { ask, cloud }: Pick<CloudForTests, "ask"> & { readonly cloud: Pick<RunningEmulator, "subscription"> },
  scope: string,
  role: keyof typeof vaultRoles,
  principalId: string,
): Promise<string> {
  const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const definitions = `/subscriptions/${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions`;
  const roleDefinitionId = `${definitions}/${vaultRoles[role]}`;
  const { status, body } = await ask("PUT", `${id}?api-version=2022-04-01`, {
    properties: { roleDefinitionId, principalId, principalType: "ServicePrincipal" },
  });
  if (status !== 201) throw new Error(`no role: ${JSON.stringify(body)}`);
  return id;
}

/** Gives the body of a vault. */
export const vaultBody = ({ cloud }: Pick<CloudForTests, "cloud">, properties: Body = {}, more: Body = {}): Body => ({
  location: "westeurope",
  properties: {
    tenantId: cloud.tenant,
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: true,
    ...properties,
  },
  ...more,
});

/** Makes Microsoft's client of a vault's secrets. It repeats nothing by itself unless options say so. */
export function secretClient(
  { client, tenant }: Pick<RunningEmulator, "client" | "tenant">,
  agent: https.Agent,
  vault: string,
  options: SecretClientOptions = {},
): SecretClient {
  const credential = new ClientSecretCredential(tenant, client.id, client.secret, {
    authorityHost: "https://login.ballast.localhost",
    disableInstanceDiscovery: true,
    ...throughAgent(agent),
  });
  return new SecretClient(hostOf(vault), credential, {
    retryOptions: { maxRetries: 0 },
    ...throughAgent(agent),
    ...options,
  });
}
