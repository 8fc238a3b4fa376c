// A year of many credentials of one estate, in virtual time: one process after another looks for what is due, and the
// shipped loop rotates them side by side within the budget of rotations at once, with faults, slow readers, cut-overs
// that roll back, and deaths drawn from a seed. No version may grow older than its policy, no more rotations may be
// under way than the budget allows, and nobody may fail to log in.
import { askForDue } from "../../controlplane/due-rotations.ts";
import { type RotationWorld as PerformedWorld, rotationPerformer } from "../../controlplane/performers/rotation.ts";
import { rotationsAhead } from "../../controlplane/performers/rotations-ahead.ts";
import { clockOf } from "../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../controlplane/runtime/orchestrate.ts";
import type { Performer } from "../../controlplane/runtime/performer.ts";
import type { Journal } from "../../controlplane/runtime/ports.ts";
import { type AnyEvent, type AnyKind, registerKinds } from "../../engines/kind.ts";
import { credentialOf } from "../../engines/rotation/intent.ts";
import { rotationKind } from "../../engines/rotation/kind.ts";
import type { Credential, RotationEffect, RotationEvent, RotationOutcome } from "../../engines/rotation/vocabulary.ts";
import { after, dayMilliseconds, type Instant, secondsBetween } from "../../engines/time.ts";
import { forEver, mortal } from "../../test/support/worlds/mortal.ts";
import { type Reader, type RotationScenario, scenarioOf, start } from "../../test/support/worlds/rotation-scenario.ts";
import {
  consumersOf,
  createWorld,
  loginsIn,
  loginsOf,
  type RotationWorld,
  rolesOf,
  streamsOf,
  vaultOf,
} from "../../test/support/worlds/rotation-world.ts";
import { type RunStores, storesInMemory } from "../../test/support/worlds/run-stores.ts";
import { createDice, type Dice } from "./dice.ts";
import { createLoop, type Host, type Loop } from "./loop.ts";
import { beginLife } from "./virtual-time.ts";

/** What an estate is, and for how long it is watched. */
export interface EstateSetting {
  readonly seed: number;
  readonly credentials: number;
  readonly atOnce: number;
  readonly days: number;
}

/** What the time came to. */
export interface EstateYear {
  readonly rotations: number;
  readonly stops: number;
  readonly deaths: number;
  readonly faults: number;
  /** The most rotations that were under way at one moment. */
  readonly most: number;
  /** The most that waited for room at one moment. */
  readonly waiting: number;
  /** The most journals that were kept at one moment: one that has ended is forgotten a day later. */
  readonly kept: number;
  /** The greatest age of a version when another one was published, as a share of its policy. */
  readonly oldest: number;
  /** What must not happen, one line each. */
  readonly broken: readonly string[];
}

/** One credential with its world. */
interface Member {
  readonly scenario: RotationScenario;
  readonly world: RotationWorld;
  readonly readers: readonly Reader[];
  /** When each version expires. */
  readonly expiresAt: Map<string, Instant>;
}

const all: readonly AnyKind[] = [rotationKind];
const kinds = registerKinds(all);
const leaseSeconds = 1_800;
const hourSeconds = 3_600;

