// What Azure refuses in the body of a container app, sent over HTTPS as a client sends it. A code that a public text
// shows is Azure's; any other is `EmulatorUnsupported`. Nothing of a refused body may be stored.
import { afterAll, beforeAll, expect, test } from "vitest";
import { codes } from "../../../emulator/app/contract/refusals.ts";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, management, type Reply, startCloudForTests } from "../../support/emulator/cloud.ts";
import { configurations, ingresses } from "../../support/emulator/refused-configurations.ts";
import { type Changes, containers, type Ids, own, templates, web } from "../../support/emulator/refused-templates.ts";

let c: CloudForTests;
let group: string;
const version = "?api-version=2025-07-01";
const preview = "?api-version=2025-02-02-preview";
const environment = () => `${group}/providers/Microsoft.App/managedEnvironments/shop`;
const identity = () => `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shop`;

beforeAll(async () => {
  c = await startCloudForTests();
  group = `${management}/subscriptions/${c.cloud.subscription}/resourceGroups/shop`;
  await c.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await c.settle("PUT", environment() + version, { location: "westeurope", properties: {} });
  await c.settle("PUT", `${environment()}2${version}`, {
    location: "westeurope",
    properties: {
      workloadProfiles: [
        { name: "Consumption", workloadProfileType: "Consumption" },
        { name: "big", workloadProfileType: "D4", minimumCount: 0, maximumCount: 1 },
      ],
    },
  });
  await c.ask("PUT", `${identity()}?api-version=2023-01-31`, { location: "westeurope" });
});
afterAll(() => c.close());

const ids = (): Ids => ({ environment: idOf(environment()), identity: idOf(identity()) });
const idOf = (url: string): string => url.slice(management.length);

/** Gives a body that is accepted. */
const goodBody = (): Body => ({
  location: "westeurope",
  properties: {
    managedEnvironmentId: idOf(environment()),
    configuration: {
      activeRevisionsMode: "Multiple",
      secrets: [{ name: "key", value: "v" }],
      ingress: { external: true, targetPort: 8080 },
    },
    template: {
      containers: [structuredClone(web)],
      scale: { minReplicas: 0, maxReplicas: 1 },
    },
  },
});

const put = (body: Body, name = "web", query = version): Promise<Reply> =>
  c.ask("PUT", `${group}/providers/Microsoft.App/containerApps/${name}${query}`, body);

/** Gives a good body with changes. A path that names a part alone adds to that part. */
function changed(changes: Changes): Body {
  const body = goodBody();
  const { properties } = body as { properties: Body };
  const { configuration, template } = properties;
  const parts: Body = { body, properties, configuration, template };
  Object.assign(parts, { ingress: configuration.ingress, container: template.containers[0] });
  for (const [path, value] of Object.entries(changes)) {
    const [part = "", name] = path.split(".");
    if (name === undefined) Object.assign(parts[part], value);
    else if (value === undefined) delete parts[part][name];
    else parts[part][name] = value;
  }
  return body;
}

const half = (more: Body): Body => ({ weight: 50, ...more });
const traffics: readonly (readonly [string, string, readonly Body[]])[] = [
  ["weights of 7", "ContainerAppInvalidTrafficWeight", [{ latestRevision: true, weight: 7 }]],
  ["a weight of -1", "ContainerAppInvalidTrafficWeight", [{ latestRevision: true, weight: -1 }]],
  ["a name that is no revision's", "ContainerAppInvalidRevisionName", [{ revisionName: "beta", weight: 100 }]],
  ["a revision that does not exist", "ContainerAppRevisionNotFound", [{ revisionName: "web--nope", weight: 100 }]],
  [
    "latestRevision twice",
    "ContainerAppInvalidTraffic",
    [half({ latestRevision: true }), half({ latestRevision: true })],
  ],
  [
    "a revision twice",
    "ContainerAppInvalidTraffic",
    [half({ revisionName: "web--one" }), half({ revisionName: "web--one" })],
  ],
  [
    "a label twice",
    "ContainerAppInvalidTraffic",
    [half({ latestRevision: true, label: "a" }), half({ revisionName: "web--one", label: "A" })],
  ],
  ["an entry of nothing", "ContainerAppInvalidTraffic", [{ weight: 100 }]],
  ["a label in capitals", own, [{ latestRevision: true, weight: 100, label: "Big" }]],
];

