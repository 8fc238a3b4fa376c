// The endpoints of a cloud: by name and by path at the loopback address, each for its own tokens; and two emulators
// on one machine, which share nothing.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

let one: CloudForTests;
let other: CloudForTests;
const groupOf = ({ cloud }: CloudForTests): string => `/subscriptions/${cloud.subscription}/resourceGroups/mine`;
const groups = "api-version=2024-03-01";

beforeAll(async () => {
  one = await startCloudForTests();
  other = await startCloudForTests();
});
afterAll(async () => {
  await one?.close();
  await other?.close();
});

test("two emulators on one machine have ports, authorities, tokens and resources of their own", async () => {
  expect(one.cloud.port).not.toBe(other.cloud.port);
  expect(one.cloud.providerPort).not.toBe(other.cloud.providerPort);
  await one.ask("PUT", `${groupOf(one)}?${groups}`, { location: "westeurope" });
  expect((await one.ask("GET", `${groupOf(one)}?${groups}`)).status).toBe(200);
  expect((await other.ask("GET", `${groupOf(other)}?${groups}`)).status).toBe(404);
  const foreign = await one.tokenFor("https://management.azure.com");
  expect(await other.ask("GET", `${groupOf(other)}?${groups}`, undefined, { token: foreign })).toMatchObject({
    status: 401,
    body: { error: { code: "InvalidAuthenticationToken" } },
  });
  await other.ask("POST", "/_emulator/clock", { at: 1_900_000_000_000 });
  expect((await one.ask("GET", "/_emulator/clock")).body.stopped).toBe(false);
});

test.each([
  ["the management host", () => `/subscriptions?api-version=2022-12-01`, "https://management.azure.com", 200],
  ["the query host", () => "/v1/workspaces/none/query", "https://api.loganalytics.io", 404],
])("%s takes its own tokens only, by name and by address", async (_, path, audience, status) => {
  const name = audience.includes("management") ? "management" : "api.loganalytics";
  const [right, wrong] = [await one.tokenFor(audience), await one.tokenFor("https://vault.azure.net")];
  for (const origin of [`https://${name}.ballast.localhost`, `https://127.0.0.1:${one.cloud.port}`]) {
    const method = name === "management" ? "GET" : "POST";
    const body = method === "GET" ? undefined : { query: "T" };
    expect((await one.ask(method, `${origin}${path()}`, body, { token: right })).status).toBe(status);
    const refused = await one.ask(method, `${origin}${path()}`, body, { token: wrong });
    expect([refused.status, refused.headers["www-authenticate"]]).toEqual([401, expect.stringContaining("Bearer")]);
  }
});

test("a host that is no endpoint is refused, below the suffix and elsewhere", async () => {
  for (const host of ["vaults.ballast.localhost", "a.management.ballast.localhost"])
    expect(await one.ask("GET", `https://${host}/`)).toMatchObject({
      status: 404,
      body: { error: { code: "HostNotFound" } },
    });
});
