// Runs a rotation in a world of plain objects, or with a part of it real: the shipped loop and the shipped performer
// carry it out over virtual time, in one process after another if it dies.
import { type RotationWorld as PerformedWorld, rotationPerformer } from "../../../controlplane/performers/rotation.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Performer } from "../../../controlplane/runtime/performer.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { type AnyEvent, type AnyKind, type Kinds, registerKinds } from "../../../engines/kind.ts";
import { intentOf, streamOf } from "../../../engines/rotation/intent.ts";
import { rotationKind } from "../../../engines/rotation/kind.ts";
import { rotation } from "../../../engines/rotation/rotation.ts";
import type {
  Credential,
  RotationEffect,
  RotationEvent,
  RotationOutcome,
  RotationState,
} from "../../../engines/rotation/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import { createLoop, type Host, type Loop } from "../../../proofs/simulator/loop.ts";
import { beginLife } from "../../../proofs/simulator/virtual-time.ts";
import { tryReleases } from "./rotation-releases.ts";
import { type Interference, type RotationScenario, start } from "./rotation-scenario.ts";
import {
  consumersOf,
  createWorld,
  loginsIn,
  note,
  type RotationWorld,
  rolesOf,
  streamsOf,
  vaultOf,
  type Woken,
  wokenIn,
} from "./rotation-world.ts";
import { type OpenStores, type RunStores, storesInMemory } from "./run-stores.ts";

/** At which effect the process dies, counted from 1: before it is performed, or after it and before it is written. */
interface Death {
  readonly at: number;
  readonly before: boolean;
}

/** What a run left. */
export interface Rotated {
  /** How many effects were performed. */
  readonly performed: number;
  readonly journal: readonly RotationEvent[];
  readonly state: RotationState;
  readonly world: RotationWorld;
  /** What came of the requests beside the first one: `exists`, or the error's id. */
  readonly answers: readonly string[];
  /** What became of the releases that were tried again. */
  readonly releases: readonly string[];
}

const all: readonly AnyKind[] = [rotationKind];
const rotations: Kinds = registerKinds(all);
const leaseSeconds = 600;
/** A rotation that writes more facts than this goes round in circles. */
const factsMax = 5_000;

/** Which world a scenario runs in. The default is made of plain objects. */
interface RotationSetting {
  readonly deaths?: readonly Death[];
  readonly stores?: OpenStores;
  /** Gives the ports of a run, given what they would be as plain objects. */
  readonly cloud?: OpenRotationCloud;
  /** How many rotations may be under way at once, and which go before this one at a moment. */
  readonly budget?: Budget;
}

interface Budget {
  readonly atOnce: number;
  readonly ahead: (now: Instant) => Promise<readonly string[]>;
}

/** A cloud: the ports of the performer. */
export type OpenRotationCloud = (
  world: RotationWorld,
  scenario: RotationScenario,
  plain: RotationPorts,
) => Promise<RotationPorts>;

/** Runs a scenario to its end and gives the journal. Signals after the end are sent too: a retry begins again. */
export const run = (scenario: RotationScenario, ...deaths: readonly Death[]): Promise<Rotated> =>
  runIn(scenario, { deaths });

