// A kept stand-in survives its own death: killed with SIGKILL, in the middle of writes, it is the same cloud when it is started again on
// its folder, for Microsoft's own client that has noticed nothing but an outage, and for files cut off at any byte.
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ContainerApp, ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { ClientSecretCredential } from "@azure/identity";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UnreadableState } from "../../../emulator/persistence/lines-file.ts";
import { openDocuments, openRows, readCharter } from "../../../emulator/persistence/state.ts";
import type { LocalCloud } from "../../../emulator/start.ts";
import { management, rawClient, startCloudForTests, webImage } from "../../support/emulator/cloud.ts";
import { type CloudProcess, startCloudProcess } from "../../support/emulator/cloud-process.ts";
import { eventually } from "../../support/postgres/postgres.ts";

type Said = Omit<LocalCloud, "close">;
let folder: string;
let images: ReturnType<typeof webImage>;
let standIn: CloudProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-revival-"));
  images = webImage(folder);
});
afterEach(async () => {
  await kill();
  standIn = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const cloudFolder = () => path.join(folder, "cloud");

/** Starts the cloud of the folder as a process, each time with the same options. */
async function start(): Promise<Said> {
  if (standIn) return standIn.revive();
  const {
    kill: _kill,
    revive: _revive,
    close: _close,
    ...said
  } = (standIn = await startCloudProcess({ folder: cloudFolder(), images }));
  return said;
}
const kill = async (signal?: NodeJS.Signals): Promise<void> => standIn?.kill(signal);

interface Client extends Awaited<ReturnType<typeof rawClient>> {
  readonly sdk: ContainerAppsAPIClient;
}

/** One client for all lives of the cloud: with the address, the authority, the secret and the token of the first. */
async function clientOf(said: Said): Promise<Client> {
  const raw = await rawClient(said);
  const onTheWay = {
    additionalPolicies: [
      {
        position: "perCall" as const,
        policy: {
          name: "on-the-way",
          sendRequest: (request: any, next: any) => next(Object.assign(request, { agent: raw.agent })),
        },
      },
    ],
  };
  const credential = new ClientSecretCredential(said.tenant, said.client.id, said.client.secret, {
    authorityHost: "https://login.ballast.localhost",
    disableInstanceDiscovery: true,
    ...onTheWay,
  });
  return {
    ...raw,
    sdk: new ContainerAppsAPIClient(credential, said.subscription, {
      endpoint: management,
      apiVersion: "2025-07-01",
      credentials: { scopes: [`${management}/.default`] },
      retryOptions: { maxRetries: 0 },
      ...onTheWay,
    }),
  };
}

const soon = { updateIntervalInMs: 20 };
const host = "teller.local.westeurope.ballast.localhost";

/** Puts what lies around an app: a group, a workspace, and an environment whose request rows go there. */
async function putGround({ ask, sdk }: Client, { subscription }: Said): Promise<void> {
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

const app = ({ subscription }: Said, word: string, more: object = {}): ContainerApp => ({
  location: "westeurope",
  managedEnvironmentId: `/subscriptions/${subscription}/resourceGroups/shop/providers/Microsoft.App/managedEnvironments/local`,
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

/** Everything of an app that a client can see and that no process adds to. */
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

test("after SIGKILL it is the same cloud: port, authority, sign-in, apps with secrets and counters, rows, and its processes", async () => {
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
  await client.ask("POST", "/_standin/clock", { at: "2030-01-02T03:04:05.000Z" });
  const before = await seen(client);
  const rows = (await client.ask("GET", "/_standin/rows")).body.rows as readonly object[];

  await kill();
  const second = await start();
  expect({ ...second, environment: null }).toEqual({ ...first, environment: null });
  expect(second.environment).toEqual(first.environment);
  expect(await seen(client)).toEqual(before);
  expect((await client.ask("GET", "/_standin/clock")).body).toMatchObject({
    at: "2030-01-02T03:04:05.000Z",
    held: true,
  });
  expect(rows.length).toBeGreaterThan(1);
  expect((await client.ask("GET", "/_standin/rows")).body.rows.slice(0, rows.length)).toEqual(rows);
  expect(await answered(client, "teller---canary.local.westeurope.ballast.localhost")).toBe("teller--0000002");
  expect(
    (await client.ask("GET", "https://teller---canary.local.westeurope.ballast.localhost/environment")).body,
  ).toMatchObject({ KEY: "a-secret-value" });
  // A deactivated revision stays down, a suffix stays taken, and the counter goes on.
  expect(
    (await client.ask("GET", "/_standin/processes")).body.processes
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

test("after SIGKILL its jobs go on by their schedules", async () => {
  const said = await start();
  const client = await clientOf(said);
  await putGround(client, said);
  const { managedEnvironmentId, location } = app(said, "one");
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
  await client.ask("POST", "/_standin/clock", { at: Date.now() + 60_000 });
  await eventually(async () => {
    for await (const execution of client.sdk.jobsExecutions.list("shop", "minutely"))
      return execution.status === "Running";
    return false;
  }, "an execution");
});

test("ended in good order it is the same cloud too, and its revisions are still active", async () => {
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

test("killed again and again in the middle of writes it keeps every write that was answered, and corrupts nothing", async () => {
  const said = await start();
  const client = await clientOf(said);
  await putGround(client, said);
  await client.sdk.containerApps.createOrUpdate("shop", "teller", app(said, "one"), soon);
  const url = `/subscriptions/${said.subscription}/resourceGroups/shop/providers/Microsoft.App/containerApps/teller?api-version=2025-07-01`;
  let asked = 0;
  let accepted = 0;
  for (const milliseconds of [15, 140, 260, 410, 90]) {
    // Counted from the round's first answer, since the first write of a process may wait for the query parser to be loaded.
    let killed: Promise<void> | undefined;
    for (;;) {
      const reply = await client.ask("PATCH", url, { tags: { write: String(asked + 1) } }).catch(() => undefined);
      if (!reply) break;
      if (reply.status !== 202) continue;
      accepted = asked += 1;
      killed ??= pause(milliseconds).then(() => kill());
    }
    asked += 1; // The one whose answer never came may have been carried out or not.
    await killed;
    await start();
    const { tags, provisioningState } = await eventually(async () => {
      const found = await client.sdk.containerApps.get("shop", "teller");
      return found.provisioningState !== "InProgress" && found;
    }, "the end of the write under way");
    expect(provisioningState).toBe("Succeeded");
    expect([accepted, asked]).toContain(Number(tags?.["write"] ?? 0));
    asked = accepted = Number(tags?.["write"] ?? 0);
  }
  expect(accepted).toBeGreaterThanOrEqual(5);
});

test("an operation that was under way comes to its end under its own name, a deletion too", async () => {
  const said = await start();
  const client = await clientOf(said);
  await putGround(client, said);
  const url = `/subscriptions/${said.subscription}/resourceGroups/shop/providers/Microsoft.App/containerApps/teller?api-version=2025-07-01`;
  const { managedEnvironmentId, configuration, template } = app(said, "one");
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

test("what is kept is for its owner's eyes, and a cloud that is not to be kept writes nothing but its authority's certificate", async () => {
  const said = await start();
  await putGround(await clientOf(said), said);
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

test("documents cut off at any byte are those of one moment, the latest that was written whole", () => {
  const changes = fc.array(fc.dictionary(fc.constantFrom("a", "b", "c"), fc.string(), { maxKeys: 3 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(changes, fc.nat(), fc.nat(), (moments, where, after) => {
      const file = path.join(folder, "documents.jsonl");
      rmSync(file, { force: true });
      const documents = openDocuments(folder);
      const written = [{ bytes: 0, moment: {} as object }];
      for (const moment of moments) {
        documents.keep(Object.entries(moment));
        written.push({ bytes: statSync(file).size, moment });
      }
      documents.close();
      const cut = where % (statSync(file).size + 1);
      truncateSync(file, cut);
      const reopened = openDocuments(folder);
      const latest = written.findLast(({ bytes }) => bytes <= cut)!.moment;
      expect(Object.fromEntries(reopened.found)).toEqual(latest);
      // And it goes on from there.
      reopened.keep([["after", after]]);
      reopened.close();
      const again = openDocuments(folder);
      expect(Object.fromEntries(again.found)).toEqual({ after });
      again.close();
    }),
    { numRuns: 200 },
  );
});

test("a file of many changes is written anew in its course, and a finished line that is no JSON is refused, not skipped", () => {
  const documents = openDocuments(folder);
  for (let count = 0; count < 3000; count += 1)
    documents.keep([
      ["steady", "x".repeat(500)],
      ["counter", { count, text: "y".repeat(500) }],
    ]);
  documents.close();
  expect(statSync(path.join(folder, "documents.jsonl")).size).toBeLessThan(1_200_000);
  const reopened = openDocuments(folder);
  expect(reopened.found.get("counter")).toMatchObject({ count: 2999 });
  reopened.close();
  appendFileSync(path.join(folder, "documents.jsonl"), '{"put":\n{"put":{}}\n');
  expect(() => openDocuments(folder)).toThrow(UnreadableState);
});

test("a charter of another version is refused by name", () => {
  writeFileSync(path.join(folder, "charter.json"), '{"format":99}');
  expect(() => readCharter(folder)).toThrow(/format 99, and this stand-in reads format 1/);
});

test("of the rows the newest are kept, never fewer than the table shows", () => {
  const rows = openRows<number>(folder, 10);
  for (let row = 0; row < 27; row += 1) rows.append(row);
  rows.close();
  const reopened = openRows<number>(folder, 10);
  expect(reopened.found).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
  reopened.forget();
  reopened.append(1);
  reopened.close();
  const again = openRows<number>(folder, 10);
  expect(again.found).toEqual([1]);
  again.close();
});
