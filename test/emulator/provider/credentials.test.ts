// How the emulator's azure-native signs in, as the real one reads its configuration and variables: each way to a token
// in its order, and what is refused before any request.

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { credentialsOf } from "../../../emulator/provider/credentials.ts";

let server: Server;
let folder: string;
let file: string;
let at: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-credentials-"));
  file = join(folder, "token");
  writeFileSync(file, "of the file");
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://127.0.0.1");
    const isJob = request.headers.authorization === "Bearer right";
    response.writeHead(isJob ? 200 : 401);
    response.end(
      isJob ? JSON.stringify({ value: `for ${searchParams.get("audience")} of ${searchParams.get("a")}` }) : "no",
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?a=b`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const oidc = { ARM_USE_OIDC: "true", ARM_TENANT_ID: "tenant", ARM_CLIENT_ID: "client" };
const asserted = (assertion: string) => ({
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: assertion,
});
const runner = () => ({ ACTIONS_ID_TOKEN_REQUEST_URL: at, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "right" });

test.each([
  ["a secret before anything else", {}, () => ({ ...oidc, ARM_CLIENT_SECRET: "s" }), { client_secret: "s" }],
  [
    "the stack's secret before the variable's",
    { clientSecret: "own" },
    () => ({ ARM_CLIENT_SECRET: "s" }),
    { client_secret: "own" },
  ],
  [
    "a token as it is, before a file",
    {},
    () => ({ ...oidc, ARM_OIDC_TOKEN: "given", ARM_OIDC_TOKEN_FILE_PATH: file }),
    asserted("given"),
  ],
  [
    "a file before the runner's service",
    {},
    () => ({ ...oidc, ...runner(), ARM_OIDC_TOKEN_FILE_PATH: file }),
    asserted("of the file"),
  ],
  ["the runner's service", {}, () => ({ ...oidc, ...runner() }), asserted("for api://AzureADTokenExchange of b")],
  ["another audience", { oidcAudience: "api://x" }, () => ({ ...oidc, ...runner() }), asserted("for api://x of b")],
])("a stack signs in by %s", async (_what, config, environment, proof) => {
  expect(await credentialsOf(config, environment()).proof()).toEqual(proof);
});

test("the stack's ids win over the variables", () => {
  const { tenantId, clientId } = credentialsOf(
    { clientId: "own", useOidc: "true", oidcToken: "t" },
    { ...oidc, ARM_USE_OIDC: "" },
  );
  expect([tenantId, clientId]).toEqual(["tenant", "own"]);
});

test.each([
  ["neither a secret nor OIDC", { ...oidc, ARM_USE_OIDC: "false" }, /has neither/],
  ["no tenant", { ...oidc, ARM_TENANT_ID: "" }, /A Tenant ID must be configured/],
  ["no client", { ...oidc, ARM_CLIENT_ID: "" }, /A Client ID must be configured/],
  ["no token", oidc, /OIDC token or request URL and token must be configured/],
  [
    "half of the runner's service",
    { ...oidc, ACTIONS_ID_TOKEN_REQUEST_URL: "http://127.0.0.1" },
    /request URL and token must/,
  ],
])("a stack with %s is refused before any request", (_what, environment, words) => {
  expect(() => credentialsOf({}, environment)).toThrow(words);
});

test("a service that gives no token is named with its answer", async () => {
  const { proof } = credentialsOf({}, { ...oidc, ...runner(), ACTIONS_ID_TOKEN_REQUEST_TOKEN: "wrong" });
  await expect(proof()).rejects.toThrow("GitHub OIDC: 401 with response: no");
});
