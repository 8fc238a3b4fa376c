// Request rows through the real SDK client against the emulator: which rows count, which buckets are complete, and what
// the adapter makes of throttling and failures.
import { RestError } from "@azure/core-rest-pipeline";
import type { LogsQueryClient } from "@azure/monitor-query-logs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRequestRows, requestsQuery } from "../../../controlplane/adapters/azure/request-rows.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { parseQuery, type Syntax } from "../../../emulator/kql/syntax.ts";
import { bandOf, durationsOf } from "../../../engines/rollout/judge/durations.ts";
import type { RolloutEffect } from "../../../engines/rollout/vocabulary.ts";
import { openShop, requestSeconds, type Shop, target } from "../../support/emulator/azure-shop.ts";

const patience = patienceOf(requestSeconds);
const uncut = new AbortController().signal;
const stable = "storefront--1";
const canary = "storefront--2";
let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterEach(() => shop.fault());
afterAll(() => shop?.close());

describe("request rows", () => {
  const start = Date.parse("2026-11-22T12:00:00Z");
  const interval = 10_000;
  const effect = (changes: Partial<Extract<RolloutEffect, { kind: "Measure" }>> = {}) => ({
    kind: "Measure" as const,
    target,
    canary,
    stable,
    from: start,
    intervalSeconds: 10,
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
  const put = (...rows: readonly object[]) => shop.arm("POST", "/_emulator/rows", { rows });
  const measure = (changes: Parameters<typeof effect>[0], now: number, ingestionSeconds = 5) =>
    createRequestRows(shop.connection, patience, shop.workspace, ingestionSeconds).measure(effect(changes), now, uncut);
  const tally = (requests: number, failed = 0, refused = 0) => expect.objectContaining({ requests, failed, refused });

  test("are counted by revision and bucket, without requests that are not users'", async () => {
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
        to: start + 3 * interval,
        buckets: [
          { at: start, canary: tally(4, 2, 1), stable: tally(2) },
          { at: start + interval, canary: tally(0), stable: tally(1) },
          { at: start + 2 * interval, canary: tally(0), stable: tally(0) },
        ],
        answers: [0, 404, 500].map((code) => ({ arm: "canary", code, path: "/", requests: 1 })),
      },
    });
    const answered = await measure({}, start + 40_000);
    expect(answered).toMatchObject({
      value: {
        buckets: [
          {
            canary: {
              durations: durationsOf([
                [bandOf(20), 3],
                [bandOf(900), 1],
              ]),
            },
            stable: {
              durations: durationsOf([
                [bandOf(20), 1],
                [bandOf(501), 1],
              ]),
            },
          },
          {},
          {},
        ],
      },
    });
  });

  test("that were answered badly are named by code and path, from the canary's first request on", async () => {
    const at = 10_800;
    await put(
      // Before the canary's first request: stable's alone.
      row(at + 1, stable, { StatusCode: 500, Path: "/before" }),
      row(at + 11, canary, { Path: "/orders/7" }),
      row(at + 12, canary, { StatusCode: 503, Path: "/orders/8?token=secret" }),
      row(at + 13, canary, { StatusCode: 503, Path: "/orders/9" }),
      row(at + 14, canary, { StatusCode: 0, Path: "/slow" }),
      row(at + 15, stable, { StatusCode: 404, Path: "/missing" }),
      row(at + 16, canary, { StatusCode: 500, Path: "/own", Authority: `${canary}.example` }),
      // After the watermark: the next measurement has it.
      row(at + 21, canary, { StatusCode: 500, Path: "/after" }),
      row(at + 31, stable),
    );
    const from = start + at * 1000;
    const first = await measure({ from }, from + 29_000);
    expect(first).toMatchObject({
      ok: true,
      value: {
        to: from + 2 * interval,
        answers: [
          { arm: "canary", code: 503, path: "/orders/*", requests: 2 },
          { arm: "canary", code: 0, path: "/slow", requests: 1 },
          { arm: "stable", code: 404, path: "/missing", requests: 1 },
        ],
      },
    });
    expect(JSON.stringify(first)).not.toContain("secret");
    expect(await measure({ from: from + 2 * interval }, from + 40_000)).toMatchObject({
      value: { answers: [{ arm: "canary", code: 500, path: "/after", requests: 1 }] },
    });
  });

  test("that were answered badly on many paths keep the worst, and count the others by their code", async () => {
    const at = 14_400;
    const word = (index: number) => String.fromCharCode(97 + Math.floor(index / 26), 97 + (index % 26));
    const rows = Array.from({ length: 30 }, (_nothing, index) =>
      row(at + 1 + index / 10, canary, { StatusCode: 500, Path: `/${word(index)}` }),
    );
    await put(...rows, row(at + 5, canary, { StatusCode: 500, Path: "/aa" }), row(at + 11, stable));
    const from = start + at * 1000;
    const found = await measure({ from }, from + 16_000);
    const answers = found.ok ? (found.value.answers ?? []) : [];
    expect(answers).toHaveLength(21);
    expect(answers[0]).toEqual({ arm: "canary", code: 500, path: "/aa", requests: 2 });
    expect(answers.at(-1)).toEqual({ arm: "canary", code: 500, path: "", requests: 10 });
  });

  test("are measured without the details of bad answers if these cannot be read", async () => {
    let asked = 0;
    const logs = {
      queryWorkspace: async (...query: Parameters<LogsQueryClient["queryWorkspace"]>) => {
        if (++asked > 1) throw new RestError("No right", { code: "InsufficientAccessError", statusCode: 403 });
        return await shop.connection.logs.queryWorkspace(...query);
      },
    } as LogsQueryClient;
    const at = start + 10_800_000;
    const found = await createRequestRows({ logs }, patience, shop.workspace, 5).measure(
      effect({ from: at }),
      at + 29_000,
      uncut,
    );
    expect(found).toMatchObject({ ok: true, value: { buckets: [{ canary: tally(0) }, { canary: tally(4, 3) }] } });
    expect(found.ok && found.value.answers).toBeUndefined();
    expect(asked).toBe(2);
  });

  test("continue at the next whole interval, with the canary alone if nothing served before", async () => {
    expect(await measure({ from: start - 4000, stable: null }, start + 20_000)).toEqual({
      ok: true,
      value: {
        to: start + interval,
        buckets: [{ at: start, canary: tally(4, 2, 1), stable: tally(0) }],
        answers: expect.any(Array),
      },
    });
  });

  test("wait until a bucket has ended and its rows have had time to arrive", async () => {
    const nothing = { ok: true, value: { buckets: [], to: start } };
    expect(await measure({}, start + 9_999, 0)).toEqual(nothing);
    expect(await measure({}, start + 14_999)).toEqual(nothing);
    // All rows are of the first bucket, so later ones may still arrive; after twice the delay there were none.
    const later = start + 3600_000;
    await put(row(3600 + 8, stable));
    expect(await measure({ from: later }, later + 15_000)).toMatchObject({ value: { buckets: [] } });
    expect(await measure({ from: later }, later + 20_000)).toMatchObject({
      value: { buckets: [{ at: later, stable: tally(1) }], to: later + interval },
    });
    await put(row(3600 + 12, stable));
    expect(await measure({ from: later }, later + 15_000)).toMatchObject({ value: { to: later + interval } });
  });

  test("that arrive after the watermark are never counted twice, and no bucket is given twice", async () => {
    const later = start + 7200_000;
    await put(row(7201, canary), row(7212, canary));
    const first = await measure({ from: later }, later + 15_000);
    expect(first).toMatchObject({ value: { buckets: [{ canary: tally(1) }], to: later + interval } });
    await put(row(7202, canary), row(7221, canary));
    expect(await measure({ from: later + interval }, later + 25_000)).toMatchObject({
      value: { buckets: [{ at: later + interval, canary: tally(1) }], to: later + 2 * interval },
    });
  });

  test("of a long silence are read in bounded portions", async () => {
    expect(await measure({ from: start - 86_400_000 }, start)).toMatchObject({
      value: { buckets: { length: 600 }, to: start - 86_400_000 + 600 * interval },
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

  test("are read again after throttling, and give a reason if they may not be read or are cancelled", async () => {
    const throttled = new RestError("Too many", { code: "ThrottledError", statusCode: 429 });
    const forbidden = new RestError("No right", { code: "InsufficientAccessError", statusCode: 403 });
    expect((await failingWith(throttled, throttled).measure(effect(), start + 40_000, uncut)).ok).toBe(true);
    expect(await failingWith(forbidden).measure(effect(), start + 40_000, uncut)).toEqual({
      ok: false,
      definite: true,
      reason: "request rows cannot be read: 403 InsufficientAccessError: No right",
    });
    expect(await failingWith().measure(effect(), start + 40_000, AbortSignal.abort())).toEqual({
      ok: false,
      reason: "request rows cannot be read: cancelled",
    });
  });

  test("of a query that Azure rejects give a reason with its code", async () => {
    const unknown = createRequestRows(shop.connection, patience, "00000000-0000-0000-0000-000000000000", 5);
    expect(await unknown.measure(effect(), start + 40_000, uncut)).toEqual({
      ok: false,
      definite: true,
      reason: expect.stringMatching(/^request rows cannot be read: \d{3} \w+/),
    });
  });

  test("in a partial answer are not counted", async () => {
    const logs = {
      queryWorkspace: async () => ({
        status: "PartialFailure",
        partialTables: [],
        partialError: { code: "PartialError", message: "" },
      }),
    } as unknown as LogsQueryClient;
    expect(await createRequestRows({ logs }, patience, "w", 5).measure(effect(), start + 40_000, uncut)).toEqual({
      ok: false,
      reason: "the request rows are incomplete: PartialError",
    });
  });

  test("are queried with names as literals: a hostile name stays one text", () => {
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
