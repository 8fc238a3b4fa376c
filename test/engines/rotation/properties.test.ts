// Properties of the rotation engine over many random worlds: faults, lost answers, readers, signals and other rollouts
// at random. Each failure prints the seed; `SEED=<n>` runs that one alone.
import { describe, expect, it } from "vitest";
import { seeded } from "../../../demo/seeded.ts";
import { fold } from "../../../engines/engine.ts";
import { facts } from "../../../engines/rotation/facts.ts";
import { react } from "../../../engines/rotation/react.ts";
import { rotation } from "../../../engines/rotation/rotation.ts";
import { signalNames } from "../../../engines/rotation/signals.ts";
import type { RotationEffect, RotationEvent } from "../../../engines/rotation/vocabulary.ts";
import { type Rotated, run } from "../../support/worlds/rotation-run.ts";
import { type RotationScenario, scenarioOf, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

const given = process.env["SEED"];
const seeds = given === undefined ? Array.from({ length: 60 }, (_, index) => index + 1) : [Number(given)];

const effects: readonly RotationEffect["kind"][] = [
  "Inspect",
  "MakeVersion",
  "SetVerifier",
  "Prove",
  "RequestRollout",
  "Publish",
  "ReadReaders",
  "EndSessions",
  "SetLogin",
  "MoveSecret",
];

/** Makes a world from a seed. */
function draw(seed: number): RotationScenario {
  const chance = seeded(seed);
  const upTo = (most: number): number => Math.floor(chance() * most);
  const many = <Value>(most: number, make: () => Value): readonly Value[] =>
    Array.from({ length: upTo(most + 1) }, make);
  const plain = scenarioOf("cuts-over-one-consumer-after-another");
  const ends = ["promoted", "promoted", "promoted", "rolled-back"];
  return {
    ...plain,
    name: `seed ${seed}`,
    asked: { cause: chance() < 0.2 ? "leaked" : "due", message: "it expires" },
    world: {
      ...plain.world,
      rollouts: Object.fromEntries(
        plain.credential.consumers.map(({ app }) => [app, [...many(3, () => ends[upTo(4)]!), "promoted"]]),
      ),
      busy: { checkout: upTo(3) * 40 },
      readers: many(3, () => ({ who: `reader-${upTo(9)}`, everyMinutes: 1 + upTo(20), lagMinutes: upTo(30) })),
      sessionsUntilMinutes: upTo(400),
      refusals: upTo(4),
      silentUntilMinutes: upTo(2) * 100,
      faults: many(4, () => ({
        effect: effects[upTo(effects.length)]!,
        at: 1 + upTo(3),
        times: 1 + upTo(9),
        reason: "503 out of order",
        landed: chance() < 0.5,
      })),
      // A retry at the end of each day, so that most rotations come to their end.
      signals: [
        ...many(4, () => signalNames[upTo(signalNames.length)]!),
        "resume" as const,
        "retry" as const,
        "retry" as const,
      ].map((signal, index) => ({
        atMinutes: index < 4 ? 1 + upTo(600) : 2_000 * (index - 2),
        signal,
        by: "ann",
        message: "at random",
      })),
    },
  };
}

/** The runs by seed; each world is run once. */
const runs = new Map<number, Promise<Rotated>>();
const ran = (seed: number): Promise<Rotated> => {
  const known = runs.get(seed) ?? run(draw(seed));
  runs.set(seed, known);
  return known;
};

const kindsOf = (journal: readonly RotationEvent[]) => journal.map(({ kind }) => kind);

/** States what must hold after any run. */
function check(scenario: RotationScenario, { journal, state, world }: Rotated): void {
  expect(world.failures, "consumers always log in").toEqual([]);
  if (scenario.asked.cause !== "leaked")
    for (const reader of scenario.world.readers)
      expect(
        loginsOf(world, reader, start, world.loop.now()).filter(({ failed }) => failed),
        `${reader.who} always logs in`,
      ).toEqual([]);
  const made = journal.filter((event) => event.kind === "VersionMade");
  expect(new Set(made.map(({ version }) => version.version)).size, "no version is made twice").toBe(made.length);
  const versions = world.versions.a.length + world.versions.b.length - 2;
  const generations = new Set(
    [...world.versions.a, ...world.versions.b].map(({ rotation: by, generation }) => `${by} ${generation}`),
  );
  expect(versions, "each generation has one version").toBe(generations.size - 1);
  const adopted = kindsOf(journal).lastIndexOf("Adopted");
  const published = journal.findIndex((event) => event.kind === "Published");
  if (published !== -1) {
    const asked = journal.slice(0, published).filter((event) => event.kind === "Adopted");
    expect(new Set(asked.map(({ app }) => app)).size, "every consumer adopts before anything is published").toBe(3);
  }
  const closed = journal.findIndex((event) => event.kind === "LoginSet" && !event.login);
  if (closed !== -1) expect(closed, "no role is closed before the publication").toBeGreaterThan(published);
  if (state.ending?.result === "rotated") {
    expect(adopted).toBeGreaterThan(-1);
    expect([...world.apps.values()].map(({ slot }) => slot)).toEqual(["b", "b", "b"]);
    expect(world.published.at(-1)!.value?.slot).toBe("b");
    const newest = world.versions.a.at(-1)!.version;
    expect(
      [...world.apps.values()].map(({ secrets }) => secrets.a),
      "old revisions find the present password",
    ).toEqual([newest, newest, newest]);
  }
  if (state.ending?.result === "returned") {
    expect([...world.apps.values()].map(({ slot }) => slot)).toEqual(["a", "a", "a"]);
    expect(world.published.at(-1)!.value?.of).toBe("a0");
  }
}

describe("a rotation in random worlds", () => {
  it.each(seeds)("keeps its promises with seed %i", async (seed) => {
    const done = await ran(seed);
    check(draw(seed), done);
    expect(done.state.phase).toBe("finished");
  });

  it("continues from its journal as stored, at every fact", async () => {
    for (const seed of seeds.slice(0, 20)) {
      const { journal } = await ran(seed);
      const stored = journal.map((event) => facts.read(JSON.parse(JSON.stringify(event))));
      expect(stored, `seed ${seed}`).toEqual(journal);
      const states = stored.map((_, index) => fold(rotation, stored.slice(0, index + 1)));
      for (const [index, state] of states.entries()) expect(state).toEqual(fold(rotation, journal.slice(0, index + 1)));
      expect(react(states.at(-1)!), "only the last state asks for nothing").toBeUndefined();
    }
  });

  it("reaches each result in some world", async () => {
    if (given !== undefined) return;
    const results = new Set<string>();
    for (const seed of seeds) results.add((await ran(seed)).state.ending!.result);
    expect([...results].sort()).toEqual(expect.arrayContaining(["returned", "rotated"]));
  });
});