/** Runs a scenario to its end in another world. */
export async function runIn(
  scenario: RotationScenario,
  { deaths = [], stores: opened = storesInMemory(true), cloud, budget }: RotationSetting,
): Promise<Rotated> {
  const world = createWorld(scenario, createLoop(start, opened.io?.settle));
  const { loop } = world;
  const { vault, credential } = scenario.credential;
  const name = { vault, credential, rotation: "r1" };
  const stream = streamOf(name);
  const plain = portsIn(world, scenario);
  const ports = (await cloud?.(world, scenario, plain)) ?? plain;
  const stores = await opened.open(rotations, leaseSeconds, loop.now);
  const running = await open({ scenario, world, ports, stores, deaths, budget });
  const { trouble } = running;
  let coming = scenario.world.signals.length;
  for (const { atMinutes, ...signal } of scenario.world.signals) {
    const at = after(start, atMinutes * 60);
    loop.at(at, () => {
      void running
        .process()
        .signal(stream, { kind: "Signal", at, ...signal })
        .catch((error: unknown) => trouble.push(error))
        .finally(() => coming--);
    });
  }
  for (const { atMinutes, ...other } of scenario.world.others)
    loop.at(after(start, atMinutes * 60), () => interfere(world, other));
  const answers: string[] = [];
  const asking = (called: string) =>
    intentOf({ name: { ...name, rotation: called }, body: scenario.asked, by: "ann", apps: [] });
  for (const { atMinutes, rotation: called } of scenario.world.again)
    loop.at(after(start, atMinutes * 60), () => {
      const request = { kind: "Request", at: loop.now(), intent: asking(called) } as const;
      void running
        .process()
        .start(streamOf(request.intent), request)
        .catch((error: { readonly id?: string }) => String(error.id ?? error))
        .then((answer) => answers.push(answer));
    });
  const intent = asking("r1");
  await running.process().start(stream, { kind: "Request", at: start, intent });
  const releases: string[] = [];
  const { process } = running;
  for (const release of tryReleases({
    scenario,
    world,
    rotation: stream,
    journal: stores.journal,
    process,
    woken: ports.woken,
  }))
    void release.then((told) => releases.push(told)).catch((error: unknown) => trouble.push(error));
  const isOver = () =>
    trouble.length > 0 ||
    (running.state().phase === "finished" && coming === 0 && releases.length === scenario.world.releases.length);
  await loop.until(after(start, 30 * 86_400), isOver).finally(stores.close);
  if (trouble.length > 0) throw trouble[0] instanceof Error ? trouble[0] : new Error(String(trouble[0]));
  if (!isOver()) throw new Error(`${scenario.name} did not end within thirty days; it is ${running.state().phase}`);
  return { journal: running.journal, state: running.state(), world, answers, releases, performed: running.performed() };
}

/** The loop under way, in its present process. */
interface Running {
  readonly journal: readonly RotationEvent[];
  readonly trouble: unknown[];
  readonly process: () => Orchestrator<AnyEvent>;
  readonly state: () => RotationState;
  readonly performed: () => number;
}

/** What a run is made of. */
interface Opened {
  readonly scenario: RotationScenario;
  readonly world: RotationWorld;
  readonly ports: RotationPorts;
  readonly stores: RunStores;
  readonly deaths: readonly Death[];
  readonly budget: Budget | undefined;
}

async function open({ scenario, world, ports, stores, deaths, budget }: Opened): Promise<Running> {
  const { loop } = world;
  const host: Host = { name: "process", life: 0, up: true, asleepUntil: 0, sleptAt: 0 };
  const { claims, journal: kept, passesOf } = stores;
  const journal: RotationEvent[] = [];
  const trouble: unknown[] = [];
  let state = rotation.initial;
  const append: Journal<AnyEvent>["append"] = async (of, on, events, pen) => {
    const appended = await kept.append(of, on, events, pen);
    if (appended === "appended") {
      journal.push(...(events as readonly RotationEvent[]));
      state = (events as readonly RotationEvent[]).reduce(rotation.evolve, state);
      if (journal.length > factsMax) trouble.push(new Error(`${scenario.name} has more than ${factsMax} facts`));
    }
    return appended;
  };
  let performed = 0;
  let process: Orchestrator<AnyEvent>;
  /** Begins a life of the process, which ends at a death that the test asks for; then the next one begins. */
  const live = async (): Promise<void> => {
    const { time } = beginLife(loop, host);
    const { life } = host;
    const clock = clockOf(loop.now, time);
    const dying = (): Death | undefined => {
      performed += 1;
      return deaths.find(({ at }) => at === performed);
    };
    const die = (): Promise<never> => {
      host.life += 1;
      loop.at(loop.now() + 1_000, () => void live().catch((error: unknown) => trouble.push(error)));
      return new Promise(() => {});
    };
    const shipped = mortal(performerIn(scenario, { ...ports, ...budgetOf(budget, loop) }, clock, time), dying, die);
    process = createOrchestrator<AnyEvent>({
      ports: { journal: { ...kept, append }, claims, clock },
      kinds: rotations,
      performers: () => ({ rotation: failing(shipped, scenario, loop) }),
      orchestrations: passesOf(),
      time,
      process: `process ${life}`,
      leaseSeconds,
      log: (message) => (life === host.life ? trouble.push(message) : undefined),
    });
    await process.launch();
  };
  await live();
  return { journal, trouble, process: () => process, state: () => state, performed: () => performed };
}

