// A rest that Azure asks for and that is longer than an adapter may take reaches the engine, whichever adapter met it:
// the engine's wait survives the process.
import { readdirSync, readFileSync } from "node:fs";
import type http from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAlerts } from "../../../controlplane/adapters/azure/alerts.ts";
import type { Connection } from "../../../controlplane/adapters/azure/connection.ts";
import { createConsumers } from "../../../controlplane/adapters/azure/consumers.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createVault } from "../../../controlplane/adapters/azure/key-vault.ts";
import { createLoginRows } from "../../../controlplane/adapters/azure/login-rows.ts";
import { createRequestRows } from "../../../controlplane/adapters/azure/request-rows.ts";
import { restartRevision, startJob } from "../../../controlplane/adapters/azure/runbooks.ts";
import { createStorageKeys } from "../../../controlplane/adapters/azure/storage-keys.ts";
import { createStorageRows } from "../../../controlplane/adapters/azure/storage-rows.ts";
import { createSymptoms } from "../../../controlplane/adapters/azure/symptoms.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import type { Consumer } from "../../../engines/rotation/vocabulary.ts";
import { connectionTo, resourceManager, signsIn, subscription } from "../../support/controlplane/endless-azure.ts";
import { type EndlessServer, type Proper, startEndless } from "../../support/endless.ts";

const patience = patienceOf(60);
const uncut = new AbortController().signal;
const ours = async () => true;
const target = { resourceGroup: "shop", app: "storefront" };
const consumer = target as Consumer;
const credential = {
  credential: "db",
  vault: "shop",
  server: "db.endless.test",
  roles: { a: "shop_a", b: "shop_b" },
} as never;

let server: EndlessServer;
let connection: Connection;
/** What is answered before every request is asked to wait. */
let proper: (request: http.IncomingMessage) => Proper | undefined = () => undefined;

beforeAll(async () => {
  server = await startEndless({ overTls: true });
  server.instead = (request) =>
    signsIn(request) ??
    proper(request) ?? { status: 429, headers: { "retry-after": "240" }, body: { error: { code: "Throttled" } } };
  connection = connectionTo(server, 60);
});
afterAll(async () => {
  connection.close();
  await server[Symbol.asyncDispose]();
});

/** An app whose one revision serves. */
const app: Proper = {
  body: {
    name: "storefront",
    location: "westeurope",
    properties: {
      provisioningState: "Succeeded",
      configuration: {
        activeRevisionsMode: "Multiple",
        ingress: { traffic: [{ revisionName: "storefront--1", weight: 100 }] },
        secrets: [],
      },
    },
  },
};
const job: Proper = { body: { name: "tool", location: "westeurope", properties: { template: { containers: [] } } } };
const first = (path: string, then: Proper) => (request: http.IncomingMessage) =>
  new RegExp(`${path}\\?`).test(request.url ?? "") ? then : undefined;

const cloud = () => ({ apps: connection.apps, ready: connection.ready, patience });
const apps = () => createContainerApps(connection, patience);
const account = { storage: { resourceGroup: "work", account: "shopdata" }, roles: { a: "key1", b: "key2" } } as never;
const storage = () =>
  createStorageKeys({ connection, patience, resourceManager, subscription, suffix: "storage.endless.test" });
const uses = () => createStorageRows(connection, patience, "w", Date.now);
const vault = () => createVault({ connection, patience, suffix: "vaults.endless.test" });
const alerts = () =>
  createAlerts({
    connection,
    patience,
    resourceManager,
    subscription,
    graph: [],
    policies: [],
    now: Date.now,
    log: () => undefined,
  });
const measure = { kind: "Measure", target, canary: "b", stable: "a", from: 0, intervalSeconds: 60 } as never;
const incident = { target: "app/shop/storefront", alert: { rule: "r", id: "i" }, message: "m" };
const act = { target: incident.target, rung: { job: "tool" }, key: "k", since: 0, incident, follow: "" } as never;
const halt = { target: incident.target, rung: { job: "tool" }, key: "k", since: 0, follow: "tool/run" } as never;
const repoint = {
  kind: "Repoint",
  target,
  revision: "storefront--2",
  purpose: { secret: "db-a", replaces: "db-b", url: "https://shop/db-a" },
} as never;
const shift = { kind: "ShiftTraffic", target, weights: [{ revision: "a", percent: 100 }], labels: {} } as never;

type Reader = readonly [file: string, what: string, read: () => Promise<unknown>, first?: typeof proper];

