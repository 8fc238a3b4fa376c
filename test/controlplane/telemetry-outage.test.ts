// An ingestion that refuses, and one that never answers: the rollout runs on, the process ends in order, and the log
// reports it once. Without a connection string the telemetry packages are not even loaded.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeAuthority, makeCertificates } from "../../emulator/certificates.ts";
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import { startPlane } from "../support/controlplane/plane.ts";
import { quickStrategy } from "../support/controlplane/quick-strategy.ts";
import { openShop, type Shop, target } from "../support/emulator/azure-shop.ts";
import { jsonLinesOf } from "../support/json-lines.ts";
import { eventually, postgresForTests } from "../support/postgres/postgres.ts";

const postgres = postgresForTests();
// A hook that reports every import of the exporter in the process, however late.
const listener = `data:text/javascript,import { registerHooks } from "node:module"; registerHooks({ resolve(name, context, next) { if (/monitor-opentelemetry|opentelemetry.sdk-(metrics|trace)/.test(name)) process.stdout.write(JSON.stringify({ what: "loaded", name }) + String.fromCharCode(10)); return next(name, context); } });`;
let shop: Shop;
let stable: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  shop = await openShop();
  stable = await shop.release("1", [{ latestRevision: true, weight: 100 }]);
});
afterEach(() => void child?.kill("SIGKILL"));
afterAll(() => shop?.close());

/** Starts a control plane, runs a release, ends it, and gives its log. */
async function throughOneRollout(name: string, variables: Readonly<Record<string, string>>): Promise<readonly any[]> {
  const canary = await shop.release(name, [{ revisionName: stable, weight: 100 }]);
  const plane = await startPlane(shop, await postgres.fresh(), {
    name,
    apps: [target.app],
    leaseSeconds: 6,
    requestSeconds: 4,
    variables: { OTEL_METRIC_EXPORT_INTERVAL: "1000", ...variables },
  });
  const { said } = plane;
  child = plane.child;
  const token = (await shop.connection.credential.getToken("api://ballast/.default"))!.token;
  const path = `${plane.endpoint}/rollouts/${target.resourceGroup}/${target.app}/${canary}`;
  const call = (method: string, to: string, body?: object) =>
    fetch(to, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    }).then(async (response) => (await response.json()) as any);
  await call("PUT", path, {
    release: name,
    strategy: quickStrategy,
    thresholds: defaultThresholds,
    probePath: "/health/ready",
  });
  await eventually(
    async () =>
      (await call("GET", `${path}/journal`)).facts.filter(({ event }: any) => event.kind === "Measured").length > 3,
    "measurements",
    40,
  );
  if (variables["APPLICATIONINSIGHTS_CONNECTION_STRING"])
    await eventually(
      () => said().find(({ message }) => String(message).startsWith("telemetry cannot be delivered")),
      "a message that telemetry cannot be delivered",
      40,
    );
  await call("POST", `${path}/signals`, { signal: "promote", message: "it looks good" });
  await eventually(async () => (await call("GET", path)).result === "promoted", "the promotion", 40);
  stable = canary;
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  return said();
}

const connection = (port: number) => ({
  APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=11111111-2222-3333-4444-555555555555;IngestionEndpoint=https://127.0.0.1:${port}/`,
});
const complaints = (said: readonly any[]): readonly string[] =>
  said
    .filter(({ what }) => what === "trouble")
    .map(({ message }) => message)
    .filter((message) => message.includes("telemetry"));

test("an ingestion that refuses costs one line in the log", { timeout: 120_000 }, async () => {
  expect(complaints(await throughOneRollout("2", connection(1)))).toHaveLength(1);
});

test("an ingestion that never answers costs one line in the log, and hardly delays the end of the process", {
  timeout: 120_000,
}, async () => {
  const authority = makeAuthority("hangs");
  const asked: string[] = [];
  const server = https
    .createServer(makeCertificates(authority).localhost, (request) => void asked.push(request.url!))
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    expect(
      complaints(
        await throughOneRollout("3", {
          ...connection((server.address() as AddressInfo).port),
          NODE_TLS_REJECT_UNAUTHORIZED: "0",
        }),
      ),
    ).toHaveLength(1);
    expect(asked.length).toBeGreaterThan(1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("without a connection string neither the control plane nor the storefront loads the exporters", {
  timeout: 120_000,
}, async () => {
  const storefront = async (variables: Readonly<Record<string, string>>): Promise<readonly any[]> => {
    child = spawn(process.execPath, ["--import", listener, "examples/storefront/main.ts"], {
      env: { PATH: process.env["PATH"], PORT: "0", ...variables },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = jsonLinesOf(child);
    await eventually(() => said().some(({ listening }) => listening), "the storefront");
    if (variables["APPLICATIONINSIGHTS_CONNECTION_STRING"])
      await eventually(() => said().some(({ what }) => what === "loaded"), "the exporter to be loaded");
    child.kill("SIGTERM");
    await once(child, "exit");
    return said().filter(({ what }) => what === "loaded");
  };
  expect(await storefront({})).toEqual([]);
  expect((await storefront(connection(1))).length).toBeGreaterThan(0); // so it would have been heard
  expect(
    (await throughOneRollout("4", { NODE_OPTIONS: `--import=${encodeURI(listener).replaceAll("'", "%27")}` })).filter(
      ({ what }) => what === "loaded",
    ),
  ).toEqual([]);
});
