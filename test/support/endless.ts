// A server whose answers do not end: it sends bytes as fast as its reader takes them, or one byte and then nothing. It
// counts what it sent, so that a test sees how much a reader took.
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { makeAuthority, makeCertificates } from "../../emulator/certificates.ts";

/** How an answer has no end. */
export type Endless = "bytes" | "silence";

/** An answer with an end. */
export interface Proper {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

export interface EndlessServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** What was handed to connections so far; their buffers hold a few MiB of it. */
  sentMebibytes: number;
  /** The requests, as `METHOD /path`. */
  readonly asked: string[];
  /** The status of the next answers. @default 200 */
  status: number;
  /** @default "bytes" */
  how: Endless;
  /** Answers these requests properly instead. */
  instead: (request: http.IncomingMessage) => Proper | undefined;
}

const chunk = Buffer.alloc(2 ** 20, "x");

/** Starts the server. Over TLS it has a certificate for every name, and this process trusts them from then on. */
export async function startEndless({ overTls = false } = {}): Promise<EndlessServer> {
  const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    endless.asked.push(`${request.method} ${request.url}`);
    const proper = endless.instead(request);
    const { status = 200, headers = {}, body } = proper ?? { status: endless.status };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    if (body) return void response.end(JSON.stringify(body));
    if (endless.how === "silence") return void response.write("{");
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) endless.sentMebibytes++;
    };
    response.on("drain", more);
    more();
  };
  const server = overTls ? tlsServer(answer) : http.createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endless: EndlessServer = {
    port,
    url: `http${overTls ? "s" : ""}://127.0.0.1:${port}`,
    sentMebibytes: 0,
    asked: [],
    status: 200,
    how: "bytes",
    instead: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return endless;
}

function tlsServer(answer: http.RequestListener): https.Server {
  const certificates = makeCertificates(makeAuthority("endless"));
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), certificates.caPem]);
  return https.createServer(
    {
      ...certificates.localhost,
      SNICallback: (name, chosen) => chosen(null, certificates.contextOf(name)),
    },
    answer,
  );
}
