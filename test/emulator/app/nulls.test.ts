// Apps and jobs as clients send them that serialise every field they know: what has no value is null, in lists too, and
// also what the type does not have. Such a body makes the same resource as one without these fields.
import { afterAll, beforeAll, expect, test } from "vitest";
import { publishedFields } from "../../../emulator/arm/published-types.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";

const version = "2025-07-01";
let at: CloudForTests;
let group: string;
beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/work`;
  await at.settle("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", urlOf("managedEnvironments", "home"), { location: "westeurope", properties: {} });
});
afterAll(() => at.close());

const urlOf = (type: string, name: string): string =>
  `${group}/providers/Microsoft.App/${type}/${name}?api-version=${version}`;
const container = { name: "web", image: "registry.example/web:1", env: [{ name: "A", value: "b" }] };
const bodies = {
  containerApps: {
    configuration: {
      ingress: { external: false, targetPort: 8080 },
      secrets: [{ name: "key", value: "v" }],
    },
    template: { containers: [{ ...container, probes: [{ type: "Liveness", tcpSocket: { port: 8080 } }] }], scale: {} },
  },
  jobs: {
    configuration: { triggerType: "Manual", replicaTimeout: 60, manualTriggerConfig: { parallelism: 1 } },
    template: { containers: [container] },
  },
} as const;

/** Adds every field as null that a body does not have, and one that no type has. */
function withNulls(type: string, body: object): object {
  const names = new Map<string, string[]>();
  for (const { path } of publishedFields(`Microsoft.App/${type}`, version)) {
    const steps = path.split(".");
    for (const [depth, name] of steps.entries()) {
      const parent = steps.slice(0, depth).join(".");
      names.set(parent, [...(names.get(parent) ?? []), name.replace("[]", "")]);
    }
  }
  const filled = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => filled(each, `${path}[]`));
    if (typeof value !== "object" || value === null) return value;
    const own = Object.entries(value).map(([name, each]) => [name, filled(each, path ? `${path}.${name}` : name)]);
    const absent = [...(names.get(path) ?? []), "noSuchField"].map((name) => [name, null] as const);
    return { ...Object.fromEntries(absent), ...Object.fromEntries(own) };
  };
  return filled(body, "") as object;
}

const wholeOf = (type: keyof typeof bodies): object => ({
  location: "westeurope",
  properties: { environmentId: `${group}/providers/Microsoft.App/managedEnvironments/home`, ...bodies[type] },
});
/** Gives what is stored, without what each write makes anew. */
async function stored(type: string, name: string): Promise<unknown> {
  const { body } = await at.ask("GET", urlOf(type, name));
  const text = JSON.stringify(body.properties).replaceAll(name, "NAME");
  return JSON.parse(text.replaceAll(/NAME--[a-z0-9]+/g, "REVISION"));
}

test.each(["containerApps", "jobs"] as const)("nulls in a body of Microsoft.App/%s are absent fields", async (type) => {
  const sent = withNulls(type, wholeOf(type));
  expect(JSON.stringify(sent).match(/null/g)!.length).toBeGreaterThan(30);
  await at.settle("PUT", urlOf(type, "plain"), wholeOf(type));
  await at.settle("PUT", urlOf(type, "serialised"), sent);
  expect(await stored(type, "serialised")).toEqual(await stored(type, "plain"));
});

test.each(["containerApps", "jobs"] as const)("a field that %s do not have is refused with a value", async (type) => {
  const { properties, ...rest } = wholeOf(type) as { properties: Record<string, object> };
  const configuration = { ...properties["configuration"], noSuchField: {} };
  const { status, body } = await at.ask("PUT", urlOf(type, "strange"), {
    ...rest,
    properties: { ...properties, configuration },
  });
  expect([status, body.error.message]).toEqual([400, expect.stringContaining("noSuchField")]);
});

test.each(["containerApps", "jobs"] as const)("a required field of %s that is null is missed", async (type) => {
  const { status, body } = await at.ask("PUT", urlOf(type, "bare"), { ...wholeOf(type), location: null });
  expect([status, body.error.message]).toEqual([400, expect.stringContaining("'location' is required")]);
});

test("a job that is started with nulls runs as it is", async () => {
  await at.settle("PUT", urlOf("jobs", "begun"), wholeOf("jobs"));
  const start = urlOf("jobs", "begun").replace("?", "/start?");
  const sent = { containers: [{ ...container, command: null, args: null }], initContainers: null };
  expect((await at.ask("POST", start, sent)).body.name).toMatch(/^begun-/);
});
