// Who a `pulumi up` or a `ballast` command is, as far as the control plane asks: a function that gives a bearer token.
// The SDK is loaded at the first token, since a preview needs none. Knows no endpoint but the authority's.
import { readFile } from "node:fs/promises";
import type { TokenCredential } from "@azure/identity";
import { httpsAgent } from "../connect-to.ts";
import { notSignedIn } from "../errors/provider.ts";

/**
 * Gives tokens for an audience, kept until five minutes before they expire.
 *
 * The first of these that the environment knows is taken, and no other is tried, so that a wrong secret is reported as
 * such and not hidden by six credentials that were never meant: BALLAST_TOKEN as it is; a client secret or certificate;
 * a federated token (Kubernetes, or GitHub's, which is asked for anew each time); else the Azure CLI's sign-in. AZURE_*
 * wins over the ARM_* that the azure-native provider reads.
 */
export function tokenFor(audience: string, environment: NodeJS.ProcessEnv = process.env): () => Promise<string> {
  let credential: Promise<TokenCredential> | undefined;
  let kept: { readonly token: string; readonly until: number } | undefined;
  return async () => {
    if (environment["BALLAST_TOKEN"]) return environment["BALLAST_TOKEN"];
    if (kept && Date.now() < kept.until) return kept.token;
    try {
      const found = await (await (credential ??= choose(environment))).getToken(`${audience}/.default`, {
        abortSignal: AbortSignal.timeout(10_000),
      });
      if (!found) throw new Error("the credential gave none");
      kept = { token: found.token, until: found.expiresOnTimestamp - 300_000 };
      return found.token;
    } catch (error) {
      throw notSignedIn({ audience, reason: firstLine(error) });
    }
  };
}

async function choose(environment: NodeJS.ProcessEnv): Promise<TokenCredential> {
  const identity = await import("@azure/identity");
  const given = (name: string): string | undefined =>
    environment[`AZURE_${name}`] || environment[`ARM_${name}`] || undefined;
  const tenant = given("TENANT_ID");
  const client = given("CLIENT_ID");
  const secret = given("CLIENT_SECRET");
  const options = connection(environment);
  if (tenant && client && secret) return new identity.ClientSecretCredential(tenant, client, secret, options);
  if (environment["AZURE_CLIENT_CERTIFICATE_PATH"]) return new identity.EnvironmentCredential(options);
  const assertion = federated(environment);
  if (tenant && client && assertion) return new identity.ClientAssertionCredential(tenant, client, assertion, options);
  return new identity.AzureCliCredential();
}

/** Gives the source of a token that stands for a secret: a file, a variable, or GitHub's token service. */
function federated(environment: NodeJS.ProcessEnv): (() => Promise<string>) | undefined {
  const file = environment["AZURE_FEDERATED_TOKEN_FILE"] || environment["ARM_OIDC_TOKEN_FILE_PATH"];
  if (file) return () => readFile(file, "utf8");
  const token = environment["ARM_OIDC_TOKEN"];
  if (token) return async () => token;
  const url = environment["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const right = environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!url || !right || environment["ARM_USE_OIDC"] !== "true") return undefined;
  return async () => {
    const answer = await fetch(`${url}&audience=api://AzureADTokenExchange`, {
      headers: { authorization: `Bearer ${right}` },
    });
    return ((await answer.json()) as { value: string }).value;
  };
}

function connection(environment: NodeJS.ProcessEnv) {
  const authorityHost = environment["AZURE_AUTHORITY_HOST"] || "https://login.microsoftonline.com";
  const agent = httpsAgent();
  return {
    authorityHost,
    disableInstanceDiscovery:
      !/^https:\/\/login\.(microsoftonline\.(com|us)|partner\.microsoftonline\.cn|chinacloudapi\.cn)\/?$/.test(
        authorityHost,
      ),
    retryOptions: { maxRetries: 1 },
    additionalPolicies: [
      {
        position: "perCall" as const,
        policy: {
          name: "connect-to",
          sendRequest: (request: { agent?: unknown }, next: (request: never) => Promise<never>) =>
            next(Object.assign(request, { agent }) as never),
        },
      },
    ],
  };
}

/** SDK errors run over many lines and repeat the request; the first line says what is wrong and holds no secret. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split(/\r?\n/, 1)[0]?.replace(/\.$/, "") ?? "";
