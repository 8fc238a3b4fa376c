// What is told of the control plane's work, as spans and metrics: turns as the loop takes them, facts as they are written, calls as they are
// answered. Attributes are names, numbers and words of ours; no body, no header, no address, no caller. How it is sent is in send.ts.
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
import type { Fact, Journal, Notices, Telemetry } from "../../runtime/ports.ts";
import { type Instruments, instrumentsOf } from "./instruments.ts";
import type { Sending } from "./send.ts";

/** A call of the service that was answered. */
export interface Served {
  readonly method: string;
  /** As it is described, with the names of its parts in braces and not what they were. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** Everything that is watched. */
export interface Watch extends Telemetry {
  /** Gives the journal, whose appends are measured and whose facts are counted from now on. */
  readonly journal: (journal: Journal) => Journal;
  readonly notices: (notices: Notices) => Notices;
  readonly served: (call: Served) => void;
  /** Begins to report that this process is there, and what is under way. */
  readonly begin: (journal: Pick<Journal, "pulse" | "streams" | "read">) => void;
}

/** How long the journal may take until it counts as unreachable, as for /health. */
const patienceMilliseconds = 2000;
const reasonLettersMax = 300;

/** Watches with these instruments. */
export function openWatch({ tracer, meter }: Pick<Sending, "tracer" | "meter">): Watch {
  const instruments = instrumentsOf(meter);
  const stateOf = keptFold(rollout);
  return {
    turned: (turn) => {
      const { effect, outcome, stream, seconds, facts } = turn;
      const state = stateOf(facts);
      const { phase, attempt } = state;
      const app = appOf(stream);
      const result = outcome === undefined ? "cut" : outcome.found.ok ? "ok" : "failed";
      instruments.effects.record(seconds, { effect: effect.kind, result, phase, app });
      if (effect.kind === "Measure" && !state.paused)
        instruments.tickLag.record(Math.max(0, (turn.began - dueAt(state, facts)) / 1000), { app });
      const startTime = turn.began;
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
    tookOver: (stream) => instruments.takeovers.add(1, { app: appOf(stream) }),
    journal: (journal) => ({ ...journal, append: measured(journal.append, instruments) }),
    notices: (notices) => ({
      ...notices,
      postpone: (channel, stream, seconds) => {
        instruments.undelivered.add(1, { channel });
        return notices.postpone(channel, stream, seconds);
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

const appOf = (stream: string): string => targetOf(stream)?.app ?? "";

/** Gives when a measurement was due: a tick after the last one and after what it covered; a pause that a signal has ended made nothing late. */
function dueAt({ measuredAt, measuredTo, intent }: RolloutState, facts: readonly Pick<Fact, "event">[]): Instant {
  const signalledAt = facts.findLast(({ event }) => event.kind === "Signalled")?.event.at ?? 0;
  return after(Math.max(measuredAt, measuredTo, signalledAt), intent!.pace.tickSeconds);
}

/**
 * Gives the trace that all turns of one attempt are in, whichever process takes them.
 *
 * Its id follows from the stream, so that a replica that takes a rollout over goes on in the same trace without having been told of it.
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

/** Measures appends, and counts what they wrote once it is written. */
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
  if (event.kind === "Held") verdicts.add(1, { verdict: "inconclusive", reason: event.reason, app });
  if (event.kind === "Aborted" && event.by === "the judge") verdicts.add(1, { verdict: "fail", app });
}

/** Reports that this process is there, and what is under way as far as the journal says so in time. */
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
    // A journal that cannot be believed is complained of elsewhere, and is still under way.
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