/** What reads Azure, by its file; some with what is answered before Azure asks to wait. */
const readers: readonly Reader[] = [
  ["container-apps", "inspects an app", () => apps().inspect({ target }, uncut)],
  ["container-apps", "reads the traffic", () => apps().readTraffic(target, uncut)],
  ["container-apps", "shifts traffic", () => apps().shift(shift, ours)],
  ["container-apps", "activates", () => apps().activate({ kind: "Activate", target, revision: "a" }, ours)],
  ["container-apps", "deactivates", () => apps().deactivate({ kind: "Deactivate", target, revision: "a" }, ours)],
  ["repoint", "looks for the revision", () => apps().repoint(repoint, ours)],
  [
    "repoint",
    "reads the serving revision",
    () => apps().repoint(repoint, ours),
    (request) =>
      first("revisions/storefront--2", { status: 404, body: { error: { code: "NotFound" } } })(request) ??
      first("containerApps/storefront", app)(request),
  ],
  ["request-rows", "measures", () => createRequestRows(connection, patience, "w", 1).measure(measure, 600_000, uncut)],
  [
    "symptoms",
    "counts failed requests",
    () =>
      createSymptoms(connection, patience, "w", 1, { objectives: [], targets: [] }).rows(
        { kind: "Measure", target: incident.target, measure: "requests", from: 0 },
        600_000,
        uncut,
      ),
  ],
  ["alerts", "lists alerts", () => alerts().list(Date.now(), uncut)],
  [
    "login-rows",
    "reads logins",
    () => createLoginRows(connection, patience, "w", Date.now).read(credential, "a", 0, uncut),
  ],
  ["consumers", "looks for the slot", () => createConsumers(connection, patience).slotOf(consumer, credential, uncut)],
  [
    "consumers",
    "reads the serving revision",
    () => createConsumers(connection, patience).slotOf(consumer, credential, uncut),
    first("containerApps/storefront", app),
  ],
  [
    "consumers",
    "moves a secret",
    () => createConsumers(connection, patience).moveSecret(consumer, "db-a", "https://u", ours),
  ],
  ["storage-keys", "lists the keys", () => storage().look(account, "a", uncut)],
  ["storage-rows", "reads the users of a key", () => uses().read(account, "a", 0, uncut)],
  ["key-vault", "looks at the versions", () => vault().look(credential, uncut)],
  ["key-vault", "reads a value", () => vault().read(credential, "a", "1", uncut)],
  ["key-vault", "publishes", () => vault().publish(credential, "a", "1", "r", ours)],
  [
    "runbooks",
    "plans a restart",
    () => restartRevision(cloud()).plan(incident.target, {} as never, incident as never, uncut),
  ],
  ["runbooks", "restarts", () => restartRevision(cloud()).act(act, ours)],
  ["runbooks", "looks for the job's executions", () => startJob(cloud(), systemTime, Date.now).act(act, ours)],
  [
    "runbooks",
    "reads the job",
    () => startJob(cloud(), systemTime, Date.now).act(act, ours),
    first("jobs/tool/executions", { body: { value: [] } }),
  ],
  [
    "runbooks",
    "starts the job",
    () => startJob(cloud(), systemTime, Date.now).act(act, ours),
    (request) => first("jobs/tool/executions", { body: { value: [] } })(request) ?? first("jobs/tool", job)(request),
  ],
  ["runbooks", "looks for executions to stop", () => startJob(cloud(), systemTime, Date.now).halt!(halt, ours)],
  [
    "runbooks",
    "stops an execution",
    () => startJob(cloud(), systemTime, Date.now).halt!(halt, ours),
    first("jobs/tool/executions", { body: { value: [{ name: "run", properties: { status: "Running" } }] } }),
  ],
];

test.each<Reader>(readers)("%s, which %s, tells the engine how long Azure asked to wait", async (...reader) => {
  const [, , read, before] = reader as unknown as Reader;
  proper = before ?? (() => undefined);
  expect(await read()).toMatchObject({
    ok: false,
    reason: expect.stringContaining("429"),
    retryAfterSeconds: 240,
  });
});

test("every adapter that reads Azure is tried here, or loses nothing that a later read does not bring", () => {
  const spared = [
    "bad-answers", // the tallies are worth more than their details
    "evidence", // what cannot be read is said to be missing
    "tickets", // what was last known stays, and is read again
    "restarts", // looked at again at each probe
    "cloud", // the reads of the others
    "log-table", // likewise
    "settle", // the writes of the others
    "trouble",
  ];
  const folder = "controlplane/adapters/azure";
  const reading = readdirSync(folder)
    .filter((file) =>
      /\b(ask|settle|queryLogs|readLog)(<\w+>)?\(|getApp\(/.test(readFileSync(`${folder}/${file}`, "utf8")),
    )
    .map((file) => file.replace(/\.ts$/, ""));
  expect(reading.filter((file) => !spared.includes(file)).toSorted()).toEqual(
    [...new Set(readers.map(([file]) => file))].toSorted(),
  );
});

test("a rest that Azure asks for is kept while the end of a job is waited for, up to its limit", async () => {
  proper = () => undefined;
  const naps: number[] = [];
  let now = 0;
  const nap = async (milliseconds: number) => {
    naps.push(milliseconds);
    now += milliseconds;
  };
  const tool = startJob(cloud(), { ...systemTime, nap }, () => now);
  const followed = await tool.follow!(
    {
      kind: "Follow",
      target: incident.target,
      rung: { runbook: "start-job", approval: "none", job: "tool" },
      follow: "tool/run",
      until: 600_000,
    },
    uncut,
  );
  expect(followed).toMatchObject({ ok: false });
  expect(naps).toEqual([240_000, 240_000, 120_000]);
});
