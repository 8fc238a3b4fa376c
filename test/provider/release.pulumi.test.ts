// The provider under the real Pulumi CLI, against a control plane with canned answers: what a person sees of a release
// in `pulumi up`, and what the state holds after each result. Every test has its own stack.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { callPolicy } from "../../engines/retry.ts";
import { type FakeControlPlane, startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";
import type { Run } from "../support/program/pulumi-program.ts";
import { goodFacts, releaseInputs, strategy } from "../support/program/release-inputs.ts";
import { type ReleaseProgram, releaseProgram } from "../support/program/release-program.ts";

let program: ReleaseProgram;
let plane: FakeControlPlane;
let stack: string;
let stacks = 0;

beforeAll(async () => {
  program = await releaseProgram({ BALLAST_TOKEN: token });
});
afterAll(() => program[Symbol.dispose]());
beforeEach(async () => {
  plane = await startFakeControlPlane();
  stacks += 1;
  stack = `s${stacks}`;
  expect(await program.run(stack, ["stack", "init"])).toMatchObject({ code: 0 });
});
afterEach(async () => plane.stop());

const release = (name: string, revision: string, other: object = {}): void =>
  program.configure(stack, releaseInputs(plane.endpoint, { release: name, revision, ...other }));
const up = (watch?: Parameters<ReleaseProgram["run"]>[2]): Promise<Run> =>
  program.run(stack, ["up", "--yes", "--skip-preview"], watch);
const puts = (): readonly string[] =>
  plane.asked.filter((one) => one.startsWith("PUT ")).map((one) => one.split("/").at(-1)!);
const good = { facts: goodFacts, result: "promoted", message: "promoted: every step passed" };
const bad = {
  facts: [...goodFacts.slice(0, 3), { kind: "Aborted", message: "canary fails 9 percent" }],
  result: "rolled-back",
  message: "canary fails 9 percent of 400 requests",
};

/** Does something once, as soon as the output contains a text. */
function when(
  words: string,
  act: (pulumiCli: Parameters<NonNullable<Parameters<ReleaseProgram["run"]>[2]>>[1]) => void,
): NonNullable<Parameters<ReleaseProgram["run"]>[2]> {
  let done = false;
  return (output, pulumiCli) => {
    if (done || !output.includes(words)) return;
    done = true;
    act(pulumiCli);
  };
}

test("`pulumi up` prints a release step by step and ends with its result; then nothing is left to change", async () => {
  plane.scripts.set("one", good);
  release("one", "r1");
  const { code, output } = await up();
  expect(code).toBe(0);
  for (const { kind, message } of goodFacts) if (kind !== "Waited") expect(output).toContain(message);
  expect(output).toMatch(/result\s*: "promoted"/);
  release("one", "r1", { wait: false, strategy: { ...strategy, bakeSeconds: 7 } });
  expect((await program.run(stack, ["preview", "--expect-no-changes"])).code).toBe(0);
});

test("a rolled-back release fails the update with the judge's message, and a revert succeeds", async () => {
  release("one", "r1");
  await up();
  plane.scripts.set("bad", bad);
  release("bad", "r2");
  const failed = await up();
  expect(failed.code).not.toBe(0);
  expect(failed.output).toContain("release-rolled-back  canary fails 9 percent of 400 requests");
  expect(failed.output).toContain("canary has 5 percent");
  const again = await up();
  expect(again.code).not.toBe(0);
  expect(again.output).toContain("release-rolled-back  canary fails 9 percent of 400 requests");
  expect(again.output).not.toContain("canary has 5 percent");
  release("one", "r3");
  expect((await up()).code).toBe(0);
  expect(puts()).toEqual(["r1", "r2", "r2", "r3"]);
  expect((await program.run(stack, ["preview", "--expect-no-changes"])).code).toBe(0);
});

test("after a successful retry the unchanged program has nothing to do", async () => {
  plane.scripts.set("bad", bad);
  release("bad", "r1");
  expect((await up()).code).not.toBe(0);
  plane.rollouts.get("rollout/rg/storefront/r1")!.script = good;
  expect((await up()).code).toBe(0);
  expect(puts()).toEqual(["r1"]);
});

test("with the control plane down preview and destroy work, and a new release fails in the end", async () => {
  release("one", "r1");
  await up();
  await plane.stop();
  const preview = await program.run(stack, ["preview", "--expect-no-changes"]);
  expect(preview.code).toBe(0);
  expect(preview.output).toContain("could not be read, so the state is unchanged");
  release("two", "r2");
  const failed = await up();
  expect(failed.code).not.toBe(0);
  expect(failed.output).toContain("release-control-plane-unreachable");
  expect(failed.output).toContain("No traffic was moved.");
  expect(failed.seconds).toBeLessThan(callPolicy.budgetSeconds + 30);
  await plane.start();
  release("one", "r3");
  expect((await up()).code).toBe(0);
  expect(puts()).toEqual(["r1", "r3"]);
  await plane.stop();
  const destroyed = await program.run(stack, ["destroy", "--yes", "--skip-preview"]);
  expect(destroyed.code).toBe(0);
  expect(destroyed.output).toContain("No rollout was aborted; the deletion continues.");
  await plane.start();
}, 360_000);

test("`pulumi up` waits for a control plane that restarts, and prints no fact twice", async () => {
  plane.scripts.set("one", { ...good, pausesAt: 3 });
  release("one", "r1");
  const stopping = when("canary has 5 percent", () => void plane.stop());
  const starting = when(
    "Connection to the control plane lost",
    () => void plane.start().then(() => plane.goOn("rollout/rg/storefront/r1")),
  );
  const { code, output } = await up((text, pulumiCli) => {
    stopping(text, pulumiCli);
    starting(text, pulumiCli);
  });
  expect(code).toBe(0);
  const summary = output.slice(output.indexOf("Diagnostics:"));
  for (const words of ["canary has 5 percent", "The rollout continues meanwhile", "promoted: every step passed"])
    expect(summary.split(words)).toHaveLength(words.startsWith("promoted") ? 3 : 2);
  expect(plane.followedFrom).toEqual([0, 3]);
});

test("Ctrl-C leaves the rollout in flight; the next up follows it, and destroy aborts it", async () => {
  plane.scripts.set("one", { ...good, pausesAt: 3 });
  release("one", "r1");
  const interrupt = (): NonNullable<Parameters<ReleaseProgram["run"]>[2]> =>
    when("canary has 5 percent", (pulumiCli) => pulumiCli.kill("SIGINT"));
  const stopped = await up(interrupt());
  expect(stopped.code).not.toBe(0);
  expect(stopped.output).toContain("release-left-in-flight  This command no longer follows the rollout of r1.");
  expect((await up(interrupt())).output).toContain("release-left-in-flight");
  expect(plane.asked).not.toContain("POST /rollouts/rg/storefront/r1/signals");
  const destroyed = await program.run(stack, ["destroy", "--yes", "--skip-preview"]);
  expect(destroyed.code).toBe(0);
  expect(destroyed.output).toContain("aborted: the release is being deleted by pulumi");
  expect(plane.asked.at(-1)).toBe("POST /rollouts/rg/storefront/r1/signals");
});

test("a misspelt input fails the preview, which names it", async () => {
  release("one", "r1", { strategy: { ...strategy, bakeSecond: 1 } });
  const { code, output } = await program.run(stack, ["preview"]);
  expect(code).not.toBe(0);
  expect(output).toContain('strategy has an unknown field "bakeSecond"');
});

test("a secret input is never stored in the state as plain text", async () => {
  program.configure(stack, releaseInputs(plane.endpoint), true);
  expect((await up()).code).toBe(0);
  const resource = program.state(stack).split('"ballast:index:Release"')[1]!;
  expect(resource).not.toContain(plane.endpoint);
  expect(resource).toContain("ciphertext");
});
