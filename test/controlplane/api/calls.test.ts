// The control plane's other calls: reading, following and signalling rollouts, locking an app, recovery and health.
// release-calls.test.ts has the call that starts a rollout; security.test.ts and fuzz.test.ts have hostile callers.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { describe, expect, test } from "vitest";
import { incidentKey } from "../../../engines/remediation/targets.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import type { BallastError } from "../../../errors/catalogue.ts";
import { journalChainBroken, journalFactUnknown } from "../../../errors/journal.ts";
import { brokenJournal } from "../../support/controlplane/broken-journals.ts";
import { body, intent, path, rejected, servicesForTests, stream } from "../../support/controlplane/service.ts";
import { healthy, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";

const { service, token } = servicesForTests();

describe("a rollout", () => {
  test("shows its evidence: none before its first step, none in favour without stable", async () => {
    const shownAfter = async (events: readonly RolloutEvent[]) => {
      const { call, append } = service();
      await append("rollout/shop/storefront/storefront--2", events);
      return (await call("GET", "/rollouts/shop/storefront/storefront--2")).body.evidence;
    };
    const { journal } = await run(healthy);
    const first = journal.findIndex(({ kind }) => kind === "StepPassed");
    expect(await shownAfter(journal.slice(0, 2))).toBeNull();
    expect(await shownAfter(journal.slice(0, first))).toEqual({
      against: expect.closeTo(1, 6),
      againstMax: 20,
      favour: expect.any(Number),
      favourMin: 20,
    });
    expect(await shownAfter(journal)).toMatchObject({ favour: null, againstMax: 20 });
    expect((await shownAfter((await run(sick)).journal)).against).toBeGreaterThan(20);
    expect(await shownAfter((await run({ ...healthy, before: "nothing" })).journal)).toBeNull();
  });

  test("whose journal cannot be trusted is listed apart, and an unreachable database is an error", async () => {
    const { parts, append } = service();
    const broken = stream.replace("0002", "0003");
    for (const to of [stream, broken]) await append(to, rejected);
    const reads = (trouble: BallastError) =>
      service({ journal: brokenJournal(parts.journal, (to) => (to === broken ? trouble : undefined)) });
    for (const trouble of [
      journalChainBroken({ stream: broken, index: 1, why: "its hash is another" }),
      journalFactUnknown({ stream: broken, index: 1, why: "fact.at is missing" }),
    ]) {
      const { status, body: listed } = await reads(trouble).call("GET", "/rollouts");
      expect([status, listed.rollouts.map(({ id }: { id: string }) => id), listed.unreadable]).toEqual([
        200,
        [stream],
        [{ id: broken, error: { id: trouble.id, message: trouble.message, fix: trouble.fix, left: trouble.left } }],
      ]);
    }
    const list = () => Promise.reject(new Error("a bug"));
    expect((await service({ journal: { ...parts.journal, list } }).call("GET", "/rollouts")).status).toBe(500);
  });

  test.each([
    ["app=other", "the app other"],
    ["app=other&resourceGroup=shop", "the app other in shop"],
    ["app=api&resourceGroup=other", "the app api in other"],
    ["resourceGroup=other", "any app in other"],
  ])("of a place that is not managed is refused, not listed as none: %s", async (query, what) => {
    const answered = await service().call("GET", `/rollouts?${query}`);
    expect([answered.status, answered.body.error]).toMatchObject([
      404,
      { id: "target-not-managed", message: `The control plane does not manage ${what}, so the call has no effect.` },
    ]);
  });

  test("of a managed app without any is an empty list, and one that was managed once is still listed", async () => {
    const { call, append } = service();
    for (const query of ["", "?app=api", "?resourceGroup=SHOP", "?app=API&resourceGroup=shop"])
      expect((await call("GET", `/rollouts${query}`)).body.rollouts).toEqual([]);
    await append("rollout/shop/once/once--1", [
      { at: 9000, kind: "Planned", intent: { ...intent, revision: "once--1" }, steps: [100] },
    ]);
    expect((await call("GET", "/rollouts?app=once")).body.rollouts).toHaveLength(1);
  });

  test.each([
    ["target=api", 200],
    ["resourceGroup=SHOP", 200],
    ["target=other", 404],
    ["target=api&resourceGroup=other", 404],
  ])("whose target is named in part is looked for among all that are managed: %s", async (query, status) => {
    const { call } = service({ managedTargets: [incidentKey("app/shop/api")] });
    expect((await call("GET", `/remediations?${query}`)).status).toBe(status);
  });

  test("is listed newest first, shown, and read with its messages", async () => {
    const { call, append } = service();
    await append(stream, rejected);
    await append(stream.replace("0002", "0003"), [
      { at: 9000, kind: "Planned", intent: { ...intent, revision: "api--0000003" }, steps: [100] },
    ]);
    expect(
      (await call("GET", "/rollouts")).body.rollouts.map(({ revision }: { revision: string }) => revision),
    ).toEqual(["api--0000003", "api--0000002"]);
    expect((await call("GET", "/rollouts?resourceGroup=SHOP&app=api")).body.rollouts).toHaveLength(2);
    expect((await call("GET", "/rollouts?resourceGroup=shop&app=api&inFlight=true")).body.rollouts).toHaveLength(1);
    expect(
      (await call("GET", "/rollouts?inFlight=true")).body.rollouts.map(
        ({ revision }: { revision: string }) => revision,
      ),
    ).toEqual(["api--0000003"]);
    expect((await call("GET", path)).body).toMatchObject({ result: "rejected", facts: 4, startedAt: 1000 });
    const { facts } = (await call("GET", `${path}/journal`)).body;
    expect(facts[0]).toMatchObject({ stream, index: 0, process: "test", epoch: 0, event: { kind: "Planned" } });
    expect(facts[0].message).toContain("canary at 5, 25, 50, 100 percent");
  });

  test("that does not exist is not found", async () => {
    const { call } = service();
    for (const [method, to, sent] of [
      ["GET", path],
      ["GET", `${path}/journal`],
      ["GET", `${path}/follow`],
      ["POST", `${path}/signals`, { signal: "abort", message: "x" }],
    ] as const) {
      const { status, body: answered } = await call(method, to, sent);
      expect([status, answered.error.id]).toEqual([404, "stream-unknown"]);
    }
  });

  test("follows a signal with its sender and message, and refuses one that arrives too late", async () => {
    const { call, asked } = service();
    await call("PUT", path, body);
    const paused = await call("POST", `${path}/signals`, { signal: "pause", message: "lunch" });
    expect([paused.status, paused.body]).toEqual([202, { accepted: true, message: "paused by somebody: lunch" }]);
    const again = await call("POST", `${path}/signals`, { signal: "pause", message: "lunch" });
    expect([again.status, again.body.error.id]).toEqual([409, "signal-disregarded"]);
    expect(asked.slice(1)).toEqual(Array(2).fill(`pause ${stream} by somebody: lunch`));
    for (const sent of [
      { signal: "explode", message: "x" },
      { signal: "pause" },
      { signal: "pause", message: "" },
      { signal: "pause", message: "x", by: "root" },
    ]) {
      expect((await call("POST", `${path}/signals`, sent)).body.error.id).toBe("call-malformed");
    }
  });

  test("is followed from any fact on, as facts are written, to its end", async () => {
    const { app, append } = service();
    await append(stream, rejected.slice(0, 2));
    const response = await app.request(`${path}/follow?from=1`, {
      headers: { authorization: `Bearer ${await token()}` },
    });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = linesOf(response);
    expect((await lines.next()).value).toMatchObject({
      index: 1,
      at: 2000,
      kind: "Inspected",
      message: "0 revisions, 1 with traffic",
      isNoteworthy: false,
      process: "test",
      epoch: 0,
    });
    const next = lines.next();
    await append(stream, rejected.slice(2));
    expect((await next).value).toMatchObject({ index: 2, kind: "Aborted", isNoteworthy: true });
    expect((await lines.next()).value).toMatchObject({ index: 3, kind: "Finished" });
    expect((await lines.next()).value).toEqual({
      result: "rejected",
      reason: "revision-missing",
      message: "rejected before any traffic: the revision does not exist",
    });
    expect((await lines.next()).done).toBe(true);
  });

  test("is no longer followed when the service stops", async () => {
    const { app, append, closing } = service();
    await append(stream, rejected.slice(0, 1));
    const lines = linesOf(
      await app.request(`${path}/follow`, { headers: { authorization: `Bearer ${await token()}` } }),
    );
    await lines.next();
    const next = lines.next();
    closing.abort();
    expect((await next).done).toBe(true);
  });

  test("is no longer read when its last follower leaves", async () => {
    const { parts, append } = service();
    await append(stream, rejected.slice(0, 1));
    const waiting = Promise.withResolvers<AbortSignal>();
    const { app } = service({
      journal: {
        ...parts.journal,
        grown: (name, length, cancelled) => {
          waiting.resolve(cancelled);
          return parts.journal.grown(name, length, cancelled);
        },
      },
    });
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0, overrideGlobalObjects: false });
    await once(server, "listening");
    const leave = new AbortController();
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}/follow`, {
      signal: leave.signal,
      headers: { authorization: `Bearer ${await token()}` },
    });
    const lines = linesOf(response);
    expect((await lines.next()).value).toMatchObject({ index: 0 });
    const rest = lines.next().catch(() => "left");
    const cancel = await waiting.promise;
    expect(cancel.aborted).toBe(false);
    leave.abort();
    await rest;
    if (!cancel.aborted) await once(cancel, "abort");
    server.close();
  });
});

/** Parses a stream of lines as they arrive. */
async function* linesOf(response: Response): AsyncGenerator<unknown, void> {
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

describe("a lock", () => {
  test("belongs to one client at a time, for at most two minutes, until it is removed", async () => {
    const { call } = service();
    const first = await call("POST", "/locks/Shop/API", { seconds: 30 });
    expect([first.status, typeof first.body.id, first.body.until > Date.now()]).toEqual([200, "string", true]);
    const second = await call("POST", "/locks/shop/api", { seconds: 30 }, await token({ oid: "another" }));
    expect([second.status, second.body.error.id, second.body.heldBy]).toEqual([409, "target-locked", "somebody"]);
    expect((await call("DELETE", `/locks/shop/api/${first.body.id}`)).status).toBe(204);
    expect((await call("POST", "/locks/shop/api", { seconds: 121 })).body.error.id).toBe("call-malformed");
    expect((await call("POST", "/locks/shop/api", { seconds: 30 }, await token({ oid: "another" }))).status).toBe(200);
  });
});

describe("the service", () => {
  test("recovers on request", async () => {
    expect((await service().call("POST", "/recover")).body).toEqual({ recovered: ["rollout/shop/api/left-behind"] });
  });

  test("reports rollouts in flight and its last write, and is unwell when its journal does not answer", async () => {
    const { app, append, parts } = service();
    expect(await (await app.request("/health")).json()).toEqual({
      status: "ok",
      process: "test",
      inFlight: 0,
      overdueSeconds: 0,
      stuck: 0,
      lastWriteAt: null,
      lastWriteSecondsAgo: null,
    });
    await append(stream, rejected.slice(0, 2));
    expect(await (await app.request("/health")).json()).toMatchObject({
      inFlight: 1,
      overdueSeconds: expect.any(Number),
      stuck: 0,
      lastWriteAt: expect.any(Number),
      lastWriteSecondsAgo: expect.any(Number),
    });
    await append(stream, rejected.slice(2));
    expect(await (await app.request("/health")).json()).toMatchObject({ inFlight: 0 });
    const { app: deaf } = service({
      journal: {
        ...parts.journal,
        pulse: async () => {
          throw new Error("password authentication failed");
        },
      },
    });
    const response = await deaf.request("/health");
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.id]).toEqual([503, "journal-unreachable"]);
    expect(text).not.toContain("password");
  });

  test("answers an unknown call, and one that fails inside, without internal details", async () => {
    const { parts } = service();
    const { call, logged } = service({
      journal: {
        ...parts.journal,
        show: async () => {
          throw new Error("secret inside");
        },
      },
    });
    expect((await call("GET", "/nowhere")).body.error.id).toBe("call-route-unknown");
    const failed = await call("GET", path);
    expect([failed.status, failed.body.error.id]).toEqual([500, "call-failed"]);
    expect(failed.text).not.toContain("secret inside");
    expect(JSON.stringify(logged)).toContain("secret inside");
  });
});
