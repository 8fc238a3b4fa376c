// The host of a vault, `<vault>.vault.<suffix>`: the routes of secrets, who may use them, and Key Vault's answers. A
// request without a token is challenged, and Microsoft's clients send their first request so, without its body.
import { randomUUID } from "node:crypto";
import {
  type ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  type Resource,
  type Twist,
  toArmError,
} from "../arm/resource.ts";
import { mayAct } from "../authorization/roles.ts";
import { type Principal, tenant } from "../authorization/tokens.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { audit } from "./audit-rows.ts";
import { contentsOf } from "./contents.ts";
import { nameOfVault, originOfVault, vaultNamed } from "./deleted-vaults.ts";
import { badParameter, vaultError } from "./errors.ts";
import {
  deleteSecret,
  getDeleted,
  getSecret,
  listDeleted,
  listSecrets,
  listVersions,
  purgeSecret,
  recoverSecret,
  setSecret,
  updateSecret,
  type VaultAt,
} from "./operations.ts";
import { countRequest } from "./throttle.ts";

/** The versions of the data plane; @azure/keyvault-secrets 4.12.0 asks for the last one. */
const apiVersions = ["7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-06-01-preview", "2025-07-01", "2026-04-01"];

/** What an operation is carried out with. */
interface Asked {
  readonly at: VaultAt;
  readonly name: string;
  readonly version: string | undefined;
  readonly request: ArmRequest;
}

interface Operation {
  readonly method: string;
  readonly path: RegExp;
  /** Its name in AZKVAuditLogs. */
  readonly name: string;
  /** What a role must allow, below `Microsoft.KeyVault/vaults/secrets/`. */
  readonly right: string;
  /** The permission of access policies, for the refusal of a vault that has them. */
  readonly permission: string;
  readonly answer: (asked: Asked) => ArmReply;
}

const ok = (body: Body): ArmReply => ({ status: 200, body });
const one = "/([^/]+)";

const operations: readonly Operation[] = [
  {
    method: "GET",
    path: /^\/secrets$/,
    name: "SecretList",
    right: "readMetadata/action",
    permission: "list",
    answer: ({ at, request }) => page(request, at, listSecrets(at)),
  },
  {
    method: "GET",
    path: new RegExp(`^/secrets${one}/versions$`),
    name: "SecretListVersions",
    right: "readMetadata/action",
    permission: "list",
    answer: ({ at, name, request }) => page(request, at, listVersions(at, name)),
  },
  {
    method: "GET",
    path: new RegExp(`^/secrets${one}(?:${one})?$`),
    name: "SecretGet",
    right: "getSecret/action",
    permission: "get",
    answer: ({ at, name, version }) => ok(getSecret(at, name, version)),
  },
  {
    method: "PUT",
    path: new RegExp(`^/secrets${one}$`),
    name: "SecretSet",
    right: "setSecret/action",
    permission: "set",
    answer: ({ at, name, request }) => ok(setSecret(at, name, request.body ?? {})),
  },
  {
    method: "PATCH",
    path: new RegExp(`^/secrets${one}(?:${one})?$`),
    name: "SecretUpdate",
    right: "update/action",
    permission: "set",
    answer: ({ at, name, version, request }) => ok(updateSecret(at, name, version, request.body ?? {})),
  },
  {
    method: "DELETE",
    path: new RegExp(`^/secrets${one}$`),
    name: "SecretDelete",
    right: "delete",
    permission: "delete",
    answer: ({ at, name }) => ok(deleteSecret(at, name)),
  },
  {
    method: "GET",
    path: /^\/deletedsecrets$/,
    name: "SecretListDeleted",
    right: "readMetadata/action",
    permission: "list",
    answer: ({ at, request }) => page(request, at, listDeleted(at)),
  },
  {
    method: "GET",
    path: new RegExp(`^/deletedsecrets${one}$`),
    name: "SecretGetDeleted",
    right: "readMetadata/action",
    permission: "get",
    answer: ({ at, name }) => ok(getDeleted(at, name)),
  },
  {
    method: "POST",
    path: new RegExp(`^/deletedsecrets${one}/recover$`),
    name: "SecretRecover",
    right: "recover/action",
    permission: "recover",
    answer: ({ at, name }) => ok(recoverSecret(at, name)),
  },
  {
    method: "DELETE",
    path: new RegExp(`^/deletedsecrets${one}$`),
    name: "SecretPurge",
    right: "purge/action",
    permission: "purge",
    answer: ({ at, name }) => {
      purgeSecret(at, name);
      return { status: 204 };
    },
  },
];

const pageMax = 25;

