// The program changes while a canary has traffic. A program that goes back takes the canary back, without a judgement;
// any other change is refused, and leaves no revision running that nobody asked for. Real Pulumi CLI, real emulator.
import { afterAll, beforeAll, expect, test } from "vitest";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const app = "storefront";
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack({
    "ballast:strategy": { ...quickStrategy, bakeSeconds: 200, maximumSeconds: 600 },
    "ballast:thresholds": wideThresholds,
    "ballast:storefrontEnvironment": { RELEASE: "1" },
  });
  const first = await stack.up();
  expect(first.code, first.output).toBe(0);
}, 180_000);
afterAll(() => stack?.close());

const release = (name: string, wait: boolean) =>
  stack.configure({ "ballast:storefrontEnvironment": { RELEASE: name }, "ballast:wait": wait });
const weights = async () =>
  (await stack.live(app)).properties.configuration.ingress.traffic.filter(({ weight }: any) => weight > 0);
/** Gives the values of RELEASE in the revisions that run. */
const running = async (): Promise<readonly string[]> =>
  (await stack.live(app, "/revisions")).value
    .filter(({ properties }: any) => properties.active)
    .map(({ properties }: any) =>
      String(properties.template.containers[0].env.find(({ name }: any) => name === "RELEASE").value),
    );

test("a changed program is refused during a canary, and its revision does not keep running", async () => {
  release("2", false);
  const started = await stack.up();
  expect(started.code, started.output).toBe(0);
  await eventually(async () => (await weights()).length === 2, "the canary to have traffic", 60);
  release("3", true);
  const other = await stack.up();
  expect(other.code, other.output).not.toBe(0);
  expect(other.output).toContain("stream-in-flight");
  expect((await running()).toSorted()).toEqual(["1", "2"]);
  expect(await weights()).toHaveLength(2);
}, 240_000);

test("a program that goes back to stable's template takes the canary back", async () => {
  release("1", true);
  const reverted = await stack.up();
  expect(reverted.code, reverted.output).toBe(0);
  expect(reverted.output).toContain("its template is the same as stable's");
  expect(await weights()).toEqual([expect.objectContaining({ weight: 100 })]);
  expect(await running()).toEqual(["1"]);
  const again = await stack.pulumi("preview", "--expect-no-changes");
  expect(again.code, again.output).toBe(0);
}, 240_000);
