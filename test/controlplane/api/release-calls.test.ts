// The call that starts a rollout: which bodies it accepts, what it answers the first time and again, and when it
// refuses. A refused call starts nothing. security.test.ts and fuzz.test.ts have hostile callers.
import { describe, expect, test } from "vitest";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { fold } from "../../../engines/engine.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { AppView, RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { claimTargetHeld } from "../../../errors/claims.ts";
import {
  body,
  intent,
  path,
  rejected,
  type Service,
  servicesForTests,
  stream,
} from "../../support/controlplane/service.ts";

const { service, token } = servicesForTests();

describe("a body", () => {
  const bad: Readonly<Record<string, readonly [sent: unknown, status: number, id: string, words: string]>> = {
    "larger than 64 kB": [{ ...body, release: "x".repeat(70_000) }, 413, "call-too-large", "64 kB"],
    "that is not JSON": ["{", 400, "call-malformed", "not JSON"],
    "that is no object": [[], 400, "call-malformed", "must be an object"],
    "that is missing": [undefined, 400, "call-malformed", "must be an object"],
    "with an unknown field": [{ ...body, wait: true }, 400, "call-malformed", '"wait"'],
    "with an unknown limit": [
      { ...body, thresholds: { ...defaultThresholds, failurePointMax: 2 } },
      400,
      "call-malformed",
      '"failurePointMax"',
    ],
    "without a limit": [
      { ...body, thresholds: { ...defaultThresholds, ceilingPercent: undefined } },
      400,
      "call-malformed",
      "thresholds.ceilingPercent",
    ],
    "with a number as text": [
      { ...body, strategy: { ...defaultStrategy, bakeSeconds: "300" } },
      400,
      "call-malformed",
      "strategy.bakeSeconds",
    ],
    "with a dryRun that is not whole": [
      { ...body, dryRun: { failurePointsMax: 1 } },
      400,
      "call-malformed",
      "dryRun.oddsTolerated",
    ],
    "with a dryRun that makes no sense": [
      { ...body, dryRun: { ...defaultThresholds, ceilingPercent: 1 } },
      400,
      "call-malformed",
      "dryRun: failurePointsMax (1) must be below",
    ],
    "with weights as text": [
      { ...body, strategy: { ...defaultStrategy, weights: ["5"] } },
      400,
      "call-malformed",
      "strategy.weights",
    ],
    "with weights that go down": [
      { ...body, strategy: { ...defaultStrategy, weights: [50, 25] } },
      400,
      "call-malformed",
      "must be above the one before",
    ],
    "with a forged line": [{ ...body, release: "good\nPlanned by another person" }, 400, "call-malformed", "release"],
    "with a probe path elsewhere": [
      { ...body, probePath: "https://elsewhere.example/" },
      400,
      "call-malformed",
      "probePath",
    ],
    "with a secret in a probe's header": [
      { ...body, probe: { headers: [{ name: "Authorization", value: "Bearer x" }] } },
      400,
      "call-malformed",
      "would put a secret into the journal",
    ],
    ...Object.fromEntries(
      ["Cookie", "X-Api-Key", "x-functions-key", "Ocp-Apim-Subscription-Key", "X-Auth-Token"].map((name) => [
        `with a secret in the header ${name}`,
        [
          { ...body, probe: { headers: [{ name, value: "x" }] } },
          400,
          "call-malformed",
          "would put a secret into the journal",
        ] as const,
      ]),
    ),
    "with another Host for probes": [
      { ...body, probe: { headers: [{ name: "Host", value: "www.example.org" }] } },
      400,
      "call-malformed",
      "cannot be set",
    ],
    "with a gate before its first step": [
      { ...body, gate: { beforePercent: 5, expiresSeconds: 60 } },
      400,
      "call-malformed",
      "must be above the first weight",
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
      if (status !== 400 || typeof sent !== "object") return;
      // A `pulumi up` that would put it gets no lock, so that it makes no revision that nothing could release.
      const locked = await call("POST", "/locks/shop/api", { seconds: 30, next: { kind: "rollout", body: sent } });
      expect([locked.status, locked.body.error.id]).toEqual([400, "call-malformed"]);
      expect(locked.body.error.message).toContain(words);
      expect((await call("POST", "/locks/shop/api", { seconds: 30 }, await token({ oid: "other" }))).status).toBe(200);
    });
  }

  test("that is good gives its caller the lock before; one of an unknown kind does not", async () => {
    const { call, asked } = service();
    const lock = (kind: string) => call("POST", "/locks/shop/api", { seconds: 30, next: { kind, body } });
    const unknown = await lock("blue-green");
    expect([unknown.status, unknown.body.error.message]).toEqual([
      400,
      expect.stringContaining('next.kind is "blue-green", which this control plane does not carry out'),
    ]);
    expect((await lock("rollout")).status).toBe(200);
    expect(asked).toEqual([]);
  });

  test("that is streamed without a length is cut off at 64 kB too", async () => {
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
  test("is started once, and a repeated call shows its present state", async () => {
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

  test.each([
    ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"],
    ["00-4bf92f3577b34da6a3ce929d0e0e4736", null],
    ["", null],
  ])("with the header traceparent %j has the trace %j in its journal", async (traceparent, trace) => {
    const { call, parts } = service();
    const { body: shown } = await call("PUT", path, body, undefined, { traceparent });
    const [first] = await parts.journal.read(stream);
    const event = first!.event as RolloutEvent;
    expect(shown.trace).toBe(trace);
    expect(event.kind === "Planned" && event.intent.trace).toBe(trace ?? undefined);
  });

  test("keeps its dry-run thresholds in its journal, if it has any", async () => {
    const {
      call,
      parts: { journal },
    } = service();
    const dryRun = { ...defaultThresholds, failurePointsMax: 0.5 };
    await call("PUT", path, { ...body, dryRun });
    expect((await journal.read(stream))[0]!.event).toMatchObject({ kind: "Planned", intent: { dryRun } });
    const {
      call: plain,
      parts: { journal: other },
    } = service();
    await plain("PUT", path, body);
    expect((await other.read(stream))[0]!.event).not.toHaveProperty("intent.dryRun");
  });

  test("that has finished answers at once with its result", async () => {
    const { call, append, asked } = service();
    await append(stream, rejected);
    const answered = await call("PUT", path, body);
    expect([answered.status, answered.body.result, answered.body.phase]).toEqual([200, "rejected", "finished"]);
    expect(answered.body.message).toBe("rejected before any traffic: the revision does not exist");
    expect(asked).toEqual([]);
  });

  test.each([
    ["stands answers with its end", "stands", 200, undefined],
    ["no longer stands begins again", "again", 202, undefined],
    ["was undone on purpose is refused", { why: "a remediation returned it" }, 409, "stream-overtaken"],
  ] as const)("that has finished and %s", async (_title, standing, status, id) => {
    const { call, append, asked } = service({ standing: async (of) => (of === stream ? standing : "stands") });
    await append(stream, rejected);
    const answered = await call("PUT", path, body);
    expect([answered.status, answered.body.error?.id]).toEqual([status, id]);
    expect(asked).toEqual(status === 202 ? [`start ${stream}`] : []);
    if (status === 202) expect(answered.body).toMatchObject({ phase: "inspecting", attempt: 2, result: null });
  });

  test("of an app outside the managed targets is refused, and nothing is started", async () => {
    const { call, asked, append } = service();
    for (const to of ["/rollouts/shop/other/other--0000002", "/rollouts/elsewhere/api/api--0000002"]) {
      const { status, body: answered } = await call("PUT", to, body);
      expect([status, answered.error.id]).toEqual([404, "target-not-managed"]);
      const [, , resourceGroup, called] = to.split("/");
      expect(answered.error.fix).toContain(
        `add \`{ resourceGroup: "${resourceGroup}", app: "${called}" }\` to \`managedTargets\` of the ControlPlane`,
      );
    }
    const other = { ...intent, target: { resourceGroup: "shop", app: "other" } };
    await append("rollout/shop/other/x", [{ at: 1000, kind: "Planned", intent: other, steps: [5, 100] }]);
    for (const [method, to, sent] of [
      ["POST", "/rollouts/shop/other/x/signals", { signal: "abort", message: "x" }],
      ["POST", "/locks/shop/other", { seconds: 5 }],
      ["DELETE", "/locks/shop/other/1", undefined],
    ] as const) {
      expect((await call(method, to, sent)).body.error.id).toBe("target-not-managed");
    }
    expect(asked).toEqual([]);
  });

  test("with a hostile revision name is refused", async () => {
    const { call, asked } = service();
    for (const name of ["a%27%20or%201%3D1", "..%2Fx", "api--1%0Aforged"])
      expect((await call("PUT", `/rollouts/shop/api/${name}`, body)).status).toBe(400);
    expect(asked).toEqual([]);
  });

  const eventsOf = async ({ parts }: Service) =>
    (await parts.journal.read(stream)).map(({ event }) => event as RolloutEvent);
  const watched: readonly RolloutEvent[] = [
    rejected[0]!,
    rejected[1]!,
    { at: 2000, kind: "Started", stable: "api--0000001", activate: false },
    { at: 3000, kind: "SmokePassed" },
  ];
  const viewWith = (templateHash: string): AppView => ({
    weights: [{ revision: "api--0000001", percent: 100 }],
    revisions: [
      { name: "api--0000001", templateHash: "one" },
      { name: "api--0000002", templateHash: "two" },
      { name: "api--0000003", templateHash },
    ].map((revision) => ({ ...revision, active: true, running: "Running", health: "Healthy" })),
  });
  /** Hands the loop's answer about the other revision to the engine, as the control loop would. */
  const inspect = async (opened: Service, view: AppView): Promise<void> => {
    const outcome = { kind: "Outcome", of: "Inspect", at: 9000, found: { ok: true, value: view } } as const;
    await opened.append(stream, rollout.decide(fold(rollout, await eventsOf(opened)), outcome));
  };

  test("is refused while another of the same app is in flight, once that one has seen its template", async () => {
    const opened = service();
    const { call, asked, append } = opened;
    await append(stream, watched);
    const other = path.replace("0002", "0003");
    for (const _again of [1, 2]) {
      const second = await call("PUT", other, { ...body, release: "hash-of-3" });
      expect([second.status, second.body.error.id, second.headers.get("retry-after")]).toEqual([
        409,
        "stream-in-flight",
        "2",
      ]);
    }
    expect(asked).toEqual([`compare ${stream} by somebody: release hash-of-3 is requested`]);
    await inspect(opened, viewWith("three"));
    const effect = rollout.react(fold(rollout, await eventsOf(opened)));
    expect(effect).toMatchObject({ kind: "Deactivate", revision: "api--0000003" });
    await append(stream, [{ at: 9500, kind: "Deactivated" }]);
    const refused = await call("PUT", other, { ...body, release: "hash-of-3" });
    expect([refused.status, refused.body.error.id, refused.headers.get("retry-after")]).toEqual([
      409,
      "stream-in-flight",
      null,
    ]);
    expect((await call("GET", path)).body.result).toBeNull();
  });

  test("takes back the one in flight if it has stable's template, and waits until that has ended", async () => {
    const opened = service();
    const { call, append } = opened;
    await append(stream, watched);
    const other = path.replace("0002", "0003");
    await call("PUT", other, body);
    await inspect(opened, viewWith("one"));
    const again = await call("PUT", other, body);
    expect([again.status, again.headers.get("retry-after")]).toEqual([409, "2"]);
    expect((await call("GET", path)).body.message).toContain("taken back by somebody");
  });

  test("supersedes the one in flight on request, which receives one signal and returns its traffic", async () => {
    const { call, asked, append } = service();
    const weights = [
      { revision: "api--0000001", percent: 95 },
      { revision: "api--0000002", percent: 5 },
    ];
    await append(stream, [...watched, { at: 4000, kind: "TrafficShifted", weights }]);
    for (const _again of [1, 2]) {
      const second = await call("PUT", path.replace("0002", "0003"), {
        ...body,
        release: "hash-of-3",
        whenInFlight: "supersede",
      });
      expect([second.status, second.body.error.id, second.headers.get("retry-after")]).toEqual([
        409,
        "stream-in-flight",
        "2",
      ]);
    }
    expect(asked).toEqual([`supersede ${stream} by somebody: release hash-of-3 replaces it`]);
    expect((await call("GET", path)).body).toMatchObject({ phase: "reverting", percent: 5, result: null });
  });

  test("reads only the newest facts of the one in flight when it is asked again", async () => {
    const known: number[] = [];
    const { parts } = service();
    const { read } = parts.journal;
    const journal: Journal = {
      ...parts.journal,
      read: async (name, before = []) => {
        known.push(before.length);
        return read(name, before);
      },
    };
    const { call, append } = service({ journal });
    await append(stream, watched);
    const again = { ...body, release: "hash-of-3" };
    known.length = 0;
    for (let asks = 0; asks < 3; asks++)
      expect((await call("PUT", path.replace("0002", "0003"), again)).status).toBe(409);
    expect(known).toEqual([0, watched.length, watched.length]);
  });

  test("is asked to retry while the finished one before it still holds the app", async () => {
    const { parts } = service();
    const { call } = service({
      streams: {
        ...parts.streams,
        start: async () => {
          throw claimTargetHeld({ stream, heldBy: "rollout/shop/api/api--0000001" });
        },
      },
    });
    const { status, headers, body: answered } = await call("PUT", path, body);
    expect([status, headers.get("retry-after"), answered.error.id]).toEqual([409, "2", "claim-target-held"]);
  });
});
