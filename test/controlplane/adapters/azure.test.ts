// The Azure adapters, through the real SDK clients, against the stand-in cloud: what they read, what they write, and what
// they make of conflicts, throttling, failures and answers that are lost on the way.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RestError } from "@azure/core-rest-pipeline";
import type { LogsQueryClient } from "@azure/monitor-query-logs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../../controlplane/adapters/azure/connection.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createRequestRows, requestsQuery } from "../../../controlplane/adapters/azure/request-rows.ts";
import { entriesFor, templateHash, weightsOf } from "../../../controlplane/adapters/azure/traffic.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Apps } from "../../../controlplane/runtime/ports.ts";
import { parseQuery, type Syntax } from "../../../emulator/kql/syntax.ts";
import { bucketOf, durationsOf } from "../../../engines/rollout/judge/durations.ts";
import type { RolloutEffect, Weight } from "../../../engines/rollout/vocabulary.ts";
import { openShop, requestSeconds, type Shop, target } from "../../support/emulator/azure-shop.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const patience = patienceOf(requestSeconds);
const uncut = new AbortController().signal;
const ours = async () => true;
let shop: Shop;
let apps: Apps;
let stable = "";
let canary = "";

beforeAll(async () => {
  shop = await openShop();
  apps = createContainerApps(shop.connection, patience);
  stable = await shop.release("1", [{ latestRevision: true, weight: 100 }]);
  canary = await shop.release("2", [{ revisionName: stable, weight: 100, label: "stable" }]);
});
afterEach(() => shop.fault());
afterAll(() => shop?.close());

const split = (percent: number): readonly Weight[] => [
  { revision: stable, percent: 100 - percent },
  { revision: canary, percent },
];
const shiftTo = (percent: number): Extract<RolloutEffect, { kind: "ShiftTraffic" }> => ({
  kind: "ShiftTraffic",
  target,
  weights: split(percent),
  labels: { stable, canary },
  overrideHold: false,
});
/** Shifts with a fence that counts how often it was asked. */
async function shift(percent: number, allowed = Infinity) {
  let asked = 0;
  await shop.writes();
  const result = await apps.shift(shiftTo(percent), async () => ++asked <= allowed);
  return { result, asked, writes: await shop.writes() };
}
const patch = { method: "PATCH", path: "/containerApps/storefront$" };

describe("an app", () => {
  test("is seen with its weights by revision name and every revision's state", async () => {
    const view = await apps.inspect(target, uncut);
    expect(view).toMatchObject({
      ok: true,
      value: {
        weights: [{ revision: stable, percent: 100 }],
        revisions: [
          { name: stable, active: true, running: "RunningAtMaxScale", health: "Healthy" },
          { name: canary, active: true },
        ],
      },
    });
  });

  test("that does not exist, or that we may not see, is a reason in words with Azure's code", async () => {
    expect(await apps.inspect({ ...target, app: "nowhere" }, uncut)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^404 ResourceNotFound: /),
    });
    await shop.fault({
      path: "/containerApps/",
      status: 403,
      code: "AuthorizationFailed",
      message: "No right. Bearer eyJhbGciOi.eyJzdWIiOi.c2ln was seen.",
      times: 2,
    });
    const refused = await apps.inspect(target, uncut);
    expect(refused).toEqual({ ok: false, reason: expect.stringMatching(/^403 AuthorizationFailed: No right\./) });
    expect(JSON.stringify(refused)).not.toContain("eyJ");
  });

  test("is read in spite of throttling, failures and a lost answer", async () => {
    await shop.fault(
      { path: "/containerApps/storefront$", status: 429, code: "TooManyRequests", retryAfterSeconds: 0 },
      { path: "/containerApps/storefront$", status: 503, code: "ServerBusy" },
      { path: "/containerApps/storefront$", loseAnswer: true },
    );
    expect(await apps.readTraffic(target, uncut)).toEqual({
      ok: true,
      value: { weights: [{ revision: stable, percent: 100 }] },
    });
  });

  test("that nobody answers for is given up in bounded time, and at once when cut short", async () => {
    await shop.fault({ path: "/containerApps/storefront$", status: 500, code: "InternalServerError", times: 50 });
    expect(await apps.readTraffic(target, uncut)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^500 InternalServerError: .* \(4 attempts\)$/),
    });
    await shop.fault({ path: "/containerApps/storefront$", delaySeconds: 30, times: 50 });
    expect(await apps.readTraffic(target, AbortSignal.abort())).toEqual({ ok: false, reason: "cancelled" });
  });

  test("is not reached with a wrong secret, and the reason does not hold it", async () => {
    const connection = connect(
      { ...shop.settings, clientSecret: "a-wrong-secret" },
      shop.cloud.environment["BALLAST_CONNECT_TO"],
    );
    const refused = await createContainerApps(connection, patience).readTraffic(target, uncut);
    expect(refused).toEqual({ ok: false, reason: expect.stringContaining("AADSTS7000215") });
    expect(JSON.stringify(refused)).not.toContain("a-wrong-secret");
    connection.close();
  });
});

