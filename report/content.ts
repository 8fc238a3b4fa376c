// What a kind of work puts into a report. The page itself is the same for every kind: page.ts takes a journal and this
// description of it, and report/<kind>/ makes the description.
import type { AnyEvent } from "../engines/kind.ts";
import type { Mark } from "./marks.ts";
import type { Markup } from "./markup.ts";
import type { KindStyle } from "./style.ts";
import type { Tone } from "./tone.ts";

/** One fact as the control plane returns it. */
export interface ReportedFact<Event extends AnyEvent> {
  readonly event: Event;
  readonly message: string;
  /** Who wrote it, under which epoch of its claim; 0 for requests and signals, which need no claim. */
  readonly process: string;
  readonly epoch: number;
  readonly hash?: string;
}

/** A part of the page between its head and the journal. */
export interface Section {
  readonly heading: string | undefined;
  readonly body: Markup;
}

/** A kind's part of the report of one stream. */
export interface Content<Event extends AnyEvent> {
  /** The title of the document. */
  readonly title: string;
  /** What the stream is about, and where that is. */
  readonly subject: string;
  /** How the stream ended; undefined while it is in flight. */
  readonly end: { readonly result: string; readonly message: string; readonly tone: "good" | "bad" } | undefined;
  /** How far the stream is while it is in flight. */
  readonly progress: string;
  /** What a reader should do next. */
  readonly next: string;
  /** Names and values below the message, before the times. */
  readonly details: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
  /** The facts that are marked in the sections; the journal shows their numbers. */
  readonly marks: readonly Mark<Event>[];
  /** False for bookkeeping. */
  readonly isNoteworthy: (event: Event) => boolean;
  readonly toneOf: (event: Event) => Tone;
  readonly style: KindStyle;
}