/** Lives through the time of an estate. */
export async function estateYear({ seed, credentials, atOnce, days }: EstateSetting): Promise<EstateYear> {
  const dice = createDice(seed);
  const loop = createLoop(start);
  const members = Array.from({ length: credentials }, (_, index) => memberOf(index + 1, dice, loop));
  const stores = await storesInMemory(true).open(kinds, leaseSeconds, loop.now);
  // A year has thousands of journals, and a rotation that has ended is read by nobody a day later.
  const forget = (stream: string): void => loop.at(after(loop.now(), 24 * hourSeconds), () => stores.drop(stream));
  const seen = watch(stores.journal, atOnce, forget);
  const tally = { deaths: 0, faults: 0, kept: 0 };
  const trouble: unknown[] = [];
  const process = await openProcesses({ dice, loop, members, stores, journal: seen.journal, atOnce, tally, trouble });
  const each = (seconds: number, act: () => Promise<unknown>): void =>
    loop.at(after(loop.now(), seconds), () => {
      void act().catch((error: unknown) => trouble.push(error));
      each(seconds, act);
    });
  const vaults = new Map(members.map((member) => [member.scenario.credential.vault, expiring(member)]));
  const looking = {
    credentials: async () => members.map(({ scenario }) => scenario.credential),
    vault: { look: (credential: Credential) => vaults.get(credential.vault)!.look(credential, never) },
    now: loop.now,
    log: () => undefined,
  };
  each(hourSeconds, () =>
    askForDue({ ...looking, streams: { start: (...asked) => process().start(...asked) } }, never),
  );
  // A person tries again, once a day, what has stopped.
  each(24 * hourSeconds, async () => {
    tally.kept = Math.max(tally.kept, stores.kept());
    const retry = { kind: "Signal", at: loop.now(), signal: "retry", by: "ann", message: "once a day" } as const;
    for (const stream of seen.stopped) await process().signal(stream, retry);
  });
  await loop.until(after(start, days * 24 * hourSeconds), () => trouble.length > 0);
  if (trouble.length > 0) throw trouble[0] instanceof Error ? trouble[0] : new Error(String(trouble[0]));
  const ages = members.map((member) => agesOf(member, loop.now()));
  return {
    ...tally,
    ...seen.counted(),
    oldest: Math.max(...ages.map(({ oldest }) => oldest)),
    broken: [...seen.broken, ...ages.flatMap(({ broken }) => broken)].map((what) => `seed ${seed}: ${what}`),
  };
}

const never = new AbortController().signal;

/** What the processes of an estate are made of. */
interface Parts {
  readonly dice: Dice;
  readonly loop: Loop;
  readonly members: readonly Member[];
  readonly stores: RunStores;
  readonly journal: Journal<AnyEvent>;
  readonly atOnce: number;
  readonly tally: { deaths: number; faults: number };
  readonly trouble: unknown[];
}

/** Starts a process, and another one half a minute after each death. Gives the one that lives. */
async function openProcesses(parts: Parts): Promise<() => Orchestrator<AnyEvent>> {
  const { dice, loop, members, stores, atOnce, tally, trouble } = parts;
  const host: Host = { name: "process", life: 0, up: true, asleepUntil: 0, sleptAt: -1 };
  let process!: Orchestrator<AnyEvent>;
  const live = async (): Promise<void> => {
    const { time, isOver } = beginLife(loop, host);
    const clock = mortal(clockOf(loop.now, time), isOver);
    const journal = mortal(parts.journal, isOver);
    const die = (): Promise<never> => {
      tally.deaths += 1;
      host.life += 1;
      loop.at(after(loop.now(), 30), () => void live().catch((error: unknown) => trouble.push(error)));
      return forEver;
    };
    const ports = { ...portsOf(members, clock), clock, ahead: rotationsAhead(journal), atOnce };
    const shipped = rotationPerformer({ ...ports, requestSeconds: 10, time });
    process = createOrchestrator<AnyEvent>({
      ports: { journal, claims: mortal(stores.claims, isOver), clock },
      kinds,
      performers: () => ({ rotation: unlucky(outlivedBy(shipped, isOver), dice, loop, tally, die) }),
      orchestrations: mortal(stores.passesOf(), isOver),
      time,
      process: `process ${host.life}`,
      leaseSeconds,
      log: (message) => trouble.push(message),
    });
    await process.launch();
  };
  await live();
  return () => process;
}

