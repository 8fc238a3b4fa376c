// What a probe asks of a revision's own address, and which answers mean that the canary is well. The apps here treat
// hosts as public ones do: they redirect or refuse every host but their own.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { type AddressInfo, connect } from "node:net";
import tls from "node:tls";
import { afterAll, expect, test } from "vitest";
import { probeAddress } from "../../../controlplane/adapters/azure/probe.ts";
import { makeAuthority, makeCertificates } from "../../../emulator/certificates.ts";
import type { ProbeRequest } from "../../../engines/rollout/probe-request.ts";

const certificates = makeCertificates(makeAuthority("probes"));
let answer: (request: IncomingMessage) => number = () => 200;
const server = https.createServer(
  { ...certificates.localhost, SNICallback: (name, chosen) => chosen(null, certificates.contextOf(name)) },
  (request, response) => {
    const status = answer(request);
    response.writeHead(status, status === 301 ? { location: "https://www.example.org/" } : {}).end();
  },
);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const agent = new https.Agent();
// Every name leads to this server, as the names of revisions lead to the ingress.
agent.createConnection = (options) =>
  tls.connect({
    ca: certificates.caPem,
    servername: String((options as { host?: string }).host),
    socket: connect(port, "127.0.0.1"),
  });
afterAll(() => {
  agent.destroy();
  server.close();
});

const host = "shop--0000002.apps.example.net";
const asked = (request?: ProbeRequest) =>
  probeAddress(
    agent,
    host,
    { path: "/", timeoutSeconds: 5, ...(request && { request }) },
    new AbortController().signal,
  );
const publicHost = (request: IncomingMessage): unknown => request.headers["x-forwarded-host"] ?? request.headers.host;

test("a redirect is no success: an app may redirect every host but its own, whatever is broken behind", async () => {
  answer = (request) => (publicHost(request) === "www.example.org" ? 500 : 301);
  expect(await asked()).toEqual({ good: false, detail: "answered 301" });
  expect(await asked({ host: "www.example.org" })).toEqual({ good: false, detail: "answered 500" });
  expect(await asked({ statuses: [200, 301] })).toEqual({ good: true, detail: "answered 301" });
});

test("an app that refuses other hosts gets its own, beside the host by which Azure finds the revision", async () => {
  const hosts: unknown[] = [];
  answer = (request) => {
    hosts.push(request.headers.host);
    return publicHost(request) === "www.example.org" ? 200 : 400;
  };
  expect(await asked()).toEqual({ good: false, detail: "answered 400" });
  expect(await asked({ host: "www.example.org" })).toEqual({ good: true, detail: "answered 200" });
  expect(new Set(hosts)).toEqual(new Set([host]));
});

test("headers are sent as they are given, and only the given statuses are good", async () => {
  answer = ({ headers }) => (headers["x-tenant"] === "blue" ? 401 : 200);
  expect(await asked({ headers: [{ name: "X-Tenant", value: "blue" }], statuses: [401] })).toMatchObject({
    good: true,
  });
  expect(await asked({ statuses: [401] })).toEqual({ good: false, detail: "answered 200" });
});

test.each([
  [204, true],
  [299, true],
  [302, false],
  [404, false],
  [503, false],
])("a status of %d is good unless something else is asked for: %s", async (status, good) => {
  answer = () => status;
  expect((await asked()).good).toBe(good);
});
