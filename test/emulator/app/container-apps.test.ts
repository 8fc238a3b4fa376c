// Container apps on the emulator: revisions, their names and states, operations and refusals, with the platform's
// dangerous quirks that products must survive.
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type ContainerCloud,
  containerCloud,
  domain,
  eventually,
  idOf,
  storefrontApp,
} from "../../support/emulator/container-cloud.ts";

const latest = (app: Body): string => app["properties"].latestRevisionName;
const release = async (
  c: ContainerCloud,
  variables: Record<string, string>,
  more: Parameters<typeof storefrontApp>[1] = {},
): Promise<string> => latest(await c.apply("shop", storefrontApp(variables, more)));
const ready = (c: ContainerCloud, revision: string): Promise<Body> =>
  eventually(
    () => c.revision("shop", revision),
    ({ healthState }) => healthState === "Healthy",
  );
const traffic = (...entries: readonly [string, number][]): readonly Body[] =>
  entries.map(([revisionName, weight]) => ({ revisionName, weight }));
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? String(error),
  );
const revisions = async (c: ContainerCloud): Promise<Body[]> =>
  ((await c.child("shop", "GET", "revisions"))!.body as Body)["value"];

test("names the first revision by seven random characters and later ones by a counter", async () => {
  await using c = await containerCloud();
  expect(await release(c, { RELEASE: "1" })).toMatch(/^shop--[a-z][a-z0-9]{6}$/);
  expect(await release(c, { RELEASE: "2" })).toBe("shop--0000001");
  expect(await release(c, { RELEASE: "3" }, { template: { revisionSuffix: "mine" } })).toBe("shop--mine");
  expect(await release(c, { RELEASE: "4" })).toBe("shop--0000003");
});

test("makes a revision for a different template, not for another spelling, nor for configuration", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" });
  expect(await release(c, { RELEASE: "1" })).toBe(first);
  // Spelled-out defaults, absent values as null and empty lists, and members in another order.
  const same = storefrontApp({ RELEASE: "1" });
  same["template"] = {
    scale: { maxReplicas: 10, minReplicas: 1, rules: null },
    containers: [{ ...same["template"].containers[0], resources: { memory: "1Gi", cpu: 0.5 }, args: [] }],
    terminationGracePeriodSeconds: 5,
    revisionSuffix: "",
  };
  expect(latest(await c.apply("shop", same))).toBe(first);
  expect(await release(c, { RELEASE: "1" }, { configuration: { secrets: [{ name: "key", value: "v" }] } })).toBe(first);
  expect(await release(c, { RELEASE: "1", MORE: "x" })).toBe("shop--0000001");
  // Returning to the first template makes a revision again, since only the latest one is compared.
  expect(await release(c, { RELEASE: "1" })).toBe("shop--0000002");
});

test("a read shows defaults and addresses, and never a secret's value", async () => {
  await using c = await containerCloud();
  const { configuration, ...rest } = storefrontApp({ RELEASE: "1" });
  const { properties } = await c.apply("shop", {
    configuration: { ingress: { external: true, targetPort: 8080 }, secrets: [{ name: "key", value: "hush-hush" }] },
    ...rest,
  });
  expect(properties.configuration).toMatchObject({
    activeRevisionsMode: "Single",
    ingress: {
      transport: "Auto",
      allowInsecure: false,
      fqdn: `shop.${domain}`,
      traffic: [{ latestRevision: true, weight: 100 }],
    },
  });
  expect(properties.template.scale.maxReplicas).toBe(10);
  expect(properties.latestRevisionFqdn).toBe(`${latest({ properties })}.${domain}`);
  expect(JSON.stringify(properties)).not.toContain("hush-hush");
  expect(configuration.ingress.targetPort).toBe(8080);
  await eventually(
    () => c.app("shop")["properties"].latestReadyRevisionName,
    (name) => name === latest({ properties }),
  );
});

test("a traffic-only patch keeps everything else, secrets included", async () => {
  await using c = await containerCloud();
  const first = await release(
    c,
    { RELEASE: "1" },
    { configuration: { secrets: [{ name: "key", value: "hush-hush" }] } },
  );
  const patched = await c.apply(
    "shop",
    { configuration: { ingress: { traffic: traffic([first, 100]) } } },
    { merge: true },
  );
  expect(patched["properties"].configuration).toMatchObject({
    activeRevisionsMode: "Multiple",
    ingress: { targetPort: 8080, external: true, traffic: [{ revisionName: first, weight: 100 }] },
  });
  expect(latest(patched)).toBe(first);
});

test.each([
  ["a weight of 150", [["FIRST", 150]], "ContainerAppInvalidTrafficWeight"],
  ["a weight that is not whole", [["FIRST", 99.5]], "ContainerAppInvalidTrafficWeight"],
  ["a revision that does not exist", [["shop--nowhere", 100]], "ContainerAppRevisionNotFound"],
  ["a revision by its suffix alone", [["0000001", 100]], "ContainerAppInvalidRevisionName"],
] as const)("refuses traffic with %s and changes nothing", async (_, entries, expected) => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" });
  const wanted = traffic(
    ...entries.map(([name, weight]): [string, number] => [name === "FIRST" ? first : name, weight]),
  );
  expect(await code(c.apply("shop", { configuration: { ingress: { traffic: wanted } } }, { merge: true }))).toBe(
    expected,
  );
  expect(c.app("shop")["properties"].configuration.ingress.traffic).toEqual([{ latestRevision: true, weight: 100 }]);
});