/** Gives a page of a list, with the link to the next one. @throws ArmError 400 */
function page(request: ArmRequest, { cloud, vault }: VaultAt, items: readonly Body[]): ArmReply {
  const asked = request.query.get("maxresults");
  const size = asked === null ? pageMax : Number(asked);
  if (!(Number.isInteger(size) && size >= 1 && size <= pageMax))
    throw badParameter(`'maxresults' must be 1 to ${pageMax}, not ${asked}.`);
  const token = request.query.get("$skiptoken") ?? "0";
  if (!/^\d{1,9}$/.test(token)) throw badParameter("The $skiptoken is of no list.");
  const from = Number(token);
  const next = new URLSearchParams({
    "api-version": request.apiVersion,
    $skiptoken: String(from + size),
    maxresults: String(size),
  });
  const path = request.path.slice(request.path.indexOf("/", 1));
  const nextLink = from + size < items.length ? `${originOfVault(cloud, nameOfVault(vault))}${path}?${next}` : null;
  return ok({ value: items.slice(from, from + size), nextLink });
}

/** The header of a refusal that leads a client to the issuer. The resource is a parent of every vault's host. */
export const vaultChallenge = (suffix: string): string =>
  `Bearer authorization="https://login.${suffix}/${tenant}", resource="https://vault.${suffix}"`;

/** The audiences of tokens for vaults. */
export const vaultAudiences = (suffix: string): readonly string[] => [
  "https://vault.azure.net",
  `https://vault.${suffix}`,
];

/** A request to a vault. Its path starts with the vault's host: `/shop.vault/secrets/database`. */
export interface VaultRequest {
  readonly cloud: Cloud;
  readonly request: ArmRequest;
  readonly userAgent: string;
  /** @throws ArmError 401 */
  readonly verify: () => Promise<Principal>;
}

/** Answers a request to a vault's host. @throws ArmError in Key Vault's form */
export async function answerVault({ cloud, request, userAgent, verify }: VaultRequest): Promise<ArmReply> {
  const [, host = "", path = "/"] = /^\/([^/.]+)\.vault(\/.*)?$/.exec(request.path) ?? [];
  const vault = vaultNamed(cloud, host);
  if (!vault) throw vaultError(404, "HostNotFound", `There is no vault '${host}'. On Azure this host has no address.`);
  const operation = operations.find((each) => each.method === request.method && each.path.test(path));
  const [, name = "", version] = operation?.path.exec(path) ?? [];
  const asked = { at: { cloud, vault }, name, version, request };
  const audited = { vault, path, secret: name, version, apiVersion: request.apiVersion, userAgent };
  const principal = await verify().catch((error: unknown) =>
    noted(cloud, { ...audited, operation: "Authentication", principal: undefined }, () => {
      throw unauthorised(toArmError(error));
    }),
  );
  return noted(cloud, { ...audited, operation: operation?.name ?? "Unknown", principal }, () =>
    carryOut(asked, operation, path, principal),
  );
}

/** Something that is done in a vault, for its audit. */
interface Done {
  readonly vault: Resource;
  readonly path: string;
  readonly operation: string;
  readonly secret: string;
  readonly version: string | undefined;
  readonly apiVersion: string;
  readonly userAgent: string;
  readonly principal: Principal | undefined;
}

/** Does it and writes the row about it. @throws what `act` throws */
function noted<Result extends object>(cloud: Cloud, done: Done, act: () => Result): Result {
  const { vault, path, secret, version, principal } = done;
  const origin = originOfVault(cloud, nameOfVault(vault));
  const began = performance.now();
  const write = (status: number): void =>
    audit(cloud, vault, {
      ...done,
      principal,
      status,
      milliseconds: Math.round(performance.now() - began),
      requestId: randomUUID(),
      url: `${origin}${path}?api-version=${done.apiVersion}`,
      secretId: secret === "" ? "" : `${origin}/secrets/${secret}${version ? `/${version}` : ""}`,
    });
  try {
    const result = act();
    write("status" in result ? Number(result.status) : 200);
    return result;
  } catch (error) {
    write(toArmError(error).status);
    throw error;
  }
}

const unauthorised = ({ status, message, code, headers }: ArmError): ArmError => {
  const said =
    code === "AuthenticationFailed"
      ? "AKV10000: Request is missing a Bearer or PoP token."
      : `[BearerReadAccessTokenFailed] ${message}`;
  return vaultError(status, "Unauthorized", said, undefined, headers);
};

