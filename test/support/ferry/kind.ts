// The ferry as a kind of work: everything that the frames of the journal, the API, telemetry and notifications ask of
// it. Together with the engine and the performer this is all that a new kind needs.
import { line, number, object, text } from "../../../engines/form.ts";
import type { Asked, Kind } from "../../../engines/kind.ts";
import { exactly } from "../../../engines/schema.ts";
import {
  type Crossing,
  type FerryEffect,
  type FerryEvent,
  type FerryObservation,
  type FerryState,
  ferryEngine,
} from "./engine.ts";
import { ferryFacts } from "./facts.ts";

interface Body {
  readonly from: string;
  readonly to: string;
  readonly load: string;
  readonly crossingSeconds: number;
}

const dock = (name: string, harbour: string): string => `dock/${harbour}/${name}`.toLowerCase();

const messages: { readonly [Each in FerryEvent["kind"]]: (event: Extract<FerryEvent, { kind: Each }>) => string } = {
  Booked: ({ crossing: { load, from, to } }) => `${load} from ${from} to ${to}`,
  Loaded: () => "the load is aboard",
  Crossed: () => "the ferry is over",
  Unloaded: (event) => `the load is put down at ${event.dock}`,
  ReleaseAsked: () => "a release is asked for",
  ReleaseEnded: (event) => `the release was ${event.result}`,
  Stumbled: (event) => `${event.over}: ${event.message}`,
  TurnedBack: (event) => `turned back by ${event.by}: ${event.message}`,
  Ignored: ({ why }) => why,
  Moored: (event) => `${event.result}: ${event.message}`,
};
const messageOf = (event: FerryEvent): string => (messages[event.kind] as (event: FerryEvent) => string)(event);

const nameForm = text("a name", { most: 40, pattern: "^[A-Za-z0-9-]+$" });

export const ferryKind: Kind<FerryObservation, FerryEvent, FerryState, FerryEffect, Body> = {
  kind: "ferry",
  engine: ferryEngine,
  facts: ferryFacts,
  finishes: (events) => (events.some(({ kind }) => kind === "Moored") ? true : undefined),
  targetsOf: (first) =>
    first.kind === "Booked"
      ? [dock(first.crossing.from, first.crossing.harbour), dock(first.crossing.to, first.crossing.harbour)]
      : [],
  calls: {
    noun: "Ferry",
    plural: "ferries",
    parts: { harbour: nameForm, trip: nameForm },
    targetsNamed: () => [],
    filters: { harbour: "harbour" },
    request: object({
      from: nameForm,
      to: nameForm,
      load: line(100),
      crossingSeconds: number({ least: 0, most: 600 }),
    }),
    intentOf: ({ name: { harbour = "" }, body, by }: Asked<Body>): Crossing => ({
      ...body,
      harbour,
      release: null,
      bookedBy: by,
    }),
    meets: () => ({ answer: "refused" }),
    signals: ["turn-back"],
    approvals: [],
    whyDisregarded: (events) => events.find((event) => event.kind === "Ignored")?.why,
    summaryOf: (stream, [first], { place, end }) =>
      first?.kind !== "Booked"
        ? undefined
        : {
            id: stream,
            load: first.crossing.load,
            place,
            result: end?.result ?? null,
            message: end?.message ?? place,
            startedAt: first.at,
          },
    summary: exactly({
      id: { type: "string" },
      load: { type: "string" },
      place: { type: "string" },
      result: { type: ["string", "null"] },
      message: { type: "string" },
      startedAt: { type: "number" },
    }),
    ended: ({ end }) => end,
    ends: { results: ["arrived", "returned", "sunk"], reasons: ["arrived", "returned", "sunk"] },
  },
  messages: {
    messageOf,
    isNoteworthy: () => true,
    notificationsOf: (stream, events, from) =>
      events.flatMap((event, index) =>
        event.kind !== "Moored" || index < from
          ? []
          : [
              {
                id: `${stream}#${index}`,
                index,
                kind: event.result,
                tone: event.result === "sunk" ? ("broken" as const) : ("good" as const),
                at: event.at,
                subject: "ferry",
                item: stream.split("/")[2]!,
                place: stream.split("/")[1]!,
                message: event.message,
                data: { result: event.result },
              },
            ],
      ),
  },
  telemetry: {
    attributesOf: (stream) => ({ harbour: stream.split("/")[1] ?? "" }),
    phaseOf: ({ place }) => place,
    attemptOf: () => 1,
    metrics: {
      moored: { name: "ballast.ferries.moored", kind: "counter", unit: "{ferry}", says: "ferries, by `result`" },
    },
    countsOf: (event) =>
      event.kind === "Moored" ? [{ metric: "moored", value: 1, attributes: { result: event.result } }] : [],
    passOf: () => [],
  },
};
