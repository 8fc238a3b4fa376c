// Jobs and custom roles on the emulator, by Microsoft's own client if there is one: when a job runs, how its executions
// end, and what a custom role lets an identity do.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import type { ContainerAppsAPIClient, Job } from "@azure/arm-appcontainers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCron } from "../../../emulator/app/cron.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import { sdkClient } from "../../support/emulator/sdk-client.ts";

// A program that fails a given number of times and then prints its environment and succeeds, or never ends.
const tool = `
import fs from "node:fs";
const { FAILURES = "0", HANG, NOTES } = process.env;
console.log(JSON.stringify(process.env));
if (HANG) setInterval(() => undefined, 1000);
else {
  const tries = fs.existsSync(NOTES ?? "") ? Number(fs.readFileSync(NOTES, "utf8")) : 0;
  if (NOTES) fs.writeFileSync(NOTES, String(tries + 1));
  process.exitCode = tries < Number(FAILURES) ? 1 : 0;
}
`;

let at: CloudForTests;
let folder: string;
let sdk: ContainerAppsAPIClient;
let group: string;
let environmentId: string;
const apps = "api-version=2025-07-01";
const authorization = "providers/Microsoft.Authorization";

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "ballast-jobs-"));
  mkdirSync(path.join(folder, "tool"));
  writeFileSync(path.join(folder, "tool", "main.mjs"), tool);
  at = await startCloudForTests({ images: { tool: { folder: path.join(folder, "tool"), entry: "main.mjs" } } });
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/work`;
  environmentId = `${group}/providers/Microsoft.App/managedEnvironments/work`;
  await at.settle("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", `${environmentId}?${apps}`, { location: "westeurope", properties: {} });
  sdk = sdkClient(at.cloud, at.agent);
});
afterAll(async () => {
  await at?.close();
  rmSync(folder, { recursive: true, force: true });
});

const quick = { updateIntervalInMs: 30 };
const jobOf = (
  variables: Record<string, string>,
  configuration: Partial<NonNullable<Job["configuration"]>> = {},
): Job => ({
  location: "westeurope",
  environmentId,
  configuration: { triggerType: "Manual", replicaTimeout: 20, ...configuration },
  template: {
    containers: [
      {
        name: "tool",
        image: "registry.example/tool:1",
        env: Object.entries(variables).map(([name, value]) => ({ name, value })),
      },
    ],
  },
});
const every = (cronExpression: string) => ({
  triggerType: "Schedule",
  scheduleTriggerConfig: { cronExpression, parallelism: 1, replicaCompletionCount: 1 },
});
const put = (name: string, variables: Record<string, string> = {}, configuration: Parameters<typeof jobOf>[1] = {}) =>
  sdk.jobs.createOrUpdate("work", name, jobOf(variables, configuration), quick);
async function executions(job: string) {
  const found = [];
  for await (const each of sdk.jobsExecutions.list("work", job)) found.push(each);
  return found;
}
const ended = (job: string, execution: string) =>
  eventually(
    () => sdk.jobExecution("work", job, execution),
    ({ status }) => status !== "Running",
  );
const setClock = (to: string | null) => at.ask("POST", "/_emulator/clock", { at: to });
const linesOf = async (job: string): Promise<any[]> => (await at.ask("GET", `/_emulator/logs?app=${job}`)).body.lines;

describe("a job", () => {
  test("that a client starts runs to its end, and its execution and its log show that", async () => {
    expect(await put("once", { WORD: "hello" })).toMatchObject({ provisioningState: "Succeeded", name: "once" });
    const started = await sdk.jobs.start("work", "once", quick);
    expect(started.name).toMatch(/^once-[0-9a-f]{7}$/);
    const execution = await ended("once", started.name!);
    expect(execution).toMatchObject({
      status: "Succeeded",
      name: started.name,
      template: { containers: [{ image: "registry.example/tool:1" }] },
    });
    expect(execution.endTime!.getTime()).toBeGreaterThanOrEqual(execution.startTime!.getTime());
    const [line] = await linesOf("once");
    expect(line).toMatchObject({
      revision: started.name,
      json: { WORD: "hello", CONTAINER_APP_JOB_NAME: "once", CONTAINER_APP_JOB_EXECUTION_NAME: started.name },
    });
    expect(line.json.IDENTITY_HEADER).toBeUndefined();
  });

  test("that fails is retried up to its limit, and then its execution has failed", async () => {
    const notes = (name: string) => path.join(folder, name);
    await put("stubborn", { FAILURES: "2", NOTES: notes("a") }, { replicaRetryLimit: 2 });
    expect(await ended("stubborn", (await sdk.jobs.start("work", "stubborn", quick)).name!)).toMatchObject({
      status: "Succeeded",
    });
    await put("hopeless", { FAILURES: "2", NOTES: notes("b") }, { replicaRetryLimit: 1 });
    expect(await ended("hopeless", (await sdk.jobs.start("work", "hopeless", quick)).name!)).toMatchObject({
      status: "Failed",
    });
    expect([readFileSync(notes("a"), "utf8"), readFileSync(notes("b"), "utf8")]).toEqual(["3", "2"]);
  });

  test("that exceeds its timeout is ended and failed, without another try", async () => {
    await put("slow", { HANG: "1" }, { replicaTimeout: 1, replicaRetryLimit: 3 });
    const { name } = await sdk.jobs.start("work", "slow", quick);
    expect(await ended("slow", name!)).toMatchObject({ status: "Failed" });
    expect(await linesOf("slow")).toHaveLength(1);
  });

  test("that a client stops ends without another try, and shows as stopped; its other executions go on", async () => {
    await put("stoppable", { HANG: "1" }, { replicaTimeout: 60, replicaRetryLimit: 3 });
    const { name } = await sdk.jobs.start("work", "stoppable", quick);
    const other = await sdk.jobs.start("work", "stoppable", quick);
    const linesIn = async (run: string) => (await linesOf("stoppable")).filter(({ revision }) => revision === run);
    await eventually(
      () => linesIn(name!),
      (lines) => lines.length === 1,
    );
    const stop = (run: string) =>
      at.ask("POST", `${group}/providers/Microsoft.App/jobs/stoppable/executions/${run}/stop?${apps}`);
    expect((await stop(name!)).status).toBe(200);
    const execution = await ended("stoppable", name!);
    expect(execution).toMatchObject({ status: "Stopped", endTime: expect.any(Date) });
    expect(await linesIn(name!)).toHaveLength(1);
    expect((await sdk.jobExecution("work", "stoppable", other.name!)).status).toBe("Running");
    expect([await stop(name!), await stop("stoppable-unheard")]).toMatchObject([
      { status: 400, body: { error: { code: "EmulatorUnsupported" } } },
      { status: 404, body: { error: { code: "ResourceNotFound" } } },
    ]);
    await sdk.jobs.stopExecution("work", "stoppable", other.name!, quick);
    expect(await ended("stoppable", other.name!)).toMatchObject({ status: "Stopped" });
  });

  test("on a schedule starts once in each minute that it names, and never while the clock stands", async () => {
    await put("minutely", {}, every("* * * * *"));
    await put("hourly", {}, every("15 * * * *"));
    await setClock("2030-01-01T10:00:30Z"); // years at once, and one start each
    await eventually(
      () => executions("hourly"),
      (found) => found.length === 1,
    );
    const { length } = await executions("minutely"); // the real clock may have started it before
    await setClock("2030-01-01T10:01:00Z");
    await eventually(
      () => executions("minutely"),
      (found) => found.length === length + 1,
    );
    expect(await executions("hourly")).toHaveLength(1);
    await setClock("2030-01-01T10:15:59Z"); // fourteen minutes at once are one start too
    await eventually(
      () => executions("hourly"),
      (found) => found.length === 2,
    );
    await ended("hourly", (await executions("hourly"))[1]!.name!);
    expect(await executions("minutely")).toHaveLength(length + 2);
    await setClock(null);
  });

  test("never shows its secrets and passes them to its containers", async () => {
    const wanted = jobOf({}, { secrets: [{ name: "key", value: "hush" }] });
    wanted.template!.containers![0]!.env = [{ name: "KEY", secretRef: "key" }];
    await sdk.jobs.createOrUpdate("work", "secretive", wanted, quick);
    expect(
      JSON.stringify((await at.ask("GET", `${group}/providers/Microsoft.App/jobs/secretive?${apps}`)).body),
    ).not.toContain("hush");
    await ended("secretive", (await sdk.jobs.start("work", "secretive", quick)).name!);
    expect((await linesOf("secretive"))[0].json.KEY).toBe("hush");
  });

  test("ends its executions when it is deleted, and its environment cannot be deleted before it", async () => {
    await put("endless", { HANG: "1" });
    await sdk.jobs.start("work", "endless", quick);
    const processes = async () =>
      ((await at.ask("GET", "/_emulator/processes")).body.processes as any[]).filter(({ app }) => app === "endless");
    await eventually(processes, (found) => found.length === 1);
    expect((await at.settle("DELETE", `${environmentId}?${apps}`)).body.error.code).toBe("ManagedEnvironmentNotEmpty");
    await sdk.jobs.delete("work", "endless", quick);
    await eventually(processes, (found) => found.length === 0);
    await expect(sdk.jobs.get("work", "endless")).rejects.toMatchObject({ statusCode: 404 });
  });

  test.each<[string, Parameters<typeof jobOf>[1], string]>([
    ["an expression that is no cron", every("every minute"), "JobInvalidCronExpression"],
    ["a schedule without an expression", { triggerType: "Schedule" }, "JobScheduleRequired"],
    ["a start by events, which the emulator does not do", { triggerType: "Event" }, "EmulatorUnsupported"],
    [
      "several replicas at once, which the emulator does not run",
      { manualTriggerConfig: { parallelism: 2 } },
      "EmulatorUnsupported",
    ],
  ])("is refused with %s", async (_, configuration, code) => {
    await expect(put("refused", {}, configuration)).rejects.toMatchObject({ code });
    await expect(sdk.jobs.get("work", "refused")).rejects.toMatchObject({ statusCode: 404 });
  });
});

test.each([
  ["* * * * *", "2030-01-01T10:01:00Z", true],
  ["*/15 * * * *", "2030-01-01T10:45:00Z", true],
  ["*/15 * * * *", "2030-01-01T10:46:00Z", false],
  ["5/20 8-17 * * *", "2030-01-01T17:25:00Z", true],
  ["5/20 8-17 * * *", "2030-01-01T18:25:00Z", false],
  ["0 0 13 * 5", "2030-09-13T00:00:00Z", true],
  ["0 0 13 * 5", "2030-09-06T00:00:00Z", true], // a Friday that is no 13th: either will do
  ["0 0 13 * 5", "2030-09-07T00:00:00Z", false],
  ["0 6 * 1,7 7", "2030-07-07T06:00:00Z", true],
])("the expression %s means %s: %s", (expression, moment, due) =>
  expect(parseCron(expression)(Date.parse(moment))).toBe(due),
);

test.each(["", "* * * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "@daily", "* * * JAN *"])(
  "'%s' is no cron expression",
  (expression) => expect(() => parseCron(expression)).toThrow("five fields"),
);

describe("a custom role", () => {
  const idFor = (name: string): string =>
    `/subscriptions/${at.cloud.subscription}/${authorization}/roleDefinitions/${name}`;
  const define = (name: string, actions: readonly string[], roleName = name, more: object = {}) =>
    at.ask("PUT", `${group}/${authorization}/roleDefinitions/${name}?api-version=2022-04-01`, {
      properties: { roleName, permissions: [{ actions }], assignableScopes: [group], ...more },
    });
  const makeIdentity = async (name: string): Promise<any> =>
    (
      await at.ask(
        "PUT",
        `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}?api-version=2023-01-31`,
        { location: "westeurope" },
      )
    ).body;
  const assign = (principalId: string, role: string, scope: string) =>
    at.ask("PUT", `${scope}/${authorization}/roleAssignments/${crypto.randomUUID()}?api-version=2022-04-01`, {
      properties: { principalId, roleDefinitionId: idFor(role) },
    });
  /** Runs a job with this identity that gets a token. */
  async function tokenOf(identity: any): Promise<string> {
    const name = `${identity.name}-job`;
    await at.settle("PUT", `${group}/providers/Microsoft.App/jobs/${name}?${apps}`, {
      location: "westeurope",
      identity: { type: "UserAssigned", userAssignedIdentities: { [identity.id]: {} } },
      properties: {
        environmentId,
        configuration: { triggerType: "Manual", replicaTimeout: 20 },
        template: { containers: [{ name: "tool", image: "tool:1" }] },
      },
    });
    await sdk.jobs.start("work", name, quick);
    const [{ json }] = (await eventually(
      () => linesOf(name),
      (lines) => lines.length > 0,
    )) as [any];
    const { clientId } = identity.properties;
    const reply = await fetch(
      `${json.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://management.azure.com&client_id=${clientId}`,
      { headers: { "X-IDENTITY-HEADER": json.IDENTITY_HEADER } },
    );
    return ((await reply.json()) as any).access_token;
  }

  test("permits its actions where it is assigned, follows its definition, and permits no others", async () => {
    const role = crypto.randomUUID();
    const identity = await makeIdentity("limited");
    const token = await tokenOf(identity);
    await put("watched");
    const job = `${group}/providers/Microsoft.App/jobs/watched`;
    const status = async (method: string, to: string, body?: object) =>
      (await at.ask(method, `${to}?${apps}`, body, { token })).status;
    expect((await define(role, ["Microsoft.App/jobs/read"])).body).toMatchObject({
      id: idFor(role),
      name: role,
      properties: { type: "CustomRole", permissions: [{ actions: ["Microsoft.App/jobs/read"], notActions: [] }] },
    });
    expect(await status("GET", job)).toBe(403);
    expect((await assign(identity.properties.principalId, role, job)).status).toBe(201);
    expect([
      await status("GET", job),
      await status("GET", `${job}/executions`),
      await status("POST", `${job}/start`, {}),
      await status("DELETE", job),
      await status("GET", `${group}/providers/Microsoft.App/jobs/once`),
    ]).toEqual([200, 403, 403, 403, 403]);
    await define(role, ["Microsoft.App/jobs/read", "Microsoft.App/jobs/start/action"]);
    expect([await status("POST", `${job}/start`, {}), await status("POST", `${job}/stop`, {})]).toEqual([200, 403]);
    // Azure names the rights to one execution otherwise than its path.
    const one = `${job}/executions/unheard`;
    await define(role, ["Microsoft.App/jobs/executions/*", "Microsoft.App/jobs/stop/action"]);
    expect([await status("GET", one), await status("POST", `${one}/stop`)]).toEqual([403, 403]);
    await define(role, ["Microsoft.App/jobs/execution/read", "Microsoft.App/jobs/stop/execution/action"]);
    expect([
      await status("GET", one),
      await status("POST", `${one}/stop`),
      await status("GET", `${job}/executions`),
    ]).toEqual([404, 404, 403]);
  });

  test("is read and deleted by its id, but not deleted while it is assigned", async () => {
    const role = crypto.randomUUID();
    const { properties } = await makeIdentity("holder");
    await define(role, ["*/read"]);
    const { body } = await assign(properties.principalId, role, group);
    const at2022 = "api-version=2022-05-01-preview";
    expect((await at.ask("DELETE", `${idFor(role)}?${at2022}`)).body.error.code).toBe("RoleDefinitionHasAssignments");
    await at.ask("DELETE", `${body.id}?api-version=2022-04-01`);
    expect([
      (await at.ask("DELETE", `${idFor(role)}?${at2022}`)).status,
      (await at.ask("GET", `${idFor(role)}?${at2022}`)).status,
    ]).toEqual([200, 404]);
  });

  test("has a unique name, and can be assigned at its scopes only", async () => {
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const { properties } = await makeIdentity("wanderer");
    expect((await define(one, ["*/read"], "Reader of all")).status).toBe(201);
    expect((await define(one, ["*"], "Reader of all")).status).toBe(200);
    expect((await define(other, ["*/read"], "reader of ALL")).body.error.code).toBe("RoleDefinitionWithSameNameExists");
    expect(
      (await define(other, ["*/read"], "Reader of nowhere", { assignableScopes: [`${group}-not-there`] })).body.error
        .code,
    ).toBe("ResourceGroupNotFound");
    expect((await assign(properties.principalId, one, `/subscriptions/${at.cloud.subscription}`)).body.error.code).toBe(
      "RoleAssignmentScopeNotAssignableToRoleDefinition",
    );
  });
});
