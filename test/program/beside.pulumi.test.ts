// What happens beside an update with the real Pulumi CLI: a hotfix that a person makes by hand, and a second update of
// the same stack at the same time. Users stay on one whole revision throughout.
import { afterAll, beforeAll, expect, test } from "vitest";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { management } from "../support/emulator/cloud.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const app = "storefront";
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack({ "ballast:strategy": quickStrategy, "ballast:thresholds": wideThresholds });
  const first = await stack.up();
  expect(first.code, first.output).toBe(0);
}, 180_000);
afterAll(() => stack?.close());

const traffic = async (): Promise<readonly object[]> =>
  (await stack.live(app)).properties.configuration.ingress.traffic
    .filter(({ weight }: any) => weight > 0)
    .map(({ revisionName, weight }: any) => ({ revisionName, weight }));

test("a hotfix by hand keeps its users while the program's template is a canary beside it", async () => {
  const live = await stack.live(app);
  const { template, latestRevisionName: old } = live.properties;
  const containers = template.containers.map((container: any) => ({
    ...container,
    env: [...(container.env ?? []).filter(({ name }: any) => name !== "RELEASE"), { name: "RELEASE", value: "hotfix" }],
  }));
  const group = `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local`;
  const id = `${group}/providers/Microsoft.App/containerApps/${app}`;
  const { status } = await stack.cloud.settle("PATCH", `${management}${id}?api-version=2025-07-01`, {
    properties: { template: { ...template, containers } },
  });
  expect(status).toBeLessThan(300);
  const hotfix = await eventually(async () => {
    const { latestReadyRevisionName: ready } = (await stack.live(app)).properties;
    return ready !== old && (ready as string);
  }, "the hotfix to be ready");
  await stack.patchTraffic(app, [{ revisionName: hotfix, weight: 100, label: "stable" }]);
  const up = await stack.up();
  // Nobody visits the shop here, so the program's old template is not judged good, and the hotfix keeps its users.
  expect(up.code, up.output).not.toBe(0);
  expect(up.output).toContain("stable has 100 percent again");
  expect(await traffic()).toEqual([{ revisionName: hotfix, weight: 100 }]);
}, 180_000);

test("two updates at once: one is carried out, and the other is told that the stack is locked", async () => {
  stack.configure({ "ballast:storefrontEnvironment": { RELEASE: "9" } });
  const before = await traffic();
  const both = await Promise.all([stack.up(), stack.up()]);
  const [locked] = both.filter(({ output }) => output.includes("the stack is currently locked"));
  expect(locked?.code).not.toBe(0);
  expect(both.filter(({ output }) => output.includes("smoke test at weight 0"))).toHaveLength(1);
  expect(await traffic()).toEqual(before);
}, 180_000);
