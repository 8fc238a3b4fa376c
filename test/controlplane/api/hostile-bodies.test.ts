// Bodies that no call accepts: too large, malformed, hostile, or of another type. After each of them nothing was
// started, written, locked or moved.
import { describe, expect, test } from "vitest";
import { body, calls, path, servicesForTests, untouchable } from "../../support/controlplane/service.ts";

const { service } = servicesForTests();

describe("a body", () => {
  const text = JSON.stringify(body);
  const refused: Readonly<Record<string, readonly [sent: string, status: number, id: string]>> = {
    "too large": [JSON.stringify({ ...body, release: "x".repeat(70_000) }), 413, "call-too-large"],
    "of blanks, too large": [" ".repeat(70_000), 413, "call-too-large"],
    "that is not JSON": ["{", 400, "call-malformed"],
    "that is JSON and more": [`${text}${text}`, 400, "call-malformed"],
    "that is no object": ["[]", 400, "call-malformed"],
    "that is null": ["null", 400, "call-malformed"],
    "of nested lists": ["[".repeat(30_000) + "]".repeat(30_000), 400, "call-malformed"],
    "of nested lists without an end": ["[".repeat(60_000), 400, "call-malformed"],
    "of nested objects": [`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`, 400, "call-malformed"],
    "with nested objects for a text": [
      text.replace('"hash-of-2"', `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`),
      400,
      "call-malformed",
    ],
    "with a prototype": [text.replace("{", '{"__proto__":{"polluted":true,"release":"x"},'), 400, "call-malformed"],
    "with a prototype for a strategy": [
      text.replace('"strategy":{', '"strategy":{"__proto__":{"bakeSeconds":1},'),
      400,
      "call-malformed",
    ],
    "with a constructor": [text.replace("{", '{"constructor":{"prototype":{"polluted":true}},'), 400, "call-malformed"],
    "whose fields are its prototype's": [`{"__proto__":${text}}`, 400, "call-malformed"],
    "of thousands of unknown fields": [
      JSON.stringify({ ...body, ...Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`f${at}`, 1])) }),
      400,
      "call-malformed",
    ],
    "with a list that is too long": [
      JSON.stringify({ ...body, strategy: { ...body.strategy, weights: Array(20_000).fill(1) } }),
      400,
      "call-malformed",
    ],
    "with a number beyond numbers": [
      text.replace(/"maximumSeconds":\d+/, '"maximumSeconds":1e999'),
      400,
      "call-malformed",
    ],
    "with half a character": [text.replace("hash-of-2", "\\ud800"), 400, "call-malformed"],
    "with a zero": [text.replace("hash-of-2", "a\\u0000b"), 400, "call-malformed"],
    "that turns the direction of text": [text.replace("hash-of-2", "a\\u202eb"), 400, "call-malformed"],
  };
  for (const [what, [sent, status, id]] of Object.entries(refused)) {
    test(`${what} is refused with ${status} wherever a body is read, and nothing is touched`, async () => {
      const { call } = service(untouchable);
      for (const { method, to } of calls.filter((each) => each.sent !== undefined)) {
        const answered = await call(method, to, sent);
        expect([method, to, answered.status, answered.body.error.id]).toEqual([method, to, status, id]);
        expect(answered.text.length).toBeLessThan(3_000);
        expect(answered.text).not.toMatch(/polluted/);
      }
      expect(({} as any).polluted).toBeUndefined();
    });
  }

  test("of another type than JSON is refused with 415, whatever its content, and nothing is touched", async () => {
    const { call } = service(untouchable);
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonx",
      "text/json",
      "",
    ]) {
      for (const { method, to, sent } of calls.filter((each) => each.sent !== undefined)) {
        const answered = await call(method, to, sent, undefined, { "content-type": type });
        expect([type, method, to, answered.status, answered.body.error.id]).toEqual([
          type,
          method,
          to,
          415,
          "call-not-json",
        ]);
      }
    }
    expect(
      (await service().call("PUT", path, body, undefined, { "content-type": "application/json; charset=utf-8" }))
        .status,
    ).toBe(202);
  });
});