type RotationPerformer = Performer<RotationEffect, RotationOutcome>;

/** Gives the declaration of a moment. */
const declaredAt = ({ credential, world: { redeclared } }: RotationScenario, now: number): Credential => {
  const passed = redeclared.filter(({ atMinutes }) => after(start, atMinutes * 60) <= now);
  return Object.assign({}, credential, ...passed.map(({ change }) => change));
};

type RunClock = ReturnType<typeof clockOf>;

/** The ports of the performer that touch the world. Streams wait by the clock of the process that asks. */
export interface RotationPorts extends Pick<PerformedWorld, "vault" | "roles" | "logins" | "consumers"> {
  readonly streamsBy: (clock: RunClock) => PerformedWorld["streams"];
  readonly woken: Woken;
}

const portsIn = (world: RotationWorld, scenario: RotationScenario): RotationPorts => ({
  vault: vaultOf(world, scenario),
  roles: rolesOf(world, scenario),
  logins: loginsIn(world, scenario),
  consumers: consumersOf(world),
  streamsBy: (clock) => streamsOf(world, scenario, clock),
  woken: wokenIn(world),
});

/** Gives the budget as the performer asks about it. */
const budgetOf = (budget: Budget | undefined, { now }: Loop): Pick<PerformedWorld, "ahead" | "atOnce"> =>
  budget === undefined
    ? {}
    : { atOnce: budget.atOnce, ahead: async () => ({ ahead: await budget.ahead(now()), kin: [] }) };

const performerIn = (
  scenario: RotationScenario,
  { streamsBy, woken: _woken, ...ports }: RotationPorts & Pick<PerformedWorld, "ahead" | "atOnce">,
  clock: RunClock,
  time: ReturnType<typeof beginLife>["time"],
): RotationPerformer =>
  rotationPerformer({
    credentials: async () => [declaredAt(scenario, clock.now())],
    ...ports,
    streams: streamsBy(clock),
    clock,
    requestSeconds: 10,
    time,
  });

/** Lets the process die at the effects that the test asks for. */
const mortal = (
  shipped: RotationPerformer,
  dying: () => Death | undefined,
  die: () => Promise<never>,
): RotationPerformer => ({
  ...shipped,
  perform: async (effect, within) => {
    const death = dying();
    if (death === undefined) return shipped.perform(effect, within);
    if (!death.before) await shipped.perform(effect, within);
    return die();
  },
});

/** Changes the credential as a person or another rotator does. */
function interfere(
  world: RotationWorld,
  { publishes, makes, deletes, recovers, serves }: Omit<Interference, "atMinutes">,
): void {
  if (serves !== undefined) world.apps.values().next().value!.slot = serves;
  if (deletes !== undefined) world.deleted.add(deletes);
  if (recovers !== undefined) world.deleted.delete(recovers);
  if (makes !== undefined) world.versions[makes].push({ version: `${makes}x`, rotation: "other", generation: 1 });
  if (publishes !== undefined)
    note(world, world.published, { slot: publishes, version: "px", of: world.versions[publishes].at(-1)!.version });
}

/** Puts the faults of a scenario between the loop and the shipped performer. */
function failing(
  shipped: Performer<RotationEffect, RotationOutcome>,
  { world: { faults } }: RotationScenario,
  loop: Loop,
): Performer<RotationEffect, RotationOutcome> {
  const times = new Map<string, number>();
  return {
    ...shipped,
    perform: async (effect, within) => {
      const time = (times.get(effect.kind) ?? 0) + 1;
      times.set(effect.kind, time);
      const fault = faults.find(
        ({ effect: of, at = 1, times: n }) => of === effect.kind && time >= at && time < at + n,
      );
      if (fault === undefined) return shipped.perform(effect, within);
      if (fault.landed) await shipped.perform(effect, within);
      return {
        kind: "Outcome",
        of: effect.kind,
        at: loop.now(),
        found: { ok: false, reason: fault.reason },
      } as RotationOutcome;
    },
  };
}
