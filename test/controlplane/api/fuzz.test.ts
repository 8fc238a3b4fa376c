// Random bodies, paths, queries, headers and tokens against the real app over memory. Every answer arrives soon, is not
// a 500, matches the API description, and repeats no token and no control character.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import net from "node:net";
import { serve } from "@hono/node-server";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../../errors/catalogue.ts";
import { body, calls, path, type Service, servicesForTests } from "../../support/controlplane/service.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: Number(process.env["FUZZ_RUNS"] ?? 500) };
console.log(`fuzz: FUZZ_SEED=${seed}`);

const { service, token } = servicesForTests();
let bearer = "";
beforeAll(async () => {
  bearer = await token();
});

const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "toString",
    "\u0000",
    "\u001b[2J",
    "a\nb",
    "\u202e",
    "\ud800",
    "..",
    "../..",
    "%",
    "%00",
    "%2e%2e%2f",
    "' or 1=1 --",
    "| take 1",
    "${x}",
    "<script>",
    "api",
    "API",
    "shop",
    "api--0000002",
    "rollouts",
    "x".repeat(300),
  ),
);

/** A body: JSON of any form, a good body with a change, or no JSON at all. */
const anyBody = fc.oneof(
  fc.json({ maxDepth: 6 }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "{", "null", "[[[[", '{"__proto__":{}}', "[".repeat(5_000)),
  fc
    .tuple(
      fc.constantFrom(...calls.flatMap(({ sent }) => (sent === undefined ? [] : [sent]))),
      fc.array(
        fc.tuple(
          fc.array(
            fc.oneof(
              fc.constantFrom(
                "strategy",
                "thresholds",
                "weights",
                "release",
                "signal",
                "message",
                "seconds",
                "probePath",
                "whenInFlight",
                "outsideWeights",
                "0",
              ),
              nasty,
            ),
            { minLength: 1, maxLength: 3 },
          ),
          fc.jsonValue(),
        ),
        { maxLength: 3 },
      ),
    )
    .map(([good, changes]) =>
      JSON.stringify(
        changes.reduce(
          (changed, [at, value]) => changeAt(changed, at, value),
          structuredClone(good) as Record<string, unknown>,
        ),
      ),
    ),
);

