// A small shop to release: a catalogue, health endpoints, structured logs, a graceful shutdown. It
// uses nothing of Ballast or of a cloud; a platform sets PORT and probes it. Its faults are in
// faults.ts, the times of its answers in times.ts, its telemetry in telemetry.ts, its database in database.ts.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Database } from "./database.ts";
import { faultChooser, type Injection, readFaults } from "./faults.ts";
import type { Telemetry } from "./telemetry.ts";
import { answerTimes } from "./times.ts";

const products = [
  { id: "1", name: "Anchor, 12 kg", price: 129 },
  { id: "2", name: "Steering compass", price: 249 },
  { id: "3", name: "Fender, blue", price: 19 },
  { id: "4", name: "Brass lantern", price: 59 },
  { id: "5", name: "Mooring rope, 20 m", price: 39 },
];

const environment = process.env;
const release = environment["RELEASE"] ?? "unnamed";
const faults = readFaults(environment);
const choose = faultChooser(faults);
const nextTime = answerTimes(environment);
const logsAll = environment["LOG"] === "all";
let closing = false;
let telemetry: Telemetry | undefined;
let database: Database | undefined;

const log = (line: object): void =>
  void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), release, ...line })}\n`);

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const health = (path: string): Answer => {
  const ready = !closing && !faults.kinds.includes("never-ready");
  if (path === "/health/live") return { status: 200, body: { status: "live" } };
  if (path === "/health/ready" || path === "/health/startup")
    return { status: ready ? 200 : 503, body: { status: ready ? "ready" : "not ready" } };
  return { status: 404, body: { error: "no such health endpoint" } };
};

const shop = (path: string): Answer => {
  if (database?.isDown()) return { status: 503, body: { release, error: "the database is out of reach" } };
  if (path === "/") return { status: 200, body: { release, products } };
  const product = products.find(({ id }) => path === `/products/${id}`);
  return product
    ? { status: 200, body: { release, product } }
    : { status: 404, body: { release, error: "no such page" } };
};

const page = (): string =>
  `<!doctype html><title>Storefront</title><h1>Storefront</h1><p>Release ${release.replace(/[^\w.-]/g, "")}</p><ul>` +
  products.map(({ id, name, price }) => `<li><a href="/products/${id}">${name}</a> ${price} €</li>`).join("") +
  "</ul>";

function send(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  requestId: string,
  { status, body }: Answer,
): void {
  const html = status === 200 && request.url === "/" && String(request.headers.accept).includes("text/html");
  const text = html ? page() : JSON.stringify(body);
  const headers = {
    "content-type": html ? "text/html; charset=utf-8" : "application/json",
    "content-length": Buffer.byteLength(text),
    "x-request-id": requestId,
  };
  // A connection kept alive during shutdown would be reset under its next request.
  response
    .writeHead(status, closing ? { ...headers, connection: "close" } : headers)
    .end(request.method === "HEAD" ? undefined : text);
}

/** Applies a fault to a request. Returns false if the request must never be answered. */
async function inject({ kind, status, delayMilliseconds }: Injection, requestId: string): Promise<boolean> {
  log({ injected: kind, requestId, status, ...(delayMilliseconds > 0 ? { delayMilliseconds } : {}) });
  if (kind === "crash") process.exit(1);
  if (kind === "hang") return false;
  if (delayMilliseconds > 0) await pause(delayMilliseconds);
  return true;
}

function routeOf(path: string): string {
  if (path === "/") return path;
  return path.startsWith("/products/") ? "/products/{id}" : "other";
}

/** Reports a request when it is over, whichever side ended it. */
function watch(request: http.IncomingMessage, response: http.ServerResponse, path: string): void {
  const began = performance.now();
  response.once("close", () =>
    telemetry?.served({
      method: request.method ?? "GET",
      route: routeOf(path),
      status: response.writableFinished ? response.statusCode : 0,
      milliseconds: performance.now() - began,
    }),
  );
}

const server = http.createServer(async (request, response) => {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  request.resume();
  if (path.startsWith("/health/")) return send(request, response, "", health(path));
  if (telemetry !== undefined) watch(request, response, path);
  const requestId = String(request.headers["x-request-id"] ?? randomUUID());
  const injection = choose();
  if (injection && !(await inject(injection, requestId))) return;
  const milliseconds = nextTime();
  if (milliseconds > 0) await pause(milliseconds);
  const answer =
    injection && injection.status >= 500
      ? { status: injection.status, body: { release, error: "the shop is out of order" } }
      : shop(path);
  send(request, response, requestId, answer);
  if (logsAll) log({ method: request.method, path, requestId, status: answer.status });
});

// Longer than a platform's own keep-alive, so that this side never closes a connection under a request.
server.keepAliveTimeout = 75_000;
server.listen(Number(environment["PORT"] ?? 8080), environment["HOST"] ?? "127.0.0.1", () => {
  log({ listening: server.address() });
  const url = environment["DATABASE_URL"];
  if (url)
    void import("./database.ts")
      .then(({ openDatabase }) => {
        const access = { url, user: environment["PGUSER"], password: environment["PGPASSWORD"] };
        if (!closing) database = openDatabase(access, Number(environment["DATABASE_MILLISECONDS"] ?? 200), log);
      })
      .catch((error: unknown) => log({ database: String(error) }));
  const connectionString = environment["APPLICATIONINSIGHTS_CONNECTION_STRING"];
  if (connectionString)
    void import("./telemetry.ts")
      .then(({ openTelemetry }) => {
        telemetry = openTelemetry(connectionString, environment);
      })
      .catch((error: unknown) => log({ telemetry: String(error) }));
});

function close(signal: string): void {
  if (closing) return;
  closing = true;
  log({ closing: signal });
  server.close(() => void Promise.all([telemetry?.close(), database?.close()]).then(() => process.exit(0)));
  server.closeIdleConnections();
  // A request that hangs must not delay the shutdown forever.
  setTimeout(() => process.exit(0), 3000).unref();
}
process.on("SIGTERM", close);
process.on("SIGINT", close);
