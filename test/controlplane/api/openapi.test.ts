// The API description: it is valid OpenAPI 3.1, it describes every call and nothing else, and it is true. Other
// tests check their exchanges against it too (test/support/controlplane/exchanges.ts); this one provokes every
// answer that it names.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createApp } from "../../../controlplane/api/app.ts";
import { lockForm } from "../../../controlplane/api/lock-target.ts";
import { appRoles } from "../../../controlplane/api/roles.ts";
import { signalForm } from "../../../controlplane/api/streams/signal.ts";
import { type Form, read } from "../../../engines/form.ts";
import { kinds } from "../../../engines/kinds.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { releaseForm } from "../../../engines/rollout/request.ts";
import { replicaEnding } from "../../../errors/api.ts";
import { catalogue } from "../../../errors/catalogue.ts";
import { claimTargetHeld } from "../../../errors/claims.ts";
import { journalChainBroken, journalEngineFailed, journalFactUnknown } from "../../../errors/journal.ts";
import { brokenJournal } from "../../support/controlplane/broken-journals.ts";
import { checked, checkOf, described, description, operations, seen } from "../../support/controlplane/exchanges.ts";
import { provokeDeclared } from "../../support/controlplane/provoke-declared.ts";
import { provokeDeliveries } from "../../support/controlplane/provoke-deliveries.ts";
import {
  body,
  calls,
  path,
  rejected,
  type Service,
  servicesForTests,
  stream,
} from "../../support/controlplane/service.ts";

const { service, serviceWithoutKeys, token } = servicesForTests();
const entries = Object.entries(operations);

