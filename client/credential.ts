// The caller's credential for the control plane: a function that gives a bearer token. The Azure SDK is loaded at the
// first token, because a preview needs none.
import { readFile } from "node:fs/promises";
import type { TokenCredential } from "@azure/identity";
import { httpsAgent } from "../connect-to.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { notSignedIn } from "../errors/provider.ts";
import { boundedAnswers, type ClientLimits, textOf } from "../http-answer.ts";

/** Reports whether a text can be a token in a header. The error of a header that cannot be sent would repeat it. */
export const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** What a text is that is none. */
export const notToken = "has a space, a line break or another character that no token has";

/** How long one request for a token may take, and how much of its answer is read. */
const limits: ClientLimits = { bytesMax: 2 ** 20, seconds: 10, restSecondsMax: 2 };

/** How long before its end a token is replaced. */
const spareMilliseconds = 300_000;

/**
 * Gives tokens for an audience, kept until five minutes before they expire. If no new one can be fetched, the old one
 * is used for half of that time.
 *
 * It uses the first of these that the environment has, and tries no other, so that a wrong secret is reported as such:
 * BALLAST_TOKEN as it is; a client secret or certificate; a federated token (Kubernetes, or GitHub's, which is fetched
 * anew each time); else the Azure CLI's sign-in. AZURE_* wins over the ARM_* that the azure-native provider reads.
 *
 * @throws release-not-signed-in from the function that it gives.
 */
export function tokenFor(
  audience: string,
  environment: NodeJS.ProcessEnv = process.env,
  choose: (environment: NodeJS.ProcessEnv) => Promise<TokenCredential> = chooseCredential,
): () => Promise<string> {
  let credential: Promise<TokenCredential> | undefined;
  let kept: { readonly token: string; readonly until: number } | undefined;
  return async () => {
    const own = environment["BALLAST_TOKEN"]?.trim();
    if (own) {
      if (!isToken(own)) throw notSignedIn({ by: "BALLAST_TOKEN", reason: notToken });
      return own;
    }
    if (kept && Date.now() < kept.until) return kept.token;
    try {
      credential ??= choose(environment);
      const found = await (await credential).getToken(`${audience}/.default`, {
        abortSignal: AbortSignal.timeout(limits.seconds * 1000),
      });
      if (!found) throw new Error("the credential returned no token");
      kept = { token: found.token, until: found.expiresOnTimestamp - spareMilliseconds };
      return found.token;
    } catch (error) {
      // A sign-in that fails for a moment must not end a call for which the token at hand still does.
      if (kept && Date.now() < kept.until + spareMilliseconds / 2) return kept.token;
      throw notSignedIn({ by: "signing in", audience, reason: firstLine(error) });
    }
  };
}

async function chooseCredential(environment: NodeJS.ProcessEnv): Promise<TokenCredential> {
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

/** Gives the source of a federated token: a file, a variable, or GitHub's token service. */
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
      signal: AbortSignal.timeout(limits.seconds * 1000),
    });
    const { value } = (parsedJson(await textOf(answer.body, limits)) ?? {}) as { readonly value?: string };
    if (value === undefined) throw new Error(`GitHub's token service answered ${answer.status} without a token`);
    return value;
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
      { position: "perRetry" as const, policy: boundedAnswers(limits) },
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

/** SDK errors have many lines and repeat the request. The first line has the cause and no secret. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split(/\r?\n/, 1)[0]?.replace(/\.$/, "") ?? "";
