// The world of remediations as a plain object, over the virtual clock of the simulator. The shipped loop, performer and
// intake carry the remediations out; journal, claims and passes are in memory. Effects take no time; only waiting does.
import { remediationPerformer } from "../../../controlplane/performers/remediation.ts";
import { takeAlerts } from "../../../controlplane/performers/remediation-intake.ts";
import type { RunbookPort, RunbookPorts } from "../../../controlplane/performers/remediation-ports.ts";
import { actionsInJournal } from "../../../controlplane/performers/remediation-situation.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Claims, Journal, Orchestrations } from "../../../controlplane/runtime/ports.ts";
import { fold, type Result } from "../../../engines/engine.ts";
import { type AnyEvent, type AnyKind, type Kinds, registerKinds } from "../../../engines/kind.ts";
import { remediationKind } from "../../../engines/remediation/kind.ts";
import { streamOf } from "../../../engines/remediation/names.ts";
import { remediation } from "../../../engines/remediation/remediation.ts";
import { runbookNames } from "../../../engines/remediation/runbooks.ts";
import type {
  Incident,
  OtherWork,
  RemediationEvent,
  RemediationState,
  Rows,
  RunbookName,
  Sighting,
} from "../../../engines/remediation/vocabulary.ts";
import { after, type Instant, secondsBetween } from "../../../engines/time.ts";
import { createLoop, type Loop } from "../../../proofs/simulator/loop.ts";
import { beginLife, type Life } from "../../../proofs/simulator/virtual-time.ts";
import { durablePasses } from "./durable-passes.ts";
import { type IncidentScenario, isDuring, minute, start } from "./incident-scenario.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "./memory.ts";
import { forEver, mortal } from "./mortal.ts";

const all: readonly AnyKind[] = [remediationKind];
const remediations: Kinds = registerKinds(all);

/** What was done to the world, in order. */
export interface Done {
  readonly at: Instant;
  readonly target: string;
  readonly runbook: RunbookName | "undo";
}

interface World {
  readonly scenario: IncidentScenario;
  readonly now: () => Instant;
  readonly done: Done[];
  readonly keys: Set<string>;
  /** Called between each change of the world and its answer; never resolves if the process dies there. */
  readonly changed: () => Promise<void>;
}

/** Gives what was done last to a target that matters to its symptom. */
const lastDone = ({ done }: World, target: string, at: Instant): Done | undefined =>
  done.findLast((each) => each.target === target && each.at <= at);

/** Reports whether the symptom of a target shows at a moment, and how strongly. */
function badPercentAt(world: World, target: string, at: Instant): number {
  const symptom = world.scenario.symptoms[target];
  if (symptom === undefined) return 0;
  const last = lastDone(world, target, at);
  if (last === undefined || last.runbook === "undo") return symptom.badPercent;
  if (symptom.worsenedBy.includes(last.runbook)) return 100;
  if (!symptom.curedBy.includes(last.runbook)) return symptom.badPercent;
  const { returnsAfterMinutes = Number.POSITIVE_INFINITY } = symptom;
  return at >= after(last.at, returnsAfterMinutes * 60) ? symptom.badPercent : 0;
}

const guid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const resolveSeconds = 600;

/** Gives the alerts as the alerts API would list them now. A symptom that comes back fires a new alert of its rule. */
function sightingsOf(world: World): readonly Sighting[] {
  const { scenario, now } = world;
  const covered = (rule: string, target: string | null): boolean =>
    scenario.policies.some((policy) => policy.rule === rule && target !== null && policy.targets.includes(target));
  let number = 0;
  return scenario.alerts.flatMap((alert) => {
    const { atMinutes, resolvesAtMinutes, rule, target, severity, kind } = alert;
    const base = { kind, rule, severity, target, covered: covered(rule, target) };
    const firedAt = minute(atMinutes);
    const symptom = target === null ? undefined : scenario.symptoms[target];
    const cures = world.done.filter(
      (each) => each.target === target && symptom?.curedBy.includes(each.runbook as RunbookName),
    );
    const again = symptom?.returnsAfterMinutes;
    const fired = [firedAt, ...(again === undefined ? [] : cures.map(({ at }) => after(at, again * 60)))];
    return fired.flatMap((at, index) => {
      const id = guid(++number * 100 + index);
      const cured = cures.find((each) => each.at >= at);
      const own = resolvesAtMinutes === undefined ? undefined : minute(resolvesAtMinutes);
      const resolvedAt = own ?? (cured && after(cured.at, resolveSeconds));
      if (at > now()) return [];
      return [
        { ...base, id, firedAt: at, resolvedAt: resolvedAt !== undefined && resolvedAt <= now() ? resolvedAt : null },
      ];
    });
  });
}