describe("shifting traffic", () => {
  test("changes the weights and our labels and nothing else", async () => {
    const { properties: before } = await shop.app();
    const { result, writes } = await shift(10);
    expect(result).toEqual({ ok: true, value: { weights: split(10) } });
    const { properties: after } = await shop.app();
    expect(after.configuration.ingress.traffic).toEqual([
      { revisionName: stable, weight: 90, label: "stable" },
      { revisionName: canary, weight: 10, label: "canary" },
    ]);
    const withoutTraffic = ({
      configuration: {
        ingress: { traffic: _traffic, ...ingress },
        ...configuration
      },
      template,
    }: typeof before) => ({ configuration, ingress, template });
    expect(withoutTraffic(after)).toEqual(withoutTraffic(before));
    expect(writes).toEqual(["PATCH storefront 202"]);
  });

  test("to what is there already sends nothing", async () => {
    await shift(10);
    expect(await shift(10)).toEqual({ result: { ok: true, value: { weights: split(10) } }, asked: 0, writes: [] });
  });

  test("sends nothing once the app is another process's, not even a second try", async () => {
    expect(await shift(20, 0)).toEqual({
      result: { ok: false, reason: "the app is in other hands by now, so nothing was sent" },
      asked: 1,
      writes: [],
    });
    await shop.fault({ ...patch, status: 503, code: "ServerBusy" });
    const lost = await shift(20, 1);
    expect([lost.result.ok, lost.asked, lost.writes]).toEqual([false, 2, ["PATCH storefront 503"]]);
  });

  test("waits for another operation on the app, however often it is in the way", async () => {
    await shop.fault({ ...patch, status: 409, code: "ContainerAppOperationInProgress", times: 6 });
    const { result, asked, writes } = await shift(25);
    expect(result).toEqual({ ok: true, value: { weights: split(25) } });
    expect([asked, writes.length]).toEqual([7, 7]);
  });

  test("is tried again after throttling and failures, and the fence is asked before each sending", async () => {
    await shop.fault(
      { ...patch, status: 429, code: "TooManyRequests", retryAfterSeconds: 0 },
      { ...patch, status: 500, code: "InternalServerError" },
      { ...patch, status: 504, code: "GatewayTimeout" },
    );
    const { result, asked, writes } = await shift(30);
    expect(result.ok).toBe(true);
    expect([asked, writes]).toEqual([
      4,
      ["PATCH storefront 429", "PATCH storefront 500", "PATCH storefront 504", "PATCH storefront 202"],
    ]);
  });

  test("is given up after four failures, and the reason says which", async () => {
    await shop.fault({ ...patch, status: 500, code: "InternalServerError", times: 50 });
    const { result, asked } = await shift(35);
    expect(result).toEqual({ ok: false, reason: expect.stringMatching(/^500 InternalServerError: .*\(4 attempts\)$/) });
    expect(asked).toBe(4);
  });

  test("is not tried again where Azure refuses it", async () => {
    await shop.fault({ ...patch, status: 400, code: "ContainerAppInvalidTraffic", times: 50 });
    const { result, asked } = await shift(35);
    expect([result, asked]).toEqual([
      { ok: false, reason: expect.stringMatching(/^400 ContainerAppInvalidTraffic/) },
      1,
    ]);
  });

  test("whose answer is lost is found to have landed, and is not sent twice", async () => {
    await shop.fault({ ...patch, loseAnswer: true });
    const { result, writes } = await shift(40);
    expect(result).toEqual({ ok: true, value: { weights: split(40) } });
    expect(writes).toHaveLength(1);
  });

  test("that is lost on the way there is sent again", async () => {
    await shop.fault({ ...patch, status: 503, loseAnswer: true });
    const { result, writes } = await shift(45);
    expect(result).toEqual({ ok: true, value: { weights: split(45) } });
    expect(writes).toHaveLength(2);
  });

  test("whose answer takes too long is looked for before it is sent again", async () => {
    await shop.fault({ ...patch, delaySeconds: requestSeconds * 1.5 });
    const { result, writes } = await shift(50);
    expect(result).toEqual({ ok: true, value: { weights: split(50) } });
    expect(writes.length).toBeLessThanOrEqual(2);
  });

  test("outlives a poll of its operation that fails", async () => {
    await shop.fault({ path: "/operationResults/", status: 500, code: "InternalServerError", times: 2 });
    const { result, writes } = await shift(55);
    expect([result, writes]).toEqual([{ ok: true, value: { weights: split(55) } }, ["PATCH storefront 202"]]);
  });

  test("never sends traffic to a deactivated revision: it is brought back first", async () => {
    await shift(0);
    expect(await apps.deactivate({ kind: "Deactivate", target, revision: canary }, ours)).toEqual({
      ok: true,
      value: null,
    });
    const { result, writes } = await shift(5);
    expect(result).toEqual({ ok: true, value: { weights: split(5) } });
    expect(writes).toEqual([`POST ${canary}/activate 200`, "PATCH storefront 202"]);
    expect(await apps.inspect(target, uncut)).toMatchObject({
      value: { revisions: [{ name: stable }, { name: canary, active: true, health: "Healthy" }] },
    });
  });

  test("to a revision that is gone is refused", async () => {
    await shop.writes();
    expect(
      await apps.shift({ ...shiftTo(0), weights: [{ revision: "storefront--gone", percent: 100 }] }, ours),
    ).toEqual({ ok: false, reason: "there is no revision storefront--gone any more, so it cannot be given traffic" });
    expect(await shop.writes()).toEqual([]);
  });

  test("whose weights do not add up to 100 is a mistake of ours", async () => {
    await expect(apps.shift({ ...shiftTo(0), weights: [{ revision: stable, percent: 99 }] }, ours)).rejects.toThrow(
      "weights add up to 99",
    );
  });
});