describe("the description", () => {
  // The OpenAPI Initiative's schema of OpenAPI 3.1 documents, iteration 2026-08-03, from
  // @seriousme/openapi-schema-validator 2.11.0 (MIT).
  const schema = JSON.parse(
    readFileSync(new URL("../../support/controlplane/openapi-3.1.schema.json", import.meta.url), "utf8"),
  ) as object;
  const official = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  const asServed = JSON.parse(JSON.stringify(description)) as Record<string, any>;

  test("is valid OpenAPI 3.1 by the official schema, and needs no token", async () => {
    expect([official(asServed), official.errors]).toEqual([true, null]);
    const response = await service().app.request("/openapi.json");
    expect([response.status, await response.json()]).toEqual([200, asServed]);
    for (const broken of [
      { ...asServed, openapi: "3.0.0" },
      { ...asServed, info: {} },
      { ...asServed, paths: { recover: {} } },
      { ...asServed, paths: { "/recover": { post: { responses: { many: {} } } } } },
    ])
      expect(official(broken)).toBe(false);
  });

  test("contains valid JSON Schemas, and references that resolve", () => {
    const text = JSON.stringify(asServed);
    for (const [, place] of text.matchAll(/"\$ref":"#\/([^"]+)"/g))
      expect(
        place!.split("/").reduce((inner, step) => inner?.[step], asServed),
        place,
      ).toBeTypeOf("object");
    for (const name of Object.keys(description.components.schemas))
      expect(checkOf("components", "schemas", name)).toBeTypeOf("function");
  });

  test("has every route with its role, and no other", () => {
    const { parts } = service();
    const app = createApp(
      parts,
      async () => ({ name: "somebody", roles: appRoles }),
      () => undefined,
    );
    const routes = app.routes.map((route) => `${route.method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const served = Object.entries(asServed["paths"] as object).flatMap(([to, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${to}`),
    );
    expect(served.toSorted()).toEqual(routes.toSorted());
    expect(
      new Set(entries.map(([, { path: to, method }]) => asServed["paths"][to][method.toLowerCase()].operationId)).size,
    ).toBe(entries.length);
    for (const [name, { role, partRole, path: to, method }] of entries)
      expect([name, asServed["paths"][to][method.toLowerCase()].security]).toEqual([
        name,
        [role, partRole].filter((each) => each !== undefined).map((each) => ({ entra: [each] })),
      ]);
  });

  test("names only errors of the catalogue", () => {
    const ids = entries.flatMap(([name]) => [...described(name)].flatMap((what) => what.split(" ")[1] ?? []));
    expect(ids.filter((id) => !catalogue().has(id))).toEqual([]);
    expect(ids.length).toBeGreaterThan(40);
  });

  test("names exactly the statuses and errors of each call: every one is provoked here, and no other", async () => {
    seen.clear();
    await provokeEverything();
    for (const to of ["pause", "resume"]) await service().call("POST", `/remediations/${to}`, {});
    for (const [name] of entries)
      expect([name, [...(seen.get(asOfRollouts(name)) ?? [])].toSorted()]).toEqual([
        name,
        [...described(name)].toSorted(),
      ]);
  });

  test("rejects an answer or a call that differs from it", async () => {
    const answering = (answer: Response) =>
      checked({ fetch: async () => answer }).request("/recover", { method: "POST" });
    await expect(answering(Response.json({ recovered: [] }))).resolves.toBeInstanceOf(Response);
    for (const answer of [
      Response.json({ recovered: [1] }),
      Response.json({ recovered: [], more: 1 }),
      Response.json({ recovered: [] }, { status: 201 }),
      new Response("{}"),
      Response.json({ error: { id: "target-locked", message: "m", fix: "f" } }, { status: 409 }),
      Response.json({ error: { id: "call-malformed", message: "m", fix: "f" } }, { status: 401 }),
    ]) {
      await expect(answering(answer)).rejects.toThrow("POST /recover");
    }
    for (const answer of [
      { error: { id: "target-locked", message: "m", fix: "f" } },
      { error: { id: "target-locked", message: "m", fix: "f" }, heldBy: 1 },
      { error: { id: "target-locked", message: "m", fix: "f" }, heldBy: "ann", more: 1 },
    ]) {
      const locked = checked({ fetch: async () => Response.json(answer, { status: 409 }) });
      await expect(locked.request("/locks/shop/api", { method: "POST", body: '{"seconds":1}' })).rejects.toThrow("409");
    }
    const lax = checked({ fetch: async () => Response.json({ id: "1", until: 1 }) });
    await expect(lax.request("/locks/shop/api", { method: "POST", body: '{"seconds":121}' })).rejects.toThrow(
      "although",
    );
  });
});

/** Gives the call of rollouts that does the same: one file answers a call of every kind, and rollouts provoke it. */
const asOfRollouts = (name: string): string =>
  kinds.all.reduce(
    (same, { calls: { noun } }) => same.replace(new RegExp(`${noun}(?=s$|Journal$|$)`), "Rollout"),
    name,
  );

