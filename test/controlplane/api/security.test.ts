// Calls that must be refused: tokens that are not valid, headers that are too large, hostile names, endpoints that do
// not exist. After each of them nothing was started, written, locked or moved. hostile-bodies.test.ts has the bodies.

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { messageOf } from "../../../engines/rollout/tell.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import {
  body,
  calls,
  path,
  rejected,
  type Service,
  seconds,
  servicesForTests,
  stream,
  untouchable,
} from "../../support/controlplane/service.ts";

const strangers = await generateKeyPair("RS256");
const services = servicesForTests();
const { service, serviceWithoutKeys, token } = services;
const secretText = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a token", () => {
  const refused: Readonly<Record<string, () => Promise<string>>> = {
    "for another audience": () => token({ aud: "https://management.azure.com" }),
    "without an audience": () => token({ aud: undefined as unknown as string }),
    "from another issuer": () => token({ iss: "https://login.example/00000000-0000-0000-0000-00000000beef/v2.0" }),
    "of another tenant": () => token({ tid: "00000000-0000-0000-0000-00000000dead" }),
    "that has expired": () => token({ exp: seconds(-120) }),
    "that never expires": () => token({ exp: undefined as unknown as number }),
    "that is not valid yet": () => token({ nbf: seconds(120) }),
    "signed by a stranger": () => token({}, strangers.privateKey),
    "signed by a stranger who brings his key": async () =>
      token({}, strangers.privateKey, { jwk: await exportJWK(strangers.publicKey) }),
    "signed with a key that was not published": () => token({}, strangers.privateKey, { kid: "another" }),
    "with no signature": async () => new UnsecuredJWT(services.issuer.claims()).encode(),
    "whose signature was cut off": async () => (await token()).replace(/[^.]+$/, ""),
    "whose claims were changed afterwards": async () =>
      (await token({ roles: [] })).replace(
        /\.[^.]+\./,
        `.${Buffer.from(JSON.stringify(services.issuer.claims())).toString("base64url")}.`,
      ),
    "signed with our public key as if it were a secret, as a key": async () =>
      new SignJWT(services.issuer.claims())
        .setProtectedHeader({ alg: "HS256", kid: "ours" })
        .sign(secretText(JSON.stringify(await exportJWK(services.issuer.keys.publicKey)))),
    "signed with our public key as if it were a secret, as a text": async () =>
      new SignJWT(services.issuer.claims())
        .setProtectedHeader({ alg: "HS256", kid: "ours" })
        .sign(secretText(await exportSPKI(services.issuer.keys.publicKey))),
    "signed in a way that we do not take": async () => {
      const weak = await generateKeyPair("PS256");
      return new SignJWT(services.issuer.claims())
        .setProtectedHeader({ alg: "PS256", kid: "ours" })
        .sign(weak.privateKey);
    },
    "with a critical header that is not known": () =>
      token({}, undefined, { crit: ["exp2"], exp2: 1 }).catch(
        async () =>
          `${Buffer.from('{"alg":"RS256","kid":"ours","crit":["exp2"],"exp2":1}').toString("base64url")}.e30.e30`,
      ),
    "that is no token": async () => "a.b.c",
    "whose claims are no object": async () =>
      [...['{"alg":"RS256","kid":"ours"}', "[]"].map((part) => Buffer.from(part).toString("base64url")), "AAAA"].join(
        ".",
      ),
  };
  for (const [what, make] of Object.entries(refused)) {
    test(`${what} is refused by every call, and nothing happens`, async () => {
      const { call, touched } = service();
      const bearer = await make();
      for (const { method, to, sent } of calls) {
        const answered = await call(method, to, sent, bearer);
        expect([method, to, answered.status, answered.body.error.id]).toEqual([method, to, 401, "call-token-refused"]);
        expect(answered.headers.get("www-authenticate")).toContain("Bearer");
        expect(answered.text).not.toContain(bearer);
      }
      expect(await touched()).toEqual([]);
    });
  }

  test("that is missing, or sent in another way, is refused by every call except the two open ones", async () => {
    const { app, touched } = service();
    const good = await token();
    for (const headers of [
      {},
      { authorization: "" },
      { authorization: "Bearer" },
      { authorization: good },
      { authorization: `Basic ${good}` },
      { authorization: `Bearer ${good} ${good}` },
      { "x-access-token": good },
      { cookie: `token=${good}` },
    ] as Record<string, string>[]) {
      for (const { method, to } of calls) {
        const response = await app.request(`${to}?access_token=${good}`, { method, headers });
        expect([method, to, response.status, ((await response.json()) as any).error.id]).toEqual([
          method,
          to,
          401,
          "call-token-missing",
        ]);
      }
    }
    for (const to of ["/health", "/openapi.json"]) expect((await app.request(to)).status).toBe(200);
    expect(await touched()).toEqual([]);
  });

  test("that expired less than a minute ago is accepted, because clocks differ", async () => {
    const { call } = service();
    expect((await call("GET", "/rollouts", undefined, await token({ exp: seconds(-30) }))).status).toBe(200);
  });

  test("is not checked while the issuer's keys cannot be fetched, and the caller is asked to retry", async () => {
    const { call, touched } = serviceWithoutKeys();
    for (const { method, to, sent } of calls) {
      const { status, headers, body: answered } = await call(method, to, sent);
      expect([status, headers.get("retry-after"), answered.error.id]).toEqual([503, "5", "call-issuer-unreachable"]);
    }
    expect(await touched()).toEqual([]);
  });

  test("is never in the log, nor in an answer, wherever the caller puts it", async () => {
    const { call, logged } = service();
    const bearer = await token();
    const answers = [
      await call("PUT", path, body, bearer),
      await call("GET", "/rollouts", undefined, await token({ aud: "x" })),
      await call("GET", `/rollouts?token=${bearer}`),
      await call("GET", `/${bearer}`),
      await call("GET", `/rollouts/shop/api/${bearer}`),
      await call("PUT", path, { [bearer]: 1 }),
      await call("POST", `${path}/signals`, { signal: bearer, message: "x" }),
      await call("GET", `${path}/follow?from=${bearer}`),
    ];
    expect(logged).toHaveLength(7);
    for (const text of [JSON.stringify(logged), ...answers.map((answered) => answered.text)])
      expect(text).not.toContain("eyJ");
  });

  test("with claims that would forge log lines gives a caller's name that cannot", async () => {
    const { call, parts } = service();
    await call("PUT", path, body, await token({ oid: "somebody\nFinished promoted \u202e" }));
    expect((await parts.journal.read(stream))[0]!.event).toMatchObject({
      kind: "Planned",
      intent: { requestedBy: "somebody\uFFFDFinished promoted \uFFFD" },
    });
  });

  test("with a name keeps the id beside it, in requests and signals, and a name cannot forge lines", async () => {
    const { call, parts } = service();
    const named = await token({ oid: "id-of-ann", name: "Ann\nFinished promoted" });
    const name = "Ann\uFFFDFinished promoted";
    await call("PUT", path, body, named);
    await call("POST", `${path}/signals`, { signal: "pause", message: "lunch" }, named);
    const answered = await call("POST", `${path}/signals`, { signal: "abort", message: "prices" }, named);
    expect(answered.body).toMatchObject({ message: `aborted by ${name}: prices` });
    const events = (await parts.journal.read(stream)).map(({ event }) => event);
    expect(events).toMatchObject([
      { kind: "Planned", intent: { requestedBy: "id-of-ann", requestedByName: name } },
      { kind: "Signalled", by: "id-of-ann", byName: name },
      { kind: "Signalled", by: "id-of-ann", byName: name },
      { kind: "Aborted", by: "id-of-ann" },
    ]);
    expect(events.map((event) => messageOf(event as RolloutEvent)).slice(0, 2)).toEqual([
      expect.stringContaining(`requested by ${name}`),
      `paused by ${name}: lunch`,
    ]);
  });

  test("may be used again while it is valid, and repeated calls have one effect", async () => {
    const { call, parts, asked } = service();
    const bearer = await token();
    const twice = async (...how: Parameters<Service["call"]>) => [
      (await call(...how)).status,
      (await call(...how)).status,
    ];
    const state = async () =>
      fold(
        rollout,
        (await parts.journal.read(stream)).map(({ event }) => event as RolloutEvent),
      );
    expect(await twice("PUT", path, body, bearer)).toEqual([202, 200]);
    expect(asked).toEqual([`start ${stream}`]);
    await call("POST", `${path}/signals`, { signal: "pause", message: "lunch" }, bearer);
    const paused = await state();
    expect((await call("POST", `${path}/signals`, { signal: "pause", message: "lunch" }, bearer)).body.error.id).toBe(
      "signal-disregarded",
    );
    expect({ ...(await state()), now: 0 }).toEqual({ ...paused, now: 0 });
    expect(await twice("POST", `${path}/signals`, { signal: "abort", message: "enough" }, bearer)).toEqual([202, 409]);
    expect(await twice("POST", "/locks/shop/api", { seconds: 30 }, bearer)).toEqual([200, 409]);
    expect(await twice("DELETE", "/locks/shop/api/hold-1", undefined, bearer)).toEqual([204, 204]);
  });
});