describe("a revision", () => {
  test("is not deactivated while it has traffic, and is once it has none; doing so again is harmless", async () => {
    await shift(10);
    const deactivate = () => apps.deactivate({ kind: "Deactivate", target, revision: canary }, ours);
    await shop.writes();
    expect(await deactivate()).toEqual({ ok: false, reason: `revision ${canary} still has 10 percent of the traffic` });
    expect(await shop.writes()).toEqual([]);
    await shift(0);
    await shop.fault(
      { method: "POST", path: "/deactivate$", status: 409, code: "ContainerAppOperationInProgress" },
      { method: "POST", path: "/deactivate$", loseAnswer: true },
    );
    expect(await deactivate()).toEqual({ ok: true, value: null });
    expect(await deactivate()).toEqual({ ok: true, value: null });
    expect((await shop.writes()).filter((write) => write.startsWith("POST"))).toEqual([
      `POST ${canary}/deactivate 409`,
      `POST ${canary}/deactivate 200`,
    ]);
    expect(await apps.deactivate({ kind: "Deactivate", target, revision: "storefront--gone" }, ours)).toEqual({
      ok: true,
      value: null,
    });
  });

  test("is activated once, and only by who owns the app", async () => {
    await shop.writes();
    expect((await apps.activate({ kind: "Activate", target, revision: canary }, async () => false)).ok).toBe(false);
    expect(await shop.writes()).toEqual([]);
    await shop.fault({ method: "POST", path: "/activate$", loseAnswer: true });
    expect(await apps.activate({ kind: "Activate", target, revision: canary }, ours)).toEqual({
      ok: true,
      value: null,
    });
    expect(await apps.activate({ kind: "Activate", target, revision: canary }, ours)).toEqual({
      ok: true,
      value: null,
    });
    expect(await shop.writes()).toEqual([`POST ${canary}/activate 200`]);
    expect(await apps.activate({ kind: "Activate", target, revision: "storefront--gone" }, ours)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^404 /),
    });
  });

  test("is probed on its own address, at weight 0 too, and no good answer is a finding", async () => {
    const probe = (path: string, revision = canary, timeoutSeconds = 5) =>
      apps.probe({ kind: "Probe", target, revision, path, timeoutSeconds }, uncut);
    const good = await eventually(async () => {
      const answered = await probe("/health/ready");
      return answered.ok && answered.value.good && answered.value;
    }, "a good answer of a revision that has just been activated");
    expect(good).toEqual({ good: true, detail: "answered 200", running: "RunningAtMaxScale" });
    expect(await probe("/nowhere")).toEqual({
      ok: true,
      value: { good: false, detail: "answered 404", running: "RunningAtMaxScale" },
    });
    expect(await probe("/", "storefront--gone")).toEqual({ ok: false, reason: expect.stringMatching(/^404 /) });
    const hanging = await shop.release("hangs", [{ revisionName: stable, weight: 100, label: "stable" }]);
    expect(await probe("/", hanging, 0.5)).toEqual({
      ok: true,
      value: { good: false, detail: "no answer in 0.5 s", running: expect.any(String) },
    });
    await apps.deactivate({ kind: "Deactivate", target, revision: hanging }, ours);
  });

  test("has the same template hash as another of the same template, whatever it is called", async () => {
    const twin = await shop.release("1", [{ revisionName: stable, weight: 100, label: "stable" }]);
    const view = await apps.inspect(target, uncut);
    if (!view.ok) throw new Error(view.reason);
    const hash = (name: string) => view.value.revisions.find((revision) => revision.name === name)?.templateHash;
    expect(twin).not.toBe(stable);
    expect(hash(twin)).toBe(hash(stable));
    expect(hash(canary)).not.toBe(hash(stable));
    expect(templateHash({ revisionSuffix: "a", scale: { minReplicas: 1, maxReplicas: 2 } })).toBe(
      templateHash({ scale: { maxReplicas: 2, minReplicas: 1 }, revisionSuffix: "b" }),
    );
  });
});