test.each<[string, (properties: Body) => void, string]>([
  [
    "a suffix with two hyphens",
    ({ template }) => {
      template.revisionSuffix = "a--b";
    },
    "ContainerAppInvalidRevisionName",
  ],
  [
    "a revision name beyond 54 characters",
    ({ template }) => {
      template.revisionSuffix = "a".repeat(50);
    },
    "ContainerAppInvalidRevisionName",
  ],
  [
    "an environment that does not exist",
    (properties) => {
      properties["managedEnvironmentId"] = "/subscriptions/s/nowhere";
    },
    "ManagedEnvironmentNotFound",
  ],
  [
    "a secret without its value",
    ({ configuration }) => {
      configuration.secrets = [{ name: "key" }];
    },
    "ContainerAppSecretInvalid",
  ],
  [
    "a variable from a secret that is not there",
    ({ template }) => {
      template.containers[0].env = [{ name: "KEY", secretRef: "key" }];
    },
    "ContainerAppSecretRefNotFound",
  ],
  [
    "the mode Labels, which the emulator does not have",
    ({ configuration }) => {
      configuration.activeRevisionsMode = "Labels";
    },
    "EmulatorUnsupported",
  ],
])("refuses %s before it accepts the write", async (_, spoil, expected) => {
  await using c = await containerCloud();
  const properties = storefrontApp({});
  spoil(properties);
  expect(await code(c.put("shop", properties))).toBe(expected);
});

test("accepts a taken suffix and an unknown image, and fails the operation afterwards", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" }, { template: { revisionSuffix: "one" } });
  const taken = await c.put("shop", storefrontApp({ RELEASE: "2" }, { template: { revisionSuffix: "one" } }));
  expect(await taken.operation).toMatchObject({ message: expect.stringContaining("'one' already exists") });
  const properties = storefrontApp({ RELEASE: "3" });
  properties["template"].containers[0].image = "registry.example/nothing:1";
  expect(await (await c.put("shop", properties)).operation).toMatchObject({
    code: "InvalidParameterValueInContainerTemplate",
  });
  expect((await revisions(c)).map(({ name }) => name)).toEqual([first]);
});

test("a traffic-only patch succeeds after a write whose template failed", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" });
  const broken = storefrontApp({ RELEASE: "2" }, { traffic: traffic([first, 100]) });
  broken["template"].containers[0].image = "registry.example/nothing:1";
  expect(await (await c.put("shop", broken)).operation).toMatchObject({
    code: "InvalidParameterValueInContainerTemplate",
  });
  await c.apply("shop", { configuration: { ingress: { traffic: traffic([first, 100]) } } }, { merge: true });
  expect((await revisions(c)).map(({ name, properties }) => [name, properties.trafficWeight])).toEqual([[first, 100]]);
});

test("traffic may name the revision that the same request makes, and does not wait for it", async () => {
  await using c = await containerCloud();
  await release(c, { RELEASE: "1" });
  await release(c, { RELEASE: "2" }, { template: { revisionSuffix: "two" }, traffic: traffic(["shop--two", 100]) });
  expect((await c.request(`shop.${domain}`)).status).toBe(503);
});

test("a write during a write is refused with 409", async () => {
  await using c = await containerCloud();
  const { operation } = await c.put("shop", storefrontApp({ RELEASE: "1" }));
  expect(await code(c.put("shop", storefrontApp({ RELEASE: "2" })))).toBe("ContainerAppOperationInProgress");
  expect(await operation).toBeUndefined();
});

test("a write succeeds although its container never starts, and the revision fails after three restarts", async () => {
  await using c = await containerCloud({ broken: { folder: "/", entry: "/nothing-here.js" } });
  const properties = storefrontApp({});
  properties["template"].containers[0].image = "broken:1";
  const revision = latest(await c.apply("shop", properties));
  expect(await c.revision("shop", revision)).toMatchObject({
    active: true,
    runningState: "Processing",
    healthState: "None",
    provisioningState: "Provisioning",
  });
  expect(
    await eventually(
      () => c.revision("shop", revision),
      ({ runningState }) => runningState === "Failed",
    ),
  ).toMatchObject({ healthState: "Unhealthy", provisioningError: expect.stringContaining("Deadline") });
  expect(c.app("shop")["properties"].latestReadyRevisionName).toBe("");
});

