// Injected faults by raw HTTP: what the client sees, and what happens to the resource. Most tests use resource groups;
// those of long-running operations use an app without replicas.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";

let at: CloudForTests;
let group: string;
let environment: string;
const groups = "api-version=2024-03-01";
const apps = "api-version=2025-07-01";
const order = (...faults: readonly object[]) => at.ask("POST", "/_emulator/faults", { faults });
const tag = (url: string, version: string, value: string) =>
  at.ask("PUT", `${url}?${version}`, {
    location: "westeurope",
    tags: { value },
    ...(url === environment ? { properties: {} } : {}),
  });
const tagOf = async (url: string, version: string): Promise<string | undefined> =>
  (await at.ask("GET", `${url}?${version}`)).body.tags?.value;
/** Sends a request and gives up soon, as a client with a short timeout does. */
const impatient = (ask: Promise<unknown>): Promise<unknown> =>
  Promise.race([ask.catch(() => "cut"), new Promise((resolve) => setTimeout(resolve, 150, "silence"))]);

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/faults`;
  environment = `${group}/providers/Microsoft.App/managedEnvironments/env`;
  await at.settle("PUT", `${group}?${groups}`, { location: "westeurope" });
  await at.settle("PUT", `${environment}?${apps}`, {
    location: "westeurope",
    properties: {},
    tags: { value: "first" },
  });
});
afterEach(() => order());
afterAll(() => at.close());

test("lets the first matching requests pass before it acts", async () => {
  await order({ method: "GET", path: "/faults$", after: 2, status: 409, code: "ContainerAppLockConflict" });
  const statuses: number[] = [];
  for (let time = 0; time < 4; time += 1) statuses.push((await at.ask("GET", `${group}?${groups}`)).status);
  expect(statuses).toEqual([200, 200, 409, 200]);
});

test("a request that is never answered is carried out, or with a status it is not", async () => {
  await order(
    { method: "PUT", path: "/faults$", neverAnswer: true },
    { method: "PUT", path: "/faults$", neverAnswer: true, status: 504 },
  );
  expect(await impatient(tag(group, groups, "heard of by nobody"))).toBe("silence");
  expect(await tagOf(group, groups)).toBe("heard of by nobody");
  expect(await impatient(tag(group, groups, "never"))).toBe("silence");
  expect(await tagOf(group, groups)).toBe("heard of by nobody");
  const { requests } = (await at.ask("GET", "/_emulator/requests")).body;
  expect(
    requests
      .filter(({ method, answered }: { method: string; answered: boolean }) => method === "PUT" && !answered)
      .map(({ status }: { status: number }) => status),
  ).toEqual([200, 504]);
});

test("a late write is carried out after its client has given up", async () => {
  await tag(group, groups, "before");
  await order({ method: "PUT", path: "/faults$", lateSeconds: 0.4 });
  expect(await impatient(tag(group, groups, "late"))).toBe("silence");
  expect(await tagOf(group, groups)).toBe("before");
  await eventually(
    () => tagOf(group, groups),
    (value) => value === "late",
    3,
  );
});

test("a late write whose connection was cut is carried out as well", async () => {
  await order({ method: "PUT", path: "/faults$", lateSeconds: 0.2, loseAnswer: true });
  expect(await impatient(tag(group, groups, "late again"))).toBe("cut");
  await eventually(
    () => tagOf(group, groups),
    (value) => value === "late again",
    3,
  );
});

test("an operation fails later with the fault's code, and changes nothing but the state", async () => {
  await order({
    method: "PUT",
    path: "/env$",
    failLater: true,
    code: "RevisionProvisioningFailed",
    message: "Not today.",
  });
  const accepted = await at.ask("PUT", `${environment}?${apps}`, {
    location: "westeurope",
    properties: {},
    tags: { value: "failed" },
  });
  expect(accepted.status).toBe(200);
  const ended = await eventually(
    () => at.ask("GET", String(accepted.headers["azure-asyncoperation"])),
    ({ body }) => body.status !== "InProgress",
  );
  expect(ended.body).toMatchObject({
    status: "Failed",
    error: { code: "RevisionProvisioningFailed", message: "Not today." },
  });
  expect((await at.ask("GET", `${environment}?${apps}`)).body).toMatchObject({
    tags: { value: "first" },
    properties: { provisioningState: "Failed" },
  });
});

test("a forgotten write succeeds and changes nothing", async () => {
  await at.settle("PUT", `${environment}?${apps}`, {
    location: "westeurope",
    properties: {},
    tags: { value: "first" },
  });
  await order({ method: "PUT", path: "/env$", forget: true }, { method: "DELETE", path: "/env$", forget: true });
  expect(
    (
      await at.settle("PUT", `${environment}?${apps}`, {
        location: "westeurope",
        properties: {},
        tags: { value: "forgotten" },
      })
    ).body,
  ).toMatchObject({ status: "Succeeded" });
  expect((await at.ask("GET", `${environment}?${apps}`)).body).toMatchObject({
    tags: { value: "first" },
    properties: { provisioningState: "Succeeded" },
  });
  expect((await at.settle("DELETE", `${environment}?${apps}`)).status).toBe(200);
  expect(await tagOf(environment, apps)).toBe("first");
});

test("a lie repeats a read from before the last write, once; without a write a read is true", async () => {
  await tag(group, groups, "old");
  await order({ path: "/faults$", lie: true });
  expect(await tagOf(group, groups)).toBe("old");
  await tag(group, groups, "new");
  expect([await tagOf(group, groups), await tagOf(group, groups)]).toEqual(["old", "new"]);
});

test("a delayed request is carried out and answered later by its delay", async () => {
  await order({ method: "PUT", path: "/faults$", delaySeconds: 0.3 });
  const put = tag(group, groups, "delayed");
  expect(await impatient(put)).toBe("silence");
  expect((await put).status).toBe(200);
  expect(await tagOf(group, groups)).toBe("delayed");
});

test.each<[string, object, string]>([
  ["a word it does not have", { path: "x", forgett: true }, "forgett"],
  ["a number that is none", { path: "x", times: "twice" }, "times"],
  ["a time before now", { path: "x", lateSeconds: -1 }, "lateSeconds"],
  ["two fields that exclude each other", { path: "x", forget: true, failLater: true }, "failLater or forget"],
  ["a path that is no regular expression", { path: "(" }, "regular expression"],
])("refuses %s by name, and keeps the earlier faults", async (_, fault, says) => {
  await order({ path: "/nothing", status: 500, times: 7 });
  const reply = await order(fault);
  expect([reply.status, reply.body.error.message]).toEqual([400, expect.stringContaining(says)]);
  expect((await at.ask("GET", "/_emulator/faults")).body.faults).toMatchObject([{ path: "/nothing", times: 7 }]);
});
