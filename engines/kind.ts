// A kind of work: an engine, and what the control plane must know to carry it out for any kind. The loop, the journal
// and the claims are written against this file; engines/<kind>/kind.ts fills it in, and kinds.ts lists the kinds.
import { type Engine, keptFold, type Outcome, type Request, type Signal } from "./engine.ts";
import { type Form, read } from "./form.ts";
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

/**
 * A stream at a glance, folded fact by fact beside its state, so that a long journal costs no more than a short one.
 * Its summary and its notifications are made from it.
 */
export interface Glance<Event, State, Seen extends { readonly state: State }> {
  readonly initial: Seen;
  readonly evolve: (seen: Seen, event: Event) => Seen;
}

/** One kind of work. */
export interface Kind<
  Observation,
  Event extends AnyEvent,
  State,
  Effect extends AnyEffect,
  Body,
  Seen extends { readonly state: State } = { readonly state: State },
> {
  /** The first word of the name of each of its streams. */
  readonly kind: string;
  readonly engine: Engine<Observation, Event, State, Effect>;
  readonly facts: Codec<Event>;
  /** Reports whether a stream is finished after these events; undefined if they do not change that. */
  readonly finishes: (events: readonly Event[]) => boolean | undefined;
  /** Gives the targets that a stream holds until it has finished, from the fact that holds its request. */
  readonly targetsOf: (first: Event) => readonly TargetKey[];
  /**
   * Gives when the loop must act next; undefined if only a signal can move the stream, or nothing can. A stream that is
   * due and that no process looks at is a loop that stands still.
   */
  readonly dueAt: (state: State) => Instant | undefined;
  readonly glance: Glance<Event, State, Seen>;
  readonly calls: Calls<Event, State, Body, Seen>;
  readonly messages: Messages<Event, Seen>;
  readonly telemetry: Observed<Event, State, Effect>;
}

/** A request of a caller: the parts of the stream's name, the body, and who asks. */
export interface Asked<Body> {
  readonly name: Readonly<Record<string, string>>;
  readonly body: Body;
  /** The caller's id and, if the token has one, name. */
  readonly by: string;
  readonly byName?: string;
  /** The trace that the caller continues, if it named one. */
  readonly trace?: string;
  /** The managed apps, as the settings spell them. */
  readonly apps: readonly AppTarget[];
}

/**
 * What a request does to another stream in flight: it is refused for good, or it should be sent again, because the
 * other stream is ending or finds out whether it has to. The signal is sent to the other stream first.
 */
export interface Met {
  readonly answer: "refused" | "ending" | "pending";
  readonly signal?: Pick<Signal<string>, "signal" | "message" | "about">;
}

/** How a stream ended, and why: for programs, then for people. */
export interface Ended {
  readonly result: string;
  readonly reason: string;
  readonly message: string;
}

/** The app roles that allow approvals: whoever may approve a release need not be whoever may approve a repair. */
export type ApprovalRole = "Rollout.Approve" | "Remediation.Approve";

/** How callers ask for streams of a kind, and what they are shown. The API and its description are made from this. */
export interface Calls<Event extends AnyEvent, State, Body, Seen> {
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
  /** Gives what a request does to another stream of the kind that is in flight on the same target. */
  readonly meets: (asked: Pick<Asked<Body>, "name" | "body">, other: State) => Met;
  /** The signals that a person may send. */
  readonly signals: readonly string[];
  /** Those of them that only allow what another person has asked for. They need a right of their own. */
  readonly approvals: readonly string[];
  /** That right: an app role. @default `Rollout.Approve` */
  readonly approvalRole?: ApprovalRole;
  /** Gives why the newest events disregard a signal; undefined if they follow it. */
  readonly whyDisregarded: (events: readonly Event[]) => string | undefined;
  /** Gives a stream at a glance; undefined if its journal does not begin with a request. */
  readonly summaryOf: (stream: string, seen: Seen) => object | undefined;
  readonly summary: Schema;
  /** Gives how a stream ended; undefined while it is in flight. */
  readonly ended: (state: State) => Ended | undefined;
  /** What programs declare for this kind, if they declare anything. */
  readonly declared?: DeclaredThings;
  /** The results and the reasons of an end, for the API's description. */
  readonly ends: { readonly results: readonly string[]; readonly reasons: readonly string[] };
}

/** Things that programs declare and the control plane keeps, such as the credentials that rotations are about. */
export interface DeclaredThings {
  /** Names one in the API's description: operations are called `put<Noun>`. */
  readonly noun: string;
  /** The first part of the paths. */
  readonly plural: string;
  /** The parts of a name, each with the form of its value. */
  readonly parts: Readonly<Record<string, Form<string>>>;
  /** The target of a name. It counts as managed as soon as it is declared. */
  readonly targetOf: (name: Readonly<Record<string, string>>) => TargetKey;
  /** A declaration, without the parts of its name. */
  readonly form: Form<unknown>;
  /** The answer of every call about one of them. */
  readonly shape: Schema;
  /** The ids of the errors by which a declaration is refused although it is well formed. */
  readonly refusals: readonly string[];
}