/** Draws a credential. Its versions were made at the start, as those of one deployment are. */
function memberOf(number: number, dice: Dice, loop: Loop): Member {
  const plain = scenarioOf("replaces-a-version-that-is-due");
  const validDays = dice.pick([14, 30, 60, 90]);
  const [consumer] = plain.credential.consumers;
  const app = `app${number}`;
  const credential: Credential = {
    ...plain.credential,
    vault: `kv${number}`,
    consumers: [{ ...consumer!, app }],
    validDays,
    dueDays: Math.floor(validDays / 2),
    timings: { ...plain.credential.timings, intervalSeconds: 300 },
  };
  const readers = Array.from({ length: dice.below(3) }, (_, index) => ({
    who: `reader ${index + 1} of kv${number}`,
    everyMinutes: dice.between(20, 34),
    lagMinutes: dice.below(31),
  }));
  // One cut-over in ten rolls back, and is tried again.
  const ends = Array.from({ length: 100 }, () => (dice.chance(10) ? "rolled-back" : "promoted"));
  const world = { ...plain.world, readers, sessionsUntilMinutes: 0, rollouts: { [app]: ends } };
  const scenario = { ...plain, name: `kv${number}`, credential, world };
  const expiresAt = new Map(["a0", "b0"].map((version) => [version, after(start, validDays * 24 * hourSeconds)]));
  return { scenario, world: createWorld(scenario, loop), readers, expiresAt };
}

/** Gives the ports, each of which leads to the world of the credential that is asked about. */
function portsOf(
  members: readonly Member[],
  clock: ReturnType<typeof clockOf>,
): Omit<PerformedWorld, "clock" | "requestSeconds"> {
  const parts = members.map((member) => ({
    vault: expiring(member),
    roles: rolesOf(member.world, member.scenario),
    logins: loginsIn(member.world, member.scenario),
    consumers: consumersOf(member.world),
    streams: streamsOf(member.world, member.scenario, clock),
  }));
  type Own = (typeof parts)[number];
  const byVault = new Map(members.map(({ scenario }, index) => [scenario.credential.vault, parts[index]!]));
  const byApp = new Map(members.map(({ scenario }, index) => [scenario.credential.consumers[0]!.app, parts[index]!]));
  // biome-ignore lint/suspicious/noExplicitAny: each port says by its first argument which credential it is about
  const chosen = <Port extends object>(of: (own: Own) => Port, which: (asked: any) => Own | undefined): Port =>
    new Proxy({} as Port, {
      get:
        (_, name) =>
        (first: unknown, ...rest: readonly unknown[]) => {
          const port = of(which(first)!) as Record<string | symbol, (...args: readonly unknown[]) => unknown>;
          return port[name]!(first, ...rest);
        },
    });
  const ofCredential = ({ vault }: Credential): Own | undefined => byVault.get(vault);
  return {
    credentials: async () => members.map(({ scenario }) => scenario.credential),
    vault: chosen(({ vault }) => vault, ofCredential),
    roles: chosen(({ roles }) => roles, ofCredential),
    logins: chosen(({ logins }) => logins, ofCredential),
    consumers: chosen(
      ({ consumers }) => consumers,
      ({ app }) => byApp.get(app),
    ),
    streams: chosen(
      ({ streams }) => streams,
      (stream: string) => byApp.get(stream.split("/")[2] ?? ""),
    ),
  };
}

/** The vault of a credential, whose versions expire. */
function expiring({ scenario, world, expiresAt }: Member): PerformedWorld["vault"] {
  const vault = vaultOf(world, scenario);
  return {
    ...vault,
    look: async (...asked) => {
      const seen = await vault.look(...asked);
      if (!seen.ok || seen.value.published === null) return seen;
      const { published, ...rest } = seen.value;
      return {
        ok: true,
        value: { ...rest, published: { ...published, expiresAt: expiresAt.get(published.of) ?? null } },
      };
    },
    make: async (credential, slot, making, fence) => {
      const made = await vault.make(credential, slot, making, fence);
      if (made.ok && !expiresAt.has(made.value.version)) expiresAt.set(made.value.version, making.expiresAt);
      return made;
    },
  };
}

