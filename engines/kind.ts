// A kind of work: an engine, and what the control plane must know to carry it out for any kind. The loop, the journal
// and the claims are written against this file; engines/<kind>/kind.ts fills it in, and kinds.ts lists the kinds.
import { type Engine, keptFold, type Outcome, type Request, type Signal } from "./engine.ts";
import type { Form } from "./form.ts";
import type { Schema } from "./schema.ts";
import type { AppTarget, TargetKey } from "./targets.ts";
import type { Instant } from "./time.ts";

/** A fact of any kind. */
export interface AnyEvent {
  readonly kind: string;
  readonly at: Instant;
}

/** An effect of any kind. */
export interface AnyEffect {
  readonly kind: string;
}

/** An outcome of any kind. */
export type AnyOutcome = Outcome<string, unknown>;

/** An observation of any kind. */
export type AnyObservation = Request<unknown> | AnyOutcome | Signal<string>;

/** How facts are read from the journal, which outlives every version of this code. */
export interface Codec<Event> {
  /** Gives the fact that was stored. @throws Misshapen */
  readonly read: (stored: unknown) => Event;
  /** The facts as JSON Schema, for readers of a journal. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** A stored fact that this code does not understand; the message names the place and what it should be. */
export class Misshapen extends Error {}

/** One kind of work. */
export interface Kind<Observation, Event extends AnyEvent, State, Effect extends AnyEffect, Body> {
  /** The first word of the name of each of its streams. */
  readonly kind: string;
  readonly engine: Engine<Observation, Event, State, Effect>;
  readonly facts: Codec<Event>;
  /** Reports whether a stream is finished after these events; undefined if they do not change that. */
  readonly finishes: (events: readonly Event[]) => boolean | undefined;
  /** Gives the targets that a stream holds until it has finished, from the fact that holds its request. */
  readonly targetsOf: (first: Event) => readonly TargetKey[];
  readonly calls: Calls<Event, State, Body>;
  readonly messages: Messages<Event>;
  readonly telemetry: Observed<Event, State, Effect>;
}

/** A request of a caller: the parts of the stream's name, the body, and who asks. */
export interface Asked<Body> {
  readonly name: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly by: string;
  /** The managed apps, as the settings spell them. */
  readonly apps: readonly AppTarget[];
}

/** How a stream ended, and why: for programs, then for people. */
export interface Ended {
  readonly result: string;
  readonly reason: string;
  readonly message: string;
}

/** How callers ask for streams of a kind, and what they are shown. The API and its description are made from this. */
export interface Calls<Event extends AnyEvent, State, Body> {
  /** Names the kind in the API's description: operations are called `put<Noun>`, shapes `<Noun>Fact`. */
  readonly noun: string;
  /** The first part of the paths, such as `rollouts`. */
  readonly plural: string;
  /** The parts of a stream's name after the kind, in order, each with the form of its value. */
  readonly parts: Readonly<Record<string, Form<string>>>;
  /** The targets that the name alone gives. A call about an unmanaged one is refused before anything is read. */
  readonly targetsNamed: (name: Readonly<Record<string, string>>) => readonly TargetKey[];
  /** The filters of a list, each with the part that it compares. */
  readonly filters: Readonly<Record<string, string>>;
  readonly request: Form<Body>;
  readonly intentOf: (asked: Asked<Body>) => unknown;
  /**
   * Gives the signal with which a request ends another stream of the kind on the same target, if it asks for that and
   * the other one is not ending already.
   */
  readonly supersedes: (
    body: Body,
    other: State,
  ) => { readonly asked: boolean; readonly signal?: Pick<Signal<string>, "signal" | "message"> };
  /** The signals that a person may send. */
  readonly signals: readonly string[];
  /** Gives why the newest events disregard a signal; undefined if they follow it. */
  readonly whyDisregarded: (events: readonly Event[]) => string | undefined;
  /** Gives a stream at a glance; undefined if its journal does not begin with a request. */
  readonly summaryOf: (stream: string, events: readonly Event[], state: State) => object | undefined;
  readonly summary: Schema;
  /** Gives how a stream ended; undefined while it is in flight. */
  readonly ended: (state: State) => Ended | undefined;
  /** The results and the reasons of an end, for the API's description. */
  readonly ends: { readonly results: readonly string[]; readonly reasons: readonly string[] };
}

/** What the facts of a kind say to people. */
export interface Messages<Event extends AnyEvent> {
  readonly messageOf: (event: Event) => string;
  /** False for bookkeeping. */
  readonly isNoteworthy: (event: Event) => boolean;
  /** Gives the notifications of a journal from an index on, in order. */
  readonly notificationsOf: (stream: string, events: readonly Event[], from: number) => readonly Notification[];
}

/** How a notification looks: something goes on, waits, ended well, ended badly, or needs a person. */
export type Tone = "progress" | "waiting" | "good" | "bad" | "broken";

/** One fact as it is sent to a notifier. It contains only what the journal says. */
export interface Notification {
  /** The same each time this fact is sent, so that a receiver can recognize duplicates. */
  readonly id: string;
  /** The index of the fact in its stream. */
  readonly index: number;
  /** What happened, such as `promoted`. */
  readonly kind: string;
  readonly tone: Tone;
  readonly at: Instant;
  /** What it is about, such as an app; which one of its items, such as a revision; and where it is. */
  readonly subject: string;
  readonly item: string;
  readonly place: string;
  readonly message: string;
  /** The fields for programs. */
  readonly data: Readonly<Record<string, string | null>>;
}

/** A metric of one kind. */
export interface Metric {
  readonly name: string;
  readonly kind: "counter" | "histogram";
  readonly unit: string;
  readonly says: string;
}

/** One value of a metric of the kind, by its key. */
export interface Measured {
  readonly metric: string;
  readonly value: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What telemetry records about streams of a kind. */
export interface Observed<Event extends AnyEvent, State, Effect extends AnyEffect> {
  /** The attributes of everything that is recorded about a stream, read from its name. */
  readonly attributesOf: (stream: string) => Readonly<Record<string, string>>;
  readonly phaseOf: (state: State) => string;
  readonly attemptOf: (state: State) => number;
  /** The metrics of this kind alone, by key. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** What a fact counts once it is written. */
  readonly countsOf: (event: Event) => readonly Measured[];
  /** What an effect measures beside its duration, by when it ended. */
  readonly passOf: (state: State, events: readonly Event[], effect: Effect, ended: Instant) => readonly Measured[];
}

// The one place where the types of a kind are erased; whoever looks a kind up by the name of a stream cannot know them.
// biome-ignore lint/suspicious/noExplicitAny: no other type accepts every kind.
export type AnyKind<Event extends AnyEvent = any> = Kind<any, Event, any, any, any>;

/** One kind as the control loop uses it. Journals of its streams go in and out; its states stay inside. */
export interface Controller<Event extends AnyEvent = AnyEvent> {
  readonly kind: string;
  /** Gives the effect that a journal asks for; undefined once it is finished. */
  readonly asks: (journal: readonly { readonly event: Event }[]) => AnyEffect | undefined;
  /** Gives the facts that an observation leads to. */
  readonly decides: (journal: readonly { readonly event: Event }[], observation: AnyObservation) => readonly Event[];
  readonly targetsOf: (journal: readonly { readonly event: Event }[]) => readonly TargetKey[];
}

/**
 * What happens to a request whose target a stream of another kind holds: it is refused for good, or the caller is asked
 * to try again, because the other stream ends by itself. By the asking kind, then by the holder's.
 */
export type Precedence = Readonly<Record<string, Readonly<Record<string, "refuse" | "wait">>>>;

/** The registered kinds, looked up by the name of a stream. */
export interface Kinds<Event extends AnyEvent = AnyEvent> {
  readonly all: readonly AnyKind<Event>[];
  readonly precedence: Precedence;
  /** Gives the kind of a stream; undefined if it is not registered here, as in the version before it came. */
  readonly of: (stream: string) => AnyKind<Event> | undefined;
}

/** Gives the kind's name of a stream. */
export const kindOf = (stream: string): string => stream.slice(0, Math.max(0, stream.indexOf("/")));

/** Registers kinds. */
export function registerKinds<Event extends AnyEvent>(
  all: readonly AnyKind<Event>[],
  precedence: Precedence = {},
): Kinds<Event> {
  const byName = new Map(all.map((kind) => [kind.kind, kind]));
  return { all, precedence, of: (stream) => byName.get(kindOf(stream)) };
}

/** What the names of a kind's streams are made of: the kind, then its parts in order. */
export interface Naming {
  readonly kind: string;
  readonly calls: { readonly parts: Readonly<Record<string, unknown>> };
}

/** Gives the name of a stream from the kind and the parts of its name, in lower case, since Azure ignores case. */
export const streamOf = ({ kind, calls }: Naming, name: Readonly<Record<string, string>>): string =>
  [kind, ...Object.keys(calls.parts).map((part) => name[part] ?? "")].join("/").toLowerCase();

/** Gives the parts of a stream's name; undefined if it is not a name of this kind. */
export function partsOf({ kind, calls }: Naming, stream: string): Readonly<Record<string, string>> | undefined {
  const [first, ...values] = stream.split("/");
  const names = Object.keys(calls.parts);
  if (first !== kind || values.length !== names.length || values.includes("")) return undefined;
  return Object.fromEntries(names.map((name, index) => [name, values[index]!]));
}

/** Makes the controller of a kind. It keeps the states of the journals that it was asked about. */
export function controllerOf<Event extends AnyEvent>({ kind, engine, targetsOf }: AnyKind<Event>): Controller<Event> {
  const stateOf = keptFold(engine);
  return {
    kind,
    asks: (journal) => engine.react(stateOf(journal)),
    decides: (journal, observation) => engine.decide(stateOf(journal), observation),
    targetsOf: (journal) => {
      const [first] = journal;
      return first === undefined ? [] : targetsOf(first.event);
    },
  };
}
