// For how long an answer asks to be left alone, in whatever form it asks, and what a caller of the control plane makes
// of it: an ingress answers with a page of HTML while no replica is behind it, and its Retry-After counts as well.
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { controlPlane } from "../../client/control-plane.ts";
import { retryAfterSecondsOf } from "../../http-answer.ts";
import { type FakeControlPlane, startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";

const now = Date.parse("2026-11-29T10:00:00Z");
const asked = (headers: Readonly<Record<string, string>>): number | undefined =>
  retryAfterSecondsOf((name) => headers[name], now);

describe("Retry-After", () => {
  test.each([
    ["0", 0],
    ["7", 7],
    [" 120 ", 120],
    ["1.5", 1.5],
    ["5, 5", 5],
    ["5,30", 30],
    ["5, soon", undefined],
    ["Sun, 29 Nov 2026 10:02:00 GMT", 120],
    ["Sunday, 29-Nov-26 10:02:00 GMT", 120],
    ["Sun, 29 Nov 2026 09:00:00 GMT", 0],
    ["86400", 3600],
    [`1${"0".repeat(400)}`, 3600],
    ["Thu, 31 Dec 2099 23:59:59 GMT", 3600],
    ["", undefined],
    ["-5", undefined],
    ["soon", undefined],
    ["Infinity", undefined],
    ["2026-11-29T10:02:00Z", undefined],
    ["Sun, 99 Nov 2026 10:02:00 GMT", undefined],
  ])("of %j is understood as %j seconds", (text, seconds) => expect(asked({ "retry-after": text })).toBe(seconds));

  test("as a date is compared with the answer's own date, so that a wrong clock here changes nothing", () => {
    const headers = { "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT", date: "Thu, 01 Jan 2026 00:00:00 GMT" };
    expect(asked(headers)).toBe(30);
    expect(asked({ ...headers, date: "nonsense" })).toBe(0);
  });

  test.each(["retry-after-ms", "x-ms-retry-after-ms"])("of Azure in milliseconds, %s, counts first", (name) => {
    expect(asked({ [name]: "2500", "retry-after": "60" })).toBe(2.5);
    expect(asked({ [name]: "soon", "retry-after": "60" })).toBe(60);
  });

  test("is absent without a header", () => expect(asked({})).toBeUndefined());
});

describe("a caller of the control plane", () => {
  let plane: FakeControlPlane;
  let rests: number[];
  const access = (patienceSeconds?: number) => ({
    endpoint: plane.endpoint,
    token: async () => token,
    ...(patienceSeconds === undefined ? {} : { patienceSeconds }),
    time: { now: () => rests.reduce((sum, each) => sum + each, 0), rest: async (ms: number) => void rests.push(ms) },
  });
  const front =
    (status: number, retryAfter: string | undefined) => (_request: IncomingMessage, response: ServerResponse) => {
      plane.answerInstead = undefined;
      const headers = { "content-type": "text/html", ...(retryAfter && { "retry-after": retryAfter }) };
      response.writeHead(status, headers).end("<html><body>no healthy upstream</body></html>");
    };

  beforeAll(async () => {
    plane = await startFakeControlPlane();
  });
  afterAll(() => plane.stop());
  beforeEach(() => {
    rests = [];
  });

  test.each([
    [503, "7", 7_000],
    [429, "7", 7_000],
    [502, "12", 12_000],
    [503, "31536000", 30_000],
    [503, "Thu, 31 Dec 2099 23:59:59 GMT", 30_000],
  ])("rests as an ingress's page of status %i with Retry-After %j asks", async (status, retryAfter, milliseconds) => {
    plane.answerInstead = front(status, retryAfter);
    expect(await controlPlane(access(60)).list()).toMatchObject({ rollouts: [] });
    expect(rests).toEqual([milliseconds]);
  });

  test("rests by its own policy if the page does not ask", async () => {
    plane.answerInstead = front(503, undefined);
    await controlPlane(access(60)).list();
    expect(rests).toEqual([expect.any(Number)]);
    expect(rests[0]).toBeLessThanOrEqual(500);
  });

  test("does not wait for longer than its patience", async () => {
    plane.answerInstead = front(503, "20");
    await expect(controlPlane(access(5)).list()).rejects.toMatchObject({
      id: "release-control-plane-unreachable",
      message: expect.stringContaining("it answered 503"),
    });
    expect(rests).toEqual([]);
  });

  test("opens a followed answer again when an ingress's page asks for it", async () => {
    const name = { resourceGroup: "rg", app: "shop", revision: "shop--2" };
    await controlPlane(access()).put(name, { release: "r" } as never);
    plane.answerInstead = front(503, "9");
    const heard: string[] = [];
    for await (const { kind } of controlPlane(access()).follow(name)) heard.push(kind);
    expect(heard).toEqual(["fact", "ended"]);
    expect(rests).toEqual([9_000]);
  });
});
