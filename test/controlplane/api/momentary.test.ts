// A database that does not answer for a moment, as callers meet it: 503 with a time to come again, and a put and a
// follow that outlast the failover of a managed database. Time is virtual; nothing here sleeps.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controlPlane } from "../../../client/control-plane.ts";
import { credentialCalls } from "../../../client/credentials.ts";
import type { Access, CallTime } from "../../../client/requests.ts";
import { isMomentary } from "../../../controlplane/adapters/postgres/momentary.ts";
import { passwordOf } from "../../../controlplane/prepare-database.ts";
import { callPolicy, restBefore } from "../../../engines/retry.ts";
import { journalUnreachable, replicaEnding, signalDisregarded, streamUnknown } from "../../../errors/api.ts";
import { withdraw } from "../../../provider/release/release.ts";
import { envelope } from "../../support/controlplane/fake-control-plane.ts";
import { body, calls, path, rejected, servicesForTests, stream } from "../../support/controlplane/service.ts";

const { service } = servicesForTests();
const failoverSeconds = 150;
const lost = (more: object = {}) => Object.assign(new Error("Connection terminated unexpectedly"), more);

describe("a call while the database does not answer", () => {
  test.each(calls)("of $name is answered 503 with Retry-After", async (one) => {
    const fails = () => Promise.reject(lost());
    const broken = new Proxy({}, { get: () => fails });
    const { call } = service({ journal: broken, claims: broken, streams: broken, pauses: broken } as never);
    const { status, headers, body: answered } = await call(one.method, one.to, one.sent);
    expect([status, headers.get("retry-after"), answered.error.id]).toEqual([503, "2", "journal-unreachable"]);
  });

  test.each([
    ["a refused connection", { code: "ECONNREFUSED" }, true],
    ["a server that ends", { code: "57P01" }, true],
    ["a server that starts", { code: "57P03" }, true],
    ["a standby that is not yet the primary", { code: "25006" }, true],
    ["a deadlock", { code: "40P01" }, true],
    ["too many connections", { code: "53300" }, true],
    ["a transaction in which we stood still", { code: "25P03" }, true],
    ["a transaction that took too long", { code: "25P04" }, true],
    ["a lock of another", { code: "55P03" }, true],
    ["a machine that is down", { code: "EHOSTDOWN" }, true],
    ["a stream that was closed", { code: "ERR_STREAM_WRITE_AFTER_END" }, true],
    ["a full disk", { code: "53100", message: "could not extend file" }, false],
    ["a missing right", { code: "42501", message: "permission denied" }, false],
    ["a bug", { message: "x is not a function" }, false],
  ])("%s passes by itself: %j, %s", (_what, error, passes) =>
    expect(isMomentary(Object.assign(new Error("message" in error ? undefined : "no reason"), error))).toBe(passes),
  );

  test.each([
    ["cannot be reached", () => Promise.reject(new Error("connect ECONNREFUSED 169.254.169.254"))],
    ["gives none", async () => null],
  ])("passes by itself if the identity that signs in %s", async (_what, getToken) => {
    const password = passwordOf({ password: undefined } as never, { getToken });
    expect(isMomentary(await (password as () => Promise<string>)().catch((error: unknown) => error))).toBe(true);
  });

  test("is answered 503 with Retry-After by a replica that ends, and a caller sends it again", async () => {
    const start = () => Promise.reject(replicaEnding());
    const { call, parts } = service();
    const ending = service({ journal: parts.journal, streams: { ...parts.streams, start, signal: start } });
    const put = await ending.call("PUT", path, body);
    expect([put.status, put.headers.get("retry-after"), put.body.error.id]).toEqual([503, "2", "call-replica-ending"]);
    expect((await call("PUT", path, body)).status).toBe(202);
  });
});

test("a rollout that the loop does not know is answered 404 on every path", async () => {
  const { call, append, parts } = service();
  await append(stream, rejected);
  const signal = () => Promise.reject(streamUnknown({ kind: "rollout", stream }));
  const racing = service({ journal: parts.journal, streams: { ...parts.streams, signal } });
  const sent = { signal: "retry", message: "again" };
  expect((await racing.call("POST", `${path}/signals`, sent)).status).toBe(404);
  expect((await call("POST", `${path.replace("0002", "0009")}/signals`, sent)).status).toBe(404);
});