/** Parts that throw at every use: a call that does not answer 500 has not used them. */
describe("a call", () => {
  test("with a hostile name in its path is refused with 400, and nothing is touched", async () => {
    const { call } = service(untouchable);
    const hostile = [
      "a%27%20or%201%3D1",
      "..%2F..%2Fx",
      "%2e%2e%2fx",
      "api--1%0Aforged",
      "a%00b",
      "%ff%fe",
      "%E2%80%AEx",
      "a%1b%5B2Jb",
      "a;drop",
      "a|take%201",
      "%22%20%7C%20where%201",
      "$%7Bx%7D",
      "__proto__",
      "-a",
      "a".repeat(65),
      "%F0%9F%92%A9",
      "1a",
      "a%20",
    ];
    for (const name of hostile) {
      for (const { method, to, sent } of calls.filter((each) => each.to.includes("/api--"))) {
        const answered = await call(method, to.replace("api--0000002", name), sent);
        expect([name, method, answered.status, answered.body.error.id]).toEqual([name, method, 400, "call-malformed"]);
      }
      for (const { method, to, sent } of calls.filter((each) => /\/api\b/i.test(each.to))) {
        const answered = await call(method, to.replace(/\/api(?=\/|$)/, `/${name}`), sent);
        expect([name, method, answered.status, answered.body.error.id]).toEqual([name, method, 400, "call-malformed"]);
        expect(answered.text).not.toMatch(/forged|drop|where/);
      }
      const query = await call("GET", `/rollouts?app=${name}`);
      expect([name, query.status]).toEqual([name, 400]);
    }
  });

  test("about an app outside the managed targets is refused with 404, and nothing is touched", async () => {
    const { call } = service(untouchable);
    for (const { method, to, sent } of calls.filter(({ name }) =>
      ["putRollout", "signalRollout", "lockTarget", "unlockTarget"].includes(name),
    )) {
      for (const other of [to.replace(/\/api(?=\/|$)/, "/other"), to.replace(/\/shop\//i, "/elsewhere/")]) {
        const answered = await call(method, other, sent);
        expect([method, other, answered.status, answered.body.error.id]).toEqual([
          method,
          other,
          404,
          "target-not-managed",
        ]);
      }
    }
  });

  test("to an unknown path or method is answered with 404 before its token is checked", async () => {
    const { call, app } = service(untouchable);
    for (const to of [
      "/",
      "/nowhere",
      "/rollouts/",
      "/rollouts/shop",
      "/rollouts/shop/api",
      `${path}/`,
      `${path}/other`,
      "//rollouts",
      "/ROLLOUTS",
      "/health/",
      "/openapi.yaml",
      "/locks/shop/api/1/2",
    ]) {
      expect([to, (await call("GET", to)).body.error.id]).toEqual([to, "call-route-unknown"]);
    }
    const known = new Set(calls.map(({ method, to }) => `${method} ${to}`));
    for (const to of new Set(calls.map((each) => each.to))) {
      for (const method of ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"].filter(
        (each) => !known.has(`${each} ${to}`),
      )) {
        const answered = await app.request(to, { method });
        expect([method, to, answered.status, ((await answered.json()) as any).error.id]).toEqual([
          method,
          to,
          404,
          "call-route-unknown",
        ]);
      }
    }
  });

  test("with an unknown query parameter, or an invalid index, is refused by name", async () => {
    const { call, append } = service();
    await append(stream, rejected);
    for (const [to, words] of [
      ["/rollouts?ap=x", '"ap"'],
      [`${path}/follow?form=1`, '"form"'],
      ...["-1", "1.5", "x", "", "0x10", "1e3", " 1", "9999999999"].map((from) => [
        `${path}/follow?from=${encodeURIComponent(from)}`,
        "index",
      ]),
    ] as const) {
      const answered = await call("GET", to);
      expect([to, answered.status]).toEqual([to, 400]);
      expect(answered.body.error.message).toContain(words);
    }
  });

  test("with headers too large is cut off by the server itself, and nothing is touched", async () => {
    const { app } = service(untouchable);
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0, overrideGlobalObjects: false });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const status = await new Promise((resolve, reject) => {
      http
        .get(
          { host: "127.0.0.1", port, path: "/rollouts", headers: { authorization: `Bearer ${"a".repeat(20_000)}` } },
          (response) => resolve(response.resume().statusCode),
        )
        .on("error", reject);
    });
    expect(status).toBe(431);
    server.close();
  });
});
