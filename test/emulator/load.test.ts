// The load generator against small servers: what it sends, when, and what it counts as a failure.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type LoadFailure, type LoadSecond, startLoad } from "../../emulator/load.ts";
import { eventually } from "../support/emulator/container-cloud.ts";

async function server(listener: http.RequestListener): Promise<string> {
  const listening = http.createServer(listener).listen(0, "127.0.0.1");
  await once(listening, "listening");
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

test("keeps its rate while nothing is answered, sends each request once, and counts timeouts as failures", async () => {
  const ids: string[] = [];
  const origin = await server((request) => {
    ids.push(String(request.headers["x-request-id"]));
  });
  const failures: LoadFailure[] = [];
  const load = startLoad({ rate: 100, origin, timeoutMilliseconds: 600 }, (line) => {
    if (line.kind === "failure") failures.push(line);
  });
  await eventually(
    () => failures.length,
    (count) => count >= 20,
  );
  const summary = await load.stop();
  // The first requests had waited for 0.6 s then, so a loop that waits for answers would have sent only a few.
  expect(ids.length).toBeGreaterThanOrEqual(60);
  expect(new Set(ids).size).toBe(ids.length);
  expect(summary).toMatchObject({ sent: ids.length, answered: 0, failed: ids.length, outstanding: 0 });
  expect(failures).toHaveLength(ids.length);
  expect(failures.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect(failures.every(({ status, revision }) => status === null && revision === null)).toBe(true);
});

test("reports failures with status and revision, and counts answers by revision for each second", async () => {
  let requests = 0;
  const origin = await server((request, response) => {
    request.resume();
    requests += 1;
    const bad = requests % 10 === 0;
    response.writeHead(bad ? 503 : 200, { "x-emulator-revision": bad ? "shop--2" : "shop--1" }).end("{}");
  });
  const seconds: LoadSecond[] = [];
  const failures: LoadFailure[] = [];
  const load = startLoad(
    { rate: 200, origin, paths: ["/", "/products/5"] },
    (line) => void (line.kind === "second" ? seconds.push(line) : failures.push(line)),
  );
  await eventually(
    () => failures.length,
    (count) => count >= 15,
  );
  const summary = await load.stop();
  expect(failures.every(({ status, revision }) => status === 503 && revision === "shop--2")).toBe(true);
  expect(summary.failed).toBe(failures.length);
  expect(summary.answered + summary.failed).toBe(summary.sent);
  expect(summary.p50Milliseconds).toBeLessThanOrEqual(summary.p95Milliseconds);
  expect(summary.p95Milliseconds).toBeLessThanOrEqual(summary.p99Milliseconds);
  expect(summary.byRevision["shop--1"]?.answered).toBe(summary.answered);
  const sum = (pick: (second: LoadSecond) => number): number =>
    seconds.reduce((total, second) => total + pick(second), 0);
  expect([sum(({ sent }) => sent), sum(({ answered }) => answered)]).toEqual([summary.sent, summary.answered]);
});

test("an incomplete answer is a failure, and its request is not sent again", async () => {
  let requests = 0;
  const origin = await server((_, response) => {
    requests += 1;
    response
      .writeHead(200, { "content-length": "100", "x-emulator-revision": "shop--1" })
      .write("half", () => response.destroy());
  });
  const failures: LoadFailure[] = [];
  const load = startLoad({ rate: 50, origin }, (line) => {
    if (line.kind === "failure") failures.push(line);
  });
  await eventually(
    () => failures.length,
    (count) => count >= 5,
  );
  const summary = await load.stop();
  expect(summary).toMatchObject({ sent: requests, failed: requests, answered: 0 });
  expect(failures[0]).toMatchObject({ status: null, revision: "shop--1" });
});

test("a generator that was stopped for a while leaves out what it missed, reports it, and still ends", async () => {
  const origin = await server((_, response) => response.end("{}"));
  const seconds: LoadSecond[] = [];
  const load = startLoad({ rate: 500, origin }, (line) => {
    if (line.kind === "second") seconds.push(line);
  });
  await eventually(
    () => seconds.length,
    (count) => count >= 1,
  );
  process.kill(load.pid, "SIGSTOP");
  await pause(3000);
  process.kill(load.pid, "SIGCONT");
  await eventually(
    () => seconds.filter(({ skipped }) => skipped > 0).length,
    (count) => count > 0,
  );
  const summary = await load.stop();
  expect(summary.skipped).toBeGreaterThanOrEqual(500);
  expect(summary.answered + summary.failed).toBe(summary.sent);
});

test("each second says how much of the CPU that it wanted the generator missed", async () => {
  const origin = await server((_, response) => response.end("{}"));
  const seconds: LoadSecond[] = [];
  const load = startLoad({ rate: 300, origin }, (line) => {
    if (line.kind === "second") seconds.push(line);
  });
  await eventually(
    () => seconds.length,
    (count) => count >= 2,
  );
  await load.stop();
  for (const { wantedMilliseconds, missedMilliseconds } of seconds.slice(0, 2)) {
    expect(wantedMilliseconds).toBeGreaterThan(0);
    expect(missedMilliseconds).toBeLessThanOrEqual(wantedMilliseconds);
  }
});
