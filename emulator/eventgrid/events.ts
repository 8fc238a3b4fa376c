// Events in the two schemas in which Event Grid delivers them to a webhook, one event to a request.
import { randomUUID } from "node:crypto";
import type { Body } from "../arm/resource.ts";

/** Something that happened in a source. */
export interface SourceEvent {
  /** The id of the resource in which it happened. */
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Body;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The schema of a subscription's deliveries. */
export type EventSchema = "EventGridSchema" | "CloudEventSchemaV1_0";

/** A request's body, and the headers that say what it is. */
export interface Written {
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
}

/** Writes an event in a schema. Its id is new, and every attempt to deliver it has the same. */
export function writeEvent({ source, type, subject, data, at }: SourceEvent, schema: EventSchema): Written {
  const [id, time] = [randomUUID(), new Date(at).toISOString()];
  if (schema === "CloudEventSchemaV1_0")
    return {
      body: JSON.stringify({ id, source, specversion: "1.0", type, subject, time, data }),
      headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
    };
  const event = { id, topic: source, subject, eventType: type, eventTime: time, data };
  return {
    body: JSON.stringify([{ ...event, dataVersion: "1", metadataVersion: "1" }]),
    headers: {
      "content-type": "application/json; charset=utf-8",
      "aeg-event-type": "Notification",
      "aeg-data-version": "1",
      "aeg-metadata-version": "1",
    },
  };
}
