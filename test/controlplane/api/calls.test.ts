// The control plane's calls: what lets a caller in, what each call answers, and that nothing happens for one who is
// turned away. Who is let in and what hostile callers send is in functions.security.test.ts and fuzz.test.ts.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultLimits, defaultPace } from "../../../engines/rollout/plan.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { claimTargetHeld } from "../../../errors/claims.ts";
import { journalChainBroken, journalFactUnknown } from "../../../errors/journal.ts";
import {
  body,
  type Issuer,
  intent,
  openService,
  path,
  rejected,
  type Service,
  startIssuer,
  stream,
} from "../../support/controlplane/service.ts";
import { healthy, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

const token: Issuer["token"] = (...how) => issuer.token(...how);
const service = (changes: Partial<Service["parts"]> = {}): Service => openService(issuer, changes);

describe("a body", () => {
  const bad: Readonly<Record<string, readonly [sent: unknown, status: number, id: string, words: string]>> = {
    "larger than 64 kB": [{ ...body, release: "x".repeat(70_000) }, 413, "call-too-large", "64 kB"],
    "that is not JSON": ["{", 400, "call-malformed", "not JSON"],
    "that is no object": [[], 400, "call-malformed", "not an object"],
    "that is missing": [undefined, 400, "call-malformed", "not an object"],
    "with an unknown field": [{ ...body, wait: true }, 400, "call-malformed", '"wait"'],
    "with an unknown limit": [
      { ...body, limits: { ...defaultLimits, failurePointMax: 2 } },
      400,
      "call-malformed",
      '"failurePointMax"',
    ],
    "without a limit": [
      { ...body, limits: { ...defaultLimits, ceilingPercent: undefined } },
      400,
      "call-malformed",
      "limits.ceilingPercent",
    ],
    "with a number as text": [
      { ...body, pace: { ...defaultPace, bakeSeconds: "300" } },
      400,
      "call-malformed",
      "pace.bakeSeconds",
    ],
    "with a shadow that is not whole": [
      { ...body, shadow: { failurePointsMax: 1 } },
      400,
      "call-malformed",
      "shadow.oddsTolerated",
    ],
    "with a shadow that makes no sense": [
      { ...body, shadow: { ...defaultLimits, ceilingPercent: 1 } },
      400,
      "call-malformed",
      "Of the limits in the shadow, failurePointsMax, 1, is not below",
    ],
    "with weights as text": [
      { ...body, pace: { ...defaultPace, weights: ["5"] } },
      400,
      "call-malformed",
      "pace.weights",
    ],
    "with weights that go down": [
      { ...body, pace: { ...defaultPace, weights: [50, 25] } },
      400,
      "call-malformed",
      "only ever gains",
    ],
    "with a forged line": [{ ...body, release: "good\nPlanned by somebody else" }, 400, "call-malformed", "release"],
    "with a probe path elsewhere": [
      { ...body, probePath: "https://elsewhere.example/" },
      400,
      "call-malformed",
      "probePath",
    ],
    "with a gate before its first step": [
      { ...body, gate: { beforePercent: 5, expiresSeconds: 60 } },
      400,
      "call-malformed",
      "not above the first weight",
    ],
    "with a gate without its time": [
      { ...body, gate: { beforePercent: 100 } },
      400,
      "call-malformed",
      "gate.expiresSeconds",
    ],
    "with an unknown choice": [{ ...body, whenInFlight: "replace" }, 400, "call-malformed", "whenInFlight"],
  };
  for (const [what, [sent, status, id, words]] of Object.entries(bad)) {
    test(`${what} is refused with ${status}, and nothing is started`, async () => {
      const { call, asked } = service();
      const answered = await call("PUT", path, sent);
      expect([answered.status, answered.body.error.id]).toEqual([status, id]);
      expect(answered.body.error.message).toContain(words);
      expect(asked).toEqual([]);
    });
  }

  test("that is streamed without a length is cut off at 64 kB all the same", async () => {
    const { app, asked } = service();
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(10_000))),
    });
    const response = await app.request(path, {
      method: "PUT",
      body: endless,
      duplex: "half",
      headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(asked).toEqual([]);
  });
});

