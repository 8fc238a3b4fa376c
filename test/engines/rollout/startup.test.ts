// The smoke test of a canary that starts slowly, or that is restarted before it ever answers.
import { expect, test } from "vitest";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { type Meddle, run } from "../../support/worlds/pure-world.ts";
import { scenarios } from "../../support/worlds/scenario.ts";

const silent = scenarios().find(({ name }) => name === "rejects-a-canary-that-never-answers")!;

/** Runs the scenario with what the canary's startup probes allow it, and its restarts; gives how it was aborted. */
async function abortOf(startupSeconds: number | undefined, times: number): Promise<RolloutEvent & { kind: "Aborted" }> {
  const meddle: Meddle = (effect, world) => {
    if (effect.kind === "Inspect") {
      const revisions = ["storefront--1", "storefront--2"].map((name) => ({
        name,
        active: true,
        running: "Running",
        health: "Healthy",
        templateHash: name,
        ...(name === "storefront--2" && startupSeconds !== undefined && { startupSeconds }),
      }));
      const value = { weights: world.weights, revisions };
      return { kind: "Outcome", of: "Inspect", at: world.now, found: { ok: true, value } };
    }
    if (effect.kind === "Probe") world.restarts = times;
    return undefined;
  };
  const { journal } = await run(silent, meddle);
  return journal.find((event) => event.kind === "Aborted")!;
}
const minutesOf = async (startupSeconds: number | undefined): Promise<string> =>
  /within (\w+)/.exec((await abortOf(startupSeconds, 0)).message)![1]!;

test("a canary has the time that its own startup probes allow it, and at least smokeSeconds", async () =>
  expect([await minutesOf(undefined), await minutesOf(10), await minutesOf(600)]).toEqual(["2m", "2m", "10m"]));

test("a canary that restarts before an answer says so, with the time that its startup probe allows", async () => {
  expect((await abortOf(30, 2)).message).toBe(
    "canary did not pass its smoke test within 2m; the last probe: answered 500; " +
      "replicas restarted 2 times before an answer, by a crash or by their startup probe, which allows 30s",
  );
  expect((await abortOf(undefined, 1)).message).toMatch(/restarted 1 time before an answer, .* startup probe$/);
});
