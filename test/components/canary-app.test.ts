// What a CanaryApp deploys, and what it refuses or warns of before anything is deployed.
import { expect, test } from "vitest";
import { argumentForms } from "../../components/argument-forms.ts";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { type HttpAppArgs, httpApp } from "../../components/canary-app/http-app.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { type Answers, nothingThere, record, valueOf } from "../support/program/mocks.ts";

const short: HttpAppArgs = {
  containerAppName: "storefront",
  resourceGroupName: "shop",
  location: "westeurope",
  environmentId: "environment",
  image: "example.azurecr.io/storefront:1",
};
const releases = {
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
  probePath: "/ready",
};
type Change = Partial<Omit<CanaryAppArgs, keyof HttpAppArgs> & HttpAppArgs>;
const shortNames = new Set(Object.keys(argumentForms.httpApp.fields));
/** Returns arguments, of which those of the short form go there. */
const argsOf = (change: Change): CanaryAppArgs => {
  const entries = Object.entries(change);
  const own = Object.fromEntries(entries.filter(([name]) => shortNames.has(name)));
  const more = Object.fromEntries(entries.filter(([name]) => !shortNames.has(name)));
  return { ...httpApp({ ...short, ...own }), ...releases, ...more };
};
const parent = "ballast:index:CanaryApp";
const storefront = (change: Change = {}, answers: Answers = nothingThere) =>
  record(() => new CanaryApp("storefront", argsOf(change)), answers);
const inputsOf = async (name: string, change?: Change, answers?: Answers) =>
  (await storefront(change, answers)).declared.find((each) => each.name === name)!.inputs;

test("a new app starts with its latest revision, and its release follows that revision", async () => {
  const { declared, made } = await storefront({ variables: { RELEASE: "1" } });
  expect(declared).toMatchObject([
    {
      type: parent,
      name: "storefront",
      parent: "",
      outputs: ["appId", "message", "reason", "result", "revision", "trace", "url"],
    },
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
        release: "storefront--0000002",
        strategy: defaultStrategy,
        thresholds: defaultThresholds,
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

test("a gate reaches the release, and one before the first step fails the preview", async () => {
  const gate = { beforePercent: 100, expiresSeconds: 3_600 };
  expect((await inputsOf("storefront-release", { gate }))["gate"]).toEqual(gate);
  await expect(inputsOf("storefront-release", { gate: { ...gate, beforePercent: 5 } })).rejects.toThrow(
    "must be above the first weight",
  );
});

test("a strategy and thresholds need only what differs from the defaults", async () => {
  expect(
    await inputsOf("storefront-release", { strategy: { bakeSeconds: 600 }, thresholds: { failurePointsMax: 0.5 } }),
  ).toMatchObject({
    strategy: { ...defaultStrategy, bakeSeconds: 600 },
    thresholds: { ...defaultThresholds, failurePointsMax: 0.5 },
  });
});

test("no revision suffix is ever sent", async () =>
  expect((await inputsOf("storefront-app"))["template"]).not.toHaveProperty("revisionSuffix"));

test("the live traffic is sent back unchanged, so that a new revision starts at weight 0", async () => {
  const live: Answers = (token, inputs) => {
    if (token === "ballast:index:ready") return {};
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

test("dry-run thresholds reach the release completed from the thresholds, and an empty object means none", async () => {
  const release = async (change: Change) => await inputsOf("storefront-release", change);
  const thresholds = { ...defaultThresholds, oddsTolerated: 1.5 };
  expect((await release({ thresholds, dryRunThresholds: { failurePointsMax: 0.5 } }))["dryRunThresholds"]).toEqual({
    ...thresholds,
    failurePointsMax: 0.5,
  });
  expect(await release({ dryRunThresholds: {} })).not.toHaveProperty("dryRunThresholds");
});

/** Returns the warnings of a preview. Without a Pulumi CLI the SDK writes them to the console. */
async function warnings(change: Change): Promise<readonly string[]> {
  const { warn } = console;
  const said: string[] = [];
  console.warn = (line: string) => void said.push(line);
  await storefront(change).finally(() => {
    console.warn = warn;
  });
  return said;
}

test("a plan less safe than the defaults gets the warning canary-app-cautions, and is carried out", async () => {
  expect(await warnings({})).toEqual([]);
  expect(await warnings({ thresholds: { ...defaultThresholds, falseRollbackPercentMax: 30 } })).toEqual([
    expect.stringMatching(
      /canary-app-cautions.*falseRollbackPercentMax.*up to 30 of 100 good canaries are rolled back\./,
    ),
  ]);
});

test("a plan that needs more requests than the app gets, if known, gets the warning canary-app-blind", async () => {
  expect(await warnings({ expectedRequestsPerMinute: 1_200 })).toEqual([]);
  expect(await warnings({ expectedRequestsPerMinute: 20 })).toEqual([
    expect.stringMatching(/canary-app-blind.*a healthy canary is not promoted: .* is not detected within 3h\./),
  ]);
});

test("an app may scale to zero if its probes are frequent enough to keep a replica running", async () => {
  expect((await inputsOf("storefront-app", { minReplicas: 0 }))["template"].scale).toEqual({
    minReplicas: 0,
    maxReplicas: 10,
  });
});

test("an app in Single mode is adopted with its ready revision at 100 percent", async () => {
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

const refusals: readonly (readonly [id: string, change: Change, says: string])[] = [
  [
    "canary-app-plan",
    { strategy: { ...defaultStrategy, weights: [50, 25] } },
    "The weights go from 50 to 25 at step 2",
  ],
  [
    "canary-app-plan",
    { strategy: { ...defaultStrategy, maximumSeconds: 1_000 } },
    "maximumSeconds (1000) is too short",
  ],
  ["canary-app-plan", { thresholds: { ...defaultThresholds, probeFailuresMax: 0 } }, "probeFailuresMax is 0"],
  [
    "canary-app-plan",
    { dryRunThresholds: { probeFailuresMax: 0 } },
    "In the dry-run thresholds, probeFailuresMax is 0",
  ],
  [
    "canary-app-no-replica",
    { minReplicas: 0, strategy: { ...defaultStrategy, probeSeconds: 200 } },
    "to zero after 300 seconds without a request, and is probed every 200 seconds",
  ],
  ["canary-app-no-replica", { minReplicas: 0, maxReplicas: 0 }, "from 0 to 0 replicas"],
  ["canary-app-no-replica", { minReplicas: 3, maxReplicas: 2 }, "from 3 to 2 replicas, which no app can"],
];
test.each(refusals)("%s stops the preview of %j", async (id, change, says) => {
  const refused = storefront(change);
  await expect(refused).rejects.toThrow(id);
  await expect(refused).rejects.toThrow(says);
});