const cases = [...containers, ...templates, ...configurations, ...ingresses];

test.each(cases)("refuses %s", async (_, code, changes) => {
  const reply = await put(changed(typeof changes === "function" ? changes(ids()) : changes), "web");
  expect([reply.status, reply.body.error?.code], JSON.stringify(reply.body)).toEqual([400, code]);
  expect((await c.ask("GET", `${group}/providers/Microsoft.App/containerApps/web${version}`)).status).toBe(404);
});

test.each(["Single", "Multiple"])("refuses wrong traffic in the mode %s", async (requested) => {
  const answers = await Promise.all(
    traffics.map(async ([what, , traffic]) => {
      const mode = { "configuration.activeRevisionsMode": requested };
      const reply = await put(changed({ ...mode, "ingress.traffic": traffic, "template.revisionSuffix": "one" }));
      return [what, reply.body.error?.code];
    }),
  );
  expect(answers).toEqual(traffics.map(([what, code]) => [what, code]));
});

test.each([
  ["80.5", 80.5],
  ["a text", "eighty"],
])("answers a port of %s as Azure's JSON reader does", async (_, targetPort) => {
  const { status, body } = await put(changed({ "ingress.targetPort": targetPort }));
  const where = "$.properties.configuration.ingress.targetPort";
  expect([status, body]).toEqual([
    400,
    {
      type: expect.stringContaining("rfc9110"),
      title: "One or more validation errors occurred.",
      status: 400,
      traceId: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
      errors: { [where]: [expect.stringMatching(/could not be converted to System.Nullable`1\[System.Int32\]/)] },
    },
  ]);
});

test("a number as a text is read as a number, as the Azure CLI sends weights", async () => {
  const texts = { "ingress.targetPort": "8080", "ingress.traffic": [{ latestRevision: true, weight: "100" }] };
  const { status, body } = await put(changed(texts), "texts");
  const { targetPort, traffic } = body.properties.configuration.ingress;
  expect([status, targetPort, traffic[0].weight]).toEqual([201, 8080, 100]);
});

test.each(["A", "a", "web--1", "1web", "web-", `w${"e".repeat(32)}`])("refuses the name %s", async (name) => {
  expect((await put(goodBody(), name)).body.error.code).toMatch(/^(ContainerAppInvalidName|InvalidResourceName)$/);
});

test("refuses fields of the preview that the emulator does not have, by their names", async () => {
  for (const [path, changes] of [
    ["gpu", { "container.resources": { cpu: 0.5, memory: "1Gi", gpu: 1 } }],
    ["imageType", { "container.imageType": "CloudBuild" }],
    ["targetPortHttpScheme", { "ingress.targetPortHttpScheme": "https" }],
    ["revisionTransitionThreshold", { "configuration.revisionTransitionThreshold": 5 }],
    ["targetLabel", { "configuration.targetLabel": "a" }],
  ] satisfies readonly (readonly [string, Changes])[]) {
    const { body } = await put(changed(changes), "web", preview);
    expect(body.error).toMatchObject({ code: own, message: expect.stringContaining(path) });
  }
});

test("a dedicated profile takes other sizes, and a larger environment more of the shared one", async () => {
  const sized = (cpu: number, memory: string, workloadProfileName?: string) =>
    put(
      changed({
        properties: {
          managedEnvironmentId: `${idOf(environment())}2`,
          ...(workloadProfileName && { workloadProfileName }),
        },
        "container.resources": { cpu, memory },
      }),
      `s${String(cpu).replace(".", "")}${workloadProfileName ?? ""}`,
    );
  expect((await sized(4, "8Gi")).status).toBe(201);
  expect((await sized(4.25, "8.5Gi")).body.error.code).toBe("ContainerAppInvalidResourceTotal");
  expect((await sized(1.3, "7Gi", "big")).status).toBe(201);
});

test("every code of a refusal is provoked here", () => {
  const provoked = new Set<string>([...cases, ...traffics].map(([, code]) => code));
  expect(Object.keys(codes).filter((code) => !provoked.has(code) && code !== "ContainerAppInvalidName")).toEqual([]);
});
