// A kept emulator survives its own death: killed with SIGKILL, even during writes, it is the same cloud after a restart
// on its folder. Microsoft's own client sees nothing but an outage.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ContainerApp, ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunningEmulator } from "../../../emulator/start.ts";
import { rawClient, startCloudForTests, webImage } from "../../support/emulator/cloud.ts";
import { type CloudProcess, startCloudProcess } from "../../support/emulator/cloud-process.ts";
import { sdkClient } from "../../support/emulator/sdk-client.ts";
import { eventually } from "../../support/postgres/postgres.ts";

type Description = Omit<RunningEmulator, "close">;
let folder: string;
let images: ReturnType<typeof webImage>;
let emulator: CloudProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-revival-"));
  images = webImage(folder);
});
afterEach(async () => {
  await kill();
  emulator = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const cloudFolder = () => path.join(folder, "cloud");

/** Starts the folder's cloud as a process, each time with the same options. */
async function start(): Promise<Description> {
  if (emulator) return emulator.revive();
  emulator = await startCloudProcess({ folder: cloudFolder(), images });
  const { kill: _kill, revive: _revive, close: _close, ...description } = emulator;
  return description;
}
const kill = async (signal?: NodeJS.Signals): Promise<void> => emulator?.kill(signal);

interface Client extends Awaited<ReturnType<typeof rawClient>> {
  readonly sdk: ContainerAppsAPIClient;
}

/** Makes a client with the address, authority and secret of the first process; it serves all later ones too. */
async function clientOf(cloud: Description): Promise<Client> {
  const raw = await rawClient(cloud);
  return { ...raw, sdk: sdkClient(cloud, raw.agent, { retryOptions: { maxRetries: 0 } }) };
}

const soon = { updateIntervalInMs: 20 };
const host = "teller.local.westeurope.ballast.localhost";

/** Creates what an app needs: a group, a workspace, and an environment whose request rows go to it. */
async function putGround({ ask, sdk }: Client, { subscription }: Description): Promise<void> {
  const group = `/subscriptions/${subscription}/resourceGroups/shop`;
  await ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  const { body: workspace } = await ask(
    "PUT",
    `${group}/providers/Microsoft.OperationalInsights/workspaces/logs?api-version=2023-09-01`,
    { location: "westeurope", properties: {} },
  );
  const environment = await sdk.managedEnvironments.createOrUpdate("shop", "local", { location: "westeurope" }, soon);
  await ask(
    "PUT",
    `${environment.id}/providers/Microsoft.Insights/diagnosticSettings/rows?api-version=2021-05-01-preview`,
    { properties: { workspaceId: workspace.id, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] } },
  );
}

const providerOf = ({ subscription }: Pick<Description, "subscription">): string =>
  `/subscriptions/${subscription}/resourceGroups/shop/providers/Microsoft.App`;
const urlOf = (cloud: Description): string => `${providerOf(cloud)}/containerApps/teller?api-version=2025-07-01`;

const app = ({ subscription }: Description, word: string, more: object = {}): ContainerApp => ({
  location: "westeurope",
  managedEnvironmentId: `${providerOf({ subscription })}/managedEnvironments/local`,
  configuration: {
    activeRevisionsMode: "Multiple",
    secrets: [{ name: "key", value: "a-secret-value" }],
    ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
  },
  template: {
    containers: [
      {
        name: "web",
        image: "registry.example/web:1",
        env: [
          { name: "WORD", value: word },
          { name: "KEY", secretRef: "key" },
        ],
      },
    ],
    scale: { minReplicas: 1 },
    ...more,
  },
});

/** Gives everything of an app that a client sees and that processes do not change. */
async function seen({ sdk }: Client): Promise<unknown> {
  const revisions: unknown[] = [];
  for await (const { name, createdTime, active, trafficWeight, template } of sdk.containerAppsRevisions.listRevisions(
    "shop",
    "teller",
  ))
    revisions.push({ name, createdTime, active, trafficWeight, template });
  return {
    app: await sdk.containerApps.get("shop", "teller"),
    secrets: await sdk.containerApps.listSecrets("shop", "teller"),
    revisions,
  };
}

const answered = (client: Client, at: string) =>
  eventually(async () => {
    const reply = await client.ask("GET", `https://${at}/`).catch(() => undefined);
    return reply?.status === 200 && String(reply.body.revision);
  }, `an answer of ${at}`);

test("after SIGKILL it is the same cloud: address, sign-in, apps with secrets, rows and processes", async () => {
  const first = await start();
  const client = await clientOf(first);
  await putGround(client, first);
  const { latestRevisionName: one = "" } = await client.sdk.containerApps.createOrUpdate(
    "shop",
    "teller",
    app(first, "one"),
    soon,
  );
  await client.sdk.containerApps.createOrUpdate("shop", "teller", app(first, "two", { revisionSuffix: "mine" }), soon);
  await client.sdk.containerApps.createOrUpdate("shop", "teller", app(first, "three"), soon);
  await client.sdk.containerApps.update(
    "shop",
    "teller",
    {
      location: "westeurope",
      configuration: {
        ingress: {
          traffic: [
            { revisionName: one, weight: 90 },
            { revisionName: "teller--0000002", weight: 10, label: "canary" },
          ],
        },
      },
    },
    soon,
  );
  await client.sdk.containerAppsRevisions.deactivateRevision("shop", "teller", "teller--mine");
  for (const [at, revision] of [
    [`${one}.local.westeurope.ballast.localhost`, one],
    ["teller---canary.local.westeurope.ballast.localhost", "teller--0000002"],
  ] as const)
    expect(await answered(client, at)).toBe(revision);
  await client.ask("POST", "/_emulator/clock", { at: "2030-01-02T03:04:05.000Z" });
  const before = await seen(client);
  const rows = (await client.ask("GET", "/_emulator/rows")).body.rows as readonly object[];

  await kill();
  const second = await start();
  expect({ ...second, environment: null }).toEqual({ ...first, environment: null });
  expect(second.environment).toEqual(first.environment);
  expect(await seen(client)).toEqual(before);
  expect((await client.ask("GET", "/_emulator/clock")).body).toMatchObject({
    at: "2030-01-02T03:04:05.000Z",
    stopped: true,
  });
  expect(rows.length).toBeGreaterThan(1);
  expect((await client.ask("GET", "/_emulator/rows")).body.rows.slice(0, rows.length)).toEqual(rows);
  expect(await answered(client, "teller---canary.local.westeurope.ballast.localhost")).toBe("teller--0000002");
  expect(
    (await client.ask("GET", "https://teller---canary.local.westeurope.ballast.localhost/environment")).body,
  ).toMatchObject({ KEY: "a-secret-value" });
  // A deactivated revision stays inactive, a suffix stays taken, and the counter continues.
  expect(
    (await client.ask("GET", "/_emulator/processes")).body.processes
      .map(({ revision }: { revision: string }) => revision)
      .sort(),
  ).toEqual([one, "teller--0000002"].sort());
  await expect(
    client.sdk.containerApps.createOrUpdate("shop", "teller", app(first, "four", { revisionSuffix: "mine" }), soon),
  ).rejects.toThrow(/already exists/);
  expect(await client.sdk.containerApps.createOrUpdate("shop", "teller", app(first, "four"), soon)).toMatchObject({
    latestRevisionName: "teller--0000003",
  });
});

test("after SIGKILL its jobs continue by their schedules", async () => {
  const cloud = await start();
  const client = await clientOf(cloud);
  await putGround(client, cloud);
  const { managedEnvironmentId, location } = app(cloud, "one");
  await client.sdk.jobs.createOrUpdate(
    "shop",
    "minutely",
    {
      location,
      environmentId: managedEnvironmentId!,
      configuration: {
        triggerType: "Schedule",
        replicaTimeout: 60,
        scheduleTriggerConfig: { cronExpression: "* * * * *" },
      },
      template: { containers: [{ name: "web", image: "registry.example/web:1" }] },
    },
    soon,
  );
  await kill();
  await start();
  await client.ask("POST", "/_emulator/clock", { at: Date.now() + 60_000 });
  await eventually(async () => {
    for await (const execution of client.sdk.jobsExecutions.list("shop", "minutely"))
      return execution.status === "Running";
    return false;
  }, "an execution");
});

test("after a graceful end it is the same cloud too, and its revisions are still active", async () => {
  const first = await start();
  const client = await clientOf(first);
  await putGround(client, first);
  await client.sdk.containerApps.createOrUpdate("shop", "teller", app(first, "one"), soon);
  await answered(client, host);
  const before = await seen(client);
  await kill("SIGTERM");
  await start();
  expect(await seen(client)).toEqual(before);
  await answered(client, host);
});

test("killed repeatedly during writes it keeps every answered write, and corrupts nothing", async () => {
  const cloud = await start();
  const client = await clientOf(cloud);
  await putGround(client, cloud);
  await client.sdk.containerApps.createOrUpdate("shop", "teller", app(cloud, "one"), soon);
  const url = urlOf(cloud);
  let asked = 0;
  let accepted = 0;
  for (const milliseconds of [15, 140, 260, 410, 90]) {
    // Counted from the round's first answer, since a process's first write may wait for the query parser to load.
    let killed: Promise<void> | undefined;
    for (;;) {
      const reply = await client.ask("PATCH", url, { tags: { write: String(asked + 1) } }).catch(() => undefined);
      if (!reply) break;
      if (reply.status !== 202) continue;
      asked += 1;
      accepted = asked;
      killed ??= pause(milliseconds).then(() => kill());
    }
    asked += 1; // The write without an answer may have been carried out.
    await killed;
    await start();
    const { tags, provisioningState } = await eventually(async () => {
      const found = await client.sdk.containerApps.get("shop", "teller");
      return found.provisioningState !== "InProgress" && found;
    }, "the end of the write in progress");
    expect(provisioningState).toBe("Succeeded");
    expect([accepted, asked]).toContain(Number(tags?.["write"] ?? 0));
    accepted = Number(tags?.["write"] ?? 0);
    asked = accepted;
  }
  expect(accepted).toBeGreaterThanOrEqual(5);
});

test("an operation in progress ends under its own id after a restart, a deletion too", async () => {
  const cloud = await start();
  const client = await clientOf(cloud);
  await putGround(client, cloud);
  const url = urlOf(cloud);
  const { managedEnvironmentId, configuration, template } = app(cloud, "one");
  const accepted = await client.ask("PUT", url, {
    location: "westeurope",
    properties: { managedEnvironmentId, configuration, template },
  });
  await kill();
  expect(accepted).toMatchObject({ status: 201, body: { properties: { provisioningState: "InProgress" } } });
  await start();
  const operation = String(accepted.headers["azure-asyncoperation"]);
  const status = await eventually(async () => {
    const { body } = await client.ask("GET", operation);
    return body.status !== "InProgress" && body;
  }, "the operation's end");
  expect(status).toMatchObject({ name: operation.split("/").at(-1)!.split("?")[0], status: "Succeeded" });
  expect((await client.ask("GET", url)).body.properties).toMatchObject({
    provisioningState: "Succeeded",
    latestRevisionName: expect.stringMatching(/^teller--/),
  });
  expect(await answered(client, host)).toMatch(/^teller--/);

  const deleted = await client.ask("DELETE", url);
  await kill();
  await start();
  await eventually(
    async () => (await client.ask("GET", String(deleted.headers["location"]))).status !== 202,
    "the deletion's end",
  );
  expect((await client.ask("GET", url)).status).toBe(404);
});

test("only the owner can read kept files, and a cloud that is not kept writes only its CA certificate", async () => {
  const cloud = await start();
  await putGround(await clientOf(cloud), cloud);
  const files = readdirSync(cloudFolder());
  expect(files).toEqual(expect.arrayContaining(["ca.pem", "charter.json", "documents.jsonl", "rows.jsonl"]));
  for (const file of files.filter((each) => each !== "ca.pem"))
    expect([file, statSync(path.join(cloudFolder(), file)).mode & 0o777]).toEqual([file, 0o600]);
  const unkept = await startCloudForTests();
  await unkept.ask("PUT", `/subscriptions/${unkept.cloud.subscription}/resourceGroups/shop?api-version=2024-03-01`, {
    location: "westeurope",
  });
  expect(readdirSync(path.join(unkept.folder, "cloud"))).toEqual(["ca.pem"]);
  await unkept.close();
});
