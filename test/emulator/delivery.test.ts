// What the emulator sends by itself: Azure's schedules of retries on the emulator's clock, dead letters, the silence
// after a failed action group, loopback only, and the same queue after SIGKILL.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type CloudForTests, rawClient, startCloudForTests } from "../support/emulator/cloud.ts";
import { startCloudProcess } from "../support/emulator/cloud-process.ts";
import { eventually } from "../support/emulator/container-cloud.ts";

let at: CloudForTests;
let receiver: http.Server;
let to: string;
/** What the receiver answers next; the last one stays. */
let answers: (number | "cut")[] = [];
let received: string[] = [];
const noon = Date.parse("2030-01-01T12:00:00Z");

beforeAll(async () => {
  at = await startCloudForTests();
  receiver = http.createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    received.push(body);
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    if (answer === "cut") request.socket.destroy();
    else response.writeHead(answer).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  to = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  await at?.close();
  receiver?.closeAllConnections();
  receiver?.close();
});
beforeEach(async () => {
  received = [];
  await at.ask("POST", "/_emulator/clock", { at: noon });
});

type Ask = CloudForTests["ask"];
const order = async (more: object, ask: Ask = at.ask): Promise<string> =>
  (await ask("POST", "/_emulator/deliveries", { to, body: "{}", policy: "eventGrid", ...more })).body.id;
const found = async (id: string, ask: Ask = at.ask) =>
  (await ask("GET", "/_emulator/deliveries")).body.deliveries.find((each: { id: string }) => each.id === id);
const settled = (id: string) =>
  eventually(
    () => found(id),
    ({ state }) => state !== "queued" && state !== "sending",
  );

/** Lets the clock go from retry to retry, and gives the seconds between attempts. */
async function secondsBetween(id: string): Promise<readonly number[]> {
  for (let attempts = 1; ; attempts += 1) {
    const { state, attempts: made } = await eventually(
      () => found(id),
      (each) => each.attempts.length >= attempts && each.state !== "sending",
    );
    if (state !== "queued") {
      const times = made.map(({ at: when }: { at: string }) => Date.parse(when));
      return times.slice(1).map((time: number, index: number) => (time - times[index]) / 1000);
    }
    const { due } = (await at.ask("GET", "/_emulator/schedule")).body;
    await at.ask("POST", "/_emulator/clock", { at: due.find(({ key }: { key: string }) => key.endsWith(id)).at });
  }
}

test("an event is tried again by Event Grid's schedule until its day is over, and is a dead letter then", async () => {
  answers = [500];
  const id = await order({ deadLetter: true });
  expect(await secondsBetween(id)).toEqual([10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200]);
  expect(await found(id)).toMatchObject({ state: "dead-lettered", reason: "its 1440 minutes are over" });
});

test.each([400, 401, 403, 404, 413])("an event that is answered with %d is not tried again", async (status) => {
  answers = [status];
  expect(await settled(await order({}))).toMatchObject({ state: "dropped", attempts: [{ status }] });
});

test("a cut connection and a busy receiver, which is left alone for thirty seconds, only delay an event", async () => {
  answers = ["cut", 503, 204];
  const id = await order({ body: '{"event":1}' });
  expect(await secondsBetween(id)).toEqual([10, 30]);
  expect(await found(id)).toMatchObject({
    state: "delivered",
    attempts: [{ status: 0 }, { status: 503 }, { status: 204 }],
  });
  expect(received).toEqual(['{"event":1}', '{"event":1}', '{"event":1}']);
});

test("an action group is tried five more times, and then its receiver gets nothing for fifteen minutes", async () => {
  answers = [503];
  const id = await order({ policy: "actionGroup" });
  expect(await secondsBetween(id)).toEqual([5, 20, 5, 40, 5]);
  answers = [200];
  expect(await settled(await order({ policy: "actionGroup" }))).toMatchObject({ state: "dropped", attempts: [] });
  const { milliseconds } = (await at.ask("GET", "/_emulator/clock")).body;
  await at.ask("POST", "/_emulator/clock", { at: milliseconds + 901_000 });
  expect(await settled(await order({ policy: "actionGroup" }))).toMatchObject({ state: "delivered" });
});

test("an action group's receiver that answers 500 or 401 is not tried again", async () => {
  for (const status of [500, 401]) {
    answers = [status];
    expect(await settled(await order({ to: `${to}?${status}`, policy: "actionGroup" }))).toMatchObject({
      state: "dropped",
      attempts: [{ status }],
    });
  }
});

test("nothing is sent beyond loopback, and the journal shows neither body nor headers", async () => {
  for (const elsewhere of [
    "https://example.com/",
    "http://10.0.0.1/",
    "file:///etc/passwd",
    "http://127.0.0.1.example/",
  ])
    expect(
      await found(await order({ to: elsewhere, body: "s3cret", headers: { authorization: "s3cret" } })),
    ).toMatchObject({
      state: "dropped",
      reason: "the emulator sends to loopback only",
    });
  expect(JSON.stringify((await at.ask("GET", "/_emulator/deliveries")).body)).not.toContain("s3cret");
  expect((await at.ask("POST", "/_emulator/deliveries", { to })).status).toBe(400);
});

test("after SIGKILL the queue is the same, and a delivery whose answer was not seen is sent again", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-delivery-"));
  const emulator = await startCloudProcess({ folder: path.join(folder, "cloud"), images: {} });
  const { ask, agent } = await rawClient(emulator);
  try {
    await ask("POST", "/_emulator/clock", { at: noon });
    answers = [500];
    const later = await order({ body: "later" }, ask);
    await eventually(
      () => found(later, ask),
      ({ state, attempts }) => state === "queued" && attempts.length === 1,
    );
    const held = holdNext();
    const cut = await order({ body: "cut" }, ask);
    await held;
    await emulator.kill();
    answers = [200];
    received = [];
    await emulator.revive();
    await eventually(
      () => found(cut, ask),
      ({ state }) => state === "delivered",
    );
    expect(received).toEqual(["cut"]);
    expect(await found(later, ask)).toMatchObject({ state: "queued", attempts: [{ status: 500 }] });
    await ask("POST", "/_emulator/clock", { at: noon + 10_000 });
    await eventually(
      () => found(later, ask),
      ({ state }) => state === "delivered",
    );
    expect(received).toEqual(["cut", "later"]);
  } finally {
    agent.destroy();
    await emulator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Resolves when the receiver has the next request, which it never answers. */
function holdNext(): Promise<void> {
  const [listener] = receiver.listeners("request") as [(...args: unknown[]) => void];
  receiver.removeAllListeners("request");
  return new Promise((resolve) => {
    receiver.once("request", () => {
      receiver.on("request", listener);
      resolve();
    });
  });
}