/** What the facts of a kind say to people. */
export interface Messages<Event extends AnyEvent, Seen> {
  readonly messageOf: (event: Event) => string;
  /** False for bookkeeping. */
  readonly isNoteworthy: (event: Event) => boolean;
  /** Gives the notification of a fact, if it has one. `before` is the stream at a glance up to the fact. */
  readonly notificationOf: (stream: string, index: number, event: Event, before: Seen) => Notification | undefined;
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
  /** What a person still has to do, in a sentence; absent if nothing is left to do. */
  readonly todo?: string;
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
  /** The trace that a stream continues, whoever began it. @default each attempt has a trace of its own */
  readonly traceOf?: (state: State) => string | undefined;
  /** The metrics of this kind alone, by key. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** What a fact counts once it is written. */
  readonly countsOf: (event: Event) => readonly Measured[];
  /** What an effect measures beside its duration, by when it ended. */
  readonly passOf: (state: State, events: readonly Event[], effect: Effect, ended: Instant) => readonly Measured[];
}

// The one place where the types of a kind are erased; whoever looks a kind up by the name of a stream cannot know them.
// biome-ignore lint/suspicious/noExplicitAny: no other type accepts every kind.
export type AnyKind<Event extends AnyEvent = any> = Kind<any, Event, any, any, any, any>;

/** An engine threw: a bug of a kind of work, which must hold up no stream but the one that it met. */
export class EngineFailed extends Error {}

/** Gives the failure from what was thrown, which may be anything at all. */
export const engineFailed = (thrown: unknown): EngineFailed => new EngineFailed(wordsOf(thrown), { cause: thrown });

const wordsMax = 200;

/** Words what was thrown in one line, whatever it is. */
function wordsOf(thrown: unknown): string {
  try {
    const words = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return words.replace(/\s+/g, " ").trim().slice(0, wordsMax).toWellFormed() || "it threw nothing";
  } catch {
    return "it threw a value without words";
  }
}

/** Runs a part of an engine. @throws EngineFailed for whatever it throws */
export function runEngine<Value>(part: () => Value): Value {
  try {
    return part();
  } catch (thrown) {
    throw engineFailed(thrown);
  }
}

/**
 * One kind as the control loop uses it. Journals of its streams go in and out; its states stay inside. All but
 * `refuses` throw EngineFailed if the engine throws.
 */
export interface Controller<Event extends AnyEvent = AnyEvent> {
  readonly kind: string;
  /** Gives the effect that a journal asks for; undefined once it is finished, and before it begins. */
  readonly asks: (journal: readonly { readonly event: Event }[]) => AnyEffect | undefined;
  /** Gives the facts that an observation leads to. */
  readonly decides: (journal: readonly { readonly event: Event }[], observation: AnyObservation) => readonly Event[];
  readonly targetsOf: (journal: readonly { readonly event: Event }[]) => readonly TargetKey[];
  /** Gives why events disregard a signal; undefined if they follow it. */
  readonly refuses: (events: readonly Event[]) => string | undefined;
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

/**
 * Registers kinds.
 *
 * @throws Error if two kinds would share a name or a path, or if one has words that no name or path can have. Its
 * streams would otherwise be confused with others, or have paths that lead nowhere.
 */
export function registerKinds<Event extends AnyEvent>(
  all: readonly AnyKind<Event>[],
  precedence: Precedence = {},
): Kinds<Event> {
  const words = all.flatMap(({ kind, calls: { noun, plural } }) => [`kind ${kind}`, `noun ${noun}`, `path ${plural}`]);
  const [twice] = words.filter((word, at) => words.indexOf(word) !== at);
  if (twice !== undefined) throw new Error(`two kinds have the ${twice}`);
  for (const kind of all) refuseUnusable(kind);
  const byName = new Map(all.map((kind) => [kind.kind, kind]));
  return { all, precedence, of: (stream) => byName.get(kindOf(stream)) };
}

function refuseUnusable({ kind, calls: { plural, parts, filters } }: AnyKind): void {
  const names = Object.keys(parts);
  const wrong = [
    ...[kind, plural].filter((word) => !/^[a-z][a-z-]*$/.test(word)),
    ...names.filter((name) => !/^[A-Za-z]\w*$/.test(name)),
    ...Object.values(filters).filter((part) => !names.includes(part)),
    ...(names.length === 0 ? ["a name without parts"] : []),
  ];
  if (wrong.length > 0) throw new Error(`the kind ${kind} cannot have ${wrong.join(", ")}`);
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

/** Reports whether a stream has a name that callers of its kind can give. */
export function isNameOf(kind: AnyKind, stream: string): boolean {
  const name = partsOf(kind, stream);
  if (name === undefined || streamOf(kind, name) !== stream) return false;
  return Object.entries(kind.calls.parts).every(([part, form]) => "value" in read(form, name[part]));
}

/** Makes the controller of a kind. It keeps the states of the journals that it was asked about. */
export function controllerOf<Event extends AnyEvent>({
  kind,
  engine,
  targetsOf,
  calls,
}: AnyKind<Event>): Controller<Event> {
  const stateOf = keptFold(engine);
  return {
    kind,
    // A process may die after it has claimed the targets and before it has written what was requested.
    asks: (journal) => (journal.length === 0 ? undefined : runEngine(() => engine.react(stateOf(journal)))),
    decides: (journal, observation) => runEngine(() => engine.decide(stateOf(journal), observation)),
    refuses: calls.whyDisregarded,
    targetsOf: (journal) => {
      const [first] = journal;
      return first === undefined ? [] : runEngine(() => targetsOf(first.event));
    },
  };
}
