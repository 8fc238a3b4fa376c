// A year of credentials in virtual time: the shipped rule says when a version is due, and the shipped loop, performer
// and engine rotate it, with faults, slow readers, busy apps and deaths drawn from a seed. No version may grow older
// than its policy, and no consumer and no reader may fail to log in.
import { dueRotation } from "../../engines/rotation/due.ts";
import type { RotationEffect, RotationEvent } from "../../engines/rotation/vocabulary.ts";
import { secondsBetween } from "../../engines/time.ts";
import { type Rotated, run } from "../../test/support/worlds/rotation-run.ts";
import { type RotationScenario, scenarioOf, start } from "../../test/support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../test/support/worlds/rotation-world.ts";
import { createDice, type Dice } from "./dice.ts";

/** What a year of one credential came to. */
export interface Year {
  readonly rotations: number;
  readonly deaths: number;
  readonly faults: number;
  /** The greatest age of a version when another one was published, as a share of its policy. */
  readonly oldest: number;
  /** What must not happen, one line each. */
  readonly broken: readonly string[];
}

const [dayMilliseconds, hourMilliseconds] = [86_400_000, 3_600_000];
const yearMilliseconds = 365 * dayMilliseconds;

/** Effects that may fail for a while. */
const fallible: readonly RotationEffect["kind"][] = [
  "Inspect",
  "MakeVersion",
  "SetVerifier",
  "Prove",
  "RequestRollout",
  "Publish",
  "ReadReaders",
  "SetLogin",
  "MoveSecret",
];

/** Lives through a year of the credential of a seed. */
export async function yearOf(seed: number): Promise<Year> {
  const dice = createDice(seed);
  const plain = scenarioOf("replaces-a-version-that-is-due");
  const validDays = dice.pick([14, 30, 60, 90]);
  const credential = { ...plain.credential, validDays, dueDays: Math.floor(validDays / 2) };
  const phase = dice.below(hourMilliseconds);
  const year = { rotations: 0, deaths: 0, faults: 0, oldest: 0, broken: [] as string[] };
  let madeAt = start;
  for (;;) {
    const asked = dueAt(credential, madeAt, phase);
    if (asked > start + yearMilliseconds) return year;
    const scenario = draw(dice, { ...plain, credential });
    const death = dice.chance(60) ? { at: dice.between(1, 40), before: dice.chance(50) } : undefined;
    const rotated = await run(scenario, ...(death === undefined ? [] : [death]));
    year.rotations += 1;
    year.deaths += death !== undefined && rotated.performed >= death.at ? 1 : 0;
    year.faults += scenario.world.faults.length;
    year.broken.push(...brokenIn(seed, scenario, rotated));
    const published = rotated.journal.findLast(({ kind }) => kind === "Published");
    const made = rotated.journal.find(({ kind }) => kind === "VersionMade");
    if (published === undefined || made === undefined) return year; // It has said why.
    const age = asked - madeAt + (published.at - start);
    year.oldest = Math.max(year.oldest, age / (validDays * dayMilliseconds));
    if (age > validDays * dayMilliseconds) year.broken.push(`seed ${seed}: a version was older than ${validDays} days`);
    madeAt = asked + (made.at - start);
  }
}

/** Gives the first hourly look at which a version is due. */
function dueAt(credential: RotationScenario["credential"], madeAt: number, phase: number): number {
  const expiresAt = madeAt + credential.validDays * dayMilliseconds;
  const published = { slot: "a" as const, version: "v", of: "a0", enabled: true, expiresAt };
  const isDue = (now: number): boolean => dueRotation(credential, published, now) !== undefined;
  let look = Math.ceil((madeAt - phase) / hourMilliseconds) * hourMilliseconds + phase;
  while (!isDue(look)) look += hourMilliseconds;
  return look;
}

/** Draws what goes wrong in one rotation. A person tries again once a day if it stopped. */
function draw(dice: Dice, plain: RotationScenario): RotationScenario {
  const some = <Value>(most: number, make: () => Value): readonly Value[] =>
    Array.from({ length: dice.below(most + 1) }, make);
  return {
    ...plain,
    name: "a year",
    world: {
      ...plain.world,
      busy: { storefront: dice.below(3) * 30 },
      readers: some(3, () => ({
        who: `reader-${dice.below(9)}`,
        everyMinutes: dice.between(1, 20),
        lagMinutes: dice.below(31),
      })),
      sessionsUntilMinutes: dice.below(300),
      refusals: dice.below(3),
      faults: some(4, () => ({
        effect: dice.pick(fallible),
        at: dice.between(1, 3),
        times: dice.between(1, 9),
        reason: "503 out of order",
        landed: dice.chance(50),
      })),
      signals: [1, 2, 3, 4, 5].map((day) => ({
        atMinutes: 1_440 * day,
        signal: "retry",
        by: "ann",
        message: "once a day",
      })),
    },
  };
}

/** Says what must not happen in a rotation. */
function brokenIn(seed: number, { world: { readers } }: RotationScenario, { journal, state, world }: Rotated) {
  const late = readers.flatMap((reader) =>
    loginsOf(world, reader, start, world.loop.now())
      .filter(({ failed }) => failed)
      .map(({ who, at }) => `${who} could not log in after ${secondsBetween(start, at)} s`),
  );
  const made = journal.filter((event): event is Extract<RotationEvent, { kind: "VersionMade" }> => {
    return event.kind === "VersionMade";
  });
  const twice = new Set(made.map(({ version }) => version.version)).size !== made.length;
  return [
    ...world.failures,
    ...late,
    ...(twice ? ["a version was made twice"] : []),
    ...(state.ending?.result === "rotated" ? [] : [`it ended as ${state.ending?.result}: ${state.ending?.message}`]),
  ].map((what) => `seed ${seed}: ${what}`);
}