test("a release that is never ready is restarted by its startup probe and gets no traffic", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" }, { traffic: [{ latestRevision: true, weight: 100 }] });
  await ready(c, first);
  const properties = storefrontApp({ FAULT: "never-ready" }, { traffic: [{ latestRevision: true, weight: 100 }] });
  properties["template"].containers[0].probes[0].failureThreshold = 2;
  const second = latest(await c.apply("shop", properties));
  await eventually(
    () => c.emulator("GET", "processes"),
    ({ processes }) =>
      processes.some(
        (each: Body) =>
          each["revision"] === second && each["restarts"] > 0 && /startup probe failed/.test(each["lastEnd"]),
      ),
  );
  expect(c.app("shop")["properties"]).toMatchObject({ latestRevisionName: second, latestReadyRevisionName: first });
  // `latestRevision` waits for readiness; an explicit name would not.
  expect((await c.request(`shop.${domain}`)).headers["x-emulator-revision"]).toBe(first);
});

test("deactivation stops processes but keeps the entry, which is an outage; activation restarts them", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" });
  await ready(c, first);
  await c.apply("shop", { configuration: { ingress: { traffic: traffic([first, 100]) } } }, { merge: true });
  expect(await c.child("shop", "POST", "revisions", first, "deactivate")).toEqual({ status: 200 });
  expect(await c.revision("shop", first)).toMatchObject({
    active: false,
    runningState: "Stopped",
    replicas: 0,
    trafficWeight: 100,
  });
  const answer = await c.request(`shop.${domain}`);
  expect([answer.status, answer.text]).toEqual([503, "no healthy upstream"]);
  // Weight on a deactivated revision is accepted every time.
  await c.apply("shop", { configuration: { ingress: { traffic: traffic([first, 100]) } } }, { merge: true });
  await c.child("shop", "POST", "revisions", first, "activate");
  await ready(c, first);
  expect((await c.request(`shop.${domain}`)).status).toBe(200);
});

test("an unknown revision is 404 on every route", async () => {
  await using c = await containerCloud();
  await release(c, { RELEASE: "1" });
  for (const [method, ...rest] of [
    ["GET"],
    ["POST", "activate"],
    ["POST", "deactivate"],
    ["POST", "restart"],
    ["GET", "replicas"],
  ] as const) {
    expect(await code(c.child("shop", method, "revisions", "shop--nowhere", ...rest))).toBe("ResourceNotFound");
  }
});

test("in Single mode the new revision gets all traffic once it is ready, and the old one is deactivated", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" }, { mode: "Single" });
  await ready(c, first);
  const second = await release(c, { RELEASE: "2" }, { mode: "Single" });
  await eventually(
    () => revisions(c),
    (all) => all.every(({ name, properties }) => properties.active === (name === second)),
  );
  expect(JSON.parse((await c.request(`shop.${domain}`)).text).release).toBe("2");
});

test("going from Multiple to Single deactivates all but the latest", async () => {
  await using c = await containerCloud();
  await ready(c, await release(c, { RELEASE: "1" }));
  const second = await release(c, { RELEASE: "2" });
  await ready(c, second);
  await c.apply("shop", { configuration: { activeRevisionsMode: "Single" } }, { merge: true });
  expect((await revisions(c)).filter(({ properties }) => properties.active).map(({ name }) => name)).toEqual([second]);
});

test("a replica has Azure's variables, the template's and the secrets', and none of the emulator's own", async () => {
  const folder = new URL("../../support/emulator/", import.meta.url).pathname;
  await using c = await containerCloud({ "print-environment": { folder, entry: "print-environment.mjs" } });
  const properties = storefrontApp({}, { configuration: { secrets: [{ name: "key", value: "hush" }] } });
  const container = properties["template"].containers[0];
  Object.assign(container, {
    image: "print-environment:1",
    probes: [],
    env: [
      { name: "PLAIN", value: "p" },
      { name: "SECRET", secretRef: "key" },
    ],
  });
  process.env["NOT_FOR_REPLICAS"] = "1";
  const revision = latest(await c.apply("shop", properties));
  delete process.env["NOT_FOR_REPLICAS"];
  const { lines } = await eventually(
    () => c.emulator("GET", "logs?app=shop"),
    (found) => found.lines.length > 0,
  );
  const { PORT, PATH, NODE_COMPILE_CACHE, CONTAINER_APP_REPLICA_NAME, ...rest } = lines[0].json;
  expect(Number(PORT)).toBeGreaterThan(0);
  expect({ PATH, NODE_COMPILE_CACHE }, "the machine's own").toEqual({
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  });
  expect(CONTAINER_APP_REPLICA_NAME).toMatch(new RegExp(`^${revision}-`));
  expect(rest).toEqual({
    CONTAINER_APP_NAME: "shop",
    CONTAINER_APP_REVISION: revision,
    CONTAINER_APP_HOSTNAME: `${revision}.${domain}`,
    CONTAINER_APP_PORT: "8080",
    PORT_8080: PORT,
    PLAIN: "p",
    SECRET: "hush",
  });
  const secrets = await (await import("../../../emulator/app/container-apps.ts")).containerAppType.actions![
    "listsecrets"
  ]!(c.cloud.store.get(idOf("shop"))!, c.cloud, {} as never);
  expect(secrets.body).toEqual({ value: [{ name: "key", value: "hush" }] });
});
