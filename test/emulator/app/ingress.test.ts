// The ingress and its replicas: which replica gets a request, what comes back, which row is
// written, and which processes survive a death.
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { startLoad } from "../../../emulator/load.ts";
import {
  type ContainerCloud,
  containerCloud,
  domain,
  eventually,
  storefrontApp,
} from "../../support/emulator/container-cloud.ts";

const folder = new URL("../../support/emulator/", import.meta.url).pathname;
const host = `shop.${domain}`;

function moodyApp(variables: Record<string, string> = {}, template: Body = {}): Body {
  const properties = storefrontApp(variables, { template });
  Object.assign(properties["template"].containers[0], {
    image: "moody:1",
    probes: [
      { type: "Liveness", httpGet: { path: "/live", port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
      { type: "Readiness", httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
      { type: "Startup", httpGet: { path: "/live", port: 8080 }, periodSeconds: 1 },
    ],
  });
  return properties;
}

const moodyCloud = (): Promise<ContainerCloud> => containerCloud({ moody: { folder, entry: "moody.mjs" } });
const release = async (c: ContainerCloud, properties: Body): Promise<string> => {
  const revision: string = (await c.apply("shop", properties))["properties"].latestRevisionName;
  const count = properties["template"].scale.minReplicas;
  await eventually(
    () => c.emulator("GET", "processes"),
    ({ processes }) =>
      processes.filter((each: Body) => each["revision"] === revision && each["ready"]).length === count,
  );
  return revision;
};
const shift = (c: ContainerCloud, ...entries: readonly Body[]): Promise<Body> =>
  c.apply("shop", { configuration: { ingress: { traffic: entries } } }, { merge: true });
const processOf = async (c: ContainerCloud): Promise<Body> => (await c.emulator("GET", "processes")).processes[0];
const rows = async (c: ContainerCloud, more = ""): Promise<Body[]> =>
  (await c.emulator("GET", `rows?app=shop${more}`)).rows;
const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("gives each revision its weight, and each revision and label an address whatever its weight", async () => {
  await using c = await containerCloud();
  const [first, second] = [
    await release(c, storefrontApp({ RELEASE: "1" })),
    await release(c, storefrontApp({ RELEASE: "2" })),
  ];
  await shift(c, { revisionName: first, weight: 90 }, { revisionName: second, weight: 10 });
  let canary = 0;
  for (let number = 0; number < 600; number += 1)
    if ((await c.request(host)).headers["x-emulator-revision"] === second) canary += 1;
  // Five standard deviations in both directions; the choice is seeded too.
  expect(canary).toBeGreaterThan(23);
  expect(canary).toBeLessThan(97);
  await shift(c, { revisionName: first, weight: 100 }, { revisionName: second, weight: 0, label: "next" });
  for (const name of [second, "shop---next"])
    expect(JSON.parse((await c.request(`${name}.${domain}`)).text).release).toBe("2");
  expect((await c.request(host)).headers["x-emulator-revision"]).toBe(first);
  expect((await c.request(`shop--nowhere.${domain}`)).status).toBe(503);
  expect((await c.request(`nobody.${domain}`)).status).toBe(404);
});

test("a revision that traffic names gets its weight before it is ready: 503 at once", async () => {
  await using c = await containerCloud();
  const first = await release(c, storefrontApp({ RELEASE: "1" }));
  const second: string = (await c.apply("shop", storefrontApp({ FAULT: "never-ready" })))["properties"]
    .latestRevisionName;
  await shift(c, { revisionName: first, weight: 0 }, { revisionName: second, weight: 100 });
  expect(await c.request(host)).toMatchObject({
    status: 503,
    text: "no healthy upstream",
    headers: { server: "envoy" },
  });
});

test("takes turns among ready replicas and skips one that is not ready", async () => {
  await using c = await moodyCloud();
  await release(c, moodyApp({}, { scale: { minReplicas: 2 } }));
  const replicas = async (): Promise<Set<string>> =>
    new Set(
      await Promise.all(
        Array.from({ length: 6 }, async () => JSON.parse((await c.request(host)).text).replica as string),
      ),
    );
  const both = await replicas();
  expect(both.size).toBe(2);
  await c.request(host, "/tire");
  await eventually(replicas, (found) => found.size === 1);
  // A replica that is not ready is not restarted.
  expect((await c.emulator("GET", "processes")).processes.map((each: Body) => each["restarts"])).toEqual([0, 0]);
});

test("forwards method, path, body and headers, adds a proxy's headers, and streams answers line by line", async () => {
  await using c = await moodyCloud();
  await release(c, moodyApp());
  const echoed = await new Promise<Body>((resolve) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port: c.port,
        path: "/echo?q=1",
        method: "PUT",
        headers: { host, "x-request-id": "mine", "content-type": "text/plain" },
      },
      async (echo) => {
        let received = "";
        for await (const chunk of echo) received += String(chunk);
        resolve(JSON.parse(received) as Body);
      },
    );
    request.write("some ");
    request.end("words");
  });
  expect(echoed).toMatchObject({
    method: "PUT",
    url: "/echo?q=1",
    text: "some words",
    headers: {
      host,
      "x-request-id": "mine",
      "x-forwarded-proto": "https",
      "x-forwarded-for": expect.stringContaining("127.0.0.1"),
    },
  });
  expect(JSON.parse((await c.request(host)).text).headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);

  const response = await new Promise<http.IncomingMessage>(
    (resolve) => void http.get({ host: "127.0.0.1", port: c.port, path: "/stream", headers: { host } }, resolve),
  );
  const [first] = (await once(response, "data")) as [Buffer];
  // The second line is written only on request, so the first cannot have waited for it.
  expect(String(first)).toBe('{"line":1}\n');
  const next = once(response, "data") as Promise<[Buffer]>;
  await c.request(host, "/go-on");
  const [second] = await next;
  expect(String(second)).toBe('{"line":2}\n');
});