describe("a release", () => {
  test("is started once, and shown where it stands when it is put again", async () => {
    const {
      call,
      asked,
      parts: { journal },
    } = service();
    const first = await call("PUT", path, body);
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({
      id: stream,
      target: { resourceGroup: "shop", app: "api" },
      revision: "api--0000002",
      release: "hash-of-2",
      phase: "inspecting",
      percent: 0,
      attempt: 1,
      result: null,
      facts: 1,
    });
    expect((await journal.read(stream))[0]!.event).toMatchObject({
      kind: "Planned",
      intent: { requestedBy: "somebody" },
    });
    expect((await call("PUT", path.toUpperCase().replace("/ROLLOUTS", "/rollouts"), body)).status).toBe(200);
    expect(asked).toEqual([`start ${stream}`]);
  });

  test("keeps its limits in the shadow in its journal, and one that names none has none there", async () => {
    const {
      call,
      parts: { journal },
    } = service();
    const shadow = { ...defaultLimits, failurePointsMax: 0.5 };
    await call("PUT", path, { ...body, shadow });
    expect((await journal.read(stream))[0]!.event).toMatchObject({ kind: "Planned", intent: { shadow } });
    const {
      call: plain,
      parts: { journal: other },
    } = service();
    await plain("PUT", path, body);
    expect((await other.read(stream))[0]!.event).not.toHaveProperty("intent.shadow");
  });

  test("that has finished answers at once with its result", async () => {
    const { call, append, asked } = service();
    await append(stream, rejected);
    const answered = await call("PUT", path, body);
    expect([answered.status, answered.body.result, answered.body.phase]).toEqual([200, "rejected", "finished"]);
    expect(answered.body.sentence).toBe("rejected before any traffic: the platform does not know the revision");
    expect(asked).toEqual([]);
  });

  test("of an app outside the inventory is refused, and nothing is started", async () => {
    const { call, asked } = service();
    for (const to of ["/rollouts/shop/other/other--0000002", "/rollouts/elsewhere/api/api--0000002"]) {
      const { status, body: answered } = await call("PUT", to, body);
      expect([status, answered.error.id]).toEqual([404, "target-not-in-inventory"]);
    }
    for (const [method, to, sent] of [
      ["POST", "/rollouts/shop/other/x/signals", { signal: "abort", reason: "x" }],
      ["POST", "/holds/shop/other", { seconds: 5 }],
      ["DELETE", "/holds/shop/other/1", undefined],
    ] as const) {
      expect((await call(method, to, sent)).body.error.id).toBe("target-not-in-inventory");
    }
    expect(asked).toEqual([]);
  });

  test("with a hostile revision name is refused", async () => {
    const { call, asked } = service();
    for (const name of ["a%27%20or%201%3D1", "..%2Fx", "api--1%0Aforged"])
      expect((await call("PUT", `/rollouts/shop/api/${name}`, body)).status).toBe(400);
    expect(asked).toEqual([]);
  });

  test("is refused while another of the same app is in flight", async () => {
    const { call, asked } = service();
    await call("PUT", path, body);
    const second = await call("PUT", path.replace("0002", "0003"), body);
    expect([second.status, second.body.error.id, second.headers.get("retry-after")]).toEqual([
      409,
      "rollout-in-flight",
      null,
    ]);
    expect(asked).toEqual([`start ${stream}`]);
  });

  test("supersedes the one in flight when asked: that one is told so, once, and gives its traffic back first", async () => {
    const { call, asked, append } = service();
    const weights = [
      { revision: "api--0000001", percent: 95 },
      { revision: "api--0000002", percent: 5 },
    ];
    await append(stream, [
      rejected[0]!,
      rejected[1]!,
      { at: 2000, kind: "Started", stable: "api--0000001", activate: false },
      { at: 3000, kind: "SmokePassed" },
      { at: 4000, kind: "TrafficShifted", weights },
    ]);
    for (const _again of [1, 2]) {
      const second = await call("PUT", path.replace("0002", "0003"), {
        ...body,
        release: "hash-of-3",
        whenInFlight: "supersede",
      });
      expect([second.status, second.body.error.id, second.headers.get("retry-after")]).toEqual([
        409,
        "rollout-in-flight",
        "2",
      ]);
    }
    expect(asked).toEqual([`supersede ${stream} by somebody: release hash-of-3 takes its place`]);
    expect((await call("GET", path)).body).toMatchObject({ phase: "reverting", percent: 5, result: null });
  });

  test("is told to come back while the one before has finished but not let go of the app", async () => {
    const { parts } = service();
    const { call } = service({
      rollouts: {
        ...parts.rollouts,
        start: async () => {
          throw claimTargetHeld({ stream, heldBy: "rollout/shop/api/api--0000001" });
        },
      },
    });
    const { status, headers, body: answered } = await call("PUT", path, body);
    expect([status, headers.get("retry-after"), answered.error.id]).toEqual([409, "2", "claim-target-held"]);
  });
});

