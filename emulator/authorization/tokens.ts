// The emulator's token issuer. It plays login.microsoftonline.com and the identity endpoint of containers, signs with
// its own keys, and verifies the tokens that reach the emulator. Times here are real even when the cloud's clock is
// set, since clients compare tokens with their own clock.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  errors as joseErrors,
  jwtVerify,
  SignJWT,
} from "jose";
import { ArmError, type ArmReply, type Store } from "../arm/resource.ts";
import { isByAddress, originOf, readText, urlOf } from "../http.ts";
import { type ManagedIdentity, managedIdentities } from "../managedidentity/principals.ts";
import { rolesClaim } from "./app-roles.ts";
import { trustedIdentity } from "./federated-sign-in.ts";
import { audienceIn, loginError } from "./sign-in-refusals.ts";

/** The one directory of the emulator. */
export const tenant = "00000000-0000-0000-0000-00000000beef";
const clientId = "00000000-0000-0000-0000-0000000c11e7";
/** The object id of the fixed client, at which roles may be assigned. */
export const clientObjectId = "00000000-0000-0000-0000-0000000b1ec7";
const secondsValid = 3600;

/** Who holds a token. */
export interface Principal {
  readonly objectId: string;
  /** The id of its application. */
  readonly clientId: string;
  /** The fixed client: owner of the subscription, and the only one who may use `/_emulator`. */
  readonly owner: boolean;
}

/** The token issuer of one cloud. */
export interface Tokens {
  readonly client: { readonly id: string; readonly secret: string; readonly objectId: string };
  /** Answers a request to the login host. */
  readonly login: (request: IncomingMessage) => Promise<ArmReply>;
  /** Answers a request to the identity endpoint of containers. */
  readonly identity: (request: IncomingMessage) => Promise<ArmReply>;
  /** Gives a token of one of Microsoft's own applications for another application, in which it has a role. */
  readonly serviceToken: (
    audience: string,
    application: { readonly id: string; readonly role: string },
  ) => Promise<string>;
  /** Gives a container's IDENTITY_HEADER. With ids it is valid for these identities only. */
  readonly identityHeader: (identityIds?: readonly string[]) => string;
  /**
   * Gives the holder of a request's token.
   *
   * @throws ArmError 401 in Resource Manager's words unless the token is ours and for one of the audiences. The refusal
   * has the challenge, by default Resource Manager's.
   */
  readonly verify: (request: IncomingMessage, audiences: readonly string[], challenge?: string) => Promise<Principal>;
}

/** The keys that a cloud keeps across restarts, so that its tokens and its client secret stay valid. */
export interface TokenKeys {
  readonly signingKey: JWK;
  readonly clientSecret: string;
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
const withoutSlash = (text: string): string => text.replace(/\/+$/, "");

interface Issuer {
  readonly name: string;
  /** The published public key. */
  readonly jwk: JWK;
  readonly sign: (audience: string, claims: Record<string, unknown>) => Promise<string>;
  /** @throws JOSEError */
  readonly read: (token: string) => Promise<JWTPayload>;
}

/** Makes new keys for an issuer. */
export async function makeTokenKeys(): Promise<TokenKeys> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return {
    signingKey: { ...(await exportJWK(privateKey)), kid: randomBytes(8).toString("hex") },
    clientSecret: randomBytes(24).toString("base64url"),
  };
}

async function makeIssuer(name: string, signingKey: JWK): Promise<Issuer> {
  const { kid = "", kty, n, e } = signingKey as JWK & { kty: string };
  const publicJwk: JWK = { kty, n: n!, e: e!, kid, use: "sig", alg: "RS256" };
  const keys = { privateKey: await importJWK(signingKey, "RS256"), publicKey: await importJWK(publicJwk, "RS256") };
  return {
    name,
    jwk: publicJwk,
    sign: (audience, claims) =>
      new SignJWT({ tid: tenant, ver: "2.0", idtyp: "app", ...claims })
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
        .setIssuer(name)
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore(Math.floor(Date.now() / 1000) - 60)
        .setExpirationTime(`${secondsValid}s`)
        .sign(keys.privateKey),
    read: remembering(
      async (token) => (await jwtVerify(token, keys.publicKey, { issuer: name, algorithms: ["RS256"] })).payload,
    ),
  };
}