test("a failed liveness probe restarts the process, and so does a kill from outside", async () => {
  await using c = await moodyCloud();
  await release(c, moodyApp());
  const before = await processOf(c);
  await c.request(host, "/sicken");
  const after = await eventually(
    () => processOf(c),
    ({ ready, restarts }) => ready && restarts === 1,
  );
  expect(after).toMatchObject({
    replica: before["replica"],
    lastEnd: expect.stringContaining("liveness probe failed 1 times"),
  });
  expect(after["pid"]).not.toBe(before["pid"]);
  expect((await c.emulator("POST", "kill", { app: "shop", signal: "SIGKILL" })).pids).toEqual([after["pid"]]);
  await eventually(
    () => processOf(c),
    ({ ready, restarts }) => ready && restarts === 2,
  );
  expect((await c.request(host)).status).toBe(200);
});

test("a crash shows in the replica: not running while it waits, and one restart more once it runs again", async () => {
  await using c = await moodyCloud();
  const revision = await release(c, moodyApp());
  const replica = async () => {
    const { body } = (await c.child("shop", "GET", "revisions", revision, "replicas"))!;
    const { name, properties } = (body as { value: Body[] }).value[0]!;
    const [{ restartCount, runningState, ready }] = properties.containers;
    return { name, restartCount, runningState, ready };
  };
  const before = await replica();
  expect(before).toMatchObject({ restartCount: 0, runningState: "Running", ready: true });
  await c.emulator("POST", "kill", { app: "shop", signal: "SIGKILL" });
  const seen: Awaited<ReturnType<typeof replica>>[] = [];
  await eventually(
    async () => {
      seen.push(await replica());
      return seen.at(-1)!;
    },
    ({ ready, restartCount }) => ready && restartCount === 1,
  );
  const waiting = seen.filter(({ runningState }) => runningState === "Waiting");
  expect(waiting.length).toBeGreaterThan(0);
  expect(waiting[0]).toEqual({ ...before, runningState: "Waiting", ready: false });
  expect(new Set(seen.map(({ name }) => name))).toEqual(new Set([before.name]));
});

test("a requested restart replaces every process", async () => {
  await using c = await moodyCloud();
  const revision = await release(c, moodyApp());
  const { pid } = await processOf(c);
  await c.child("shop", "POST", "revisions", revision, "restart");
  await eventually(
    () => processOf(c),
    (each) => each["ready"] && each["pid"] !== pid,
  );
  expect(alive(pid)).toBe(false);
});

test("a process that ignores SIGTERM is killed after the grace period", async () => {
  await using c = await moodyCloud();
  const revision = await release(c, moodyApp({ STUBBORN: "1" }, { terminationGracePeriodSeconds: 1 }));
  const { pid } = await processOf(c);
  await c.child("shop", "POST", "revisions", revision, "deactivate");
  await eventually(
    () => alive(pid),
    (still) => !still,
    5,
  );
});

