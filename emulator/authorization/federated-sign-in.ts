// How a managed identity signs in by the token of another issuer, such as GitHub's: it must have a credential with the
// token's issuer, subject and audience. Azure looks the issuer's keys up on the internet; here they are given by
// `POST /_emulator/issuers`, since the emulator asks nobody outside.
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { Store } from "../arm/resource.ts";
import { credentialsOf } from "../managedidentity/federated-credentials.ts";
import { type ManagedIdentity, managedIdentities } from "../managedidentity/principals.ts";

const issuers = new WeakMap<Store, Map<string, JSONWebKeySet>>();

/** Reports whether a value is a set of public keys by which a signature of RS256 can be checked. */
export function isKeySet(value: unknown): value is JSONWebKeySet {
  try {
    createLocalJWKSet(value as JSONWebKeySet);
    const { keys } = value as JSONWebKeySet;
    return keys.length > 0 && keys.every((key) => key.kty === "RSA" && key.n && key.e && !("d" in key));
  } catch {
    return false;
  }
}

/** Gives the keys of the issuers that a cloud knows. */
export function issuersOf(store: Store): Map<string, JSONWebKeySet> {
  const known = issuers.get(store) ?? new Map<string, JSONWebKeySet>();
  issuers.set(store, known);
  return known;
}

/** A refusal in Entra's words. */
interface Refused {
  readonly status: number;
  readonly error: string;
  readonly refusal: string;
}

const refused = (refusal: string): Refused => ({ status: 401, error: "invalid_client", refusal });
const advice = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";
const unmatched = (code: string, what: string, value: string, more = ""): Refused =>
  refused(
    `${code}: No matching federated identity record found for presented assertion ${what} '${value}'. ${more}${advice}`,
  );

/** Gives the identity that trusts an assertion, or Entra's refusal. */
export async function trustedIdentity(
  store: Store,
  clientId: string,
  assertion: string,
): Promise<{ readonly identity: ManagedIdentity } | Refused> {
  const identity = managedIdentities(store).find(
    (each) => !each.isSystem && each.clientId.toLowerCase() === clientId.toLowerCase(),
  );
  if (identity === undefined)
    return {
      status: 400,
      error: "unauthorized_client",
      refusal: `AADSTS700016: Application with identifier '${clientId}' was not found in the directory.`,
    };
  const claims = claimsIn(assertion);
  if (claims === undefined) return malformed;
  const refusal = mismatch(store, identity, claims) ?? (await wrongSignature(store, assertion, claims));
  return refusal ?? { identity };
}

const malformed = refused("AADSTS50027: JWT token is invalid or malformed.");

function claimsIn(assertion: string): JWTPayload | undefined {
  try {
    return decodeJwt(assertion);
  } catch {
    return undefined;
  }
}

/** Compares the claims with the identity's credentials: the issuer first, then the subject, then the audience. */
function mismatch(store: Store, { id }: ManagedIdentity, { iss = "", sub = "", aud }: JWTPayload): Refused | undefined {
  const all = credentialsOf(store, id).map(
    ({ body }) => body["properties"] as { issuer: string; subject: string; audiences: readonly string[] },
  );
  const ofIssuer = all.filter(({ issuer }) => issuer === iss);
  if (ofIssuer.length === 0) return unmatched("AADSTS700211", "issuer", iss);
  const ofSubject = ofIssuer.filter(({ subject }) => subject === sub);
  if (ofSubject.length === 0)
    return ofIssuer.some(({ subject }) => subject.toLowerCase() === sub.toLowerCase())
      ? unmatched(
          "AADSTS7002138",
          "subject",
          sub,
          "The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ",
        )
      : unmatched("AADSTS700213", "subject", sub);
  const audiences = [aud ?? []].flat();
  return ofSubject.some((each) => each.audiences.some((audience) => audiences.includes(audience)))
    ? undefined
    : unmatched("AADSTS700212", "audience", audiences.join());
}

async function wrongSignature(store: Store, assertion: string, { iss = "" }: JWTPayload): Promise<Refused | undefined> {
  const keys = issuersOf(store).get(iss);
  if (keys === undefined) return refused(`AADSTS50166: The keys of the issuer '${iss}' are not known to the emulator.`);
  try {
    await jwtVerify(assertion, createLocalJWKSet(keys), {
      issuer: iss,
      algorithms: ["RS256"],
      requiredClaims: ["exp"],
    });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed && error.reason === "missing") return malformed;
    return error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed
      ? refused("AADSTS700024: Client assertion is not within its valid time range.")
      : malformed;
  }
}