/** Provokes every described answer, and with it every error. */
async function provokeEverything(): Promise<void> {
  const broken = async (): Promise<never> => {
    throw new Error("broken inside");
  };
  const everythingBroken = {
    journal: { read: broken, after: broken, list: broken, show: broken, append: broken, grown: broken, pulse: broken },
    claims: { lock: broken, unlock: broken, holders: broken },
    streams: { start: broken, signal: broken, recover: broken },
    pauses: { current: broken, begin: broken, end: broken },
  } as unknown as Partial<Service["parts"]>;
  const plain = service();
  const inside = service(everythingBroken);
  const why = "a test wants it";
  const misread = service({
    journal: brokenJournal(plain.parts.journal, () => journalFactUnknown({ stream, index: 0, why })),
  });
  const tampered = service({
    journal: brokenJournal(plain.parts.journal, () => journalChainBroken({ stream, index: 0, why })),
  });
  const failing = service({
    journal: brokenJournal(plain.parts.journal, () => journalEngineFailed({ stream, why })),
  });
  const lost = () => Promise.reject(Object.assign(new Error("the connection broke"), { code: "ECONNRESET" }));
  const silent = new Proxy({}, { get: () => lost });
  const unanswered = service({ journal: silent, claims: silent, streams: silent, pauses: silent } as unknown as Partial<
    Service["parts"]
  >);
  const leaving = new Proxy({}, { get: () => () => Promise.reject(replicaEnding()) });
  const ending = service({
    journal: leaving,
    claims: leaving,
    streams: leaving,
    pauses: leaving,
  } as unknown as Partial<Service["parts"]>);
  const deaf = serviceWithoutKeys();
  const weak = await token({ roles: [] });
  const foreign = await token({ aud: "x" });
  for (const { method, to, sent } of calls) {
    await plain.app.request(to, { method });
    await plain.call(method, to, sent, foreign);
    await plain.call(method, to, sent, weak);
    await deaf.call(method, to, sent);
    await inside.call(method, to, sent);
    await unanswered.call(method, to, sent);
    await ending.call(method, to, sent);
    await misread.call(method, to, sent);
    await tampered.call(method, to, sent);
    await failing.call(method, to, sent);
    await plain.call(method, `${to.replace("/api", "/%00")}${to === "/rollouts" ? "?x=1" : ""}`, sent);
    if (sent === undefined) continue;
    await plain.call(method, to, "x".repeat(70_000));
    await plain.call(method, to, sent, undefined, { "content-type": "text/plain" });
  }
  for (const to of ["/health", "/openapi.json"]) await plain.app.request(to);
  await inside.app.request("/health");
  await provokeInTurn(plain);
  const taken = service({
    journal: plain.parts.journal,
    streams: {
      ...plain.parts.streams,
      start: async () => {
        throw claimTargetHeld({ stream, heldBy: "x" });
      },
      signal: async () => {
        throw claimTargetHeld({ stream, heldBy: "x" });
      },
    },
  });
  await taken.append("rollout/shop/api/api--0000009", rejected);
  await taken.call("POST", `${path}/signals`, { signal: "retry", message: "x" });
  const free = service({ streams: taken.parts.streams });
  await free.call("PUT", path, body);
  await provokeDeliveries({ service, token, deaf, refused: [foreign, weak] });
  await provokeDeclared({ service, deaf, refused: [foreign, weak] });
  const overtaken = service({ standing: async () => ({ why: "another release serves" }) });
  await overtaken.append(stream, rejected);
  await overtaken.call("PUT", path, body);
}

/** Runs through one release with every call that a caller may make, right or wrong. */
async function provokeInTurn({ call, append }: Service): Promise<void> {
  for (const rest of ["", "/journal", "/follow"]) await call("GET", `${path}${rest}`);
  for (const [method, to, sent] of [
    ["PUT", path, body],
    ["POST", `${path}/signals`, { signal: "abort", message: "x" }],
    ["POST", "/locks/shop/api", { seconds: 1 }],
    ["DELETE", "/locks/shop/api/1", undefined],
  ] as const)
    await call(method, to.replace("/api", "/other"), sent);
  await call("POST", `${path}/signals`, { signal: "abort", message: "x" });
  for (const revision of ["0000002", "0000002", "0000003"]) await call("PUT", path.replace("0000002", revision), body);
  for (const rest of ["", "/journal"]) await call("GET", `${path}${rest}`);
  for (const query of ["", "?app=other"]) await call("GET", `/rollouts${query}`);
  for (const _twice of [1, 2]) await call("POST", `${path}/signals`, { signal: "abort", message: "x" });
  await append(stream.replace("0002", "0004"), rejected);
  await call("GET", `${path.replace("0002", "0004")}/follow`);
  for (const _twice of [1, 2]) await call("POST", "/locks/shop/api", { seconds: 30 });
  await call("DELETE", "/locks/shop/api/1");
  await call("POST", "/recover");
}

