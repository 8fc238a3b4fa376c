// The checks read lists of Azure whole: a role or a setting on the second page is not missing. The server gives one
// item a page, and its links name another host, which must not receive the token.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contextOf } from "../../../cli/doctor/context.ts";
import { identityChecks } from "../../../cli/doctor/identity-checks.ts";
import type { Stack } from "../../../cli/doctor/stack.ts";

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";
const group = `${subscription}/resourceGroups/shop`;
const app = `${group}/providers/Microsoft.App/containerApps/web`;
const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/switch`;
const definition = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/all`;
const assignments = `${app}/providers/Microsoft.Authorization/roleAssignments`;
const assigned = (principalId: string) => ({
  properties: { principalId, roleDefinitionId: definition, scope: app },
});

/** What is there; a list is given as its pages. */
const resources: Record<string, object | readonly object[]> = {
  [identity]: { properties: { principalId: "the-switch" } },
  [definition]: { properties: { permissions: [{ actions: ["*"], notActions: [] }] } },
};
const asked: string[] = [];
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url!, "http://127.0.0.1");
  asked.push(`${pathname}?${searchParams}`);
  const found = resources[pathname];
  const page = Number(searchParams.get("$skiptoken") ?? 0);
  const pages = Array.isArray(found) ? (found as readonly object[]) : undefined;
  const isLast = pages === undefined || page === pages.length - 1;
  const nextLink = `https://elsewhere.example${pathname}?api-version=2022-04-01&$skiptoken=${page + 1}`;
  const list = { value: [pages?.[page]], ...(isLast ? {} : { nextLink }) };
  response
    .writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" })
    .end(JSON.stringify(pages === undefined ? (found ?? {}) : list));
});
let resourceManager: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  resourceManager = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const context = () => {
  const endpoints = { resourceManager, logs: resourceManager };
  const apps = [{ id: app }];
  const identities = { plane: undefined, switch: identity, pull: undefined };
  return contextOf({ endpoints, apps, identities } as unknown as Stack, () => async () => "token");
};

test.each([
  ["on the second page counts", ["another", "the-switch", "a third"], "ok", 3],
  ["of another identity on each page does not", ["another", "a third"], "failed", 2],
])("a role %s", async (_what, principals, state, pages) => {
  resources[assignments] = principals.map(assigned);
  asked.length = 0;
  const check = identityChecks.find(({ name }) => name === "switch rights")!;
  expect((await check.run(context())).state).toBe(state);
  expect(asked.filter((each) => each.startsWith(assignments))).toHaveLength(pages);
});
