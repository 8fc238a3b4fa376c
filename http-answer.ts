// Reads HTTP answers. Whoever answers may send without end, stop half-way, or ask to be left alone for a year. So every
// body is read with a limit on its bytes and on its time, here and nowhere else (test/repository/answers.test.ts holds
// the code to that), and so is every Retry-After.
import { addAbortSignal, Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { PipelinePolicy, PipelineResponse } from "@azure/core-rest-pipeline";

/** The body of an answer: of `fetch`, or of `node:http`. */
export type AnswerBody = Readable | ReadableStream | globalThis.ReadableStream | null | undefined;

/** How much of an answer is read, and for how long. */
export interface AnswerLimits {
  readonly bytesMax: number;
  readonly seconds: number;
}

const mebibyte = 2 ** 20;

/** An answer that is longer than its reader allows. */
export class EndlessAnswer extends Error {
  override readonly name = "EndlessAnswer";
}

/**
 * Reads a body as text. At either limit it reads no more, and closes the connection.
 *
 * @throws EndlessAnswer at the limit of bytes; a `TimeoutError` at that of time
 */
export async function textOf(body: AnswerBody, { bytesMax, seconds }: AnswerLimits): Promise<string> {
  if (!body) return "";
  const late = AbortSignal.timeout(Math.max(1, Math.round(seconds * 1000)));
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of addAbortSignal(late, readableOf(body))) {
      bytes += (chunk as Buffer).length;
      if (bytes > bytesMax) throw new EndlessAnswer(`its answer has more than ${sizeOf(bytesMax)}`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw late.aborted ? late.reason : error;
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/**
 * Gives the lines of a body as they arrive, without the empty ones.
 *
 * A long answer may have any number of lines, so only each line is limited. How long to wait for one, the reader
 * decides by the signal with which it sent the request.
 *
 * @throws EndlessAnswer at a line that is too long
 */
export async function* linesOf(body: AnswerBody, lineBytesMax: number): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body ? readableOf(body) : []) {
    const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part.trim()) yield part;
    if (rest.length > lineBytesMax)
      throw new EndlessAnswer(`a line of its answer has more than ${sizeOf(lineBytesMax)}`);
  }
}

/** The longest rest that is understood. A wrong answer must silence nobody for a day. */
const retryAfterSecondsMax = 3600;

/**
 * Gives for how many seconds an answer asks to be left alone; undefined if it does not ask.
 *
 * It asks in seconds, as a date, or, on Azure, in milliseconds. A date is compared with that of the answer itself, so
 * that the two clocks need not agree. A date in the past is 0, and more than an hour is an hour.
 */
export function retryAfterSecondsOf(
  header: (name: string) => string | null | undefined,
  now: number = Date.now(),
): number | undefined {
  const milliseconds = header("retry-after-ms") ?? header("x-ms-retry-after-ms");
  const text = (header("retry-after") ?? "").trim();
  const seconds = isNumber(milliseconds) ? Number(milliseconds) / 1000 : secondsIn(text, header("date"), now);
  return seconds === undefined ? undefined : Math.min(retryAfterSecondsMax, Math.max(0, seconds));
}

function secondsIn(text: string, sentAt: string | null | undefined, now: number): number | undefined {
  // Two proxies that each ask arrive as one header with a list. The longest rest is enough for both.
  const numbers = text.split(/ *, */);
  if (numbers.every(isNumber)) return Math.max(...numbers.map(Number));
  const until = dateIn(text);
  return until === undefined ? undefined : (until - (dateIn(sentAt) ?? now)) / 1000;
}

const isNumber = (text: string | null | undefined): boolean => /^\d+(\.\d+)?$/.test(text ?? "");

/** Reads a date of HTTP. `Date.parse` alone would take almost any number for a year. */
function dateIn(text: string | null | undefined): number | undefined {
  const at = /^[a-z]{3,9}, .* GMT$/i.test(text ?? "") ? Date.parse(text ?? "") : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** What a client of the Azure SDK may read, and for how long it may rest before it tries again by itself. */
export interface ClientLimits extends AnswerLimits {
  /** @default as long as the answer asks for; for a client that does not try again */
  readonly restSecondsMax?: number;
}

/**
 * Limits the answers that a client of the Azure SDK reads, and the rests that it takes. Without it the client reads
 * each answer to its end, and rests for as long as one asks for.
 *
 * The limit is on what was unpacked: a small answer may unpack to a large one. The time is that of the body; the client
 * limits the time of the head itself.
 */
export const boundedAnswers = (limits: ClientLimits): PipelinePolicy => ({
  name: "ballast-bounded-answers",
  sendRequest: async (request, next) => {
    const streamed = request.streamResponseStatusCodes;
    request.streamResponseStatusCodes = new Set([Number.POSITIVE_INFINITY]);
    try {
      const response = await next(request);
      shortenRest(response, limits.restSecondsMax);
      const body = response.readableStreamBody as Readable | undefined;
      if (body === undefined || streamed?.has(response.status)) return response;
      delete response.readableStreamBody;
      return Object.assign(response, { bodyAsText: await textOf(body, limits) });
    } finally {
      if (streamed === undefined) delete request.streamResponseStatusCodes;
      else request.streamResponseStatusCodes = streamed;
    }
  },
});

function shortenRest({ headers }: PipelineResponse, restSecondsMax = retryAfterSecondsMax): void {
  if ((retryAfterSecondsOf((name) => headers.get(name)) ?? 0) <= restSecondsMax) return;
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) headers.delete(name);
  headers.set("retry-after", String(restSecondsMax));
}

const readableOf = (body: NonNullable<AnswerBody>): Readable =>
  body instanceof Readable ? body : Readable.fromWeb(body as ReadableStream);

const sizeOf = (bytes: number): string =>
  bytes >= mebibyte ? `${Math.round(bytes / mebibyte)} MiB` : `${Math.round(bytes / 1024)} KiB`;
