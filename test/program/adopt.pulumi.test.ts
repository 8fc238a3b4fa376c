// Adopting an existing app under the real Pulumi CLI: an app that was made without Pulumi is imported into the state
// and released for the first time. No request may move before the rollout.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { management } from "../support/emulator/cloud.ts";
import { underUsers } from "../support/emulator/users.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const app = "storefront";
let stack: LocalStack;
let folder: string;
let id: string;
let old: string;

const put = async (configuration: object): Promise<void> => {
  const {
    properties: { environmentId },
  } = await stack.live("control-plane");
  const template = {
    containers: [
      {
        name: "web",
        image: "registry.example/storefront:1",
        env: [{ name: "RELEASE", value: "by hand" }],
        resources: { cpu: 0.5, memory: "1Gi" },
      },
    ],
    scale: { minReplicas: 0, maxReplicas: 4 },
  };
  const { status } = await stack.cloud.settle("PUT", `${management}${id}?api-version=2025-07-01`, {
    location: "westeurope",
    properties: { managedEnvironmentId: environmentId, configuration, template },
  });
  expect(status).toBeLessThan(300);
};

beforeAll(async () => {
  stack = await startLocalStack({
    "ballast:strategy": quickStrategy,
    "ballast:thresholds": wideThresholds,
  });
  folder = mkdtempSync(path.join(tmpdir(), "ballast-adopt-"));
  const group = `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local`;
  id = `${group}/providers/Microsoft.App/containerApps/${app}`;
  expect((await stack.up()).code).toBe(0); // the control plane and what it needs
  // Remove the app from cloud and state, as if the program had never deployed it.
  const destroyed = await stack.pulumi(
    "destroy",
    "--yes",
    "--skip-preview",
    "--target",
    `**::${app}`,
    "--target",
    `**::${app}-*`,
    "--target-dependents",
  );
  expect(destroyed.code, destroyed.output).toBe(0);
  await put({
    activeRevisionsMode: "Single",
    ingress: { external: true, targetPort: 8080, transport: "http", traffic: [{ latestRevision: true, weight: 100 }] },
  });
  old = await eventually(
    async () => ((await stack.live(app)).properties.latestReadyRevisionName as string) || undefined,
    "the app made without Pulumi to be ready",
  );
}, 180_000);
afterAll(async () => {
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("an app that is not in the state is not overwritten", async () => {
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain("cannot create already existing resource");
  expect((await stack.live(app)).properties.latestReadyRevisionName).toBe(old);
}, 300_000);

test("an app in Single mode that scales to zero is imported without moving traffic, and released", async () => {
  const resources = [
    { type: "ballast:index:CanaryApp", name: app, component: true },
    { type: "azure-native:app:ContainerApp", name: `${app}-app`, id, parent: app, version: "3.28.0" },
  ];
  writeFileSync(path.join(folder, "import.json"), JSON.stringify({ resources }));
  const imported = await stack.pulumi(
    "import",
    "--file",
    path.join(folder, "import.json"),
    "--yes",
    "--generate-code=false",
    "--protect=false",
    "--skip-preview",
  );
  expect(imported.output).not.toContain("error:");
  expect(imported.code).toBe(0);

  const { storefrontUrl } = await stack.outputs().then((outputs) => ({
    storefrontUrl: outputs["storefrontUrl"] ?? `https://${app}.apps.westeurope.ballast.localhost`,
  }));
  const { value, answers } = await underUsers(
    Array.from({ length: 8 }, () => () => stack.visit(storefrontUrl)),
    stack.up,
  );
  const { code, output } = value;
  expect(output).toContain("promoted");
  expect(code).toBe(0);
  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter((status) => status !== 200)).toEqual([]);

  const { configuration, latestRevisionName } = (await stack.live(app)).properties;
  expect(configuration.activeRevisionsMode).toBe("Multiple");
  expect(configuration.ingress.traffic).toEqual([{ revisionName: latestRevisionName, weight: 100, label: "stable" }]);
  expect(latestRevisionName).not.toBe(old);
  const first = (await stack.cloud.ask("GET", "/_emulator/requests")).body.requests
    .filter(({ method, path: to }: any) => method === "PUT" && to.endsWith(`/${app}`))
    .at(-1);
  expect(first.traffic).toEqual([{ revisionName: old, weight: 100 }]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
}, 180_000);