describe("traffic entries", () => {
  const app = (traffic: readonly object[], more: object = {}) =>
    ({
      location: "westeurope",
      latestRevisionName: "a--3",
      latestReadyRevisionName: "a--2",
      configuration: { activeRevisionsMode: "Multiple", ingress: { traffic } },
      ...more,
    }) as never;

  test("are added up by revision; the latest means the latest that is ready; labels are resolved; zero weighs nothing", () => {
    expect(
      weightsOf(
        app([
          { latestRevision: true, weight: 30 },
          { revisionName: "a--2", weight: 20 },
          { label: "old", weight: 50 },
          { revisionName: "a--1", label: "old", weight: 0 },
        ]),
      ),
    ).toEqual({
      ok: true,
      value: [
        { revision: "a--2", percent: 50 },
        { revision: "a--1", percent: 50 },
      ],
    });
    expect(weightsOf(app([]))).toEqual({ ok: true, value: [{ revision: "a--2", percent: 100 }] });
    expect(weightsOf(app([{ latestRevision: true, weight: 100 }], { latestReadyRevisionName: undefined }))).toEqual({
      ok: true,
      value: [],
    });
    expect(weightsOf(app([{ label: "lost", weight: 100 }]))).toEqual({
      ok: false,
      reason: "a traffic entry of 100 percent names no revision (label lost)",
    });
  });

  test("are all the latest's in Single mode, whatever they say", () => {
    expect(
      weightsOf(
        app([{ revisionName: "a--1", weight: 100 }], {
          configuration: {
            activeRevisionsMode: "Single",
            ingress: { traffic: [{ revisionName: "a--1", weight: 100 }] },
          },
        }),
      ),
    ).toEqual({ ok: true, value: [{ revision: "a--2", percent: 100 }] });
  });

  test("are written whole: named revisions, other people's labels where they are, ours where they belong, and none for revisions that are gone", () => {
    const entries = [
      { revisionName: "a--1", weight: 100, label: "stable" },
      { revisionName: "a--0", weight: 0, label: "gone" },
      { revisionName: "a--2", weight: 0, label: "blue" },
      { revisionName: "a--9", weight: 0 },
    ];
    const known = new Set(["a--1", "a--2", "a--3"]);
    expect(
      entriesFor(
        [
          { revision: "a--3", percent: 100 },
          { revision: "a--1", percent: 0 },
        ],
        { stable: "a--1", canary: "a--3" },
        app(entries),
        known,
      ),
    ).toEqual([
      { revisionName: "a--3", weight: 100, label: "canary" },
      { revisionName: "a--1", weight: 0, label: "stable" },
      { revisionName: "a--2", weight: 0, label: "blue" },
    ]);
    expect(entriesFor([{ revision: "a--3", percent: 100 }], { stable: "a--3" }, app(entries), known)).toEqual([
      { revisionName: "a--3", weight: 100, label: "stable" },
      { revisionName: "a--2", weight: 0, label: "blue" },
    ]);
    expect(entriesFor([{ revision: "a--2", percent: 100 }], { stable: "a--2" }, app(entries), known)).toEqual([
      { revisionName: "a--2", weight: 100, label: "stable" },
      { revisionName: "a--2", weight: 0, label: "blue" },
    ]);
  });
});

