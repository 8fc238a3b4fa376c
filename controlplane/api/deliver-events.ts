// POST /events: a delivery of an Event Grid subscription, or its handshake. It wakes the search for credentials that
// are due and does nothing else, so that a token that was stolen can cause one more look and no rotation.

import { anything } from "../../engines/foreign-forms.ts";
import type { Form } from "../../engines/form.ts";
import { eventRefused, eventSenderUnknown } from "../../errors/api.ts";
import { type Answer, answer, type EventHint, refuse } from "./call.ts";

/** The application with which Event Grid signs in, the same in every tenant of the public cloud. */
export const eventGrid = "4962773b-9cdb-44cf-a8bf-237846a00ab7";

/** Event Grid's own limit for a batch. */
export const eventsBytesMax = 1024 * 1024;

/** The media types of Event Grid's own schema, of a CloudEvent, and of several. */
export const eventsMediaTypes = [
  "application/json",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
];

/** Deliveries come in two schemas, one event or several, so they are read by a parser of their own. */
export const eventsForm: Form<unknown> = {
  ...anything,
  schema: { type: ["array", "object"], description: "One event or several, in Event Grid's schema or CloudEvents'." },
};

const nothingDeclared = async (): Promise<EventHint> => ({ says: "ignore", why: "No credential is declared." });

/** Answers a delivery. Event Grid never repeats one that is answered with 400, 401, 403 or 413. */
export const deliverEvents: Answer = async ({ caller, body }, { eventHint = nothingDeclared }) => {
  if (caller.application !== eventGrid) return refuse(403, eventSenderUnknown({ application: eventGrid }));
  const judged = await eventHint(body);
  if (judged.says === "refuse") return refuse(400, eventRefused({ why: judged.why }));
  // Event Grid takes no other status for the answer to its handshake.
  if (judged.says === "validate") return answer(200, { validationResponse: judged.code });
  return answer(200, {
    looks: judged.says === "look",
    message: judged.says === "look" ? "The credentials are looked at now." : judged.why,
  });
};

/**
 * Answers OPTIONS /events, the handshake of CloudEvents: events of Event Grid are wanted. It grants nothing, since a
 * delivery needs a token all the same.
 */
export const allowEvents = (): Response =>
  new Response(null, { status: 200, headers: { "webhook-allowed-origin": "eventgrid.azure.net", allow: "POST" } });