function carryOut(asked: Asked, operation: Operation | undefined, path: string, principal: Principal): ArmReply {
  const { at, name, request } = asked;
  requireVersion(request.apiVersion);
  if (request.twist && request.method !== "GET") return twisted(request.twist);
  if (!operation) throw unknownRoute(request.method, path);
  const isFirst = operation.name === "SecretSet" && contentsOf(at.cloud).get(nameOfVault(at.vault), name) === undefined;
  countRequest(at.cloud, nameOfVault(at.vault), isFirst ? "create" : "other");
  if (name !== "" && !/^[0-9a-zA-Z-]{1,127}$/.test(name))
    throw badParameter(`The request URI contains an invalid name: ${name}`);
  const refusal = refusalOf(at, principal, { ...operation, secret: name });
  if (refusal) throw refusal;
  return operation.answer(asked);
}

/** Answers a request that a fault twists: it fails at once, or reports success and does nothing. */
function twisted(twist: Twist): ArmReply {
  if (twist !== "forgotten") throw twist;
  return ok({});
}

function requireVersion(apiVersion: string): void {
  if (apiVersion === "") throw badParameter("api-version must be specified");
  if (!apiVersions.includes(apiVersion))
    throw badParameter(
      `The specified version (${apiVersion}) is not recognized. Consider using the latest supported version ` +
        `(${apiVersions.at(-1)}).`,
    );
}

function unknownRoute(method: string, path: string): ArmError {
  const [, kind = ""] = path.split("/");
  const served = ["", "secrets", "deletedsecrets"];
  if (!served.includes(kind) || /\/(backup|restore)$/.test(path))
    return vaultError(
      400,
      "EmulatorUnsupported",
      `The emulator does not run '${method} ${path}': a vault here has secrets, without backups, keys, certificates ` +
        "and storage accounts. Azure does.",
    );
  return vaultError(404, "ResourceNotFound", `A vault serves nothing at '${method} ${path}'.`);
}

/** Something that a principal wants to do in a vault. */
interface Wish extends Pick<Operation, "right" | "permission"> {
  /** The secret, or an empty text for the vault itself. */
  readonly secret: string;
}

/** Gives the refusal of what a principal may not do; undefined when it may. */
function refusalOf(
  { cloud, vault }: VaultAt,
  principal: Principal,
  { right, permission, secret }: Wish,
): ArmError | undefined {
  const { enableRbacAuthorization } = vault.body["properties"];
  const place = `${nameOfVault(vault)};location=${vault.body["location"]}`;
  const caller = `appid=${principal.clientId};oid=${principal.objectId};iss=https://sts.windows.net/${tenant}/`;
  if (!enableRbacAuthorization)
    return vaultError(
      403,
      "Forbidden",
      `The user, group or application '${caller}' does not have secrets ${permission} permission on key vault ` +
        `'${place}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
      "AccessDenied",
    );
  // An owner of the subscription has all actions, and no data actions.
  const who = quirksOf(cloud)["owners-need-data-roles"] ? { ...principal, owner: false } : principal;
  const action = `Microsoft.KeyVault/vaults/secrets/${right}`;
  const scope = secret === "" ? vault.id : `${vault.id}/secrets/${secret}`;
  if (mayAct(cloud, who, action, scope, true)) return undefined;
  return vaultError(
    403,
    "Forbidden",
    "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role " +
      `definitions were changed recently, please observe propagation time.\r\nCaller: ${caller}\r\n` +
      `Action: '${action}'\r\nResource: '${scope.toLowerCase()}'\r\nAssignment: (not found)\r\n` +
      `DenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: ${place}\r\n`,
    "ForbiddenByRbac",
  );
}

/** A secret that the platform reads for an app. */
export interface Wanted {
  readonly vault: string;
  readonly secret: string;
  readonly version: string | undefined;
}

/** Reads a secret as an app's identity, as the platform does. @throws ArmError in Key Vault's form */
export function readAs(cloud: Cloud, principal: Principal, { vault: name, secret, version }: Wanted): string {
  const vault = vaultNamed(cloud, name);
  if (!vault) throw vaultError(404, "HostNotFound", `dial tcp: lookup ${name}.vault.azure.net: no such host`);
  const at = { cloud, vault };
  const path = `/secrets/${secret}${version ? `/${version}` : ""}`;
  const done = { vault, path, operation: "SecretGet", secret, version, apiVersion: "7.3", userAgent: "Container Apps" };
  const { value } = noted(cloud, { ...done, principal }, () => {
    const refusal = refusalOf(at, principal, { right: "getSecret/action", permission: "get", secret });
    if (refusal) throw refusal;
    return getSecret(at, secret, version);
  });
  return String(value);
}