test("no process outlives an emulator that is killed with SIGKILL", async () => {
  const cloud = spawn(
    process.execPath,
    [new URL("../../support/emulator/cloud-to-kill.ts", import.meta.url).pathname],
    { stdio: ["ignore", "pipe", "inherit"], env: { PATH: process.env["PATH"] } },
  );
  const [text] = (await once(cloud.stdout, "data")) as [Buffer];
  const pid = Number(String(text));
  expect(alive(pid)).toBe(true);
  cloud.kill("SIGKILL");
  await eventually(
    () => alive(pid),
    (still) => !still,
    5,
  );
});

test("moving traffic away and deactivating at once costs no request, under load", async () => {
  await using c = await containerCloud();
  const first = await release(c, storefrontApp({ RELEASE: "1" }));
  await shift(c, { revisionName: first, weight: 100 });
  const second = await release(c, storefrontApp({ RELEASE: "2" }, { traffic: [{ revisionName: first, weight: 100 }] }));
  const answered = new Set<string>();
  const load = startLoad(
    { rate: 150, origin: `http://${host}`, connectTo: { host: "127.0.0.1", port: c.port } },
    (line) => {
      if (line.kind === "second") for (const name of Object.keys(line.byRevision)) answered.add(name);
    },
  );
  await eventually(
    () => answered,
    (names) => names.has(first),
  );
  await shift(c, { revisionName: second, weight: 100 });
  await c.child("shop", "POST", "revisions", first, "deactivate");
  await eventually(
    () => answered,
    (names) => names.has(second),
  );
  const summary = await load.stop();
  expect(summary.failed).toBe(0);
  expect(Object.keys(summary.byRevision).sort()).toEqual([first, second].sort());
});

test("writes one row for each finished request, however it ended", async () => {
  await using c = await moodyCloud();
  c.wireLogs();
  const revision = await release(c, moodyApp());
  await c.request(host, "/echo?a=b", { headers: { "x-request-id": "good", "user-agent": "tester" } });
  await c.request(host, "/reset", { headers: { "x-request-id": "reset" } });
  await c
    .request(host, "/silence", { headers: { "x-request-id": "aborted" }, signal: AbortSignal.timeout(200) })
    .catch(() => undefined);
  await c.request(host, "/torn", { headers: { "x-request-id": "torn" } }).catch(() => undefined);
  const found = await eventually(
    () => rows(c),
    (all) => all.length >= 4,
  );
  expect(found.find(({ RequestId }) => RequestId === "good")).toMatchObject({
    ContainerAppName: "shop",
    RevisionName: revision,
    EnvironmentName: "local",
    StatusCode: 200,
    Method: "GET",
    Path: "/echo?a=b",
    Authority: host,
    ResponseCodeDetails: "via_upstream",
    ResponseFlags: "-",
    UpstreamRequestAttemptCount: 1,
    UserAgent: "tester",
    Protocol: "HTTP/1.1",
    ReplicaName: (await processOf(c))["replica"],
    BytesSent: expect.any(Number),
  });
  expect(found.find(({ RequestId }) => RequestId === "reset")).toMatchObject({
    StatusCode: 503,
    ResponseFlags: "UC",
    RevisionName: revision,
  });
  const aborted = found.find(({ RequestId }) => RequestId === "aborted")!;
  expect(aborted).toMatchObject({
    StatusCode: 0,
    ResponseFlags: "DC",
    ResponseCodeDetails: "downstream_remote_disconnect",
    RevisionName: revision,
  });
  expect(aborted["RequestDuration"]).toBeGreaterThanOrEqual(150);
  expect(found.find(({ RequestId }) => RequestId === "torn")).toMatchObject({ StatusCode: 200, ResponseFlags: "UC" });
  expect((await rows(c, "&failed=true")).map(({ RequestId }) => RequestId).sort()).toEqual(["aborted", "reset"]);
  expect((await c.emulator("GET", "logs?app=shop")).lines[0]).toMatchObject({
    app: "shop",
    revision,
    text: "plain words",
    json: null,
  });
});

test("writes no row without a diagnostic setting", async () => {
  await using c = await moodyCloud();
  await release(c, moodyApp());
  expect((await c.request(host)).status).toBe(200);
  c.wireLogs();
  await eventually(
    async () => {
      await c.request(host, "/", { headers: { "x-request-id": "wired" } });
      return rows(c);
    },
    (all) => all.length > 0,
  );
  expect(new Set((await rows(c)).map(({ RequestId }) => RequestId))).toEqual(new Set(["wired"]));
});
