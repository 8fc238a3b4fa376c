// What the ingress of an app does with TLS: client certificates that it asks for and passes on, and custom domains that
// are bound to a certificate of the environment. These need the whole emulator, which is the only one with TLS.
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import tls from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { makeAuthority, makeCertificates } from "../../../emulator/certificates.ts";
import { type CloudForTests, management, type Reply, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import { password, pem, pfx } from "../../support/emulator/shop-example.ts";

let c: CloudForTests;
let group: string;
const version = "?api-version=2025-07-01";
const folder = new URL("../../support/emulator/", import.meta.url).pathname;
const environment = (): string => `${group}/providers/Microsoft.App/managedEnvironments/shop`;
const app = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;
const hostOf = (name: string): string => `${name}.shop.westeurope.ballast.localhost`;
// Anyone's authority: Azure does not verify the certificates of clients.
const strangers = makeCertificates(makeAuthority("strangers"));

beforeAll(async () => {
  c = await startCloudForTests({ images: { moody: { folder, entry: "moody.mjs" } } });
  group = `${management}/subscriptions/${c.cloud.subscription}/resourceGroups/shop`;
  await c.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await c.settle("PUT", environment() + version, { location: "westeurope", properties: {} });
});
afterAll(() => c.close());

async function put(name: string, ingress: Body): Promise<Reply> {
  const reply = await c.settle("PUT", app(name) + version, {
    location: "westeurope",
    properties: {
      managedEnvironmentId: environment().slice(management.length),
      configuration: { ingress: { external: true, targetPort: 8080, ...ingress } },
      template: {
        containers: [
          {
            name: "app",
            image: "registry.example/moody:1",
            probes: [{ type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 }],
          },
        ],
        scale: { minReplicas: 1, maxReplicas: 1 },
      },
    },
  });
  return reply;
}

interface Seen {
  readonly status: number;
  readonly headers: Record<string, string>;
}
/** Sends a request over a new connection. Gives the headers that the container got; a text if the connection broke. */
function visit(host: string, more: https.RequestOptions = {}): Promise<Seen | string> {
  return new Promise((resolve) => {
    const request = https.request(
      {
        ...{ host: "127.0.0.1", port: c.cloud.port, servername: host, agent: false, path: "/echo" },
        ca: readFileSync(c.cloud.caFile, "utf8"),
        ...more,
        headers: { host, ...(more.headers as object) },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => {
          const headers = text.startsWith("{") ? ((JSON.parse(text) as Body)["headers"] ?? {}) : {};
          resolve({ status: response.statusCode ?? 0, headers });
        });
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.end();
  });
}
/** Visits an app until it serves. */
const served = (host: string, more?: https.RequestOptions): Promise<Seen | string> =>
  eventually(
    () => visit(host, more),
    (seen) => typeof seen === "object" && seen.status === 200,
  );
const header = "x-forwarded-client-cert";
const forwarded = (seen: Seen | string): string | undefined => (typeof seen === "object" ? seen.headers[header] : seen);

test("a required client certificate is passed on, and a client without one is cut off", async () => {
  await put("required", { clientCertificateMode: "Require" });
  const value = forwarded(await served(hostOf("required"), strangers.localhost))!;
  const [, hash, sent] = /^Hash=([0-9a-f]{64});Cert="([^"]+)";Chain="[^"]+";$/.exec(value) ?? [];
  const own = new X509Certificate(strangers.localhost.cert);
  expect(new X509Certificate(decodeURIComponent(sent!)).fingerprint256).toBe(own.fingerprint256);
  expect(hash!.toUpperCase()).toBe(own.fingerprint256.replaceAll(":", ""));
  expect(await visit(hostOf("required"))).toBe("ECONNRESET");
});

test("an accepted client certificate is passed on, and a client needs none", async () => {
  await put("accepted", { clientCertificateMode: "accept" });
  expect(forwarded(await served(hostOf("accepted")))).toBeUndefined();
  expect(forwarded(await visit(hostOf("accepted"), strangers.localhost))).toMatch(/^Hash=/);
});

test("an ignored client certificate is not passed on, nor what a client says of one", async () => {
  await put("ignored", {});
  expect(forwarded(await served(hostOf("ignored"), strangers.localhost))).toBeUndefined();
  await put("accepted", { clientCertificateMode: "accept" });
  const claim = { headers: { [header]: "Hash=claimed" } };
  expect(forwarded(await served(hostOf("accepted"), claim))).toBeUndefined();
});

test("a client resumes its TLS session, although certificates are asked for", async () => {
  await put("ignored", {});
  await served(hostOf("ignored"));
  const servername = hostOf("ignored");
  const ca = readFileSync(c.cloud.caFile, "utf8");
  const connect = (known?: Buffer): Promise<{ readonly session: Buffer | undefined; readonly reused: boolean }> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({
        host: "127.0.0.1",
        port: c.cloud.port,
        servername,
        ca,
        ...(known && { session: known }),
      });
      let latest: Buffer | undefined;
      let reused = false;
      socket.on("session", (given: Buffer) => {
        latest = given;
      });
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        reused = socket.isSessionReused();
        socket.write(`GET /live HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`);
      });
      socket.on("data", () => undefined);
      socket.on("close", () => resolve({ session: latest, reused }));
    });
  const { session } = await connect();
  expect((await connect(session)).reused).toBe(true);
});

/** Uploads a certificate for shop.example to the environment. */
const upload = (name: string, properties: Body = { value: pfx, password }): Promise<Reply> =>
  c.ask("PUT", certificate(name) + version, { location: "westeurope", properties });
const certificate = (name: string): string => `${environment()}/certificates/${name}`;
const bound = (name: string, certificateName: string): Body => ({
  customDomains: [
    { name, bindingType: "SniEnabled", certificateId: certificate(certificateName).slice(management.length) },
  ],
});

test.each([
  ["PFX", { value: pfx, password }],
  ["PEM", { value: pem, password: "" }],
])("a certificate as %s is described by what it says, and shown without its key", async (kind, properties) => {
  const { status, body } = await upload(kind.toLowerCase(), properties);
  expect([status, body.properties]).toEqual([
    201,
    expect.objectContaining({
      subjectName: "CN=shop.example",
      subjectAlternativeNames: ["shop.example", "*.shop.example"],
      valid: true,
    }),
  ]);
  expect(JSON.stringify(body)).not.toContain(properties.value.slice(0, 40));
});

test("a certificate that the password does not open is refused", async () => {
  for (const wrong of [{ value: pfx, password: "other" }, { value: "bm90aGluZw==" }, {}])
    expect((await upload("wrong", wrong)).body.error.code).toBe("EmulatorUnsupported");
});

test("a bound custom domain leads to its app, and its certificate must cover it", async () => {
  await upload("shop");
  expect((await put("domain", bound("other.example", "shop"))).body.error.message).toMatch(/not for 'other.example'/);
  await put("domain", bound("shop.example", "shop"));
  expect(await served("shop.example")).toMatchObject({ status: 200 });
  expect(await visit("other.example")).toMatchObject({ status: 404 });
  expect((await put("second", bound("SHOP.example", "shop"))).body.error.message).toMatch(/already one of 'domain'/);
  const removal = await c.ask("DELETE", certificate("shop") + version);
  expect(removal.body.error.message).toMatch(/bound to a custom domain of 'domain'/);
  await put("domain", { customDomains: [{ name: "shop.example", bindingType: "Disabled" }] });
  expect(await visit("shop.example")).toMatchObject({ status: 404 });
  expect((await c.ask("DELETE", certificate("shop") + version)).status).toBe(200);
});
