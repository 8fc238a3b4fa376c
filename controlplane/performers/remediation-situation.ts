// Reads the situation of an incident. Each part that cannot be read is null: the guards of the engine know what that
// means, and a failure of one store must not hide what the others say.
import { keptFold, type Result } from "../../engines/engine.ts";
import type { AnyEvent, AnyKind, Kinds } from "../../engines/kind.ts";
import { entriesOf } from "../../engines/remediation/ledger.ts";
import { remediation } from "../../engines/remediation/remediation.ts";
import type {
  Entry,
  OtherWork,
  RemediationEffect,
  RemediationEvent,
  Situation,
} from "../../engines/remediation/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import type { Fact, Journal } from "../runtime/ports.ts";
import type { Alerts, Declarations, RunbookPorts, Symptoms, Work } from "./remediation-ports.ts";
import { failure } from "./watched-fence.ts";

/** Where the parts of a situation are read. */
export interface SituationWorld {
  readonly journal: Pick<Journal<AnyEvent>, "read" | "streams">;
  readonly work: Work;
  readonly alerts: Alerts;
  readonly declarations: Declarations;
  readonly symptoms: Symptoms;
  readonly runbooks: RunbookPorts;
}

type Assess = Extract<RemediationEffect, { kind: "Assess" }>;

/** Reads a situation. The actions of others are read last, so that a reservation which another has written is seen. */
export async function readSituation(
  { incident, rung, since }: Assess,
  { alerts, declarations, symptoms, runbooks, ...world }: SituationWorld,
  stream: string,
  now: Instant,
  cancel: AbortSignal,
): Promise<Situation> {
  const [listed, left, readiness, stopped, work] = await Promise.all([
    tried(alerts.list(since, cancel)),
    tried(symptoms.budgetLeftPercent(incident.target, now, cancel)),
    tried(runbooks[rung.runbook].plan(incident.target, rung, incident, cancel)),
    declarations.stopped(),
    tried(world.work.list(since)),
  ]);
  const actions = await tried(actionsOfOthers(world, stream, since));
  return {
    alerts: listed.ok ? listed.value.alerts : null,
    alertsLeftOut: listed.ok ? listed.value.leftOut : 0,
    actions: actions.ok ? actions.value : null,
    work: work.ok ? work.value : null,
    budgetLeftPercent: left.ok ? left.value : null,
    stopped,
    readiness: readiness.ok ? readiness.value : { fits: false, message: readiness.reason, plan: "" },
  };
}

const tried = <Value>(result: Promise<Result<Value>>): Promise<Result<Value>> => result.catch(failure);

/** Gives the actions of other remediations since a moment. */
async function actionsOfOthers(
  { journal }: Pick<SituationWorld, "journal">,
  own: string,
  since: Instant,
): Promise<Result<readonly Entry[]>> {
  const streams = await journal.streams({ kind: "remediation", since });
  const stateOf = keptFold(remediation);
  const entries: Entry[] = [];
  for (const stream of streams.filter((each) => each !== own)) {
    const facts = (await journal.read(stream)) as readonly Fact<RemediationEvent>[];
    entries.push(...entriesOf(stateOf(facts)));
  }
  return { ok: true, value: entries };
}

/** Opens the work of other kinds, as the journal has it. */
export const workInJournal = (
  journal: Pick<Journal<AnyEvent>, "read" | "streams">,
  kinds: Pick<Kinds, "all">,
): Work => ({
  list: async (since) => {
    const work: OtherWork[] = [];
    for (const kind of kinds.all.filter((each) => each.kind !== "remediation"))
      for (const stream of await journal.streams({ kind: kind.kind, since }))
        work.push(...workOf(kind, stream, await journal.read(stream), since));
    return { ok: true, value: work };
  },
});

function workOf(kind: AnyKind, stream: string, facts: readonly Fact[], since: Instant): readonly OtherWork[] {
  const [first] = facts;
  const last = facts.at(-1)?.event.at ?? 0;
  const isOver = kind.finishes(facts.map(({ event }) => event)) === true;
  if (first === undefined || (isOver && last < since)) return [];
  return kind.targetsOf(first.event).map((target) => ({ stream, target, endedAt: isOver ? last : null }));
}
