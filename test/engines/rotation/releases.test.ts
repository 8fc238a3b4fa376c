// Releases of revisions from before the cut-over that are tried again at any moment of a rotation: each gets its role
// open before it starts, or waits for the new password; nothing restores a leaked version.
import { describe, expect, it } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { admissionOf } from "../../../engines/rotation/old-role.ts";
import { rotation } from "../../../engines/rotation/rotation.ts";
import type { RotationEvent } from "../../../engines/rotation/vocabulary.ts";
import { type Rotated, run } from "../../support/worlds/rotation-run.ts";
import { type RotationScenario, scenarioOf } from "../../support/worlds/rotation-scenario.ts";

const due = scenarioOf("replaces-a-version-that-is-due");
const brief: RotationScenario = {
  ...due,
  credential: {
    ...due.credential,
    timings: { ...due.credential.timings, quietSeconds: 120, drainSeconds: 60, graceSeconds: 120 },
  },
};
const released = (scenario: RotationScenario, atMinutes: number, more: object = {}): RotationScenario => ({
  ...scenario,
  world: { ...scenario.world, releases: [{ app: "storefront", atMinutes, untilMinutes: atMinutes + 3, ...more }] },
});

/** When something of the brief rotation happens, in minutes: it publishes, closes, and renews. */
const moments = [30, 32, 34];
const beside = moments.flatMap((minutes) => [-1, -0.5, -0.01, 0, 0.01, 0.5, 1].map((more) => minutes + more));

function expectServed({ state, world, releases }: Rotated): void {
  expect(world.failures).toEqual([]);
  expect(releases).toEqual(["storefront--1 ended"]);
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([2, 2, 2]);
}

it.each([10, ...beside, 40])("a release that is tried again after %d minutes always logs in", async (minutes) =>
  expectServed(await run(released(brief, minutes))),
);

describe("a release that is tried again while the process of the rotation dies", async () => {
  // In the grace, and half a minute off the moments at which the rotation looks.
  const tried = released(brief, 33.5);
  const { performed } = await run(tried);
  const deaths = Array.from({ length: performed }, (_, index) => index + 1);

  it.each(deaths)("at effect %i, before it and after it, logs in all the same", async (at) => {
    expectServed(await run(tried, { at, before: true }));
    expectServed(await run(tried, { at, before: false }));
  });
});

it.each([
  [33.5, /^storefront--1 ended$/],
  [10, /others know the version by which shop_a logs in; release again once it is replaced$/],
])("nothing restores a leaked version: a release after %d minutes", async (minutes, told) => {
  const { world, releases, journal } = await run(
    released({ ...brief, asked: { ...brief.asked, cause: "leaked" } }, minutes),
  );
  expect(releases).toEqual([expect.stringMatching(told)]);
  expect(world.failures).toEqual([]);
  expect(journal.filter((event) => event.kind === "LoginSet" && event.login)).toEqual([]);
  expect(journal.filter((event) => event.kind === "Signalled")).toEqual([]);
});

it("stops, with the role open, when a person gives the traffic to a revision whose role is closed", async () => {
  const { journal, state, world } = await run({
    ...brief,
    world: { ...brief.world, others: [{ atMinutes: 33, serves: "a" }] },
  });
  expect(journal.find(({ kind }) => kind === "ReaderFound")).toMatchObject({
    message: "storefront serves from the old slot again, so shop_a gets its login back; the quiet time starts again",
  });
  expect(state).toMatchObject({ login: true, ending: { result: "stopped", reason: "consumers-split" } });
  expect(world.versions.a).toHaveLength(1);
});

describe("what a rotation answers to a release", async () => {
  const { journal } = await run(due);
  const until = (kind: RotationEvent["kind"], more: readonly RotationEvent[] = []) =>
    fold(rotation, [...journal.slice(0, journal.findIndex((event) => event.kind === kind) + 1), ...more]);
  const asked = (signal: "open" | "pause") =>
    ({ at: journal.at(-1)!.at, kind: "Signalled", signal, by: "x", message: "m", about: "r" }) as const;
  const opened = { at: journal.at(-1)!.at, kind: "LoginSet", slot: "a", login: true } as const;
  const degraded = { at: 0, kind: "Finished", result: "degraded", reason: "effect-failed", message: "down" } as const;

  it.each([
    ["before it has looked", until("Requested"), "open", false],
    ["before the cut-over", until("Proven"), "soon", true],
    ["while readers are watched", until("Published"), "soon", true],
    ["once it was asked then", until("Published", [asked("open")]), "open", false],
    ["during the grace", until("LoginSet"), "soon", true],
    ["during a pause in the grace", until("LoginSet", [asked("pause")]), "soon", true],
    ["while the role is being opened", until("LoginSet", [asked("open")]), "soon", false],
    ["once it is open again", until("LoginSet", [asked("open"), opened]), "open", false],
    ["while the role is being closed", until("SessionsEnded"), "soon", true],
    ["when it was asked then, and the role is closed first", until("SessionsEnded", [asked("open")]), "soon", false],
    ["while the slot is renewed", until("GraceOver"), "soon", false],
    ["once it has ended", until("Finished"), "open", false],
    ["when it could not renew the slot", until("GraceOver", [degraded]), "never", false],
  ] as const)("%s", (_when, state, standing, asks) =>
    expect(admissionOf(state, "r")).toMatchObject({ standing, asks }),
  );
});
