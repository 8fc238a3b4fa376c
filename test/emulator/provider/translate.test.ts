// The rules of azure-native that the emulator's provider imitates, one in each test: replayed dialogues that were
// recorded with Azure, and the rules in azure-native's sources (crud.go, provider.go, diff.go). Resource Manager is a
// literal object here, and there is no Pulumi CLI.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type ArmClient, OperationFailed, ServiceError } from "../../../emulator/provider/arm-client.ts";
import { HalfWritten } from "../../../emulator/provider/provider-behaviour.ts";
import { replacements } from "../../../emulator/provider/replacements.ts";
import { nativeResourceOf } from "../../../emulator/provider/resources.ts";
import { unknownText } from "../../../emulator/provider/shape.ts";
import {
  check,
  compare,
  create,
  foreseeCreate,
  foreseeUpdate,
  read,
  type Session,
  update,
} from "../../../emulator/provider/translate.ts";

const recorded = JSON.parse(
  readFileSync(new URL("recordings/azure-native-resource-group.json", import.meta.url), "utf8"),
);
const group = nativeResourceOf("azure-native:resources:ResourceGroup")!;
const app = nativeResourceOf("azure-native:app:ContainerApp")!;
const database = nativeResourceOf("azure-native:dbforpostgresql:Database")!;
const absent = new ServiceError(404, "ResourceNotFound", "It is not there.");

/** Makes a session whose cloud answers GET from `there` and PUT by `put`. */
function sessionWith(
  there: Body | undefined,
  put: (body: Body) => Body | Error = (body) => body,
  location?: string,
): Session & { readonly sent: Body[] } {
  let now = there;
  const sent: Body[] = [];
  const refuse = async (): Promise<never> => {
    throw new Error("not asked of this cloud");
  };
  const arm: ArmClient = {
    get: async () => {
      if (now === undefined) throw absent;
      return now;
    },
    put: async (_id, _version, body) => {
      sent.push(body);
      const outcome = put(body);
      if (outcome instanceof OperationFailed)
        now = { ...body, id: "/left", name: "left", type: "A/b", properties: { provisioningState: "Failed" } };
      if (outcome instanceof Error) throw outcome;
      now = outcome;
    },
    remove: refuse,
    post: refuse,
    claims: refuse,
  };
  return {
    arm,
    sent,
    subscription: recorded.subscription,
    config: { tenantId: "t", clientId: "c", ...(location === undefined ? {} : { location }) },
  };
}
const seed = Buffer.alloc(32, 7);
const checkedWith = async (resource: typeof group, news: Body, olds: Body = {}, naming: object = {}) =>
  (
    await check(sessionWith(undefined, undefined, "westeurope"), resource, olds, news, {
      name: "it",
      randomSeed: seed,
      ...naming,
    })
  ).inputs;

test.each<any>(recorded.dialogues)(
  "replays the recorded dialogue on a resource group of azure-native $version",
  async ({ location, check: asked, create: made }) => {
    const { azureApiVersion: _, ...properties } = made.properties;
    const session = sessionWith(undefined, () => ({ ...properties }), location);
    const { inputs, failures } = await check(session, group, {}, asked.news, {
      name: asked.name,
      randomSeed: Buffer.from(asked.randomSeed, "base64"),
    });
    expect(failures).toEqual([]);
    // azure-native's random suffix comes from another algorithm; only its form is compared.
    expect(inputs).toEqual({ ...asked.inputs, resourceGroupName: expect.stringMatching(/^rg[0-9a-f]{8}$/) });
    const { id, outputs } = await create(session, group, asked.inputs);
    expect(id).toBe(made.id);
    expect(outputs).toEqual({ ...properties, azureApiVersion: group.apiVersion });
    expect(session.sent).toMatchObject([{ location: asked.inputs.location }]);
    expect(JSON.stringify(session.sent)).not.toMatch(/__createBeforeDelete|resourceGroupName/);
  },
);