/** Puts a value at a path of an object, replacing what is in the way. */
function changeAt(
  holder: Record<string, unknown>,
  [first = "", ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const inner =
    Object.hasOwn(holder, first) && typeof holder[first] === "object" && holder[first] !== null
      ? (holder[first] as Record<string, unknown>)
      : {};
  Object.defineProperty(holder, first, {
    value: rest.length === 0 ? value : changeAt(inner, rest, value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return holder;
}

const anyPath = fc.oneof(
  fc.constantFrom(...calls.map(({ to }) => to), "/health", "/openapi.json"),
  fc.tuple(fc.constantFrom(...calls.map(({ to }) => to)), fc.nat(5), nasty).map(([to, at, segment]) =>
    to
      .split("/")
      .with(Math.min(1 + at, to.split("/").length - 1), encodeURIComponent(segment.toWellFormed()))
      .join("/"),
  ),
  fc
    .array(nasty, { maxLength: 6 })
    .map((segments) => `/${segments.map((segment) => segment.toWellFormed()).join("/")}`),
);
const anyQuery = fc.oneof(
  fc.constant(""),
  fc
    .array(fc.tuple(fc.oneof(fc.constantFrom("from", "app", "resourceGroup"), nasty), nasty), { maxLength: 3 })
    .map(
      (pairs) =>
        `?${new URLSearchParams(pairs.map((pair) => pair.map((text) => text.toWellFormed()) as [string, string]))}`,
    ),
);
const asHeader = (text: string): string => text.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "").trim();
const anyType = fc.oneof(fc.constant("application/json"), fc.constant("application/json"), nasty.map(asHeader));
const base64url = (text: string): string => Buffer.from(text).toString("base64url");
/** A good token, one with a replaced part, or none. */
const anyAuthorization = fc.oneof(
  { weight: 6, arbitrary: fc.constant("good") },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.nat(2),
        fc.oneof(
          nasty.map(asHeader),
          fc.json().map(base64url),
          fc
            .constantFrom(
              '{"alg":"none"}',
              '{"alg":"RS256"}',
              '{"alg":"RS256","kid":"ours","b64":false,"crit":["b64"]}',
              '{"alg":"RS256","kid":1}',
              '{"alg":["RS256"]}',
              "{}",
              "[]",
              "null",
            )
            .map(base64url),
        ),
      )
      .map(([at, part]) => `swap ${at} ${part}`),
  },
  { weight: 1, arbitrary: nasty.map(asHeader) },
);
const authorizationOf = (how: string): string => {
  if (how === "good") return `Bearer ${bearer}`;
  const [, at, part] = /^swap (\d) (.*)$/.exec(how) ?? [];
  return at === undefined ? how : `Bearer ${bearer.split(".").with(Number(at), part!).join(".")}`;
};

/** Gives every text in a value, names of fields included. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsOf(inner)]);
}

const soon = <Value>(promise: Promise<Value>, what: string): Promise<Value> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} was not answered in five seconds`)), 5_000);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** Sends one call and checks what every answer must fulfil. */
async function fire(
  { app }: Pick<Service, "app">,
  method: string,
  to: string,
  headers: Record<string, string>,
  sent: string,
): Promise<number> {
  const what = `${method} ${to}`;
  const response = await soon(
    app.request(to, { method, headers, ...(["GET", "HEAD"].includes(method) ? {} : { body: sent }) }),
    what,
  );
  if (response.headers.get("content-type") === "application/x-ndjson") {
    await response.body?.cancel(); // a rollout that goes on is followed for as long as it does
    return response.status;
  }
  const text = await soon(response.text(), what);
  expect([what, response.status, text]).not.toEqual([what, 500, text]);
  expect(text).not.toContain(bearer.split(".")[2]);
  if (text === "") return response.status;
  const answered = JSON.parse(text) as { readonly error?: { readonly id: string } };
  if (response.status >= 400) expect([what, catalogue().has(answered.error!.id)]).toEqual([what, true]);
  for (const said of textsOf(answered))
    expect(said).toMatch(/^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u);
  return response.status;
}

const inUrl = (to: string): boolean => URL.canParse(to, "http://control-plane");

describe("the calls", () => {
  test("answer any address, method, header, token and body", async () => {
    const one = service();
    const statuses = new Set<number>();
    const shot = fc.record({
      method: fc.constantFrom("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD"),
      to: anyPath,
      query: anyQuery,
      type: anyType,
      authorization: anyAuthorization,
      sent: anyBody,
    });
    await fc.assert(
      fc.asyncProperty(shot, async ({ method, to, query, type, authorization, sent }) => {
        fc.pre(inUrl(to + query));
        statuses.add(
          await fire(
            one,
            method,
            to + query,
            { "content-type": type, authorization: authorizationOf(authorization) },
            sent,
          ),
        );
      }),
      runs,
    );
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 401, 404]));
  }, 120_000);

  test("answer any body with a good token at their own address, and accept the good ones", async () => {
    const statuses = new Map<string, Set<number>>();
    for (const { name, method, to, sent } of calls.filter((each) => each.sent !== undefined)) {
      const one = service();
      await one.call("PUT", path, body);
      const kept = statuses.set(name, new Set()).get(name)!;
      await fc.assert(
        fc.asyncProperty(
          fc.oneof({ weight: 9, arbitrary: anyBody }, { weight: 1, arbitrary: fc.constant(JSON.stringify(sent)) }),
          async (text) => {
            kept.add(
              await fire(
                one,
                method,
                to,
                { "content-type": "application/json", authorization: `Bearer ${bearer}` },
                text,
              ),
            );
          },
        ),
        runs,
      );
      expect([name, [...kept]]).toEqual([name, expect.arrayContaining([400])]);
      expect([name, kept.has(200) || kept.has(202)]).toEqual([name, true]);
    }
  }, 120_000);

  test("answer any bytes at their port, and keep answering", async () => {
    const { app } = service();
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0, overrideGlobalObjects: false });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const start = fc.constantFrom(
      "",
      "GET ",
      "GET / HTTP/1.1\r\n",
      `PUT ${path} HTTP/1.1\r\nhost: x\r\n`,
      `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${bearer}\r\n` +
        "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
      "POST /recover HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n",
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (text, bytes) => {
        const socket = net.connect(port, "127.0.0.1");
        let said = "";
        socket.on("error", () => undefined);
        socket.on("data", (chunk) => {
          said += chunk.toString("latin1");
        });
        socket.end(Buffer.concat([Buffer.from(text), bytes, Buffer.from("\r\n\r\n")]));
        await soon(new Promise((resolve) => socket.once("close", resolve)), JSON.stringify(text));
        expect(said).not.toMatch(/^HTTP\/1\.1 5/);
        expect(said).not.toContain(bearer.split(".")[2]);
      }),
      { ...runs, numRuns: Math.min(runs.numRuns, 200) },
    );
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    server.close();
  }, 120_000);
});