describe("a caller", () => {
  let answers: (to: string, response: ServerResponse) => void;
  const server = createServer((request, response) => {
    request.resume().on("end", () => answers(request.url ?? "", response));
  });
  let endpoint: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A clock that only rests move on. */
  function virtual(): { readonly access: Access; readonly seconds: () => number } {
    let now = 0;
    const time: CallTime = {
      now: () => now,
      rest: async (milliseconds, cancel) => {
        cancel?.throwIfAborted();
        now += milliseconds;
      },
    };
    return { access: { endpoint, token: async () => "a.b.c", time }, seconds: () => now / 1000 };
  }
  const unwell = (response: ServerResponse, headers = {}) =>
    void response
      .writeHead(503, { "content-type": "application/json", "retry-after": "2", ...headers })
      .end(JSON.stringify(envelope(journalUnreachable())));
  const name = { resourceGroup: "Shop", app: "api", revision: "api--0000002" };

  test("puts a release through a failover of 150 s", async () => {
    const { access, seconds } = virtual();
    answers = (_, response) =>
      seconds() < failoverSeconds
        ? unwell(response)
        : void response
            .writeHead(202)
            .end(JSON.stringify({ id: stream, target: { resourceGroup: "Shop", app: "api" } }));
    expect(await controlPlane(access).put(name, body)).toMatchObject({ rollout: { id: stream } });
    expect(seconds()).toBeGreaterThanOrEqual(failoverSeconds);
  });

  test("gives up a put with the control plane's own error once the budget is used up", async () => {
    const { access, seconds } = virtual();
    answers = (_, response) => unwell(response);
    await expect(controlPlane(access).put(name, body)).rejects.toMatchObject({ id: "journal-unreachable" });
    expect(seconds()).toBeGreaterThanOrEqual(failoverSeconds);
    expect(seconds()).toBeLessThanOrEqual(callPolicy.budgetSeconds);
  });

  test("follows a release through a failover of 150 s, and misses nothing", async () => {
    const { access, seconds } = virtual();
    const fact = { index: 0, at: 1, kind: "Planned", message: "m", isNoteworthy: true, process: "p", epoch: 0 };
    let followed = 0;
    answers = (to, response) => {
      followed++;
      if (followed === 1) return void response.writeHead(200).end(`${JSON.stringify(fact)}\n`);
      if (seconds() < failoverSeconds) return unwell(response);
      expect(to).toContain("from=1");
      response
        .writeHead(200)
        .end(`${JSON.stringify({ result: "promoted", reason: "every-step-passed", message: "m" })}\n`);
    };
    const heard: string[] = [];
    for await (const each of controlPlane(access).follow(name)) heard.push(each.kind);
    expect(heard).toEqual(["fact", "broken", "ended"]);
  });

  test("takes a lock through a failover of 150 s, and gives up soon if nothing answers", async () => {
    const { access, seconds } = virtual();
    answers = (_, response) =>
      seconds() < failoverSeconds ? unwell(response) : void response.writeHead(200).end('{"id": "h1", "until": 1}');
    expect(await controlPlane(access).lock({ resourceGroup: "Shop", app: "api" }, 60)).toEqual({ id: "h1", until: 1 });
    const other = virtual();
    answers = (_, response) => void response.writeHead(503).end("no healthy upstream");
    await expect(controlPlane(other.access).lock({ resourceGroup: "Shop", app: "api" }, 60)).rejects.toMatchObject({
      id: "release-control-plane-unreachable",
    });
    expect(other.seconds()).toBeLessThanOrEqual(15);
  });

  test("takes a release's lock while the control plane restarts for 150 s, and gives up with its budget", async () => {
    const { access, seconds } = virtual();
    const gone = (response: ServerResponse): void => void response.writeHead(503).end("no healthy upstream");
    answers = (_, response) =>
      seconds() < failoverSeconds ? gone(response) : void response.writeHead(200).end('{"id": "h1", "until": 1}');
    const lock = (of: typeof access) => controlPlane(of).lock({ resourceGroup: "Shop", app: "api" }, 60, {} as never);
    expect(await lock(access)).toEqual({ id: "h1", until: 1 });
    const other = virtual();
    answers = (_, response) => gone(response);
    await expect(lock(other.access)).rejects.toMatchObject({ id: "release-control-plane-unreachable" });
    expect(other.seconds()).toBeGreaterThan(failoverSeconds);
    expect(other.seconds()).toBeLessThanOrEqual(callPolicy.budgetSeconds);
  });

  test("aborts a release that is deleted during a failover, and waits for its end", async () => {
    const { access, seconds } = virtual();
    const summary = { id: stream, target: { resourceGroup: "Shop", app: "api" }, result: null, facts: 3 };
    const asked: string[] = [];
    answers = (to, response) => {
      const call = to.split("/").at(-1)!.split("?")[0]!;
      if (seconds() < 60) return unwell(response);
      asked.push(call);
      // The signal has been written, and its answer is lost.
      if (call === "signals" && asked.filter((each) => each === call).length === 1) return unwell(response);
      const error = signalDisregarded({ kind: "rollout", why: "abort came too late" });
      if (call === "signals") return void response.writeHead(409).end(JSON.stringify(envelope(error)));
      const end = { result: "rolled-back", reason: "aborted-by-signal", message: "aborted" };
      response.writeHead(200).end(`${JSON.stringify(call === "follow" ? end : summary)}\n`);
    };
    const reported: string[] = [];
    await withdraw(
      name as never,
      {
        controlPlane: controlPlane(access),
        report: (line: string) => reported.push(line),
        warn: (line: string) => reported.push(`warning: ${line}`),
        cancel: new AbortController().signal,
      } as never,
    );
    expect(reported).toEqual(["aborted"]);
    expect(asked).toEqual(["api--0000002", "signals", "signals", "follow"]);
  });

  test("reads and removes a credential of an update through a failover of 150 s", async () => {
    for (const call of ["show", "remove"] as const) {
      const { access, seconds } = virtual();
      answers = (_, response) =>
        seconds() < failoverSeconds ? unwell(response) : void response.writeHead(200).end('{"urls": {}}');
      await credentialCalls(access)[call]({ vault: "kv", credential: "database" }, { persistent: true });
      expect(seconds()).toBeGreaterThanOrEqual(failoverSeconds);
    }
  });

  test("deletes a release while the database does not come back, with a warning", async () => {
    const { access } = virtual();
    answers = (_, response) => unwell(response);
    const warned: string[] = [];
    await withdraw(
      name as never,
      {
        controlPlane: controlPlane(access),
        report: () => undefined,
        warn: (line: string) => warned.push(line),
        cancel: new AbortController().signal,
      } as never,
    );
    expect(warned).toEqual([expect.stringContaining("(journal-unreachable) No rollout was aborted; the deletion")]);
  });

  test("does not send a signal again that may have been written", async () => {
    const { access } = virtual();
    let sent = 0;
    answers = (_, response) => {
      sent++;
      unwell(response);
    };
    await expect(controlPlane(access).signal(name, "pause", "wait")).rejects.toMatchObject({
      id: "journal-unreachable",
    });
    expect(sent).toBe(1);
  });

  test("rests as long as it is asked to, and never beyond its budget", () => {
    const policy = { budgetSeconds: 100, firstRestSeconds: 1, restSecondsMax: 8, backoffRate: 2 };
    expect([1, 2, 3, 4, 5, 50].map((attempt) => restBefore(policy, attempt, 0))).toEqual([1, 2, 4, 8, 8, 8]);
    expect(restBefore(policy, 1, 0, 30)).toBe(30);
    expect(restBefore(policy, 1, 80, 30)).toBeUndefined();
    expect(restBefore(policy, 4, 0, 0, 0)).toBe(4);
  });
});
