// What a CanaryApp deploys, and what it refuses before anything is deployed.
import { expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { templateHash } from "../../components/canary-app/template.ts";
import { defaultLimits, defaultPace } from "../../engines/rollout/plan.ts";
import { type Answers, nothingThere, record, valueOf } from "../support/program/mocks.ts";

const args: CanaryAppArgs = {
  resourceGroup: "shop",
  location: "westeurope",
  image: "example.azurecr.io/storefront:1",
  probePath: "/ready",
  environment: { id: "environment", domain: "apps.example.net" },
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
};
const parent = "ballast:index:CanaryApp";
const storefront = (change: Partial<CanaryAppArgs> = {}, answers: Answers = nothingThere) =>
  record(() => new CanaryApp("storefront", { ...args, ...change }), answers);
const inputsOf = async (name: string, change?: Partial<CanaryAppArgs>, answers?: Answers) =>
  (await storefront(change, answers)).declared.find((each) => each.name === name)!.inputs;

test("an app that is not there yet begins with its latest revision, and its release follows it", async () => {
  const { declared, made } = await storefront({ variables: { RELEASE: "1" } });
  expect(declared).toMatchObject([
    { type: parent, name: "storefront", parent: "", outputs: ["appId", "result", "revision", "sentence", "url"] },
    {
      type: "azure-native:app:ContainerApp",
      name: "storefront-app",
      parent,
      inputs: {
        containerAppName: "storefront",
        resourceGroupName: "shop",
        location: "westeurope",
        managedEnvironmentId: "environment",
        configuration: {
          activeRevisionsMode: "Multiple",
          ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
        },
        template: {
          containers: [
            { name: "storefront", image: "example.azurecr.io/storefront:1", env: [{ name: "RELEASE", value: "1" }] },
          ],
          scale: { minReplicas: 1, maxReplicas: 10 },
        },
      },
    },
    {
      type: "ballast:index:Release",
      name: "storefront-release",
      parent,
      inputs: {
        endpoint: "https://control-plane.apps.example.net",
        audience: "api://ballast",
        resourceGroup: "shop",
        app: "storefront",
        revision: "storefront--0000002",
        release: expect.stringMatching(/^[0-9a-f]{16}$/),
        pace: defaultPace,
        limits: defaultLimits,
        probePath: "/ready",
        wait: true,
        whenInFlight: "refuse",
        outsideWeights: "restore",
      },
    },
  ]);
  expect(await Promise.all([made.url, made.revision, made.result].map((output) => valueOf<string>(output)))).toEqual([
    "https://storefront.apps.example.net",
    "storefront--0000002",
    "promoted",
  ]);
});

test("a gate is the release's, and one that nobody could have seen anything before fails the preview", async () => {
  const gate = { beforePercent: 100, expiresSeconds: 3_600 };
  expect((await inputsOf("storefront-release", { gate }))["gate"]).toEqual(gate);
  await expect(inputsOf("storefront-release", { gate: { ...gate, beforePercent: 5 } })).rejects.toThrow(
    "not above the first weight",
  );
});

test("replicas have the size that is asked for, and memory in Azure's proportion", async () => {
  const resources = async (args: Partial<CanaryAppArgs>) =>
    (await inputsOf("storefront-app", args))["template"].containers[0].resources;
  expect(await resources({})).toEqual({ cpu: 0.25, memory: "0.5Gi" });
  expect(await resources({ cpu: 1.75 })).toEqual({ cpu: 1.75, memory: "3.5Gi" });
});

test("a pace and limits say only what differs from the defaults", async () => {
  expect(
    await inputsOf("storefront-release", { pace: { bakeSeconds: 600 }, limits: { failurePointsMax: 0.5 } }),
  ).toMatchObject({ pace: { ...defaultPace, bakeSeconds: 600 }, limits: { ...defaultLimits, failurePointsMax: 0.5 } });
});

test("no revision suffix is ever sent", async () =>
  expect((await inputsOf("storefront-app"))["template"]).not.toHaveProperty("revisionSuffix"));

test("the live traffic is sent back as it is, so that a new revision starts with nothing", async () => {
  const live: Answers = (token, inputs) => {
    expect([token, inputs]).toEqual([
      "azure-native:app:getContainerApp",
      { resourceGroupName: "shop", containerAppName: "storefront" },
    ]);
    return {
      latestReadyRevisionName: "storefront--c",
      configuration: {
        ingress: {
          external: true,
          targetPort: 8080,
          transport: "Http",
          traffic: [
            { revisionName: "storefront--a", weight: 75 },
            { revisionName: "storefront--b", weight: 25, label: "canary" },
            { revisionName: "storefront--c", weight: 0 },
          ],
        },
      },
    };
  };
  expect((await inputsOf("storefront-app", {}, live))["configuration"].ingress.traffic).toEqual([
    { revisionName: "storefront--a", weight: 75 },
    { revisionName: "storefront--b", weight: 25, label: "canary" },
  ]);
});

test("the release is called by its template alone: another pace is the same release, another variable is another", async () => {
  const release = async (change: Partial<CanaryAppArgs>) => (await inputsOf("storefront-release", change))["release"];
  const first = await release({ variables: { A: "1" } });
  expect(
    await release({
      variables: { A: "1" },
      pace: { ...defaultPace, bakeSeconds: 600 },
      wait: false,
      whenInFlight: "supersede",
    }),
  ).toBe(first);
  for (const change of [
    { variables: { A: "2" } },
    { variables: { A: "1" }, image: "example.azurecr.io/storefront:2" },
    { variables: { A: "1" }, minReplicas: 2 },
  ]) {
    expect(await release(change)).not.toBe(first);
  }
});

test("secrets go to the app as secrets, registries with the identities that pull from them, and the template names the secrets only", async () => {
  const { declared } = await storefront({
    secrets: { "api-key": "s3cret" },
    secretVariables: { API_KEY: "api-key" },
    registries: [{ server: "shop.azurecr.io", identity: "/identities/puller" }],
    external: false,
  });
  const inputsOfApp = declared.find(({ name }) => name === "storefront-app")!.inputs;
  expect(inputsOfApp["identity"]).toEqual({ type: "UserAssigned", userAssignedIdentities: ["/identities/puller"] });
  expect(inputsOfApp["configuration"]).toHaveProperty("4dabf18193072939515e22adb298388d"); // the engine's mark of a secret, around the whole of it
  expect(inputsOfApp["configuration"].value).toMatchObject({
    secrets: [{ name: "api-key", value: "s3cret" }],
    registries: [{ server: "shop.azurecr.io", identity: "/identities/puller" }],
    ingress: { external: false },
  });
  expect(JSON.stringify(declared.find(({ name }) => name === "storefront")!.inputs["secrets"])).toContain(
    "4dabf18193072939515e22adb298388d",
  );
  expect(inputsOfApp["template"].containers[0].env).toEqual([{ name: "API_KEY", secretRef: "api-key" }]);
});

test("limits in the shadow go to the release whole: what they leave out is as in the limits in force; empty, there are none", async () => {
  const release = async (change: Partial<CanaryAppArgs>) => await inputsOf("storefront-release", change);
  const limits = { ...defaultLimits, oddsTolerated: 1.5 };
  expect((await release({ limits, shadowLimits: { failurePointsMax: 0.5 } }))["shadowLimits"]).toEqual({
    ...limits,
    failurePointsMax: 0.5,
  });
  expect(await release({ shadowLimits: {} })).not.toHaveProperty("shadowLimits");
});

/** What a preview warns of; the SDK puts it on the console where there is no engine. */
async function warnings(change: Partial<CanaryAppArgs>): Promise<readonly string[]> {
  const { warn } = console;
  const said: string[] = [];
  console.warn = (line: string) => void said.push(line);
  await storefront(change).finally(() => {
    console.warn = warn;
  });
  return said;
}

test("a plan that weakens what releases promise is warned of with canary-app-cautions, and carried out", async () => {
  expect(await warnings({})).toEqual([]);
  expect(await warnings({ limits: { ...defaultLimits, falseRollbackPercentMax: 30 } })).toEqual([
    expect.stringMatching(
      /canary-app-cautions.*falseRollbackPercentMax is 30, so that of a hundred good canaries up to 30 are rolled back\./,
    ),
  ]);
});

test("a plan that cannot see what it promises at the app's traffic is warned of with canary-app-blind; where the traffic is not known, nothing is said", async () => {
  expect(await warnings({ expectedRequestsPerMinute: 1_200 })).toEqual([]);
  expect(await warnings({ expectedRequestsPerMinute: 20 })).toEqual([
    expect.stringMatching(
      /canary-app-blind.*a healthy canary is not promoted: evidence never came in 3h: .*a canary that fails one percentage point more than stable is not found within 3h\./,
    ),
  ]);
});

test("an app may scale to zero where its probes come often enough to keep it awake", async () => {
  expect((await inputsOf("storefront-app", { minReplicas: 0 }))["template"].scale).toEqual({
    minReplicas: 0,
    maxReplicas: 10,
  });
});

test("an app in Single mode is taken over with its ready revision at 100 percent", async () => {
  const single = {
    latestReadyRevisionName: "storefront--a",
    template: {},
    configuration: {
      activeRevisionsMode: "Single",
      ingress: {
        external: true,
        targetPort: 8080,
        transport: "Http",
        traffic: [{ latestRevision: true, weight: 100 }],
      },
    },
  };
  expect((await inputsOf("storefront-app", {}, () => single))["configuration"]).toMatchObject({
    activeRevisionsMode: "Multiple",
    ingress: { traffic: [{ revisionName: "storefront--a", weight: 100 }] },
  });
});

test("a template's name does not depend on the order of its keys", () => {
  expect(templateHash({ a: 1, b: { c: [1, 2], d: 3 } })).toBe(templateHash({ b: { d: 3, c: [1, 2] }, a: 1 }));
  expect(templateHash({ a: [1, 2] })).not.toBe(templateHash({ a: [2, 1] }));
});

const refusals: readonly (readonly [id: string, name: string, change: Partial<CanaryAppArgs>, says: string])[] = [
  [
    "canary-app-plan",
    "storefront",
    { pace: { ...defaultPace, weights: [50, 25] } },
    "The weights go from 50 to 25 at step 2",
  ],
  [
    "canary-app-plan",
    "storefront",
    { pace: { ...defaultPace, maximumSeconds: 1_000 } },
    "maximumSeconds, 1000, does not leave room for them",
  ],
  ["canary-app-plan", "storefront", { limits: { ...defaultLimits, probeFailuresMax: 0 } }, "probeFailuresMax is 0"],
  [
    "canary-app-plan",
    "storefront",
    { shadowLimits: { probeFailuresMax: 0 } },
    "Of the limits in the shadow, probeFailuresMax is 0",
  ],
  [
    "canary-app-no-replica",
    "storefront",
    { minReplicas: 0, pace: { ...defaultPace, probeSeconds: 200 } },
    "from 0 to 10 replicas and is probed every 200 seconds",
  ],
  ["canary-app-no-replica", "storefront", { minReplicas: 0, maxReplicas: 0 }, "from 0 to 0 replicas"],
  ["canary-app-size-unfit", "storefront", { cpu: 0.3 }, "is to have 0.3 vCPU"],
  ["canary-app-size-unfit", "storefront", { cpu: 4.25 }, "is to have 4.25 vCPU"],
  ["canary-app-size-unfit", "storefront", { cpu: 0 }, "is to have 0 vCPU"],
  ["canary-app-no-replica", "storefront", { minReplicas: 3, maxReplicas: 2 }, "from 3 to 2 replicas"],
  ["component-name-refused", "Storefront", {}, '"Storefront" cannot be the name of a container app'],
  ["component-name-refused", "a-name-that-is-longer-than-thirty-two", {}, "2 to 32 lower-case letters"],
  ["component-name-refused", "store--front", {}, "single hyphens"],
];
test.each(refusals)("%s stops the preview of %s", async (id, name, change, says) => {
  const refused = record(() => new CanaryApp(name, { ...args, ...change }));
  await expect(refused).rejects.toThrow(id);
  await expect(refused).rejects.toThrow(says);
});