const rememberedMax = 500;

/**
 * Verifies a token's signature once. A client sends its token with each of its thousands of requests, and a signature
 * takes longer than most answers. An expired token is verified again, so that the refusal is the verifier's own.
 */
function remembering(verify: (token: string) => Promise<JWTPayload>): (token: string) => Promise<JWTPayload> {
  const verified = new Map<string, JWTPayload>();
  return async (token) => {
    const known = verified.get(token);
    if (known && (known.exp ?? 0) * 1000 > Date.now()) return known;
    const payload = await verify(token);
    const [oldest] = verified.keys();
    if (oldest !== undefined && verified.size >= rememberedMax) verified.delete(oldest);
    verified.set(token, payload);
    return payload;
  };
}

/** Starts an issuer with these keys. IDENTITY_HEADER changes at every start, since every container starts anew too. */
export async function makeTokens(
  suffix: string,
  store: Store,
  { signingKey, clientSecret }: TokenKeys,
): Promise<Tokens> {
  const issuer = await makeIssuer(`https://login.${suffix}/${tenant}/v2.0`, signingKey);
  const client = { id: clientId, secret: clientSecret, objectId: clientObjectId };
  const { identityHeader, identitiesOf } = makeIdentityHeaders();
  return {
    client,
    identityHeader,
    login: async (request) => {
      const origin = originOf(request);
      const { pathname } = urlOf(request);
      const [named = "", ...rest] = pathname.split("/").filter((part) => part !== "");
      const directory = named.toLowerCase();
      const route = `${request.method} /${rest.join("/")}`;
      if (directory === "common" && route === "GET /discovery/instance")
        return { status: 200, body: instanceDiscovery(origin) };
      if (![tenant, "common", "organizations"].includes(directory))
        return loginError(400, "invalid_tenant", `AADSTS90002: Tenant '${directory}' not found.`);
      // Microsoft's clients expect the issuer at the host that they asked. Tokens name the one issuer nevertheless.
      if (route === "GET /v2.0/.well-known/openid-configuration")
        return {
          status: 200,
          body: openIdConfiguration(origin, isByAddress(origin) ? `${origin}/${tenant}/v2.0` : issuer.name),
        };
      if (route === "GET /discovery/v2.0/keys") return { status: 200, body: { keys: [issuer.jwk] } };
      if (route === "POST /oauth2/v2.0/token" && directory !== tenant)
        return loginError(
          400,
          "invalid_request",
          "AADSTS50059: No tenant-identifying information found in either the request or implied by any provided " +
            "credentials.",
        );
      if (route === "POST /oauth2/v2.0/token") return clientToken(issuer, client, store, request);
      return loginError(404, "not_found", `The emulator's token issuer serves no ${route}.`);
    },
    // The application's id stands for its principal in the directory too.
    serviceToken: (audience, { id, role }) =>
      issuer.sign(audience, { oid: id, sub: id, appid: id, azp: id, roles: [role] }),
    identity: (request) => identityToken(issuer, store, identitiesOf, request),
    verify: async (
      request,
      audiences,
      challenge = `Bearer authorization_uri="https://login.${suffix}/${tenant}", error="invalid_token"`,
    ) => {
      const { oid, appid } = await readBearer(issuer, request, audiences, challenge);
      return { objectId: String(oid), clientId: String(appid ?? ""), owner: oid === client.objectId };
    },
  };
}

