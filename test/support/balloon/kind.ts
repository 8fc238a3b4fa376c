// A toy kind whose words and forms are as odd as a kind's may be: no signals, any number of targets, a part named like
// another kind's, names of any letters. It rises, and may ask for a stream of another kind and wait for its end.
import { codecOf, type FactOf } from "../../../engines/codec.ts";
import type { Engine, Outcome, Request } from "../../../engines/engine.ts";
import { list, nullable, number, object, oneOf, text, type ValueOf } from "../../../engines/form.ts";
import type { Ended, Kind } from "../../../engines/kind.ts";
import { exactly } from "../../../engines/schema.ts";
import type { Instant } from "../../../engines/time.ts";

/** The most letters of a balloon's name. */
const lettersMax = 30;

const body = object({
  ropes: list(text("a rope"), { least: 1, most: 9 }),
  asks: nullable(object({ stream: text("a stream"), waitSeconds: number({ least: 0, most: 60 }) })),
});
type Body = ValueOf<typeof body>;

const forms = {
  Inflated: object({ flight: body }),
  Rose: object({}),
  Asked: object({}),
  Landed: object({ result: oneOf(["landed", "burst"]), message: text("a message", { least: 0 }) }),
};

export type BalloonEvent = { readonly at: Instant } & FactOf<typeof forms>;
type Observation =
  | Request<Body>
  | Outcome<"Rise", null>
  | Outcome<"Ask", "started" | "exists">
  | Outcome<"Await", Ended>;

export type BalloonEffect =
  | { readonly kind: "Rise"; readonly ropes: readonly string[] }
  | { readonly kind: "Ask"; readonly stream: string }
  | { readonly kind: "Await"; readonly stream: string; readonly until: Instant };

interface State {
  readonly flight: Body | undefined;
  readonly place: "ground" | "air" | "asked" | "landed";
  readonly since: Instant;
  readonly end: Ended | undefined;
}

/** A balloon at a glance: its state, and its first fact. */
interface Seen {
  readonly state: State;
  readonly first: BalloonEvent | undefined;
}

/** A balloon that nobody has asked for yet would rise at once; the frames never let it. */
const initial: State = { flight: undefined, place: "ground", since: 0, end: undefined };

function evolve(state: State, event: BalloonEvent): State {
  switch (event.kind) {
    case "Inflated":
      return { ...initial, flight: event.flight, since: event.at };
    case "Rose":
      return { ...state, place: "air", since: event.at };
    case "Asked":
      return { ...state, place: "asked", since: event.at };
    default: {
      const { result, message } = event;
      return { ...state, place: "landed", end: { result, reason: result, message } };
    }
  }
}

function react({ flight, place, since }: State): BalloonEffect | undefined {
  if (place === "ground") return { kind: "Rise", ropes: flight?.ropes ?? [] };
  if (place === "air") return { kind: "Ask", stream: flight!.asks!.stream };
  if (place === "asked")
    return { kind: "Await", stream: flight!.asks!.stream, until: since + flight!.asks!.waitSeconds * 1000 };
  return undefined;
}

function decide(state: State, observation: Observation): readonly BalloonEvent[] {
  const { at } = observation;
  if (observation.kind === "Request") return [{ kind: "Inflated", at, flight: observation.intent }];
  const { found } = observation;
  if (!found.ok) return [{ kind: "Landed", at, result: "burst", message: found.reason }];
  if (observation.of === "Ask") return [{ kind: "Asked", at }];
  const landed: BalloonEvent = { kind: "Landed", at, result: "landed", message: "it is down" };
  if (observation.of === "Await") return [landed];
  return state.flight?.asks === null ? [{ kind: "Rose", at }, landed] : [{ kind: "Rose", at }];
}

const balloonEngine: Engine<Observation, BalloonEvent, State, BalloonEffect> = {
  initial,
  decide,
  evolve,
  react,
};

export const balloonKind: Kind<Observation, BalloonEvent, State, BalloonEffect, Body, Seen> = {
  kind: "balloon",
  engine: balloonEngine,
  facts: codecOf(forms),
  finishes: (events) => (events.some(({ kind }) => kind === "Landed") ? true : undefined),
  targetsOf: (first) => (first.kind === "Inflated" ? first.flight.ropes.map((rope) => `rope/${rope}`) : []),
  dueAt: (state) => {
    const effect = react(state);
    return effect && ("until" in effect ? effect.until : state.since);
  },
  glance: {
    initial: { state: initial, first: undefined },
    evolve: ({ state, first }, event) => ({ state: evolve(state, event), first: first ?? event }),
  },
  calls: {
    noun: "Balloon",
    plural: "balloons",
    parts: { id: text("a name", { most: lettersMax }), trip: text("a height", { pattern: "^\\d+$" }) },
    targetsNamed: () => [],
    filters: { id: "id" },
    request: body,
    intentOf: (asked) => asked.body,
    meets: () => ({ answer: "refused" }),
    signals: [],
    approvals: [],
    whyDisregarded: () => undefined,
    summaryOf: (stream, { state: { place, end }, first }) =>
      first?.kind === "Inflated" ? { id: stream, place, result: end?.result ?? null, startedAt: first.at } : undefined,
    summary: exactly({
      id: { type: "string" },
      place: { type: "string" },
      result: { type: ["string", "null"] },
      startedAt: { type: "number" },
    }),
    ended: ({ end }) => end,
    ends: { results: ["landed", "burst"], reasons: ["landed", "burst"] },
  },
  messages: {
    messageOf: (event) => (event.kind === "Landed" ? event.message : event.kind),
    isNoteworthy: () => true,
    notificationOf: () => undefined,
  },
  telemetry: {
    attributesOf: () => ({}),
    phaseOf: ({ place }) => place,
    attemptOf: () => 1,
    metrics: {},
    countsOf: () => [],
    passOf: () => [],
  },
};
