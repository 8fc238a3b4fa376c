// The handshake by which a webhook shows that it wants events: it answers with a code, or somebody opens the validation
// address within five minutes. A webhook for CloudEvents answers an OPTIONS request with the origin that it allows.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ArmError, type ArmReply, type Cloud } from "../arm/resource.ts";
import { type Posted, post } from "../delivery/post.ts";
import type { EventSchema } from "./events.ts";

/** What is validated. */
export interface Candidate {
  readonly name: string;
  readonly topic: string;
  readonly url: string;
  readonly schema: EventSchema;
  readonly headers: { readonly [name: string]: string };
}

/** The host, below the cloud's suffix, at which a subscription is validated by hand. */
export const eventGridHost = "eventgrid";
const origin = "eventgrid.azure.net";
const answerSeconds = 30;
const manualMilliseconds = 300_000;
const lookMilliseconds = 100;
/** Codes of subscriptions that wait for somebody to open their address, by code; true once it was opened. */
const waiting = new WeakMap<Cloud, Map<string, boolean>>();

const codesOf = (cloud: Cloud): Map<string, boolean> => {
  const codes = waiting.get(cloud) ?? new Map<string, boolean>();
  waiting.set(cloud, codes);
  return codes;
};

/** Validates a webhook. @throws ArmError 400 when it does not pass in time */
export async function validate(cloud: Cloud, candidate: Candidate): Promise<void> {
  const code = randomUUID().toUpperCase();
  const codes = codesOf(cloud);
  codes.set(code, false);
  try {
    const place = `https://${eventGridHost}.${cloud.suffix}/eventsubscriptions/${encodeURIComponent(candidate.name)}`;
    const url = `${place}/validate?code=${code}`;
    const deadline = cloud.clock.now() + manualMilliseconds;
    const answer = await ask(cloud, candidate, code, url);
    if (isPassed(answer, candidate.schema, code)) return;
    if (answer.status === 200)
      while (cloud.clock.now() < deadline) {
        if (codes.get(code)) return;
        await pause(lookMilliseconds, undefined, { ref: false });
      }
    const how = answer.status === 0 ? `: ${answer.reason}` : ` with status ${answer.status}`;
    throw new ArmError(
      400,
      "Url validation",
      `Webhook validation handshake failed for ${baseOf(candidate.url)}. The attempt to validate the provided ` +
        `endpoint ${baseOf(candidate.url)} failed${how}. For more details, visit https://aka.ms/esvalidation.`,
    );
  } finally {
    codes.delete(code);
  }
}

/** Gives an address without its query, which may hold a key. */
export const baseOf = (url: string): string => url.split(/[?#]/)[0]!;

function ask(cloud: Cloud, candidate: Candidate, code: string, validationUrl: string): Promise<Posted> {
  const { url: to, schema, topic, name, headers } = candidate;
  if (schema === "CloudEventSchemaV1_0")
    return post(
      cloud,
      {
        to,
        method: "OPTIONS",
        body: "",
        headers: {
          ...headers,
          "webhook-request-origin": origin,
          "webhook-request-callback": validationUrl,
          "webhook-request-rate": "120",
        },
      },
      answerSeconds,
    );
  const event = {
    id: randomUUID(),
    topic,
    subject: "",
    data: { validationCode: code, validationUrl },
    eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
    eventTime: new Date(cloud.clock.now()).toISOString(),
    metadataVersion: "1",
    dataVersion: "2",
  };
  return post(
    cloud,
    {
      to,
      body: JSON.stringify([event]),
      headers: {
        ...headers,
        "content-type": "application/json; charset=utf-8",
        "aeg-event-type": "SubscriptionValidation",
        "aeg-subscription-name": name.toUpperCase(),
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
      },
    },
    answerSeconds,
  );
}

/** Reports whether an answer is the right one. A status of 202 is not. */
function isPassed({ status, text = "", headers = {} }: Posted, schema: EventSchema, code: string): boolean {
  if (status !== 200) return false;
  if (schema === "CloudEventSchemaV1_0") return [origin, "*"].includes(String(headers["webhook-allowed-origin"] ?? ""));
  try {
    const { validationResponse } = JSON.parse(text) as { readonly validationResponse?: unknown };
    return String(validationResponse).toUpperCase() === code;
  } catch {
    return false;
  }
}

/** Answers a request to the validation address. */
export function validateByHand(cloud: Cloud, url: URL): ArmReply {
  const code = url.searchParams.get("code")?.toUpperCase() ?? "";
  const codes = codesOf(cloud);
  if (!codes.has(code))
    throw new ArmError(400, "InvalidValidationCode", "The validation code is unknown or has expired.");
  codes.set(code, true);
  return { status: 200, body: { message: "Webhook successfully validated as a subscription endpoint." } };
}
