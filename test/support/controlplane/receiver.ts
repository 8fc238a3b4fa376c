// A receiver of notifications: a server on loopback that keeps what it gets, and answers as a test wants, or
// not at all.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One received request. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: any;
}

/** The answer to a request. `hang` never answers. */
export type Answering =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | "hang";

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** The answers in order, one for each request; then 200. */
  readonly answers: Answering[];
  /** Answers requests beyond `answers`. */
  respond: (request: Received) => Answering;
  readonly stop: () => Promise<void>;
  /** Listens again at the same address. */
  readonly start: () => Promise<void>;
}

/** Starts a receiver. Its address contains a secret part. */
export async function startReceiver(secretPart: string): Promise<Receiver> {
  let server: Server;
  let port = 0;
  const receiver: Receiver = {
    get url() {
      return `http://127.0.0.1:${port}/${secretPart}`;
    },
    received: [],
    answers: [],
    respond: () => ({ status: 200, body: "ok" }),
    start: async () => {
      server = createServer(async (request, response) => {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        const text = Buffer.concat(parts).toString();
        const received = {
          method: request.method!,
          path: request.url!,
          headers: request.headers,
          text,
          body: text ? JSON.parse(text) : undefined,
        };
        receiver.received.push(received);
        const answer = receiver.answers.shift() ?? receiver.respond(received);
        if (answer !== "hang")
          response
            .writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
            .end(JSON.stringify(answer.body ?? {}));
      }).listen(port, "127.0.0.1");
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await receiver.stop();
    },
  };
  await receiver.start();
  return receiver;
}