const found = <Value>(value: Value): Result<Value> => ({ ok: true, value });
const missing = (what: string): Result<never> => ({ ok: false, reason: `${what} cannot be read` });

function runbooksOf(world: World): RunbookPorts {
  const { unfit, failing } = world.scenario;
  const portOf = (runbook: RunbookName): RunbookPort => ({
    plan: async (target) => {
      const why = unfit[runbook];
      return found({ fits: why === undefined, message: why ?? `${runbook} fits`, plan: `${runbook} on ${target}` });
    },
    act: async ({ target, key, rung }, fence) => {
      if (!(await fence())) return { ok: false, reason: "the claim is lost" };
      const why = failing[runbook];
      if (why !== undefined) return { ok: false, reason: why };
      if (runbook === "collect-diagnostics")
        return found({ message: "the evidence is collected", evidence: [`top exception of ${target}`] });
      if (!world.keys.has(key)) world.done.push({ at: world.now(), target, runbook });
      world.keys.add(key);
      await world.changed();
      return found({ message: `${rung.runbook} is done`, undo: "as before" });
    },
    undo: async ({ target, key }, fence) => {
      if (!(await fence())) return { ok: false, reason: "the claim is lost" };
      if (failing.undo !== undefined) return { ok: false, reason: failing.undo };
      if (!world.keys.has(`undo ${key}`)) world.done.push({ at: world.now(), target, runbook: "undo" });
      world.keys.add(`undo ${key}`);
      await world.changed();
      return found("everything is as before");
    },
  });
  return Object.fromEntries(runbookNames.map((name) => [name, portOf(name)])) as unknown as RunbookPorts;
}

/** Counts the rows of whole minutes since a moment. They arrive at once. */
function rowsSince(world: World, target: string, from: Instant): Rows {
  const perMinute = world.scenario.symptoms[target]?.rowsPerMinute ?? 600;
  let samples = 0;
  let bad = 0;
  let at = from;
  for (; after(at, 60) <= world.now(); at = after(at, 60)) {
    samples += perMinute;
    bad += Math.round((perMinute * badPercentAt(world, target, at)) / 100);
  }
  return { samples, bad, to: at };
}

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

/** The ports of the shipped performer, over the world of a scenario. */
function portsOf(world: World) {
  const { scenario, now } = world;
  const isMissing = (what: string): boolean =>
    scenario.missing.some((span) => span.what === what && isDuring(span, now()));
  return {
    isMissing,
    work: { list: async () => found(workAt(scenario, now())) },
    alerts: {
      list: async () => (isMissing("alerts") ? missing("alerts") : found({ alerts: sightingsOf(world), leftOut: 0 })),
    },
    declarations: {
      load: (rule: string) => ({
        policy: scenario.policies.find((policy) => policy.rule === rule) ?? null,
        graph: scenario.graph,
      }),
      stopped: async () => stopAt(scenario, now()),
    },
    symptoms: {
      rows: async ({ target, from }: { readonly target: string; readonly from: Instant }) =>
        isMissing("rows") ? missing("rows") : found(rowsSince(world, target, from)),
      budgetLeftPercent: async () =>
        isMissing("budget") || scenario.budgetLeftPercent === null
          ? missing("budget")
          : found(scenario.budgetLeftPercent),
    },
    runbooks: runbooksOf(world),
  };
}

/** What one process is made of. */
interface ProcessParts {
  readonly loop: Loop;
  readonly life: Life;
  readonly name: string;
  readonly kept: {
    readonly journal: Journal<AnyEvent>;
    readonly claims: Claims;
    readonly orchestrations: Orchestrations;
  };
  readonly ports: Omit<ReturnType<typeof portsOf>, "isMissing">;
  readonly isMissing: (what: string) => boolean;
  readonly trouble: unknown[];
}

/** Assembles a process on what outlives it. After its death it does nothing more. */
function processOf({ loop, life, name, kept, ports, isMissing, trouble }: ProcessParts): Orchestrator<AnyEvent> {
  const { time, isOver } = life;
  const clock = mortal(clockOf(loop.now, time), isOver);
  const journal = mortal(kept.journal, isOver);
  return createOrchestrator<AnyEvent>({
    ports: { journal, claims: mortal(kept.claims, isOver), clock },
    kinds: remediations,
    performers: () => ({
      remediation: remediationPerformer({
        ...ports,
        actions: actionsInJournal(watched(journal, isMissing)),
        clock,
        requestSeconds: 10,
        time,
      }),
    }),
    orchestrations: mortal(kept.orchestrations, isOver),
    time,
    process: name,
    leaseSeconds,
    log: (message) => trouble.push(message),
  });
}

/** How long it takes until another process runs. */
const rebirthSeconds = 30;

