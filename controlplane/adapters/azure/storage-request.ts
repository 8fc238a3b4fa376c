// One request to the blob service of a storage account with one of its keys: a login, as far as a key has logins. It
// lists one container, which changes nothing. The key signs the request and is not sent.
import { createHmac, randomUUID } from "node:crypto";
import { createPipelineRequest, type HttpClient, type PipelineResponse } from "@azure/core-rest-pipeline";
import { boundedAnswers } from "../../../http-answer.ts";
import type { Connection } from "./connection.ts";
import type { Patience } from "./trouble.ts";

/** The version of the blob service that we use. */
const serviceVersion = "2026-04-06";

/** The beginning of our requests' ids, by which the service's log shows that they are ours. */
export const ownRequests = "ballast-";

/** The most of an answer that is read. */
const answerBytesMax = 64 * 1024;

/** An account and one of its keys. */
interface AccountKey {
  readonly account: string;
  readonly suffix: string;
  readonly key: string;
}

/** Signs a list of containers as Shared Key says: the method, eleven empty headers, ours, and the resource. */
export function signedWith({ account, key }: Pick<AccountKey, "account" | "key">, id: string, date: string): string {
  const headers = `x-ms-client-request-id:${id}\nx-ms-date:${date}\nx-ms-version:${serviceVersion}\n`;
  const text = `GET${"\n".repeat(12)}${headers}/${account}/\ncomp:list\nmaxresults:1`;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
  return `SharedKey ${account}:${signature}`;
}

/** Lists one container. @throws an error with the service's status and code */
export async function listContainers(
  { connection, patience }: { readonly connection: Pick<Connection, "way">; readonly patience: Patience },
  client: HttpClient,
  { account, suffix, key }: AccountKey,
  abortSignal: AbortSignal,
): Promise<void> {
  const url = `https://${account}.blob.${suffix}/?comp=list&maxresults=1`;
  const request = createPipelineRequest({ url, abortSignal });
  const id = `${ownRequests}${randomUUID()}`;
  const date = new Date().toUTCString();
  const headers = {
    "x-ms-client-request-id": id,
    "x-ms-date": date,
    "x-ms-version": serviceVersion,
    "user-agent": "ballast",
    authorization: signedWith({ account, key }, id, date),
  };
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
  const bounded = boundedAnswers({ bytesMax: answerBytesMax, seconds: patience.requestSeconds });
  const response = await connection.way.sendRequest(request, (sent) =>
    bounded.sendRequest(sent, (last) => client.sendRequest(last)),
  );
  if (response.status === 200) return;
  throw refusedBy("the blob service", response, response.headers.get("x-ms-error-code"));
}

/** Gives a refusal as the SDKs throw theirs. It holds no body: that of a list of keys has keys. */
export const refusedBy = (who: string, { status, headers }: PipelineResponse, code: string | undefined): Error =>
  Object.assign(new Error(`refused by ${who}`), {
    statusCode: status,
    ...(code !== undefined && { code }),
    response: { headers },
  });
