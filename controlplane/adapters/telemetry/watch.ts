// Records the control plane's work as spans and metrics: reconcile passes, facts as they are written, calls as they
// are answered. Attributes are names, numbers and terms of ours; never a body, a header, an address or a caller.
// send.ts sends them.
import { createHash } from "node:crypto";
import {
  type BatchObservableResult,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { fold, keptFold } from "../../../engines/engine.ts";
import { targetOf } from "../../../engines/rollout/names.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutState } from "../../../engines/rollout/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import type { Fact, Journal, Notifications, Pass, Telemetry } from "../../runtime/ports.ts";
import { type Instruments, instrumentsOf } from "./instruments.ts";
import type { Sending } from "./send.ts";

/** A call of the API that was answered. */
export interface Served {
  readonly method: string;
  /** The path as described, with the names of its parts in braces instead of their values. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** Everything that is recorded. */
export interface Watch extends Telemetry {
  /** Gives the journal with its appends measured and its facts counted. */
  readonly journal: (journal: Journal) => Journal;
  readonly notifications: (notifications: Notifications) => Notifications;
  readonly served: (call: Served) => void;
  /** Begins to report that this process runs, and the rollouts under way. */
  readonly begin: (journal: Pick<Journal, "pulse" | "streams" | "read">) => void;
}

/** How long the journal may take before it counts as unreachable, as for /health. */
const patienceMilliseconds = 2000;
const reasonLettersMax = 300;

/** Begins to record with a tracer and a meter. */
export function openWatch({ tracer, meter }: Pick<Sending, "tracer" | "meter">): Watch {
  const instruments = instrumentsOf(meter);
  const stateOf = keptFold(rollout);
  return {
    reconciled: (pass) => {
      const { effect, outcome, stream, seconds, facts } = pass;
      const state = stateOf(facts);
      const { phase, attempt } = state;
      const app = appOf(stream);
      const result = resultOf(outcome);
      instruments.effects.record(seconds, { effect: effect.kind, result, phase, app });
      if (effect.kind === "Measure" && !state.paused)
        instruments.intervalLag.record(Math.max(0, (pass.began - dueAt(state, facts)) / 1000), { app });
      const startTime = pass.began;
      const span = tracer.startSpan(
        effect.kind,
        { startTime, attributes: { stream, attempt, phase, result, app, facts: facts.length } },
        attemptOf(stream, attempt),
      );
      if (outcome?.found.ok === false)
        span
          .setAttribute("reason", outcome.found.reason.slice(0, reasonLettersMax))
          .setStatus({ code: SpanStatusCode.ERROR });
      span.end(startTime + seconds * 1000);
    },
    recovered: (stream) => instruments.recoveries.add(1, { app: appOf(stream) }),
    journal: (journal) => ({ ...journal, append: measured(journal.append, instruments) }),
    notifications: (notifications) => ({
      ...notifications,
      postpone: (notifier, stream, seconds) => {
        instruments.undelivered.add(1, { notifier });
        return notifications.postpone(notifier, stream, seconds);
      },
    }),
    served: ({ method, route, status, milliseconds }) => {
      const endTime = Date.now();
      const attributes = {
        "http.request.method": method,
        "http.route": route,
        "url.path": route,
        "http.response.status_code": status,
      };
      const span = tracer.startSpan(
        `${method} ${route}`,
        { kind: SpanKind.SERVER, startTime: endTime - milliseconds, attributes },
        ROOT_CONTEXT,
      );
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endTime);
    },
    begin: (journal) =>
      meter.addBatchObservableCallback(
        (result) => report(result, journal, instruments),
        [instruments.heartbeat, instruments.underWay],
      ),
  };
}

function resultOf(outcome: Pass["outcome"]): "cut" | "ok" | "failed" {
  if (outcome === undefined) return "cut";
  return outcome.found.ok ? "ok" : "failed";
}

const appOf = (stream: string): string => targetOf(stream)?.app ?? "";

/**
 * Gives when a measurement was due: an interval after the last one and after what it covered. A pause makes none late.
 */
function dueAt({ measuredAt, measuredTo, intent }: RolloutState, facts: readonly Pick<Fact, "event">[]): Instant {
  const signalledAt = facts.findLast(({ event }) => event.kind === "Signalled")?.event.at ?? 0;
  return after(Math.max(measuredAt, measuredTo, signalledAt), intent!.strategy.intervalSeconds);
}

/**
 * Gives the trace of all passes of one attempt, whichever process runs them.
 *
 * Its id is computed from the stream, so that a replica that recovers a rollout continues the same trace.
 */
function attemptOf(stream: string, attempt: number): Context {
  const hash = createHash("sha256").update(`${stream}#${attempt}`).digest("hex");
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: hash.slice(0, 32),
    spanId: hash.slice(32, 48),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/** Measures appends, and counts the facts once they are written. */
const measured =
  (append: Journal["append"], instruments: Instruments): Journal["append"] =>
  async (stream, on, events, pen) => {
    const began = performance.now();
    let result = "lost";
    try {
      const appended = await append(stream, on, events, pen);
      result = appended;
      if (appended === "appended") for (const event of events) count(event, appOf(stream), instruments);
      return appended;
    } finally {
      instruments.append.record((performance.now() - began) / 1000, { result });
    }
  };

function count(event: RolloutEvent, app: string, { verdicts, ended }: Instruments): void {
  if (event.kind === "Finished") ended.add(1, { result: event.result, app });
  if (event.kind === "StepPassed") verdicts.add(1, { verdict: "pass", app });
  if (event.kind === "Waiting") verdicts.add(1, { verdict: "inconclusive", reason: event.reason, app });
  if (event.kind === "Aborted" && event.by === "the judge") verdicts.add(1, { verdict: "fail", app });
}

/** Reports that this process runs, and the rollouts under way if the journal answers in time. */
async function report(
  result: BatchObservableResult,
  journal: Pick<Journal, "streams" | "read">,
  { heartbeat, underWay }: Instruments,
): Promise<void> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patienceMilliseconds).unref());
  const phases = await Promise.race([phasesUnderWay(journal).catch(() => undefined), late]);
  result.observe(heartbeat, 1, { journal: phases === undefined ? "unreachable" : "reachable" });
  for (const [phase, rollouts] of phases ?? []) result.observe(underWay, rollouts, { phase });
}

async function phasesUnderWay(journal: Pick<Journal, "streams" | "read">): Promise<ReadonlyMap<string, number>> {
  const phases = new Map<string, number>();
  for (const stream of await journal.streams({ unfinished: true })) {
    // A rollout whose journal cannot be trusted is still under way. The loop that drives it reports the journal.
    const phase = await journal.read(stream).then(
      (facts) =>
        fold(
          rollout,
          facts.map(({ event }) => event),
        ).phase,
      () => "unreadable",
    );
    phases.set(phase, (phases.get(phase) ?? 0) + 1);
  }
  return phases;
}