type RotationPerformer = Performer<RotationEffect, RotationOutcome>;

/** Lets no effect end whose process has died meanwhile: its outcome was never recorded. */
const outlivedBy = (shipped: RotationPerformer, isOver: () => boolean): RotationPerformer => ({
  ...shipped,
  perform: async (effect, within) => {
    const outcome = await shipped.perform(effect, within);
    return isOver() ? forEver : outcome;
  },
});

/** Lets an effect fail now and then, before it is performed or after it, and the process die at one. */
const unlucky = (
  shipped: RotationPerformer,
  dice: Dice,
  loop: Loop,
  tally: { faults: number },
  die: () => Promise<never>,
): RotationPerformer => ({
  ...shipped,
  perform: async (effect, within) => {
    const isWait = ["Wait", "AwaitSignal", "AwaitRollout"].includes(effect.kind);
    const luck = isWait ? 1_000 : dice.below(1_000);
    if (luck < 2) {
      if (luck === 1) await shipped.perform(effect, within);
      return die();
    }
    if (luck < 20) {
      tally.faults += 1;
      if (luck < 10) await shipped.perform(effect, within);
      const found = { ok: false, reason: "503 out of order" } as const;
      return { kind: "Outcome", of: effect.kind, at: loop.now(), found } as RotationOutcome;
    }
    return shipped.perform(effect, within);
  },
});

/** Watches what is written to a journal: how many rotations are under way, wait for room, and have stopped. */
function watch(kept: Journal<AnyEvent>, atOnce: number, forget: (stream: string) => void) {
  const [begun, waiting, stopped] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const broken: string[] = [];
  let [rotations, stops, most, mostWaiting] = [0, 0, 0, 0];
  const note = (stream: string, event: RotationEvent): void => {
    if (event.kind === "Signalled") stopped.delete(stream);
    if (event.kind === "Waiting" && event.reason === "budget-used") waiting.add(stream);
    if (event.kind === "Started") {
      begun.add(stream);
      waiting.delete(stream);
    }
    most = Math.max(most, begun.size);
    mostWaiting = Math.max(mostWaiting, waiting.size);
    if (begun.size > atOnce) broken.push(`${[...begun].join(", ")} are under way at once`);
    if (event.kind !== "Finished") return;
    begun.delete(stream);
    waiting.delete(stream);
    if (event.result === "rotated") rotations += 1;
    if (event.result === "rotated" || event.result === "unchanged") forget(stream);
    else {
      stops += 1;
      stopped.add(stream);
    }
  };
  const append: Journal<AnyEvent>["append"] = async (stream, on, events, pen) => {
    const appended = await kept.append(stream, on, events, pen);
    if (appended === "appended" && credentialOf(stream) !== undefined)
      for (const event of events) note(stream, event as RotationEvent);
    return appended;
  };
  return {
    journal: { ...kept, append },
    stopped,
    broken,
    counted: () => ({ rotations, stops, most, waiting: mostWaiting }),
  };
}

/** Says how old the versions of a credential became, and who could not log in. */
function agesOf({ scenario: { name, credential }, world, readers, expiresAt }: Member, now: Instant) {
  const valid = credential.validDays * dayMilliseconds;
  const published = world.published.map(({ at, value }) => ({ at, of: value!.of }));
  const ages = published.map(({ of }, index) => {
    const until = published[index + 1]?.at ?? now;
    return (until - (expiresAt.get(of)! - valid)) / valid;
  });
  const late = readers.flatMap((reader) =>
    loginsOf(world, reader, start, now)
      .filter(({ failed }) => failed)
      .map(({ who, at }) => `${who} could not log in after ${secondsBetween(start, at)} s`),
  );
  return {
    oldest: Math.max(...ages),
    broken: [
      ...ages.filter((age) => age > 1).map(() => `${name}: a version was older than ${credential.validDays} days`),
      ...world.failures.map((failure) => `${name}: ${failure}`),
      ...late,
    ],
  };
}
