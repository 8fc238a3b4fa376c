// The doctor's check of declared credentials, against a control plane with canned answers.
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { credentialChecks } from "../../../cli/doctor/credential-checks.ts";
import type { DeclaredCredential } from "../../../client/credentials.ts";
import { roleMissing } from "../../../errors/api.ts";
import {
  envelope,
  type FakeControlPlane,
  startFakeControlPlane,
  token,
} from "../../support/controlplane/fake-control-plane.ts";
import { checkRunner, contextAt, failure } from "../../support/emulator/doctor-shop.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

let plane: FakeControlPlane;
const { run } = checkRunner(credentialChecks);
const { credential } = scenarioOf("replaces-a-version-that-is-due");

beforeAll(async () => {
  vi.stubEnv("BALLAST_TOKEN", token);
  plane = await startFakeControlPlane();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await plane.stop();
});

/** Lets the control plane answer by path, and gives what the check finds. */
async function found(answers: Readonly<Record<string, readonly [number, object]>>) {
  plane.answerInstead = ({ url = "" }: IncomingMessage, response: ServerResponse) => {
    const [status, body] = answers[url] ?? [404, {}];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return run("credentials", contextAt(plane.endpoint));
}

const shown = (change: Partial<DeclaredCredential>): DeclaredCredential => ({
  vault: "kv",
  credential: "database",
  declaration: credential,
  published: { slot: "a", version: "1", expiresAt: Date.now() + 50 * 86_400_000 },
  urls: { a: "a", b: "b" },
  consumers: [],
  missing: [],
  plan: [],
  rotation: null,
  unread: null,
  ...change,
});
const declared = (change: Partial<DeclaredCredential> = {}) => ({
  "/credentials": [200, { credentials: [credential] }] as const,
  "/credentials/kv/database": [200, shown(change)] as const,
});

test("credentials that are well are counted, and none is no trouble", async () => {
  expect(await found(declared())).toMatchObject({ state: "ok", message: "1 declared, each published and in time" });
  expect(await found({ "/credentials": [200, { credentials: [] }] })).toMatchObject({
    state: "ok",
    message: "none is declared",
  });
});

test("what is wrong with a credential is reported with its name", async () => {
  expect(await found(declared({ missing: ["SELECT on orders"] }))).toMatchObject(
    failure("doctor-credentials-unwell", "kv/database: the rights of its roles differ: one lacks SELECT on orders."),
  );
});

test.each(["/credentials", "/credentials/kv/database"])(
  "a control plane that does not answer %s is the finding of another check",
  async (path) => {
    expect(
      await found({ ...declared(), [path]: [403, envelope(roleMissing({ role: "Rollout.Read", caller: "ann" }))] }),
    ).toMatchObject({
      state: "unknown",
      message: expect.stringContaining("they cannot be read"),
    });
  },
);

test("no token is sent to an address that is not the bound one", async () => {
  let asked = 0;
  plane.answerInstead = (_request, response) => {
    asked++;
    response.writeHead(200).end();
  };
  const elsewhere = contextAt(plane.endpoint, {}, "of another host");
  expect(await run("credentials", elsewhere)).toMatchObject({ state: "unknown" });
  expect(asked).toBe(0);
});
