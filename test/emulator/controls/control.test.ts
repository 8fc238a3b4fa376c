// The emulator's own controls: injected faults, the clock and the request log; and the emulator as a child process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";

let at: CloudForTests;
let group: string;
const groups = "api-version=2024-03-01";
const order = (...faults: readonly object[]) => at.ask("POST", "/_emulator/faults", { faults });

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
  await at.settle("PUT", `${group}?${groups}`, { location: "westeurope" });
});
afterAll(() => at.close());

test("a fault acts as often as it says and no more", async () => {
  await order({
    method: "GET",
    path: "/resourceGroups/shop$",
    times: 2,
    status: 429,
    code: "TooManyRequests",
    retryAfterSeconds: 7,
  });
  for (let time = 0; time < 2; time++) {
    const reply = await at.ask("GET", `${group}?${groups}`);
    expect(reply).toMatchObject({ status: 429, body: { error: { code: "TooManyRequests" } } });
    expect(reply.headers["retry-after"]).toBe("7");
  }
  expect((await at.ask("GET", `${group}?${groups}`)).status).toBe(200);
});

test("a request whose answer is lost is carried out", async () => {
  const other = group.replace("shop", "unheard");
  await order({ method: "PUT", path: "unheard", loseAnswer: true });
  await expect(at.ask("PUT", `${other}?${groups}`, { location: "westeurope" })).rejects.toThrow(
    /socket hang up|ECONNRESET/,
  );
  expect((await at.ask("GET", `${other}?${groups}`)).status).toBe(200);
  const { body } = await at.ask("GET", "/_emulator/requests");
  expect(body.requests).toContainEqual(
    expect.objectContaining({ method: "PUT", path: other, status: 201, answered: false }),
  );
});

test("a fault without a path, or with an unknown field, is refused", async () => {
  expect((await order({ status: 500 })).status).toBe(400);
  expect((await order({ path: "x", tiems: 3 })).body.error.message).toContain("tiems");
});

test("the clock stands at the time that was set, until it is released", async () => {
  await at.ask("POST", "/_emulator/clock", { at: "2030-01-01T00:00:00Z" });
  expect((await at.ask("GET", "/_emulator/clock")).body).toEqual({
    at: "2030-01-01T00:00:00.000Z",
    milliseconds: Date.parse("2030-01-01T00:00:00Z"),
    stopped: true,
    rate: 0,
  });
  expect((await at.ask("PUT", `${group}?${groups}`, { location: "westeurope" })).body.systemData.lastModifiedAt).toBe(
    "2030-01-01T00:00:00.000Z",
  );
  await at.ask("POST", "/_emulator/clock", { at: null });
  expect((await at.ask("GET", "/_emulator/clock")).body.stopped).toBe(false);
});

test("the clock runs fast from a time, advances, and refuses what is no time", async () => {
  await at.ask("POST", "/_emulator/clock", { at: "2030-01-01T00:00:00Z", rate: 3600 });
  const start = Date.parse("2030-01-01T00:00:00Z");
  await expect
    .poll(async () => (await at.ask("GET", "/_emulator/clock")).body.milliseconds - start)
    .toBeGreaterThan(60_000);
  const before = (await at.ask("GET", "/_emulator/clock")).body;
  const after = (await at.ask("POST", "/_emulator/clock", { advanceSeconds: 86_400 })).body;
  expect(after.milliseconds - before.milliseconds).toBeGreaterThanOrEqual(86_400_000);
  expect(after).toMatchObject({ rate: 3600, stopped: false });
  for (const wrong of [{ at: "soon" }, { rate: -1 }, { rate: 1e9 }, { advanceSeconds: "1h" }])
    expect((await at.ask("POST", "/_emulator/clock", wrong)).status).toBe(400);
  await at.ask("POST", "/_emulator/clock", { at: null });
});

test("the controls refuse everyone without the client's token", async () => {
  expect((await at.ask("GET", "/_emulator/requests", undefined, { token: null })).status).toBe(401);
});

test("the request log shows an app's traffic and no secret", async () => {
  const body = {
    location: "westeurope",
    properties: {
      configuration: {
        secrets: [{ name: "a", value: "hush-hush" }],
        ingress: { traffic: [{ latestRevision: true, weight: 100 }] },
      },
    },
  };
  await at.ask("PUT", `${group}/providers/Microsoft.App/containerApps/logged?api-version=2025-07-01`, body);
  const { body: log } = await at.ask("GET", "/_emulator/requests");
  expect(log.requests.at(-1)).toMatchObject({
    method: "PUT",
    status: 400,
    traffic: [{ latestRevision: true, weight: 100 }],
  });
  expect(JSON.stringify(log)).not.toContain("hush-hush");
});

test("as a child process it describes itself in one line and ends when its input closes", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-cloud-"));
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "../../../emulator/main.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    child.stdin.write(`${JSON.stringify({ images: {}, folder })}\n`);
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const said = JSON.parse(line);
    expect(said).toMatchObject({
      suffix: "ballast.localhost",
      subscription: at.cloud.subscription,
      environment: {
        BALLAST_CONNECT_TO: `ballast.localhost=127.0.0.1:${said.port}`,
        PULUMI_DEBUG_PROVIDERS: `azure-native:${said.providerPort}`,
      },
    });
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
