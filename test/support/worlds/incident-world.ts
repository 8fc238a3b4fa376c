// The world of remediations as a plain object, over the virtual clock of the simulator. The shipped loop, performer and
// intake carry the remediations out; journal, claims and passes are in memory. Effects take no time; only waiting does.
import { remediationPerformer } from "../../../controlplane/performers/remediation.ts";
import { takeAlerts } from "../../../controlplane/performers/remediation-intake.ts";
import { actionsInJournal } from "../../../controlplane/performers/remediation-situation.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { fold } from "../../../engines/engine.ts";
import { type AnyEvent, type AnyKind, type Kinds, registerKinds } from "../../../engines/kind.ts";
import { remediationKind } from "../../../engines/remediation/kind.ts";
import { streamOf } from "../../../engines/remediation/names.ts";
import { remediation } from "../../../engines/remediation/remediation.ts";
import type { Incident, RemediationEvent, RemediationState } from "../../../engines/remediation/vocabulary.ts";
import { after, type Instant, secondsBetween } from "../../../engines/time.ts";
import { createLoop, type Loop } from "../../../proofs/simulator/loop.ts";
import { beginLife, type Life } from "../../../proofs/simulator/virtual-time.ts";
import { type IncidentScenario, minute } from "./incident-scenario.ts";
import { type Done, type IncidentPorts, isMissing, lastMoment, plainPorts, type World } from "./incident-truth.ts";
import { forEver, mortal } from "./mortal.ts";
import { type OpenStores, type RunStores, storesInMemory } from "./run-stores.ts";

const all: readonly AnyKind[] = [remediationKind];
const remediations: Kinds = registerKinds(all);

const leaseSeconds = 600;
const limitSeconds = 10 * 86_400;

/** What a run left: the journals in the order in which they began, and what was done to the world. */
export interface IncidentRun {
  readonly journals: readonly {
    readonly stream: string;
    readonly target: string;
    readonly events: readonly RemediationEvent[];
    readonly state: RemediationState;
  }[];
  readonly done: readonly Done[];
}

/** What one process is made of. */
interface ProcessParts {
  readonly world: World;
  readonly loop: Loop;
  readonly life: Life;
  readonly name: string;
  readonly kinds: Kinds;
  readonly stores: RunStores;
  readonly ports: IncidentPorts;
  readonly trouble: unknown[];
}

/** Assembles a process on what outlives it. After its death it does nothing more. */
function processOf({ world, loop, life, name, kinds, stores, ports, trouble }: ProcessParts): Orchestrator<AnyEvent> {
  const { time, isOver } = life;
  const clock = mortal(clockOf(loop.now, time), isOver);
  const journal = mortal(stores.journal, isOver);
  return createOrchestrator<AnyEvent>({
    ports: { journal, claims: mortal(stores.claims, isOver), clock },
    kinds,
    performers: () => ({
      remediation: remediationPerformer({
        ...ports,
        actions: actionsInJournal(watched(journal, world)),
        clock,
        requestSeconds: 10,
        time,
      }),
    }),
    orchestrations: mortal(stores.passesOf(), isOver),
    time,
    process: name,
    leaseSeconds,
    log: (message) => trouble.push(message),
  });
}

/** How long it takes until another process runs. */
const rebirthSeconds = 30;

/** Which world a scenario runs in. The default is made of plain objects. */
export interface IncidentWorld {
  /** Kills the process between this change of the world and its record; another one goes on. */
  readonly dieAfter?: number;
  readonly stores?: OpenStores;
  /** The kind of work, if it is watched. */
  readonly kinds?: Kinds;
  /** Opens the cloud of a run, given what it would be as plain objects. */
  readonly cloud?: OpenCloud;
}

/** A cloud: the ports of the performer, whose calls take no virtual time. */
export type OpenCloud = (
  world: World,
  plain: IncidentPorts,
) => Promise<{ readonly ports: IncidentPorts; readonly close: () => Promise<void> }>;

const plainCloud: OpenCloud = async (_, ports) => ({ ports, close: async () => undefined });