async function clientToken(
  issuer: Issuer,
  client: Tokens["client"],
  store: Store,
  request: IncomingMessage,
): Promise<ArmReply> {
  const form = new URLSearchParams(await readText(request));
  const twice = [...form.keys()].find((name) => form.getAll(name).length > 1);
  if (twice !== undefined)
    return loginError(
      400,
      "invalid_request",
      `AADSTS9000411: The request is not properly formatted. The parameter '${twice}' is duplicated.`,
    );
  const [basicId, basicSecret] = decodeBasic(request.headers.authorization);
  const id = form.get("client_id") ?? basicId ?? "";
  const secret = form.get("client_secret") ?? basicSecret ?? "";
  if (!form.get("grant_type"))
    return loginError(
      400,
      "invalid_request",
      "AADSTS900144: The request body must contain the following parameter: 'grant_type'.",
    );
  if (form.get("grant_type") !== "client_credentials")
    return loginError(400, "unsupported_grant_type", "The emulator supports client credentials only.");
  const assertion = form.get("client_assertion");
  if (assertion !== null && !form.has("client_assertion_type"))
    return loginError(
      400,
      "invalid_request",
      "AADSTS900144: The request body must contain the following parameter: 'client_assertion_type'.",
    );
  if (assertion !== null && form.get("client_assertion_type") !== assertionType)
    return loginError(400, "invalid_request", `AADSTS90023: The client_assertion_type must be '${assertionType}'.`);
  if (assertion !== null) return assertedToken(issuer, store, { id, assertion, scope: form.get("scope") ?? "" });
  if (!same(id, client.id))
    return loginError(
      400,
      "unauthorized_client",
      `AADSTS700016: Application with identifier '${id}' was not found in the directory '${tenant}'.`,
    );
  if (!same(secret, client.secret))
    return loginError(401, "invalid_client", `AADSTS7000215: Invalid client secret provided for app '${id}'.`);
  const audience = audienceIn(form.get("scope") ?? "");
  if (typeof audience !== "string") return audience;
  const roles = ["Rollout.Read", "Rollout.Write", "Rollout.Approve", "Remediation.Approve"];
  return granted(
    await issuer.sign(audience, {
      oid: client.objectId,
      sub: client.objectId,
      azp: client.id,
      appid: client.id,
      roles,
    }),
  );
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const granted = (token: string): ArmReply => ({
  status: 200,
  body: { token_type: "Bearer", expires_in: secondsValid, ext_expires_in: secondsValid, access_token: token },
});

/** Answers a managed identity that signs in by the token of another issuer. */
async function assertedToken(
  issuer: Issuer,
  store: Store,
  { id, assertion, scope }: { readonly id: string; readonly assertion: string; readonly scope: string },
): Promise<ArmReply> {
  const found = await trustedIdentity(store, id, assertion);
  if ("refusal" in found) return loginError(found.status, found.error, found.refusal);
  const audience = audienceIn(scope);
  if (typeof audience !== "string") return audience;
  return granted(await issuer.sign(audience, claimsOf(store, found.identity, audience)));
}

const claimsOf = (
  store: Store,
  { principalId, clientId: own, resourceId }: ManagedIdentity,
  audience: string,
): Record<string, unknown> => ({
  oid: principalId,
  sub: principalId,
  appid: own,
  azp: own,
  xms_mirid: resourceId,
  ...rolesClaim(store, principalId, audience),
});

/**
 * Makes and reads IDENTITY_HEADER. It names its identities and is signed, so that
 * the issuer need not remember containers.
 */
function makeIdentityHeaders(): {
  identityHeader: Tokens["identityHeader"];
  identitiesOf: (header: string) => readonly string[] | null | undefined;
} {
  const key = randomBytes(32);
  const signed = (scope: string): string => `${scope}.${createHmac("sha256", key).update(scope).digest("base64url")}`;
  return {
    identityHeader: (identityIds) =>
      signed(Buffer.from(JSON.stringify(identityIds?.map((id) => id.toLowerCase()) ?? null)).toString("base64url")),
    identitiesOf: (header) => {
      const [scope = ""] = header.split(".");
      return same(header, signed(scope))
        ? (JSON.parse(Buffer.from(scope, "base64url").toString("utf8")) as readonly string[] | null)
        : undefined;
    },
  };
}

async function identityToken(
  issuer: Issuer,
  store: Store,
  identitiesOf: (header: string) => readonly string[] | null | undefined,
  request: IncomingMessage,
): Promise<ArmReply> {
  const query = new URL(request.url ?? "/", "http://127.0.0.1").searchParams;
  const refusal = (status: number, message: string): ArmReply => ({ status, body: { statusCode: status, message } });
  const allowed = identitiesOf(String(request.headers["x-identity-header"] ?? ""));
  if (allowed === undefined)
    return refusal(401, "The header X-IDENTITY-HEADER is missing or was not given to this container.");
  if (query.get("api-version") !== "2019-08-01")
    return refusal(400, "The identity endpoint serves api-version 2019-08-01.");
  const resource = query.get("resource");
  if (!resource) return refusal(400, "The parameter resource is missing.");
  const found = findIdentity(store, query, allowed);
  if (found === undefined)
    return refusal(400, "No managed identity that is assigned to this container matches the request.");
  const token = await issuer.sign(resource, claimsOf(store, found, resource));
  const expiresOn = String(Math.floor(Date.now() / 1000) + secondsValid);
  return {
    status: 200,
    body: { access_token: token, expires_on: expiresOn, resource, token_type: "Bearer", client_id: found.clientId },
  };
}

async function readBearer(
  issuer: Issuer,
  request: IncomingMessage,
  audiences: readonly string[],
  challenge: string,
): Promise<JWTPayload> {
  const refusal = (code: string, message: string): ArmError =>
    new ArmError(401, code, message, { "www-authenticate": challenge });
  const [, bearer] = /^bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (bearer === undefined)
    throw refusal("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
  const payload = await issuer.read(bearer).catch((error: unknown) => {
    if (error instanceof joseErrors.JWTExpired)
      throw refusal("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.");
    throw refusal("InvalidAuthenticationToken", "The access token is invalid.");
  });
  const audience = withoutSlash(String(payload.aud));
  if (audiences.some((each) => withoutSlash(each) === audience)) return payload;
  throw refusal(
    "InvalidAuthenticationTokenAudience",
    `The access token has been obtained for wrong audience or resource '${audience}'. ` +
      `It should exactly match with one of the allowed audiences '${audiences.join("','")}'.`,
  );
}

function decodeBasic(header: string | undefined): readonly string[] {
  const [, encoded] = /^basic (.+)$/i.exec(header ?? "") ?? [];
  if (encoded === undefined) return [];
  const parts = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part; // What is not well encoded is the id and the secret of no application.
    }
  });
}

function findIdentity(
  store: Store,
  query: URLSearchParams,
  allowed: readonly string[] | null,
): ManagedIdentity | undefined {
  const identities = managedIdentities(store).filter(({ id }) => allowed === null || allowed.includes(id));
  const asked = (["client_id", "principal_id", "object_id", "mi_res_id"] as const)
    .flatMap((name) => query.get(name) ?? [])
    .map((value) => value.toLowerCase());
  // Without a name Azure means the system-assigned identity. A single identity is unambiguous, and Container Apps
  // accepts that too.
  if (asked.length === 0)
    return identities.find(({ isSystem }) => isSystem) ?? (identities.length === 1 ? identities[0] : undefined);
  return identities.find(({ id, clientId: own, principalId }) =>
    asked.every((value) => [id, own, principalId].includes(value)),
  );
}

const openIdConfiguration = (origin: string, issuer: string) => ({
  issuer,
  authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
  token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
  jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
  token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
  response_types_supported: ["code"],
  subject_types_supported: ["pairwise"],
  id_token_signing_alg_values_supported: ["RS256"],
});

const instanceDiscovery = (origin: string) => {
  const { host } = new URL(origin);
  return {
    tenant_discovery_endpoint: `${origin}/${tenant}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
};
