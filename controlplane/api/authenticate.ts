// Checks the bearer token of a call and gives the caller. A token is valid if the tenant's own issuer signed it for our
// audience and it has not expired; its app roles say what the caller may do. No token or key is ever written anywhere.
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { type Dispatcher, fetch } from "undici";
import { lineOf } from "../../engines/form.ts";
import { issuerUnreachable, roleMissing, tokenMissing, tokenRefused } from "../../errors/api.ts";
import { textOf } from "../../http-answer.ts";
import { type Caller, describeCaller, refuse } from "./call.ts";
import { appRoles, type Role } from "./roles.ts";

/** Gives the caller of a request, or the refusal. The caller has one of the roles at least. */
export type Authenticate = (request: Request, ...roles: readonly Role[]) => Promise<Caller | Response>;

/** The issuer and the audiences of valid tokens, and the limit of a request to the issuer. */
export interface AuthenticateSettings {
  /** The sign-in host: `https://login.microsoftonline.com` or another cloud's. */
  readonly authority: string;
  readonly tenant: string;
  readonly audiences: readonly string[];
  readonly requestSeconds: number;
}

const clockToleranceSeconds = 60;
const nameMax = 200;
/** The most of an issuer's document that is read. Entra's keys take 20 KiB. */
const documentBytesMax = 2 ** 20;

/** Prepares to check tokens. The issuer's keys are fetched at the first token, and again when a token has a new key. */
export function createAuthenticate(
  { authority, tenant, audiences, requestSeconds }: AuthenticateSettings,
  dispatcher: Dispatcher,
): Authenticate {
  const issuer = `${authority}/${tenant}/v2.0`;
  // Entra still issues version 1 tokens to applications that did not request version 2. The issuer differs.
  const issuers =
    new URL(authority).hostname === "login.microsoftonline.com"
      ? [issuer, `https://sts.windows.net/${tenant}/`]
      : [issuer];
  const keys = lazily(() => discover(issuer, requestSeconds, dispatcher));
  return async (request, ...roles) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return refuse(401, tokenMissing(), {}, { "www-authenticate": "Bearer" });
    try {
      const { payload } = await jwtVerify(token, await keys(), {
        issuer: issuers,
        audience: [...audiences],
        algorithms: ["RS256"],
        requiredClaims: ["exp"],
        clockTolerance: clockToleranceSeconds,
      });
      return callerWith(payload, tenant, roles);
    } catch (thrown) {
      if (isUnreachable(thrown)) return refuse(503, issuerUnreachable({ issuer }), {}, { "retry-after": "5" });
      return refuse(
        401,
        tokenRefused({ why: whyRefused(thrown) }),
        {},
        { "www-authenticate": 'Bearer error="invalid_token"' },
      );
    }
  };
}

function callerWith(payload: JWTPayload, tenant: string, required: readonly Role[]): Caller | Response {
  if (payload["tid"] !== undefined && payload["tid"] !== tenant)
    return refuse(
      401,
      tokenRefused({ why: "it is from another tenant" }),
      {},
      { "www-authenticate": 'Bearer error="invalid_token"' },
    );
  const first = (...claims: readonly unknown[]): string | undefined =>
    claims.find((claim): claim is string => typeof claim === "string" && claim.trim() !== "");
  const name = first(payload["oid"], payload.sub, payload["azp"], payload["appid"]) ?? "unnamed";
  // In a user's token the application's name is that of the tool that they used, so it comes last.
  const displayName = first(payload["name"], payload["preferred_username"], payload["upn"], payload["app_displayname"]);
  const application = payload["azp"] ?? payload["appid"];
  const granted: readonly unknown[] = Array.isArray(payload["roles"]) ? payload["roles"] : [];
  const roles = appRoles.filter((role) => granted.includes(role));
  const caller: Caller = {
    name: lineOf(name, nameMax),
    ...(displayName === undefined ? {} : { displayName: lineOf(displayName, nameMax) }),
    roles,
    ...(typeof application === "string" && { application: application.toLowerCase() }),
  };
  return required.some((role) => roles.includes(role))
    ? caller
    : refuse(403, roleMissing({ role: required.join(" or "), caller: describeCaller(caller) }));
}

/**
 * Reads the issuer's discovery document and gives its keys. The document must name the issuer, or its
 * keys prove nothing.
 */
async function discover(issuer: string, requestSeconds: number, dispatcher: Dispatcher): Promise<JWTVerifyGetKey> {
  const get = async (url: string, signal: AbortSignal) => {
    const { status, body } = await fetch(url, { dispatcher, signal, redirect: "manual" });
    return { status, text: await textOf(body, { bytesMax: documentBytesMax, seconds: requestSeconds }) };
  };
  const answered = await get(`${issuer}/.well-known/openid-configuration`, AbortSignal.timeout(requestSeconds * 1000));
  if (answered.status !== 200) throw new Error(`the issuer's discovery document answered ${answered.status}`);
  const page = JSON.parse(answered.text) as { issuer?: unknown; jwks_uri?: unknown };
  if (page.issuer !== issuer || typeof page.jwks_uri !== "string")
    throw new Error("the issuer's discovery document names another issuer");
  return createRemoteJWKSet(new URL(page.jwks_uri), {
    timeoutDuration: requestSeconds * 1000,
    [customFetch]: async (url, { signal }) => {
      const { status, text } = await get(url, signal);
      return new Response(text, { status });
    },
  });
}

/** Makes a value at the first call, and again after a failure. */
function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((thrown: unknown) => {
      made = undefined;
      throw thrown;
    });
    return made;
  };
}

/** Reports whether the issuer could not be reached, as opposed to an invalid token. */
const isUnreachable = (thrown: unknown): boolean =>
  !(thrown instanceof errors.JOSEError) ||
  thrown instanceof errors.JWKSTimeout ||
  thrown instanceof errors.JWKSInvalid ||
  thrown.code === "ERR_JOSE_GENERIC";

function whyRefused(thrown: unknown): string {
  if (thrown instanceof errors.JWTExpired) return "it has expired";
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    if (thrown.claim === "aud") return "it is for another audience";
    if (thrown.claim === "iss") return "it is from another issuer";
    return `its claim ${thrown.claim} is not valid`;
  }
  if (thrown instanceof errors.JOSEAlgNotAllowed) return "its signature algorithm is not accepted";
  return "its signature is not valid";
}
