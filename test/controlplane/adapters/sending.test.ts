// How telemetry survives a connection that breaks. A server closes idle connections, and a process that was stopped or
// busy finds out only when it sends its next batch. One retry saves that batch; more would delay the process's end.
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSending, type Sending } from "../../../controlplane/adapters/telemetry/send.ts";
import { makeAuthority, makeCertificates } from "../../../emulator/certificates.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const key = "InstrumentationKey=11111111-2222-3333-4444-555555555555";
const authority = makeAuthority("sending");
let server: Server;
let sending: Sending;
/** How many of the next requests find their connection closed. */
let toBreak: number;
let received: readonly number[];
let log: string[];

beforeEach(async () => {
  [toBreak, received, log] = [0, [], []];
  server = createServer(makeCertificates(authority).localhost, async (request, response) => {
    if (toBreak > 0) {
      toBreak--;
      request.socket.destroy();
      return;
    }
    const items = valuesIn(Buffer.concat(await request.toArray()));
    received = [...received, ...items];
    const count = items.length;
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ itemsReceived: count, itemsAccepted: count, errors: [] }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  sending = openSending({
    connectionString: `${key};IngestionEndpoint=https://127.0.0.1:${port}/`,
    credential: { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) },
    way: {
      name: "way",
      sendRequest: (request, next) => {
        request.tlsSettings = { ca: authority.caPem };
        return next(request);
      },
    },
    role: "control-plane",
    instance: "one",
    version: "1",
    everySeconds: 1,
    log: (message) => void log.push(message),
  });
});
afterEach(async () => {
  await sending.close();
  server.close();
  server.closeAllConnections();
});

/** Gives the largest value of each metric in a request. */
function valuesIn(body: Buffer): readonly number[] {
  const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString();
  return (JSON.parse(text) as any[]).flatMap(({ data }) => data.baseData.metrics.map(({ max }: any) => max));
}

const receives = (value: number) =>
  eventually(() => received.includes(value), `the value ${value}; received ${received}`, 20);

test("a batch whose connection was closed is sent again, and the log has nothing to say", async () => {
  const lag = sending.meter.createHistogram("ballast.interval.lag");
  lag.record(1);
  await receives(1);
  toBreak = 1;
  lag.record(2);
  await receives(2);
  expect(log).toEqual([]);
});

test("a batch that finds two connections closed is dropped, and the log says so once", async () => {
  const lag = sending.meter.createHistogram("ballast.interval.lag");
  toBreak = 2;
  lag.record(1);
  await eventually(() => log.length > 0, "a message that telemetry cannot be delivered", 20);
  lag.record(2);
  await receives(2);
  await eventually(() => log.length > 1, "a message that telemetry is delivered again", 20);
  expect(received).not.toContain(1);
  expect(log).toEqual([
    expect.stringMatching(/^telemetry cannot be delivered and is dropped: /),
    "telemetry is delivered again",
  ]);
});