describe("request rows", () => {
  const start = Date.parse("2026-11-22T12:00:00Z");
  const tick = 10_000;
  const effect = (changes: Partial<Extract<RolloutEffect, { kind: "Measure" }>> = {}) => ({
    kind: "Measure" as const,
    target,
    canary,
    stable,
    from: start,
    tickSeconds: 10,
    ...changes,
  });
  const row = (seconds: number, RevisionName: string, changes: object = {}) => ({
    TenantId: shop.workspace,
    TimeGenerated: start + seconds * 1000,
    visibleAt: 0,
    ContainerAppName: "storefront",
    RevisionName,
    Authority: "storefront.example",
    StatusCode: 200,
    RequestDuration: 20,
    ...changes,
  });
  const put = (...rows: readonly object[]) => shop.arm("POST", "/_standin/rows", { rows });
  const measure = (changes: Parameters<typeof effect>[0], now: number, ingestionSeconds = 5) =>
    createRequestRows(shop.connection, patience, shop.workspace, ingestionSeconds).measure(effect(changes), now, uncut);
  const tally = (requests: number, failed = 0, refused = 0) => expect.objectContaining({ requests, failed, refused });

  test("are counted by revision in the same bins, failures and refusals beside; what is not a user's is left out", async () => {
    const twice = row(3, canary, { RequestId: "twice", StartTime: start + 2000 });
    await put(
      row(0, stable),
      row(9.999, stable, { RequestDuration: 501 }),
      row(10, stable, { RequestDuration: 500 }),
      row(1, canary, { StatusCode: 500 }),
      row(2, canary, { StatusCode: 0, RequestDuration: 900 }),
      twice,
      twice,
      row(4, canary, { StatusCode: 404 }),
      row(5, canary, { Authority: `${canary}.shop.westeurope.ballast.localhost` }),
      row(5, stable, { Authority: "storefront---stable.shop.westeurope.ballast.localhost" }),
      row(6, canary, { ContainerAppName: "other" }),
      row(7, canary, { TenantId: "another-workspace" }),
      row(-1, canary),
      row(31, stable),
    );
    expect(await measure({}, start + 40_000)).toEqual({
      ok: true,
      value: {
        to: start + 3 * tick,
        bins: [
          { at: start, canary: tally(4, 2, 1), stable: tally(2) },
          { at: start + tick, canary: tally(0), stable: tally(1) },
          { at: start + 2 * tick, canary: tally(0), stable: tally(0) },
        ],
      },
    });
    const answered = await measure({}, start + 40_000);
    expect(answered).toMatchObject({
      value: {
        bins: [
          {
            canary: {
              durations: durationsOf([
                [bucketOf(20), 3],
                [bucketOf(900), 1],
              ]),
            },
            stable: {
              durations: durationsOf([
                [bucketOf(20), 1],
                [bucketOf(501), 1],
              ]),
            },
          },
          {},
          {},
        ],
      },
    });
  });

  test("go on from the next whole tick, with the canary alone where nothing served before", async () => {
    expect(await measure({ from: start - 4000, stable: null }, start + 20_000)).toEqual({
      ok: true,
      value: { to: start + tick, bins: [{ at: start, canary: tally(4, 2, 1), stable: tally(0) }] },
    });
  });

  test("wait until a bin has ended and its rows have had time to come", async () => {
    const nothing = { ok: true, value: { bins: [], to: start } };
    expect(await measure({}, start + 9_999, 0)).toEqual(nothing);
    expect(await measure({}, start + 14_999)).toEqual(nothing);
    // All rows seen are of the first bin, so later ones may still be on their way; after twice the time there were none.
    const later = start + 3600_000;
    await put(row(3600 + 8, stable));
    expect(await measure({ from: later }, later + 15_000)).toMatchObject({ value: { bins: [] } });
    expect(await measure({ from: later }, later + 20_000)).toMatchObject({
      value: { bins: [{ at: later, stable: tally(1) }], to: later + tick },
    });
    await put(row(3600 + 12, stable));
    expect(await measure({ from: later }, later + 15_000)).toMatchObject({ value: { to: later + tick } });
  });

  test("that come after the watermark are never counted twice, nor is a bin given twice", async () => {
    const later = start + 7200_000;
    await put(row(7201, canary), row(7212, canary));
    const first = await measure({ from: later }, later + 15_000);
    expect(first).toMatchObject({ value: { bins: [{ canary: tally(1) }], to: later + tick } });
    await put(row(7202, canary), row(7221, canary));
    expect(await measure({ from: later + tick }, later + 25_000)).toMatchObject({
      value: { bins: [{ at: later + tick, canary: tally(1) }], to: later + 2 * tick },
    });
  });

  test("of a long silence come in bounded portions", async () => {
    expect(await measure({ from: start - 86_400_000 }, start)).toMatchObject({
      value: { bins: { length: 600 }, to: start - 86_400_000 + 600 * tick },
    });
  });

  const failingWith = (...errors: readonly RestError[]) => {
    const left = [...errors];
    const logs = {
      queryWorkspace: async (...asked: Parameters<LogsQueryClient["queryWorkspace"]>) => {
        const error = left.shift();
        if (error !== undefined) throw error;
        return await shop.connection.logs.queryWorkspace(...asked);
      },
    } as LogsQueryClient;
    return createRequestRows({ logs }, patience, shop.workspace, 5);
  };

  test("are asked for again after throttling, are a reason where they may not be read, and are let go when cut short", async () => {
    const throttled = new RestError("Too many", { code: "ThrottledError", statusCode: 429 });
    const forbidden = new RestError("No right", { code: "InsufficientAccessError", statusCode: 403 });
    expect((await failingWith(throttled, throttled).measure(effect(), start + 40_000, uncut)).ok).toBe(true);
    expect(await failingWith(forbidden).measure(effect(), start + 40_000, uncut)).toEqual({
      ok: false,
      reason: "request rows cannot be read: 403 InsufficientAccessError: No right",
    });
    expect(await failingWith().measure(effect(), start + 40_000, AbortSignal.abort())).toEqual({
      ok: false,
      reason: "request rows cannot be read: cancelled",
    });
  });

  test("of a query that Azure does not understand are a reason with its code", async () => {
    const unknown = createRequestRows(shop.connection, patience, "00000000-0000-0000-0000-000000000000", 5);
    expect(await unknown.measure(effect(), start + 40_000, uncut)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^request rows cannot be read: \d{3} \w+/),
    });
  });

  test("of a part of the answer count as none", async () => {
    const logs = {
      queryWorkspace: async () => ({
        status: "PartialFailure",
        partialTables: [],
        partialError: { code: "PartialError", message: "" },
      }),
    } as unknown as LogsQueryClient;
    expect(await createRequestRows({ logs }, patience, "w", 5).measure(effect(), start + 40_000, uncut)).toEqual({
      ok: false,
      reason: "request rows came incomplete: PartialError",
    });
  });

  test("are asked for with names as literals: a hostile name stays one text", () => {
    const hostile = `x" or 1 == 1 | union * // \\" '\n| take 1`;
    const literals = (nodes: readonly Syntax[]): readonly string[] =>
      nodes.flatMap(({ kind, text, parts }) =>
        kind === "StringLiteralExpression" ? [JSON.parse(text) as string] : literals(parts),
      );
    const texts = literals(
      parseQuery(requestsQuery(effect({ canary: hostile, target: { ...target, app: hostile } }), start)),
    );
    expect(texts).toEqual([hostile, hostile, stable, `${hostile}.`, `${stable}.`, `${hostile}---`]);
  });
});

describe("an identity", () => {
  test("of the container is asked for on its plain loopback endpoint, also where names are redirected", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(
        `${request.headers["x-identity-header"]} ${new URL(request.url!, "http://x").searchParams.get("client_id")}`,
      );
      response.setHeader("content-type", "application/json").end(
        JSON.stringify({
          access_token: "token",
          expires_on: String(Math.floor(Date.now() / 1000) + 3600),
          resource: "r",
          token_type: "Bearer",
        }),
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    process.env["IDENTITY_ENDPOINT"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
    process.env["IDENTITY_HEADER"] = "header";
    try {
      const connection = connect(
        { ...shop.settings, clientId: "the-identity", clientSecret: undefined },
        shop.cloud.environment["BALLAST_CONNECT_TO"],
      );
      expect((await connection.credential.getToken("https://management.ballast.localhost/.default"))?.token).toBe(
        "token",
      );
      expect(asked).toEqual(["header the-identity"]);
      connection.close();
    } finally {
      delete process.env["IDENTITY_ENDPOINT"];
      delete process.env["IDENTITY_HEADER"];
      server.close();
    }
  });
});