/** Runs a scenario until every incident has ended and nothing more is to come. */
export async function runIncidents(
  scenario: IncidentScenario,
  {
    dieAfter,
    stores: opened = storesInMemory(dieAfter !== undefined),
    cloud: openCloud = plainCloud,
    kinds = remediations,
  }: IncidentWorld = {},
): Promise<IncidentRun> {
  const loop = createLoop(scenario.start, opened.io?.settle);
  const host = { name: "process", life: 0, up: true, asleepUntil: 0, sleptAt: -1 };
  const trouble: unknown[] = [];
  let changes = 0;
  const changed = async (): Promise<void> => {
    changes += 1;
    if (changes !== dieAfter) return;
    host.life += 1;
    loop.at(after(loop.now(), rebirthSeconds), () => void live().catch((error: unknown) => trouble.push(error)));
    await forEver;
  };
  const world: World = { scenario, now: loop.now, done: [], keys: new Set(), changed };
  const cloud = await openCloud(world, plainPorts(world));
  const ports = opened.io === undefined ? cloud.ports : opened.io.countedAll(cloud.ports);
  const stores = await opened.open(kinds, leaseSeconds, loop.now);
  let orchestrator!: Orchestrator<AnyEvent>;
  const live = async (): Promise<void> => {
    const life = beginLife(loop, host);
    orchestrator = processOf({ world, loop, life, name: `process-${host.life}`, kinds, stores, ports, trouble });
    await orchestrator.launch();
  };
  await live();
  const progress = { coming: 0, unfinished: 0, quietSince: scenario.start };
  begin(scenario, loop, stores.journal, () => orchestrator, progress, trouble);
  const pass = polling(ports, () => orchestrator, loop.now);
  const eachMinute = (): void => {
    void pass()
      .then(async () => {
        progress.unfinished = (await stores.journal.streams({ unfinished: true })).length;
        if (progress.unfinished > 0) progress.quietSince = loop.now();
      })
      .catch((error: unknown) => trouble.push(error));
    loop.at(after(loop.now(), 60), eachMinute);
  };
  loop.at(scenario.start, eachMinute);
  const isOver = (): boolean => trouble.length > 0 || isQuiet(progress, world);
  await loop.until(after(scenario.start, limitSeconds), isOver);
  const journals = await journalsOf(stores.journal).finally(() => Promise.all([stores.close(), cloud.close()]));
  if (trouble.length > 0) throw trouble[0] instanceof Error ? trouble[0] : new Error(String(trouble[0]));
  if (!isOver()) throw new Error(`${scenario.name} did not end within ${limitSeconds} s.`);
  return { journals, done: world.done };
}

/** Two polls that look at the same moment, as those of two control planes do. */
function polling(
  { alerts }: IncidentPorts,
  orchestrator: () => Orchestrator<AnyEvent>,
  now: () => Instant,
): () => Promise<unknown> {
  const known = [new Set<string>(), new Set<string>()];
  const start: Orchestrator["start"] = (...asked) => orchestrator().start(...asked);
  return () => Promise.all(known.map((each) => takeAlerts({ alerts, start, known: each }, now(), never)));
}

interface Progress {
  coming: number;
  unfinished: number;
  quietSince: Instant;
}

/** A few polls without an incident are enough once nothing is to come. */
const isQuiet = ({ coming, unfinished, quietSince }: Progress, world: World): boolean =>
  coming === 0 && unfinished === 0 && secondsBetween(Math.max(quietSince, lastMoment(world)), world.now()) > 300;

async function journalsOf(journal: Journal<AnyEvent>): Promise<IncidentRun["journals"]> {
  const streams = (await journal.streams({ kind: "remediation" })).toReversed();
  return Promise.all(
    streams.map(async (stream) => {
      const events = (await journal.read(stream)).map(({ event }) => event) as readonly RemediationEvent[];
      return { stream, target: stream.split("/").slice(1, 4).join("/"), events, state: fold(remediation, events) };
    }),
  );
}

/** Sends the signals and drills of a scenario at their moments. */
function begin(
  scenario: IncidentScenario,
  loop: Loop,
  journal: Journal<AnyEvent>,
  orchestrator: () => Orchestrator<AnyEvent>,
  state: { coming: number },
  trouble: unknown[],
): void {
  const send = (atMinutes: number, act: () => Promise<unknown>): void => {
    state.coming++;
    loop.at(minute(scenario, atMinutes), () => {
      void act()
        .catch((error: unknown) => trouble.push(error))
        .finally(() => state.coming--);
    });
  };
  for (const { atMinutes, target, ...signal } of scenario.signals)
    send(atMinutes, async () => {
      const [newest] = await journal.streams({ kind: "remediation", prefix: `remediation/${target}/` });
      return orchestrator().signal(newest ?? "", { kind: "Signal", at: loop.now(), ...signal });
    });
  for (const { atMinutes, rule, target } of scenario.drills) {
    const incident = drillOf(rule, target);
    send(atMinutes, () =>
      orchestrator().start(streamOf(incident), { kind: "Request", at: loop.now(), intent: incident }),
    );
  }
}

const drillOf = (rule: string, target: string): Incident => ({
  target,
  origin: "drill",
  alert: {
    id: "drill-1",
    kind: "log",
    rule,
    severity: 3,
    condition: "fired",
    firedAt: 0,
    resources: [],
    dimensions: {},
  },
  message: "a drill",
  requestedBy: "ann",
});

/** The journal, unreadable while a scenario says so. */
function watched(journal: Journal<AnyEvent>, world: World): Pick<Journal<AnyEvent>, "read" | "streams"> {
  return {
    streams: async (filter) => {
      if (isMissing(world, "actions")) throw new Error("the journal cannot be read");
      return journal.streams(filter);
    },
    read: journal.read,
  };
}

const never = new AbortController().signal;
