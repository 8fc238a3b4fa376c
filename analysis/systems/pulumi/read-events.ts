// Reads an event log of the Pulumi CLI (`--event-log`): how long each operation on a resource took. The log's times
// are whole seconds, so a short operation may count as none.
import { ownerOf } from "./names.ts";

/** The durations of an event log, by URN. */
export interface EventLog {
  readonly stack: string;
  readonly project: string;
  readonly seconds: ReadonlyMap<string, number>;
}

interface Event {
  readonly timestamp?: unknown;
  readonly resourcePreEvent?: { readonly metadata?: { readonly urn?: unknown; readonly op?: unknown } };
  readonly resOutputsEvent?: { readonly metadata?: { readonly urn?: unknown } };
}

/** Reads a log. @returns undefined if the text is none, or if it is of a preview, where nothing is done */
export function readEvents(text: string): EventLog | undefined {
  const started = new Map<string, number>();
  const seconds = new Map<string, number>();
  for (const event of eventsIn(text)) {
    const at = Number(event.timestamp);
    const begun = event.resourcePreEvent?.metadata;
    const ended = event.resOutputsEvent?.metadata?.urn;
    if (typeof begun?.urn === "string" && begun.op !== "same") started.set(begun.urn, at);
    const from = typeof ended === "string" ? started.get(ended) : undefined;
    if (typeof ended === "string" && from !== undefined && at >= from)
      seconds.set(ended, (seconds.get(ended) ?? 0) + at - from);
  }
  const [first] = seconds.keys();
  return first === undefined ? undefined : { ...ownerOf(first), seconds };
}

/** One JSON value on each line; lines that are none are skipped. */
function eventsIn(text: string): readonly Event[] {
  return text.split("\n").flatMap((line) => {
    try {
      const value: unknown = line.startsWith("{") ? JSON.parse(line) : undefined;
      return typeof value === "object" && value !== null ? [value as Event] : [];
    } catch {
      return [];
    }
  });
}