describe("a body", () => {
  const forms: Readonly<Record<string, Form<unknown>>> = {
    putRollout: releaseForm,
    signalRollout: signalForm(rolloutKind),
    lockTarget: lockForm,
  };
  const checkOfBody = (name: string) =>
    checkOf(
      "paths",
      operations[name]!.path,
      operations[name]!.method.toLowerCase(),
      "requestBody",
      "content",
      "application/json",
      "schema",
    );
  /** Complaints of rules beyond the form, which compare values with each other. */
  const beyond = /must be above the one before|the steps take at least|must be below ceilingPercent/;
  const near = fc.oneof(
    fc.constantFrom(
      0,
      1,
      -1,
      0.5,
      20,
      21,
      50,
      51,
      99,
      100,
      101,
      119.9,
      120,
      121,
      Number.POSITIVE_INFINITY,
      10_800,
      "",
      "x",
      "abort",
      "refuse",
      "supersede",
      "restore",
      "adopt",
      "/",
      "/a b",
      "x".repeat(200),
      "😀".repeat(200),
      "😀".repeat(201),
      "a\u0000",
      "\ud800",
      null,
      true,
      {},
      [],
      [5],
      [5, 25, 50],
      [50, 25],
      Array(20).fill(1),
      Array(21).fill(1),
    ),
    fc.double(),
    fc.string({ unit: "binary" }),
  );

  test.each(Object.keys(forms))(
    "of %s is taken where the description says so, and refused where it says so",
    (name) => {
      const good = calls.find((each) => each.name === name)!.sent as Record<string, any>;
      const fields = Object.keys(good).flatMap((key) =>
        typeof good[key] === "object" ? [[key], ...Object.keys(good[key]).map((inner) => [key, inner])] : [[key]],
      );
      const mutated = fc
        .tuple(
          fc.constantFrom(
            ...fields,
            ["whenInFlight"],
            ["outsideWeights"],
            ["dryRun"],
            ["other"],
            ["strategy", "other"],
            ["__proto__"],
          ),
          near,
          fc.boolean(),
        )
        .map(([at, value, isDeleted]) => {
          const sent = structuredClone(good);
          const holder = at.slice(0, -1).reduce((inner, step) => {
            inner[step] ??= {};
            return inner[step];
          }, sent);
          if (isDeleted) delete holder[at.at(-1)!];
          else Object.defineProperty(holder, at.at(-1)!, { value, enumerable: true });
          return sent;
        });
      let taken = 0;
      let refused = 0;
      fc.assert(
        fc.property(mutated, (sent) => {
          const given = JSON.parse(JSON.stringify(sent)) as unknown;
          const fits = checkOfBody(name);
          const isDescribed = fits(given);
          const parsed = read(forms[name]!, given);
          if ("complaints" in parsed) {
            refused++;
            expect([given, isDescribed && parsed.complaints.every((words) => !beyond.test(words))]).toEqual([
              given,
              false,
            ]);
          } else {
            taken++;
            expect([given, isDescribed]).toEqual([given, true]);
          }
        }),
        {
          numRuns: 1_000,
          examples: [200, 201, 500, 501].map((length) => [
            { ...good, [name === "putRollout" ? "release" : "message"]: "😀".repeat(length) },
          ]),
        },
      );
      expect(Math.min(taken, refused)).toBeGreaterThan(20);
    },
  );
});

test("the examples of docs/guides/api.md come out as they are written, in their order", async () => {
  const page = readFileSync(new URL("../../../docs/guides/api.md", import.meta.url), "utf8");
  const { call } = service();
  const examples = [...page.matchAll(/```http\n(\w+) (\S+)\n([^`]*)```\n```json (\d+)\n([^`]*)```/g)];
  expect(examples.length).toBe([...page.matchAll(/```http/g)].length);
  for (const [, method, to, sent, status, answer] of examples) {
    const answered = await call(method!, to!, sent === "" ? undefined : sent);
    expect([to, answered.status, answered.body]).toMatchObject([to, Number(status), JSON.parse(answer!)]);
  }
});
