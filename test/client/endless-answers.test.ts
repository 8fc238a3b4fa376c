// Answers without end to the control plane's callers: of a server at its address, of sign-in and of a token service.
// Each is read up to a limit of bytes and of time, and the caller gets an error of the catalogue.
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { controlPlane } from "../../client/control-plane.ts";
import { tokenFor } from "../../client/credential.ts";
import type { Access } from "../../client/requests.ts";
import { type EndlessServer, startEndless } from "../support/endless.ts";

const name = { resourceGroup: "rg", app: "shop", revision: "shop--2" };
let server: EndlessServer;
/** A minute of this caller's time passes with each look at the clock. */
const hasty = (): Access => {
  let minutes = 0;
  const time = { now: () => minutes++ * 60_000, rest: async () => undefined };
  return { endpoint: server.url, token: async () => "a.b.c", time };
};

beforeAll(async () => {
  server = await startEndless();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => Object.assign(server, { sentMebibytes: 0, how: "bytes", status: 200 }));

const access = (): Access => ({ endpoint: server.url, token: async () => "a.b.c" });

test.each([200, 400, 503])("a control plane's answer of status %i without end is none of its API", async (status) => {
  server.status = status;
  const plane = controlPlane({ ...access(), patienceSeconds: 300 });
  await expect(plane.list()).rejects.toMatchObject({
    id: "release-control-plane-unclear",
    message: expect.stringContaining("answered more than 64 MiB"),
  });
  expect(server.sentMebibytes).toBeLessThan(64 + 32);
});

test("a control plane's answer that stops half-way is none", async () => {
  server.how = "silence";
  await expect(controlPlane({ ...access(), patienceSeconds: 1 }).list()).rejects.toMatchObject({
    id: "release-control-plane-unreachable",
    message: expect.stringContaining("no answer in 1 s"),
  });
});

test("a followed answer of one endless line is a broken connection", async () => {
  const plane = controlPlane(hasty());
  const follow = async (): Promise<void> => {
    for await (const _ of plane.follow(name, { quietSeconds: 170 }));
  };
  await expect(follow()).rejects.toMatchObject({
    id: "release-control-plane-unreachable",
    message: expect.stringContaining("a line of its answer has more than 1 MiB"),
  });
  expect(server.sentMebibytes).toBeLessThan(64);
});

test("an endless refusal of a follower is none of the API", async () => {
  server.status = 404;
  await expect(controlPlane(access()).follow(name).next()).rejects.toMatchObject({
    id: "release-control-plane-unclear",
  });
  expect(server.sentMebibytes).toBeLessThan(64 + 32);
});

test.each(["bytes", "silence"] as const)("a federated token without end of %s is no sign-in", async (how) => {
  server.how = how;
  const token = tokenFor("api://ballast", {
    AZURE_TENANT_ID: "tenant",
    AZURE_CLIENT_ID: "client",
    ARM_USE_OIDC: "true",
    ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/?a=b`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "right",
  });
  await expect(token()).rejects.toMatchObject({ id: "release-not-signed-in" });
  expect(server.asked.at(-1)).toContain("audience=api://AzureADTokenExchange");
  expect(server.sentMebibytes).toBeLessThan(16);
});

test("a sign-in host's answer without end is no sign-in", async () => {
  await using entra = await startEndless({ overTls: true });
  vi.stubEnv("BALLAST_CONNECT_TO", `endless.test=127.0.0.1:${entra.port}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const token = tokenFor("api://ballast", {
    AZURE_TENANT_ID: "tenant",
    AZURE_CLIENT_ID: "client",
    AZURE_CLIENT_SECRET: "secret",
    AZURE_AUTHORITY_HOST: "https://login.endless.test",
  });
  await expect(token()).rejects.toMatchObject({ id: "release-not-signed-in" });
  expect(entra.asked.length).toBeGreaterThan(0);
  expect(entra.sentMebibytes).toBeLessThan(64);
});
