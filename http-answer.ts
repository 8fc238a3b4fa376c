// Reads the bodies of HTTP answers. Whoever answers may send without end or stop half-way, so every body is read with a
// limit on its bytes and on its time, here and nowhere else; test/repository/answers.test.ts holds the code to that.
import { addAbortSignal, Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";

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

/**
 * Limits the answers that a client of the Azure SDK reads. Without it the client reads each to its end.
 *
 * The limit is on what was unpacked: a small answer may unpack to a large one. The time is that of the body; the client
 * limits the time of the head itself.
 */
export const boundedAnswers = (limits: AnswerLimits): PipelinePolicy => ({
  name: "ballast-bounded-answers",
  sendRequest: async (request, next) => {
    const streamed = request.streamResponseStatusCodes;
    request.streamResponseStatusCodes = new Set([Number.POSITIVE_INFINITY]);
    try {
      const response = await next(request);
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

const readableOf = (body: NonNullable<AnswerBody>): Readable =>
  body instanceof Readable ? body : Readable.fromWeb(body as ReadableStream);

const sizeOf = (bytes: number): string =>
  bytes >= mebibyte ? `${Math.round(bytes / mebibyte)} MiB` : `${Math.round(bytes / 1024)} KiB`;
