// What is so in the world of a scenario at any moment of its virtual clock: alerts, symptoms and their rows, other
// work, and what the runbooks did. From it the ports of the shipped performer are made as plain objects.
import type {
  Alerts,
  Declarations,
  RunbookPort,
  RunbookPorts,
  Symptoms,
  Work,
} from "../../../controlplane/performers/remediation-ports.ts";
import type { Result } from "../../../engines/engine.ts";
import { runbookNames } from "../../../engines/remediation/runbooks.ts";
import type { OtherWork, Rows, RunbookName, Rung, Sighting } from "../../../engines/remediation/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import { type IncidentScenario, isDuring, minute } from "./incident-scenario.ts";

/** What was done to the world, in order. */
export interface Done {
  readonly at: Instant;
  readonly target: string;
  readonly runbook: RunbookName | "halt" | "undo";
}

/** A job whose executions never end by themselves. */
export const endlessJob = "never-ends";

/** The world of a scenario, as it is now. */
export interface World {
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
export function badPercentAt(world: World, target: string, at: Instant): number {
  const symptom = world.scenario.symptoms[target];
  if (symptom === undefined) return 0;
  const last = lastDone(world, target, at);
  if (last === undefined || last.runbook === "halt" || last.runbook === "undo") return symptom.badPercent;
  if (symptom.worsenedBy.includes(last.runbook)) return 100;
  if (!symptom.curedBy.includes(last.runbook)) return symptom.badPercent;
  const { returnsAfterMinutes = Number.POSITIVE_INFINITY } = symptom;
  return at >= after(last.at, returnsAfterMinutes * 60) ? symptom.badPercent : 0;
}

const guid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const resolveSeconds = 600;

/** Gives the alerts as they are listed at a moment. A symptom that comes back fires a new alert of its rule. */
export function sightingsOf(world: World, moment: Instant): readonly Sighting[] {
  const { scenario } = world;
  const covered = (rule: string, target: string | null): boolean =>
    scenario.policies.some((policy) => policy.rule === rule && target !== null && policy.targets.includes(target));
  return scenario.alerts.flatMap((alert, number) => {
    const { atMinutes, resolvesAtMinutes, rule, target, severity, kind, aheadMinutes } = alert;
    const base = { kind, rule, severity, target, covered: covered(rule, target) };
    const firedAt = minute(scenario, atMinutes);
    const symptom = target === null ? undefined : scenario.symptoms[target];
    const cures = world.done.filter(
      (each) => each.target === target && symptom?.curedBy.includes(each.runbook as RunbookName),
    );
    const again = symptom?.returnsAfterMinutes;
    const fired = [firedAt, ...(again === undefined ? [] : cures.map(({ at }) => after(at, again * 60)))];
    return fired.flatMap((at, index) => {
      const id = guid((number + 1) * 100 + index);
      const cured = cures.find((each) => each.at >= at);
      const own = resolvesAtMinutes === undefined ? undefined : minute(scenario, resolvesAtMinutes);
      const resolvedAt = own ?? (cured && after(cured.at, resolveSeconds));
      if (at > moment) return [];
      const isOver = resolvedAt !== undefined && resolvedAt <= moment;
      return [{ ...base, id, firedAt: after(at, aheadMinutes * 60), resolvedAt: isOver ? resolvedAt : null }];
    });
  });
}

const found = <Value>(value: Value): Result<Value> => ({ ok: true, value });
const missing = (what: string): Result<never> => ({ ok: false, reason: `${what} cannot be read` });

/** What a runbook says, in the words of its adapter where another world has that adapter. */
function wordsOf(runbook: RunbookName, target: string, { job = "", undoJob }: Rung) {
  const app = target.split("/").at(-1);
  switch (runbook) {
    case "restart-revision":
      return {
        message: `2 replicas of ${app}--1 run`,
        plan: `restart the 2 replicas of ${app}--1`,
        receipt: { message: `the replicas of ${app}--1 were restarted` },
      };
    case "start-job":
      return {
        message: `the job ${job} exists`,
        plan: `start the job ${job} with the incident`,
        receipt: {
          message: `the job ${job} was started`,
          follow: `${job}/1`,
          ...(undoJob === undefined ? {} : { undo: undoJob }),
        },
      };
    case "collect-diagnostics":
      return {
        message: `${runbook} fits`,
        plan: `${runbook} on ${target}`,
        receipt: { message: "the evidence is collected", evidence: [`top exception of ${target}`] },
      };
    default:
      return {
        message: `${runbook} fits`,
        plan: `${runbook} on ${target}`,
        receipt: { message: `${runbook} is done`, undo: "as before" },
      };
  }
}

/** Notes an effect once for its key, as each runbook has it. Gives whether it was the first time. */
export async function note(world: World, key: string, done: Omit<Done, "at">): Promise<boolean> {
  const isFirst = !world.keys.has(key);
  if (isFirst) world.done.push({ at: world.now(), ...done });
  world.keys.add(key);
  await world.changed();
  return isFirst;
}

/** Gives why an app is not the one that an alert is about, if it was deleted since. */
function whyAnother({ scenario, now }: World, target: string, firedAt: Instant): Failure | string | undefined {
  const span = scenario.gone.find((each) => each.target === target && minute(scenario, each.fromMinutes) <= now());
  if (span === undefined) return undefined;
  if (isDuring(scenario, span, now())) return { ok: false, reason: "404 ResourceNotFound", definite: true };
  return firedAt < minute(scenario, span.toMinutes!) ? "the app was made again after the alert fired" : undefined;
}

type Failure = Extract<Result<never>, { readonly ok: false }>;

/** What is followed is looked at once and again at its limit: a call takes no virtual time. */
export const notEnded = (reason: string, until: Instant, now: Instant): Failure =>
  now < until ? { ok: false, reason: "cut short", retryAfterSeconds: (until - now) / 1000 } : { ok: false, reason };

/** Makes one runbook as a plain object. */
function runbookOf(world: World, runbook: RunbookName): RunbookPort {
  const { unfit, failing, lostAnswers } = world.scenario;
  return {
    plan: async (target, rung, { alert }) => {
      if (isMissing(world, "app") && runbook !== "collect-diagnostics") return missing("the app");
      const { message, plan } = wordsOf(runbook, target, rung);
      const another = runbook === "restart-revision" ? whyAnother(world, target, alert.firedAt) : undefined;
      if (typeof another === "object") return another;
      const why = unfit[runbook] ?? another;
      return found({ fits: why === undefined, message: why ?? message, plan });
    },
    act: async ({ target, key, rung }, fence) => {
      if (!(await fence())) return { ok: false, reason: "the claim is lost" };
      const why = failing[runbook];
      if (why !== undefined) return { ok: false, reason: why };
      const { receipt } = wordsOf(runbook, target, rung);
      if (runbook === "collect-diagnostics") return found(receipt);
      const isFirst = await note(world, key, { target, runbook });
      return isFirst && lostAnswers.includes(runbook) ? { ok: false, reason: "no answer" } : found(receipt);
    },
    follow: async ({ follow, until }) => {
      const [job] = follow.split("/");
      if (job === endlessJob) return notEnded(`the job ${job} did not end in time`, until, world.now());
      return found({ good: true, message: `the job ${job} succeeded` });
    },
    halt: async ({ target, key, follow, rung: { job: own, undoJob } }, fence) => {
      const [job = own] = follow?.split("/") ?? [];
      if (!(await fence())) return { ok: false, reason: "the claim is lost" };
      if (failing.halt !== undefined) return { ok: false, reason: failing.halt };
      if (follow === undefined && !world.keys.has(key))
        return found({ good: false, message: `no execution of the job ${job} was started` });
      await note(world, `halt ${key}`, { target, runbook: "halt" });
      return found({ good: false, message: `the job ${job} was stopped`, ...(undoJob && { undo: undoJob }) });
    },
    undo: async ({ target, key, undo }, fence) => {
      if (!(await fence())) return { ok: false, reason: "the claim is lost" };
      if (failing.undo !== undefined) return { ok: false, reason: failing.undo };
      await note(world, `undo ${key}`, { target, runbook: "undo" });
      return found(
        runbook === "start-job"
          ? { message: `the job ${undo} was started`, follow: `${undo}/1` }
          : { message: "everything is as before" },
      );
    },
  };
}

const runbooksOf = (world: World): RunbookPorts =>
  Object.fromEntries(runbookNames.map((name) => [name, runbookOf(world, name)])) as unknown as RunbookPorts;

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

/** The ports of the shipped performer. */
export interface IncidentPorts {
  readonly work: Work;
  readonly alerts: Alerts;
  readonly declarations: Declarations;
  readonly symptoms: Symptoms;
  readonly runbooks: RunbookPorts;
}

/** Reports whether a scenario says that something cannot be read now. */
export const isMissing = ({ scenario, now }: World, what: string): boolean =>
  scenario.missing.some((span) => span.what === what && isDuring(scenario, span, now()));

/** Makes the ports as plain objects. */
export function plainPorts(world: World): IncidentPorts {
  const { scenario, now } = world;
  const policies = () =>
    scenario.changes.findLast(({ atMinutes }) => minute(scenario, atMinutes) <= now())?.policies ?? scenario.policies;
  return {
    work: { list: async () => found(workAt(scenario, now())) },
    alerts: {
      list: async () =>
        isMissing(world, "alerts") ? missing("alerts") : found({ alerts: sightingsOf(world, now()), leftOut: 0 }),
    },
    declarations: {
      load: (rule) => ({ policy: policies().find((policy) => policy.rule === rule) ?? null, graph: scenario.graph }),
      stopped: async () => stopAt(scenario, now()),
    },
    symptoms: {
      rows: async ({ target, from }) =>
        isMissing(world, "rows") ? missing("rows") : found(rowsSince(world, target, from)),
      budgetLeftPercent: async () =>
        isMissing(world, "budget") || scenario.budgetLeftPercent === null
          ? missing("budget")
          : found(scenario.budgetLeftPercent),
    },
    runbooks: runbooksOf(world),
  };
}

function stopAt(scenario: IncidentScenario, at: Instant) {
  const stop = scenario.stops.find((span) => isDuring(scenario, span, at));
  return stop === undefined
    ? null
    : { by: stop.by, message: stop.message, until: minute(scenario, stop.toMinutes ?? Number.POSITIVE_INFINITY) };
}

const workAt = (scenario: IncidentScenario, at: Instant): readonly OtherWork[] =>
  scenario.work
    .filter(({ fromMinutes }) => minute(scenario, fromMinutes) <= at)
    .map((span) => ({
      stream: span.stream,
      target: span.target,
      endedAt: isDuring(scenario, span, at) ? null : minute(scenario, span.toMinutes ?? 0),
    }));

/**
 * Gives the last moment at which something of the scenario happens by itself, as far as it is known now: a cured
 * symptom that comes back is known from its cure on.
 */
export function lastMoment(world: World): Instant {
  const { scenario, done } = world;
  const spans = [...scenario.missing, ...scenario.stops, ...scenario.work, ...scenario.gone];
  const minutes = [
    0,
    ...scenario.alerts.flatMap(({ atMinutes, resolvesAtMinutes = 0 }) => [atMinutes, resolvesAtMinutes]),
    ...spans.flatMap(({ fromMinutes, toMinutes = 0 }) => [fromMinutes, toMinutes]),
    ...scenario.changes.map(({ atMinutes }) => atMinutes),
  ];
  const returns = done.map(({ at, target }) =>
    after(at, (scenario.symptoms[target]?.returnsAfterMinutes ?? 0) * 60 + resolveSeconds),
  );
  return Math.max(...minutes.map((each) => minute(scenario, each)), ...returns);
}
