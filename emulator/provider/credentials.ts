// How a stack signs in to Azure, as azure-native reads it (its provider/pkg/provider/auth_azidentity.go): a value of
// the stack's configuration before the variable, a client secret before the token of another issuer, and of the ways to
// such a token the first that is named. The first way is the only one: if it fails, no other is tried.
import { readFile } from "node:fs/promises";

/** The credentials of one configuration. */
export interface Credentials {
  readonly tenantId: string;
  readonly clientId: string;
  /** Gives the fields of the request that prove who asks. */
  readonly proof: () => Promise<Readonly<Record<string, string>>>;
}

type Variables = Readonly<Record<string, string | undefined>>;

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const requestSeconds = 30;

/** Gives the credentials of a stack. @throws an error in azure-native's words, or for a way that is not served here */
export function credentialsOf(config: Variables, environment: Variables): Credentials {
  const given = (name: string, ...variables: readonly string[]): string =>
    [config[name], ...variables.map((variable) => environment[variable])].find(Boolean) ?? "";
  const [tenantId, clientId] = [given("tenantId", "ARM_TENANT_ID"), given("clientId", "ARM_CLIENT_ID")];
  const secret = given("clientSecret", "ARM_CLIENT_SECRET");
  if (secret !== "") return { tenantId, clientId, proof: async () => ({ client_secret: secret }) };
  if (given("useOidc", "ARM_USE_OIDC") !== "true")
    throw new Error(
      "The emulator for azure-native signs in by a client secret (ARM_CLIENT_SECRET) or by OIDC (ARM_USE_OIDC), and " +
        "the stack has neither.",
    );
  for (const [what, value] of [["Tenant ID", tenantId] as const, ["Client ID", clientId] as const])
    if (value === "") throw new Error(`A ${what} must be configured when authenticating with OIDC.`);
  const assertion = assertionOf(given);
  return {
    tenantId,
    clientId,
    proof: async () => ({ client_assertion_type: assertionType, client_assertion: await assertion() }),
  };
}

/** Gives the source of the token by which the identity is proven. */
function assertionOf(given: (name: string, ...variables: readonly string[]) => string): () => Promise<string> {
  const token = given("oidcToken", "ARM_OIDC_TOKEN");
  if (token !== "") return async () => token;
  const file = given("oidcTokenFilePath", "ARM_OIDC_TOKEN_FILE_PATH");
  if (file !== "") return () => readFile(file, "utf8");
  const right = given("oidcRequestToken", "ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  const at = given("oidcRequestUrl", "ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL");
  if (right === "" || at === "")
    throw new Error("A OIDC token or request URL and token must be configured when authenticating with OIDC.");
  const audience = given("oidcAudience", "ARM_OIDC_AUDIENCE") || "api://AzureADTokenExchange";
  return async () => {
    const url = new URL(at);
    url.searchParams.set("audience", audience);
    const answer = await fetch(url, {
      headers: { accept: "application/json", authorization: `Bearer ${right}` },
      signal: AbortSignal.timeout(requestSeconds * 1000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`GitHub OIDC: ${answer.status} with response: ${text}`);
    return (JSON.parse(text) as { readonly value: string }).value;
  };
}