describe("a rollout", () => {
  test("shows how far it has come towards either verdict: nothing before its first step, nothing in favour where nobody is left to compare with", async () => {
    const shownAfter = async (events: readonly RolloutEvent[]) => {
      const { call, append } = service();
      await append("rollout/shop/storefront/storefront--2", events);
      return (await call("GET", "/rollouts/shop/storefront/storefront--2")).body.evidence;
    };
    const { journal } = run(healthy);
    const first = journal.findIndex(({ kind }) => kind === "StepPassed");
    expect(await shownAfter(journal.slice(0, 2))).toBeNull();
    expect(await shownAfter(journal.slice(0, first))).toEqual({
      against: expect.closeTo(1, 6),
      againstMax: 20,
      favour: expect.any(Number),
      favourMin: 20,
    });
    expect(await shownAfter(journal)).toMatchObject({ favour: null, againstMax: 20 });
    expect((await shownAfter(run(sick).journal)).against).toBeGreaterThan(20);
    expect(await shownAfter(run({ ...healthy, before: "nothing" }).journal)).toBeNull();
  });

  test("whose journal cannot be believed is named with the reason beside the others, and a database that is away is still an error", async () => {
    const { parts, append } = service();
    const broken = stream.replace("0002", "0003");
    for (const to of [stream, broken]) await append(to, rejected);
    const reads = (trouble: Error) =>
      service({
        journal: {
          ...parts.journal,
          read: async (to) => {
            if (to === broken) throw trouble;
            return parts.journal.read(to);
          },
        },
      });
    for (const trouble of [
      journalChainBroken({ stream: broken, index: 1, why: "its hash is another" }),
      journalFactUnknown({ stream: broken, index: 1, why: "fact.at is not a number" }),
    ]) {
      const { status, body: listed } = await reads(trouble).call("GET", "/rollouts");
      expect([status, listed.rollouts.map(({ id }: { id: string }) => id), listed.unreadable]).toEqual([
        200,
        [stream],
        [{ id: broken, error: { id: trouble.id, message: trouble.message, fix: trouble.fix, left: trouble.left } }],
      ]);
    }
    expect((await reads(new Error("connection lost")).call("GET", "/rollouts")).status).toBe(500);
  });

  test("is listed, shown and read, newest first, with the lines that people read", async () => {
    const { call, append } = service();
    await append(stream, rejected);
    await append(stream.replace("0002", "0003"), [
      { at: 9000, kind: "Planned", intent: { ...intent, revision: "api--0000003" }, steps: [100] },
    ]);
    expect(
      (await call("GET", "/rollouts")).body.rollouts.map(({ revision }: { revision: string }) => revision),
    ).toEqual(["api--0000003", "api--0000002"]);
    expect((await call("GET", "/rollouts?resourceGroup=SHOP&app=api")).body.rollouts).toHaveLength(2);
    expect((await call("GET", "/rollouts?app=other")).body.rollouts).toEqual([]);
    expect(
      (await call("GET", "/rollouts?inFlight=true")).body.rollouts.map(
        ({ revision }: { revision: string }) => revision,
      ),
    ).toEqual(["api--0000003"]);
    expect((await call("GET", path)).body).toMatchObject({ result: "rejected", facts: 4, startedAt: 1000 });
    const { facts } = (await call("GET", `${path}/journal`)).body;
    expect(facts[0]).toMatchObject({ stream, index: 0, process: "test", epoch: 0, event: { kind: "Planned" } });
    expect(facts[0].text).toContain("canary at 5, 25, 50, 100 percent");
  });

  test("that never was is not found", async () => {
    const { call } = service();
    for (const [method, to, sent] of [
      ["GET", path],
      ["GET", `${path}/journal`],
      ["GET", `${path}/follow`],
      ["POST", `${path}/signals`, { signal: "abort", reason: "x" }],
    ] as const) {
      const { status, body: answered } = await call(method, to, sent);
      expect([status, answered.error.id]).toEqual([404, "rollout-unknown"]);
    }
  });

  test("follows a signal with who and why, and refuses one that came too late", async () => {
    const { call, asked } = service();
    await call("PUT", path, body);
    const paused = await call("POST", `${path}/signals`, { signal: "pause", reason: "lunch" });
    expect([paused.status, paused.body]).toEqual([202, { accepted: true, text: "pause by somebody: lunch" }]);
    const again = await call("POST", `${path}/signals`, { signal: "pause", reason: "lunch" });
    expect([again.status, again.body.error.id]).toEqual([409, "signal-disregarded"]);
    expect(asked.slice(1)).toEqual(Array(2).fill(`pause ${stream} by somebody: lunch`));
    for (const sent of [
      { signal: "explode", reason: "x" },
      { signal: "pause" },
      { signal: "pause", reason: "" },
      { signal: "pause", reason: "x", by: "root" },
    ]) {
      expect((await call("POST", `${path}/signals`, sent)).body.error.id).toBe("call-malformed");
    }
  });

  test("is followed from any fact on, as it is written, to its end", async () => {
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
      text: "0 revisions, 1 with traffic",
      isWorthTelling: false,
      process: "test",
      epoch: 0,
    });
    const next = lines.next();
    await append(stream, rejected.slice(2));
    expect((await next).value).toMatchObject({ index: 2, kind: "Aborted", isWorthTelling: true });
    expect((await lines.next()).value).toMatchObject({ index: 3, kind: "Finished" });
    expect((await lines.next()).value).toEqual({
      result: "rejected",
      sentence: "rejected before any traffic: the platform does not know the revision",
    });
    expect((await lines.next()).done).toBe(true);
  });

  test("is not followed any longer when the service stops", async () => {
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

  test("that nobody follows any longer is not read any longer", async () => {
    const { parts, append } = service();
    await append(stream, rejected.slice(0, 1));
    const waiting = Promise.withResolvers<AbortSignal>();
    const { app } = service({
      journal: {
        ...parts.journal,
        grown: (name, length, cancel) => {
          waiting.resolve(cancel);
          return parts.journal.grown(name, length, cancel);
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

/** Parses a stream of lines as they come. */
async function* linesOf(response: Response): AsyncGenerator<unknown, void> {
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

describe("a hold", () => {
  test("is had by one at a time, for two minutes at the most, and given back", async () => {
    const { call } = service();
    const first = await call("POST", "/holds/Shop/API", { seconds: 30 });
    expect([first.status, typeof first.body.id, first.body.until > Date.now()]).toEqual([200, "string", true]);
    const second = await call("POST", "/holds/shop/api", { seconds: 30 }, await token({ oid: "another" }));
    expect([second.status, second.body.error.id, second.body.heldBy]).toEqual([409, "target-held", "somebody"]);
    expect((await call("DELETE", `/holds/shop/api/${first.body.id}`)).status).toBe(204);
    expect((await call("POST", "/holds/shop/api", { seconds: 121 })).body.error.id).toBe("call-malformed");
    expect((await call("POST", "/holds/shop/api", { seconds: 30 }, await token({ oid: "another" }))).status).toBe(200);
  });
});

describe("the service", () => {
  test("sweeps when it is told to", async () => {
    expect((await service().call("POST", "/sweep")).body).toEqual({ takenOver: ["rollout/shop/api/left-behind"] });
  });

  test("says what is in flight and when it last wrote, and is unwell when its journal does not answer", async () => {
    const { app, append, parts } = service();
    expect(await (await app.request("/health")).json()).toEqual({
      status: "ok",
      process: "test",
      inFlight: 0,
      lastWriteAt: null,
      lastWriteSecondsAgo: null,
    });
    await append(stream, rejected.slice(0, 2));
    expect(await (await app.request("/health")).json()).toMatchObject({
      inFlight: 1,
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

  test("answers a call that it does not know, and one that fails inside, without telling its insides", async () => {
    const { parts } = service();
    const { call, logged } = service({
      journal: {
        ...parts.journal,
        read: async () => {
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
