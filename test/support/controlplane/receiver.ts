// Somebody outside who is told of rollouts: a server on loopback that keeps what it gets, and answers as a test wants, not at all included.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: any;
}

/** How a request is answered; `hang` never does. */
export type Answering =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | "hang";

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Answers in their order, one a request; then 200. */
  readonly answers: Answering[];
  /** Answers whatever is not in `answers`. */
  respond: (request: Received) => Answering;
  readonly stop: () => Promise<void>;
  /** Listens again where it did. */
  readonly start: () => Promise<void>;
}

/** Starts a receiver. Its address has a part that nobody else should ever see. */
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
