// Answers of Azure without end: of sign-in, Resource Manager, Log Analytics, the ingestion of telemetry, and the issuer
// of callers' tokens. Each is read up to a limit of bytes and of time, and then its reader goes on.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fetchDispatcher, parseConnectTo } from "../../../connect-to.ts";
import type { Connection } from "../../../controlplane/adapters/azure/connection.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createRequestRows } from "../../../controlplane/adapters/azure/request-rows.ts";
import { type Patience, patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { openSending } from "../../../controlplane/adapters/telemetry/send.ts";
import { createAuthenticate } from "../../../controlplane/api/authenticate.ts";
import { authority, connectionTo, signsIn } from "../../support/controlplane/endless-azure.ts";
import { type EndlessServer, startEndless } from "../../support/endless.ts";
import { eventually } from "../../support/postgres/postgres.ts";

/** Long enough for a loaded machine to read up to the limit of bytes. */
const requestSeconds = 60;
/** What the limits allow, and what the buffers of a connection hold beside that. */
const mebibytesMax = 64 + 32;
const uncut = new AbortController().signal;
const target = { resourceGroup: "work", app: "storefront" };
const claims = Buffer.from(JSON.stringify({ alg: "RS256", kid: "ours" })).toString("base64url");

let server: EndlessServer;
let connection: Connection;

beforeAll(async () => {
  server = await startEndless({ overTls: true });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  Object.assign(server, { sentMebibytes: 0, how: "bytes", status: 200, instead: signsIn });
  connectFor(requestSeconds);
});
afterEach(() => connection.close());

function connectFor(seconds: number): void {
  connection?.close();
  connection = connectionTo(server, seconds);
}

const reads: Readonly<Record<string, (patience: Patience) => Promise<unknown>>> = {
  "Resource Manager": (patience) => createContainerApps(connection, patience).inspect({ target }, uncut),
  "Log Analytics": (patience) =>
    createRequestRows(connection, patience, "workspace", 1).measure(
      { kind: "Measure", target, canary: "b", stable: "a", from: 0, intervalSeconds: 60 } as never,
      600_000,
      uncut,
    ),
};

describe.each(Object.keys(reads))("an answer of %s", (whose) => {
  test.each([200, 503])("of status %i without end is a failure, and is read to its limit", async (status) => {
    server.status = status;
    expect(await reads[whose]!(patienceOf(requestSeconds))).toMatchObject({
      ok: false,
      reason: expect.stringContaining("more than 64 MiB"),
    });
    expect(server.sentMebibytes).toBeLessThan(mebibytesMax);
  });

  test("that stops half-way is a failure", async () => {
    server.how = "silence";
    connectFor(1);
    expect(await reads[whose]!(patienceOf(1))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/no answer in 1 s/),
    });
  });
});

test.each(["bytes", "silence"] as const)("a sign-in without end of %s gives no token, and is left", async (how) => {
  Object.assign(server, { how, instead: () => undefined });
  if (how === "silence") connectFor(1);
  await expect(connection.ready()).rejects.toThrow();
  expect(server.asked.length).toBeGreaterThan(0);
  expect(server.sentMebibytes).toBeLessThan(4 * mebibytesMax);
});

test("a sign-in that asks for a rest of an hour is tried again after a second", async () => {
  let throttled = 0;
  server.instead = (request) => {
    const proper = signsIn(request);
    if (throttled > 0 || !request.url?.includes("/oauth2/v2.0/token")) return proper;
    throttled++;
    return { status: 429, headers: { "retry-after": "3600" }, body: {} };
  };
  const began = performance.now();
  await connection.ready();
  expect(throttled).toBe(1);
  expect(performance.now() - began).toBeLessThan(60_000);
});

test("a rest that Azure asks of a measurement is longer than its request, so the engine learns of it", async () => {
  server.instead = (request) =>
    signsIn(request) ?? { status: 429, headers: { "retry-after": "240" }, body: { error: { code: "Throttled" } } };
  expect(await reads["Log Analytics"]!(patienceOf(requestSeconds))).toMatchObject({
    ok: false,
    retryAfterSeconds: 240,
  });
});

test("an ingestion's answer without end is read to its limit, and the log says that telemetry is dropped", async () => {
  const log: string[] = [];
  const sending = openSending({
    connectionString:
      "InstrumentationKey=11111111-2222-3333-4444-555555555555;" + "IngestionEndpoint=https://ingestion.endless.test/",
    credential: connection.credential,
    way: connection.way,
    role: "control-plane",
    instance: "one",
    version: "1",
    everySeconds: 1,
    log: (message) => void log.push(message),
  });
  sending.meter.createHistogram("ballast.interval.lag").record(1);
  await eventually(() => log.length > 0, "a message that telemetry cannot be delivered", 20);
  await sending.close();
  expect(log[0]).toBe("telemetry cannot be delivered and is dropped: its answer has more than 1 MiB");
  expect(server.sentMebibytes).toBeLessThan(mebibytesMax);
});

test.each(["/.well-known/openid-configuration", "/discovery/v2.0/keys"])(
  "an issuer whose %s has no end counts as unreachable",
  async (endless) => {
    server.instead = (request) => (request.url?.includes(endless) ? undefined : signsIn(request));
    const dispatcher = fetchDispatcher(parseConnectTo(`endless.test=127.0.0.1:${server.port}`));
    const authenticate = createAuthenticate(
      { authority, tenant: "tenant", audiences: ["api://ballast"], requestSeconds },
      dispatcher,
    );
    const headers = { authorization: `Bearer ${claims}.e30.x` };
    const answer = await authenticate(new Request("https://plane.test/", { headers }), "Rollout.Read");
    expect(answer).toMatchObject({ status: 503 });
    expect(server.sentMebibytes).toBeLessThan(16);
    await dispatcher.close();
  },
);
