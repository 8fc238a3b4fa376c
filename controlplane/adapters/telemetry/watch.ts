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
import { keptFold } from "../../../engines/engine.ts";
import { type AnyEvent, type AnyKind, type Kinds, kindOf, type Measured } from "../../../engines/kind.ts";
import { after } from "../../../engines/time.ts";
import type { Fact, Journal, Notifications, Pass, Telemetry } from "../../runtime/ports.ts";
import { type Instruments, instrumentsOf, type KindInstruments, kindInstrumentsOf } from "./instruments.ts";
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
  readonly begin: (journal: Pick<Journal, "underWay">) => void;
}

/** How long the journal may take before it counts as unreachable, as for /health. */
const patienceMilliseconds = 2000;
const reasonLettersMax = 300;

/** A kind of work with its instruments. */
interface WatchedKind {
  readonly kind: AnyKind;
  readonly instruments: KindInstruments;
  readonly stateOf: (journal: readonly Pick<Fact, "event">[]) => unknown;
}

type WatchedKinds = ReadonlyMap<string, WatchedKind>;

/** Begins to record with a tracer and a meter. */
export function openWatch({ tracer, meter }: Pick<Sending, "tracer" | "meter">, kinds: Kinds): Watch {
  const instruments = instrumentsOf(meter);
  const watched: WatchedKinds = new Map(
    kinds.all.map((kind) => [
      kind.kind,
      { kind, instruments: kindInstrumentsOf(meter, kind), stateOf: keptFold(kind.engine) },
    ]),
  );
  const attributesOf = (stream: string) => watched.get(kindOf(stream))?.kind.telemetry.attributesOf(stream) ?? {};
  return {
    reconciled: harmless((pass) => {
      const { effect, outcome, stream, seconds, facts } = pass;
      const known = watched.get(kindOf(stream));
      if (known === undefined) return;
      const { telemetry } = known.kind;
      const state = known.stateOf(facts);
      const [phase, attempt] = [telemetry.phaseOf(state), telemetry.attemptOf(state)];
      const attributes = telemetry.attributesOf(stream);
      const result = resultOf(outcome);
      instruments.effects.record(seconds, { effect: effect.kind, result, phase, ...attributes });
      const events = facts.map(({ event }) => event);
      record(telemetry.passOf(state, events, effect, after(pass.began, seconds)), attributes, known.instruments);
      const startTime = pass.began;
      const span = tracer.startSpan(
        effect.kind,
        { startTime, attributes: { stream, attempt, phase, result, ...attributes, facts: facts.length } },
        attemptOf(stream, attempt, telemetry.traceOf?.(state)),
      );
      if (outcome?.found.ok === false)
        span
          .setAttribute("reason", outcome.found.reason.slice(0, reasonLettersMax))
          .setStatus({ code: SpanStatusCode.ERROR });
      span.end(startTime + seconds * 1000);
    }),
    recovered: (stream) => instruments.recoveries.add(1, attributesOf(stream)),
    journal: (journal) => ({ ...journal, append: measured(journal.append, instruments, watched) }),
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
        (result) => report(result, journal, instruments, watched),
        [instruments.heartbeat, ...[...watched.values()].map((each) => each.instruments.underWay)],
      ),
  };
}

/** Lets nothing out that a kind throws about its own streams: the work has been done, whatever is told of it. */
const harmless =
  <Args extends readonly unknown[]>(tell: (...args: Args) => void) =>
  (...args: Args): void => {
    try {
      tell(...args);
    } catch {
      // The loop meets the same engine, and records what it throws.
    }
  };

function resultOf(outcome: Pass["outcome"]): "cut" | "ok" | "failed" {
  if (outcome === undefined) return "cut";
  return outcome.found.ok ? "ok" : "failed";
}

/** Records values of a kind's own metrics. */
function record(
  values: readonly Measured[],
  attributes: Readonly<Record<string, string>>,
  { own }: KindInstruments,
): void {
  for (const { metric, value, attributes: more } of values) {
    const instrument = own[metric];
    if (instrument === undefined) continue;
    if ("add" in instrument) instrument.add(value, { ...more, ...attributes });
    else instrument.record(value, { ...more, ...attributes });
  }
}

/**
 * Gives the trace of all passes of one attempt, whichever process runs them: the caller's, if the journal has it.
 *
 * Otherwise its id is computed from the stream, so that a replica that recovers a rollout continues the same trace.
 */
function attemptOf(stream: string, attempt: number, continued: string | undefined): Context {
  const hash = createHash("sha256").update(`${stream}#${attempt}`).digest("hex");
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: continued ?? hash.slice(0, 32),
    spanId: hash.slice(32, 48),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/** Measures appends, and counts the facts once they are written. */
const measured =
  (append: Journal["append"], instruments: Instruments, watched: WatchedKinds): Journal["append"] =>
  async (stream, on, events, pen) => {
    const began = performance.now();
    let result = "lost";
    try {
      const appended = await append(stream, on, events, pen);
      result = appended;
      if (appended === "appended") harmless(count)(stream, events, watched);
      return appended;
    } finally {
      instruments.append.record((performance.now() - began) / 1000, { result });
    }
  };

function count(stream: string, events: readonly AnyEvent[], watched: WatchedKinds): void {
  const known = watched.get(kindOf(stream));
  if (known === undefined) return;
  const { attributesOf, countsOf } = known.kind.telemetry;
  for (const event of events) record(countsOf(event), attributesOf(stream), known.instruments);
}

/** Reports that this process runs, and the streams under way if the journal answers in time. */
async function report(
  result: BatchObservableResult,
  journal: Pick<Journal, "underWay">,
  { heartbeat }: Instruments,
  watched: WatchedKinds,
): Promise<void> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patienceMilliseconds).unref());
  const counts = await Promise.race([journal.underWay().catch(() => undefined), late]);
  result.observe(heartbeat, 1, { journal: counts === undefined ? "unreachable" : "reachable" });
  for (const { kind, phase, streams } of counts ?? []) {
    const known = watched.get(kind);
    if (known !== undefined) result.observe(known.instruments.underWay, streams, { phase });
  }
}