test("Check makes a random name once, copies a child's name, and gives an assignment a UUID", async () => {
  const first = await checkedWith(group, {});
  expect(await checkedWith(group, {}, first, { randomSeed: Buffer.alloc(32, 9) })).toEqual(first);
  expect(await checkedWith(database, { resourceGroupName: "g", serverName: "s" })).toEqual({
    resourceGroupName: "g",
    serverName: "s",
    databaseName: "it",
  });
  const assignment = nativeResourceOf("azure-native:authorization:RoleAssignment")!;
  expect(
    (await checkedWith(assignment, { scope: "/s", principalId: "p", roleDefinitionId: "r" }))["roleAssignmentName"],
  ).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
});

test("Check takes the name of the program or of the Pulumi CLI's auto-naming, and reports a missing name", async () => {
  expect(await checkedWith(group, { resourceGroupName: "mine" })).toEqual({
    resourceGroupName: "mine",
    location: "westeurope",
  });
  expect(
    (await checkedWith(group, {}, {}, { proposed: { name: "theirs", mode: "enforce" } }))["resourceGroupName"],
  ).toBe("theirs");
  const { failures } = await check(
    sessionWith(undefined),
    app,
    {},
    { containerAppName: "a" },
    { name: "it", randomSeed: seed },
  );
  expect(failures).toEqual(["missing required property 'resourceGroupName'"]);
});

test("Create refuses an existing resource", async () => {
  const session = sessionWith({ id: "/there" });
  await expect(create(session, group, { resourceGroupName: "g", location: "x" })).rejects.toThrow(
    `cannot create already existing resource '/subscriptions/${recorded.subscription}/resourceGroups/g'`,
  );
  expect(session.sent).toEqual([]);
});

test("Create takes the id of the answer, however the program spelled it", async () => {
  const canonical = "/subscriptions/s/resourceGroups/Shop";
  expect(
    (
      await create(
        sessionWith(undefined, () => ({ id: canonical, name: "Shop" })),
        group,
        { resourceGroupName: "shop", location: "x" },
      )
    ).id,
  ).toBe(canonical);
});

test("a write whose operation failed is kept with its state and inputs; a refused write is not", async () => {
  const inputs = { resourceGroupName: "g", location: "x" };
  const failed = new OperationFailed(200, "Broken", "It broke.");
  const refused = new ServiceError(400, "BadRequest", "No.");
  for (const write of [
    create,
    (session: Session, resource: typeof group, asked: Body) => update(session, resource, "/left", asked),
  ]) {
    const error = await write(
      sessionWith(undefined, () => failed),
      group,
      inputs,
    ).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(HalfWritten);
    expect((error as HalfWritten).state).toMatchObject({
      id: "/left",
      outputs: { properties: { provisioningState: "Failed" } },
      inputs,
    });
    await expect(
      write(
        sessionWith(undefined, () => refused),
        group,
        inputs,
      ),
    ).rejects.toBe(refused);
  }
});

test("a preview of a creation knows only the inputs; a preview of an update knows name and location too", () => {
  const inputs = { resourceGroupName: "g", location: "westeurope", tags: { a: "b" } };
  expect(foreseeCreate(group, inputs)).toMatchObject({
    location: "westeurope",
    tags: { a: "b" },
    id: unknownText,
    name: unknownText,
    type: unknownText,
    properties: unknownText,
  });
  expect(
    foreseeUpdate(group, inputs, { id: "/i", name: "g", location: "westeurope", type: "T", properties: {} }),
  ).toMatchObject({ id: unknownText, name: "g", location: "westeurope", type: unknownText, properties: unknownText });
});