/**
 * Runs a scenario until every incident has ended and nothing more is to come.
 *
 * @param dieAfter kills the process between this change of the world and its record, and another one goes on
 */
export async function runIncidents(scenario: IncidentScenario, dieAfter?: number): Promise<IncidentRun> {
  const loop = createLoop(start);
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
  const { isMissing, ...ports } = portsOf(world);
  const claims = memoryClaims(leaseSeconds, loop.now);
  const journal = memoryJournal<AnyEvent>(remediations, claims.stillOurs, loop.now);
  const passesOf = dieAfter === undefined ? memoryOrchestrations : durablePasses();
  let orchestrator!: Orchestrator<AnyEvent>;
  const live = async (): Promise<void> => {
    const life = beginLife(loop, host);
    const kept = { journal, claims, orchestrations: passesOf() };
    orchestrator = processOf({ loop, life, name: `process-${host.life}`, kept, ports, isMissing, trouble });
    await orchestrator.launch();
  };
  await live();
  const progress = { coming: 0, unfinished: 0, quietSince: start };
  begin(scenario, loop, () => orchestrator, progress, trouble);
  const known = new Set<string>();
  const pass = async (): Promise<void> => {
    await takeAlerts({ alerts: ports.alerts, start: orchestrator.start, known }, loop.now(), never);
    progress.unfinished = (await journal.streams({ unfinished: true })).length;
    if (progress.unfinished > 0) progress.quietSince = loop.now();
  };
  const eachMinute = (): void => {
    void pass().catch((error: unknown) => trouble.push(error));
    loop.at(after(loop.now(), 60), eachMinute);
  };
  loop.at(start, eachMinute);
  const isOver = (): boolean => trouble.length > 0 || isQuiet(progress, loop.now());
  await loop.until(start + limitSeconds * 1000, isOver);
  if (trouble.length > 0) throw trouble[0] instanceof Error ? trouble[0] : new Error(String(trouble[0]));
  if (!isOver()) throw new Error(`${scenario.name} did not end within ${limitSeconds} s.`);
  return { journals: await journalsOf(journal), done: world.done };
}

interface Progress {
  coming: number;
  unfinished: number;
  quietSince: Instant;
}

/** Two hours without an incident are enough: a symptom may come back. */
const isQuiet = ({ coming, unfinished, quietSince }: Progress, now: Instant): boolean =>
  coming === 0 && unfinished === 0 && secondsBetween(quietSince, now) > 7200;

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
  orchestrator: () => Orchestrator<AnyEvent>,
  state: { coming: number },
  trouble: unknown[],
): void {
  const send = (atMinutes: number, act: () => Promise<unknown>): void => {
    state.coming++;
    loop.at(minute(atMinutes), () => {
      void act()
        .catch((error: unknown) => trouble.push(error))
        .finally(() => state.coming--);
    });
  };
  for (const { atMinutes, target, ...signal } of scenario.signals)
    send(atMinutes, () =>
      orchestrator().signal(latestStream(scenario, target, atMinutes), { kind: "Signal", at: loop.now(), ...signal }),
    );
  for (const { atMinutes, rule, target } of scenario.drills) {
    const incident = drillOf(rule, target);
    send(atMinutes, () =>
      orchestrator().start(streamOf(incident), { kind: "Request", at: loop.now(), intent: incident }),
    );
  }
}

/** Gives the stream of the latest alert of a target that fired before a minute. */
function latestStream({ alerts }: IncidentScenario, target: string, atMinutes: number): string {
  const index = alerts.findLastIndex((alert) => alert.target === target && alert.atMinutes <= atMinutes);
  return streamOf({ target, alert: { id: guid((index + 1) * 100) } as Incident["alert"] });
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

function stopAt({ stops }: IncidentScenario, at: Instant) {
  const stop = stops.find((span) => isDuring(span, at));
  return stop === undefined
    ? null
    : { by: stop.by, message: stop.message, until: minute(stop.toMinutes ?? Number.POSITIVE_INFINITY) };
}

const workAt = ({ work }: IncidentScenario, at: Instant): readonly OtherWork[] =>
  work
    .filter(({ fromMinutes }) => minute(fromMinutes) <= at)
    .map((span) => ({
      stream: span.stream,
      target: span.target,
      endedAt: isDuring(span, at) ? null : minute(span.toMinutes ?? 0),
    }));

/** The journal, unreadable while a scenario says so. */
function watched(
  journal: Journal<AnyEvent>,
  isMissing: (what: string) => boolean,
): Pick<Journal<AnyEvent>, "read" | "streams"> {
  return {
    streams: async (filter) => {
      if (isMissing("actions")) throw new Error("the journal cannot be read");
      return journal.streams(filter);
    },
    read: journal.read,
  };
}

const never = new AbortController().signal;
