// Reads the situation of an incident. Each part that cannot be read is null: the guards of the engine know what that
// means, and a failure of one store must not hide what the others say.
import { found, keptFold, type Result } from "../../engines/engine.ts";
import type { AnyEvent, Kinds } from "../../engines/kind.ts";
import { keptFailure } from "../../engines/outcome.ts";
import { entriesOf } from "../../engines/remediation/ledger.ts";
import { remediation } from "../../engines/remediation/remediation.ts";
import { cutToFact } from "../../engines/remediation/sightings.ts";
import type {
  Entry,
  OtherWork,
  RemediationEffect,
  RemediationEvent,
  Situation,
} from "../../engines/remediation/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import type { Fact, Journal } from "../runtime/ports.ts";
import type { Actions, Alerts, Declarations, RunbookPorts, Symptoms, Work } from "./remediation-ports.ts";
import { failure } from "./watched-fence.ts";

/** Where the parts of a situation are read. */
export interface SituationWorld {
  readonly actions: Actions;
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
  { alerts, declarations, symptoms, runbooks, ...others }: SituationWorld,
  stream: string,
  now: Instant,
  cancel: AbortSignal,
): Promise<Situation> {
  const [listed, left, readiness, stopped, work] = await Promise.all([
    tried(alerts.list(since, cancel)),
    tried(symptoms.budgetLeftPercent(incident.target, now, cancel)),
    tried(runbooks[rung.runbook].plan(incident.target, rung, incident, cancel)),
    tried(declarations.stopped().then(found)),
    tried(others.work.list(since)),
  ]);
  const cut = listed.ok ? cutToFact(listed.value.alerts) : undefined;
  const actions = await tried(others.actions.list(stream, since));
  return {
    alerts: cut?.alerts ?? null,
    alertsLeftOut: listed.ok ? listed.value.leftOut + (cut?.leftOut ?? 0) : 0,
    actions: actions.ok ? actions.value : null,
    work: work.ok ? work.value : null,
    budgetLeftPercent: left.ok ? left.value : null,
    stopped: stopped.ok ? stopped.value : null,
    ...(stopped.ok ? {} : { stopUnknown: true }),
    readiness: readiness.ok ? readiness.value : unreadyOf(readiness),
  };
}

/** What could not be read may fit in a moment. Only a definite answer says that the runbook does not. */
const unreadyOf = (failed: Extract<Result<never>, { readonly ok: false }>): Situation["readiness"] => {
  const { message, retryAfterSeconds } = keptFailure(failed);
  const unfit = { fits: false, message, plan: "" };
  if (failed.definite === true) return unfit;
  return { ...unfit, unread: true, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
};

const tried = <Value>(result: Promise<Result<Value>>): Promise<Result<Value>> => result.catch(failure);

/**
 * Opens the actions of remediations, as the journal has them. A remediation that waits asks again and again, so what
 * was read of the others is kept and continued.
 */
export function actionsInJournal(journal: Pick<Journal<AnyEvent>, "read" | "streams">): Actions {
  const stateOf = keptFold(remediation);
  let known = new Map<string, readonly Fact<AnyEvent>[]>();
  return {
    list: async (own, since) => {
      const read = new Map<string, readonly Fact<AnyEvent>[]>();
      const entries: Entry[] = [];
      for (const stream of await journal.streams({ kind: "remediation", since })) {
        // What is known of its own journal stays for the others, which ask in turn.
        const before = known.get(stream) ?? [];
        const facts = stream === own ? before : await journal.read(stream, before);
        read.set(stream, facts);
        if (stream !== own) entries.push(...entriesOf(stateOf(facts as readonly Fact<RemediationEvent>[])));
      }
      known = read;
      return { ok: true, value: entries };
    },
  };
}

/** Opens the work of other kinds, as the journal has it. */
export const workInJournal = (journal: Pick<Journal<AnyEvent>, "outlines">, kinds: Pick<Kinds, "all">): Work => ({
  list: async (since) => {
    const work: OtherWork[] = [];
    for (const kind of kinds.all.filter((each) => each.kind !== "remediation"))
      for (const { stream, first, finished, lastAt } of await journal.outlines({ kind: kind.kind, since }))
        if (!finished || lastAt >= since)
          work.push(...kind.targetsOf(first).map((target) => ({ stream, target, endedAt: finished ? lastAt : null })));
    return { ok: true, value: work };
  },
});
