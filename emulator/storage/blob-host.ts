// The blob service of an account, `<account>.blob.storage.<suffix>`: it lists containers, of which there are none, for
// whoever signs the request with one of the account's keys. Each request is a row of StorageBlobLogs, which names the
// key. Other operations and other kinds of authorization are refused by name.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { ArmReply, Cloud, Resource } from "../arm/resource.ts";
import { addPlatformRow, columnsOf, type PlatformTable } from "../operationalinsights/platform-rows.ts";
import { accountNamed, keysOf } from "./accounts.ts";

/** The table, with the columns that the emulator fills. */
export const blobLogTable: PlatformTable = {
  name: "StorageBlobLogs",
  category: "storageread",
  isDedicated: false,
  columns: columnsOf(
    "AccountName OperationName Category AuthenticationType AuthenticationHash StatusCode:int StatusText " +
      "CallerIpAddress UserAgentHeader ClientRequestId Uri Protocol",
  ),
};

/** One request to a blob service. */
export interface BlobRequest {
  readonly account: string;
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** The client's address with its port. */
  readonly from: string;
}

/** How a request was signed. */
interface Signed {
  readonly keyName: string;
  readonly hash: string;
}

/** Answers a request to a blob service. */
export function answerBlobs(cloud: Cloud, request: BlobRequest): ArmReply {
  const account = accountNamed(cloud, request.account);
  if (account === undefined)
    return refusal(404, "HostNotFound", "There is no such account. On Azure it has no address.");
  const signed = signatureOf(account, request);
  const reply = answerFor(account, request, signed, cloud.clock.now());
  note(cloud, account, request, signed, reply);
  return reply;
}

/** How far the date of a request may be from now. */
const dateMilliseconds = 15 * 60_000;

function answerFor(account: Resource, request: BlobRequest, signed: Signed | undefined, now: number): ArmReply {
  const { method, url, headers } = request;
  const { authorization } = headers;
  if (authorization === undefined)
    return refusal(
      401,
      "NoAuthenticationInformation",
      "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
    );
  if (!authorization.startsWith("SharedKey "))
    return refusal(400, "EmulatorUnsupported", "The emulator's blob service knows Shared Key only. Azure knows more.");
  const date = Date.parse(String(headers["x-ms-date"] ?? headers.date ?? ""));
  if (signed === undefined || !(Math.abs(now - date) <= dateMilliseconds))
    return refusal(
      403,
      "AuthenticationFailed",
      "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly " +
        "including the signature.",
    );
  if (account.body["properties"].allowSharedKeyAccess === false)
    return refusal(
      403,
      "KeyBasedAuthenticationNotPermitted",
      "Key based authentication is not permitted on this storage account.",
    );
  if (method !== "GET" || url.pathname !== "/" || url.searchParams.get("comp") !== "list")
    return refusal(400, "EmulatorUnsupported", "The emulator's blob service lists containers only. Azure does more.");
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body:
      `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="${url.origin}/"><Containers />` +
      "<NextMarker /></EnumerationResults>",
  };
}

const refusal = (status: number, code: string, message: string): ArmReply => ({
  status,
  headers: { "content-type": "application/xml", "x-ms-error-code": code },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});

/** The headers that a signature covers beside those of `x-ms-`, in the order of Shared Key. */
const covered = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

/** Writes what the client must have signed: learn.microsoft.com, "Authorize with Shared Key". */
function textToSign({ account, method, url, headers }: BlobRequest): string {
  const value = (name: string): string => {
    const given = String(headers[name] ?? "");
    if (name === "content-length" && given === "0") return "";
    return name === "date" && headers["x-ms-date"] !== undefined ? "" : given;
  };
  const own = Object.keys(headers)
    .filter((name) => name.startsWith("x-ms-"))
    .toSorted()
    .map((name) => `${name}:${String(headers[name]).trim().replace(/\s+/g, " ")}\n`);
  const query = [...new Set([...url.searchParams.keys()].map((name) => name.toLowerCase()))]
    .toSorted()
    .map((name) => `\n${name}:${url.searchParams.getAll(name).toSorted().join(",")}`);
  return `${[method, ...covered.map(value)].join("\n")}\n${own.join("")}/${account}${url.pathname}${query.join("")}`;
}

/** Finds the key that signed a request. */
function signatureOf(account: Resource, request: BlobRequest): Signed | undefined {
  const [, name, given = ""] = /^SharedKey ([^:]+):(.+)$/.exec(request.headers.authorization ?? "") ?? [];
  if (name !== account.body["name"]) return undefined;
  const text = textToSign(request);
  const found = keysOf(account).find(({ value }) => {
    const expected = createHmac("sha256", Buffer.from(value, "base64")).update(text, "utf8").digest();
    const actual = Buffer.from(given, "base64");
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  });
  if (found === undefined) return undefined;
  const hash = createHash("sha256").update(Buffer.from(found.value, "base64")).digest("hex").toUpperCase();
  return { keyName: found.keyName, hash };
}

/** Writes the row of a request: the form of the hash is that of learn.microsoft.com, "Azure Storage logs". */
function note(
  cloud: Cloud,
  account: Resource,
  { account: name, url, headers, from }: BlobRequest,
  signed: Signed | undefined,
  { status, headers: answered }: ArmReply,
): void {
  addPlatformRow(cloud, blobLogTable, `${account.id}/blobServices/default`, {
    AccountName: name,
    OperationName: "ListContainers",
    Category: "StorageRead",
    AuthenticationType: signed === undefined ? "Anonymous" : "AccountKey",
    AuthenticationHash: signed === undefined ? "" : `${signed.keyName}(${signed.hash})`,
    StatusCode: status,
    StatusText: answered?.["x-ms-error-code"] ?? "Success",
    CallerIpAddress: from,
    UserAgentHeader: headers["user-agent"] ?? "",
    ClientRequestId: String(headers["x-ms-client-request-id"] ?? ""),
    Uri: url.href,
    Protocol: "HTTPS",
  });
}