test.each<[string, Body, Body, readonly [string, string, boolean][]]>([
  [
    "a changed property in place",
    { template: { scale: { maxReplicas: 1 } } },
    { template: { scale: { maxReplicas: 2 } } },
    [["template.scale.maxReplicas", "update", false]],
  ],
  [
    "an element that was added",
    { template: { containers: [{}] } },
    { template: { containers: [{}, { name: "b" }] } },
    [["template.containers[1]", "add", false]],
  ],
  ["a property that was taken away", { tags: { a: "b" } }, {}, [["tags", "delete", false]]],
  [
    "another parameter of the path",
    { containerAppName: "a" },
    { containerAppName: "b" },
    [["containerAppName", "update", true]],
  ],
  [
    "another environment",
    { managedEnvironmentId: "/a" },
    { managedEnvironmentId: "/b" },
    [["managedEnvironmentId", "update", true]],
  ],
  ["another location", { location: "westeurope" }, { location: "eastus" }, [["location", "update", true]]],
  ["a location in another spelling as none", { location: "West Europe" }, { location: "westeurope" }, []],
])("Diff reports %s by its path and whether it replaces the resource", (_, olds, news, expected) => {
  const { differences, deleteBeforeReplace } = compare(app, olds, news);
  expect(differences.map(({ path, kind, replace }) => [path, kind, replace])).toEqual(expected);
  expect(deleteBeforeReplace).toBe(expected.some(([, , replace]) => replace));
});

test("a replacement is created before the old resource is deleted if the name is random", () => {
  expect(
    compare(app, { __createBeforeDelete: true, location: "a" }, { __createBeforeDelete: true, location: "b" })
      .deleteBeforeReplace,
  ).toBe(false);
});

test.each([
  ["authorization:RoleAssignment", { principalId: "a" }, { principalId: "b" }, true],
  ["authorization:RoleAssignment", { roleDefinitionId: "a" }, { roleDefinitionId: "b" }, false],
  ["dbforpostgresql:Server", { availabilityZone: "1" }, { availabilityZone: "2" }, true],
  ["dbforpostgresql:Server", { administratorLogin: "a" }, { administratorLogin: "b" }, true],
  ["dbforpostgresql:Server", { highAvailability: { mode: "Disabled" } }, { highAvailability: { mode: "a" } }, false],
  ["resources:ResourceGroup", { managedBy: "a" }, { managedBy: "b" }, false],
  ["resources:ResourceGroup", { resourceGroupName: "a" }, { resourceGroupName: "b" }, true],
])("a change of %s from %j to %j replaces it: %s", (token, olds, news, replaces) => {
  const { differences } = compare(nativeResourceOf(`azure-native:${token}`)!, olds, news);
  expect(differences.map(({ replace }) => replace)).toEqual([replaces]);
});

test("every resource has a row of replacements, and no row is of another resource", () => {
  expect(Object.keys(replacements).filter((token) => nativeResourceOf(token) === undefined)).toEqual([]);
  expect(Object.keys(replacements).map((token) => nativeResourceOf(token)!.forceNew)).toEqual(
    Object.values(replacements),
  );
});

test("Read of a missing resource gives nothing, and any other error fails", async () => {
  expect(await read(sessionWith(undefined), group, "/subscriptions/s/resourceGroups/g", {}, {})).toBeUndefined();
  const session = sessionWith(undefined);
  const forbidden: Session = {
    ...session,
    arm: {
      ...session.arm,
      get: async () => {
        throw new ServiceError(403, "AuthorizationFailed", "No.");
      },
    },
  };
  await expect(read(forbidden, group, "/x", {}, {})).rejects.toThrow("AuthorizationFailed");
});

test("an import derives the inputs from the id and the answer", async () => {
  const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/a";
  const live = {
    id,
    name: "a",
    type: "Microsoft.App/containerApps",
    location: "westeurope",
    systemData: {},
    properties: { managedEnvironmentId: "/e", provisioningState: "Succeeded", latestRevisionName: "a--1" },
  };
  const found = await read(sessionWith(live), app, id, {}, {});
  expect(found?.inputs).toEqual({
    resourceGroupName: "g",
    containerAppName: "a",
    location: "westeurope",
    managedEnvironmentId: "/e",
  });
  expect(found?.outputs).toMatchObject({ id, latestRevisionName: "a--1", azureApiVersion: app.apiVersion });
});
