// What a rollout learns from inspecting the app: who is stable, whether the app can be released, what scales to zero.
import { describe, expect, it } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { AppView } from "../../../engines/rollout/vocabulary.ts";
import {
  allToStable,
  canary,
  healthy,
  revisionsUp,
  signal,
  split,
  stable,
  stateIn,
  times,
} from "../../support/worlds/meddling.ts";
import { failing, intentOf, type Meddle, run } from "../../support/worlds/pure-world.ts";

describe("an abort before the app was seen", () => {
  const early = { ...healthy, signals: [] };
  const abortedOnce = (): Meddle =>
    times(
      1,
      ({ kind }) => kind === "Inspect",
      (_, world) => signal("abort", world.now),
    );

  it("deactivates the canary all the same", async () => {
    const { journal, state, world } = await run(early, abortedOnce());
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual(["rejected", allToStable, false]);
    expect(replay(journal)).toBeUndefined();
  });

  it("gives back traffic that the canary was given by hand", async () => {
    const aborted = abortedOnce();
    const byHand: Meddle = (effect, now, before) => {
      if (effect.kind === "Inspect" && before.ending === undefined) now.weights = split(40);
      return aborted(effect, now, before);
    };
    const { state, world } = await run(early, byHand);
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual([
      "rolled-back",
      allToStable,
      false,
    ]);
  });

  it("ends with a named result if the app can never be read", async () => {
    const aborted = abortedOnce();
    const unreadable: Meddle = (effect, world, before) =>
      aborted(effect, world, before) ?? (effect.kind === "Inspect" ? failing(effect, world) : undefined);
    const { state } = await run(early, unreadable);
    expect(state.ending).toEqual({
      result: "rejected",
      reason: "aborted-by-signal",
      message: expect.stringMatching(
        /^rejected before any traffic: aborted by ann: because; the app could not be read/,
      ),
    });
  });
});

describe("an app that cannot be released by canary", () => {
  const rows: readonly (readonly [what: string, shows: Partial<AppView>, says: string])[] = [
    ["without ingress", { ingress: "none" }, "no ingress"],
    ["with a TCP ingress", { ingress: "tcp" }, "TCP"],
    ["in Single mode", { mode: "Single" }, "Single revision mode"],
    ["in Labels mode", { mode: "Labels" }, "Labels revision mode"],
    ["in a mode of the future", { mode: "Mirrored" }, "Mirrored revision mode"],
    ["with sticky sessions", { sticky: true }, "answered them first"],
  ];
  it.each(rows)("%s is rejected before any traffic, with the reason", async (_what, shows, says) => {
    const { state, world } = await run(
      healthy,
      times(
        1,
        ({ kind }) => kind === "Inspect",
        (_, before) => {
          before.shows = shows;
          return undefined;
        },
      ),
    );
    expect(state.ending).toEqual({ result: "rejected", reason: "app-unfit", message: expect.stringContaining(says) });
    expect(world.weights).toEqual(allToStable);
  });
});

describe("revisions that scale to zero", () => {
  it("are kept running as long as the rollout lasts, stable too, and nothing has to be restored after it", async () => {
    const asleep: Meddle = (effect, world) => {
      if (effect.kind === "Inspect")
        world.shows = {
          revisions: revisionsUp([stable, canary], { running: "ScaledToZero", health: "None", minReplicas: 0 }),
        };
      return undefined;
    };
    expect([...(await run(healthy, asleep)).world.keptAwake]).toEqual([stable]);
    expect([...(await run(healthy)).world.keptAwake]).toEqual([]);
  });
});

describe("a plan", () => {
  it("is frozen in the first fact: a later change of strategy or thresholds is for the next rollout", async () => {
    expect((await stateIn("baking")).intent).toEqual(intentOf(healthy));
  });
});
