// A whole emulator with a vault, its system topic and a webhook on loopback: what the webhook answers to a handshake
// and to events, and what it received.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, type Reply, startCloudForTests } from "./cloud.ts";
import { clientObjectId, giveRole, hostOf, vaultBody, vaultVersion } from "./vault.ts";

export const noon = Date.parse("2030-01-01T12:00:00Z");
export const eventVersion = "api-version=2025-02-15";

/** A request that the webhook received. */
export interface Received {
  readonly method: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: any;
}

/** A webhook whose answers a test chooses. */
interface Webhook {
  readonly url: string;
  /** How it answers a handshake. */
  shakes: "code" | "nothing" | "wrong" | "accepted" | "origin" | "other";
  /** What it answers to events; the last answer stays. */
  answers: number[];
  received: Received[];
  /** Gives the events of Event Grid's own schema that arrived, in the order of arrival. */
  readonly events: () => readonly any[];
  /** Gives the types of those of one secret. */
  readonly typesOf: (secret: string) => readonly string[];
  readonly close: () => void;
}

/** Starts a webhook. */
async function startWebhook(): Promise<Webhook> {
  const server = http.createServer((request, response) => void answer(hook, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const hook: Webhook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hush`,
    shakes: "code",
    answers: [200],
    received: [],
    events: () =>
      hook.received.filter(({ headers }) => headers["aeg-event-type"] === "Notification").flatMap(({ body }) => body),
    typesOf: (secret) =>
      hook.events().flatMap(({ subject, eventType }) => (subject === secret ? [eventType.split(".").at(-1)] : [])),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return hook;
}

async function answer(hook: Webhook, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  let text = "";
  for await (const part of request) text += part;
  const body = text === "" ? undefined : JSON.parse(text);
  hook.received.push({ method: request.method!, headers: request.headers, body });
  if (request.method === "OPTIONS") {
    const origin = String(request.headers["webhook-request-origin"]);
    response
      .writeHead(200, { "webhook-allowed-origin": hook.shakes === "origin" ? origin : "elsewhere.example" })
      .end();
  } else if (request.headers["aeg-event-type"] === "SubscriptionValidation") {
    const { validationCode } = body[0].data;
    const said: Record<string, string> = { code: validationCode, accepted: validationCode, wrong: "another" };
    const validationResponse = said[hook.shakes];
    response.writeHead(hook.shakes === "accepted" ? 202 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(validationResponse === undefined ? {} : { validationResponse }));
  } else response.writeHead(hook.answers.length > 1 ? hook.answers.shift()! : hook.answers[0]!).end();
}

/** A vault with a topic and a webhook. */
export interface EventShop {
  readonly at: CloudForTests;
  readonly hook: Webhook;
  readonly vault: (name?: string) => string;
  readonly subscription: (name: string, topic?: string) => string;
  readonly putTopic: (name?: string, properties?: Body, more?: Body) => Promise<Reply>;
  /** Gives the destination that leads to the webhook. */
  readonly webhook: (more?: Body) => Body;
  readonly subscribe: (name: string, properties?: Body) => Promise<Reply>;
  /** Makes a version of a secret; gives its id. */
  readonly setSecret: (name: string, more?: Body) => Promise<string>;
  readonly advance: (seconds: number) => Promise<Reply>;
  /** Sets the clock to noon, removes all subscriptions, and lets the webhook answer as it should. */
  readonly begin: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts it. */
export async function startEventShop(): Promise<EventShop> {
  const at = await startCloudForTests();
  const hook = await startWebhook();
  const group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
  const vault = (name = "shop"): string => `${group}/providers/Microsoft.KeyVault/vaults/${name}`;
  const topic = (name = "vault-events"): string => `${group}/providers/Microsoft.EventGrid/systemTopics/${name}`;
  const subscription = (name: string, of?: string): string => `${topic(of)}/eventSubscriptions/${name}`;
  const webhook = (more: Body = {}): Body => ({
    endpointType: "WebHook",
    properties: { endpointUrl: hook.url, ...more },
  });
  const shop: EventShop = {
    at,
    hook,
    vault,
    subscription,
    webhook,
    putTopic: (name, properties = {}, more = {}) =>
      at.settle("PUT", `${topic(name)}?${eventVersion}`, {
        location: "westeurope",
        properties: { source: vault(), topicType: "Microsoft.KeyVault.vaults", ...properties },
        ...more,
      }),
    subscribe: (name, properties = {}) =>
      at.settle("PUT", `${subscription(name)}?${eventVersion}`, {
        properties: { destination: webhook(), ...properties },
      }),
    setSecret: async (name, more = {}) => {
      const token = await at.tokenFor("https://vault.azure.net");
      const url = `${hostOf("shop")}/secrets/${name}?api-version=7.4`;
      const { body } = await at.ask("PUT", url, { value: "hush", ...more }, { token });
      return String(body.id).split("/").at(-1)!;
    },
    advance: (seconds) => at.ask("POST", "/_emulator/clock", { advanceSeconds: seconds }),
    begin: async () => {
      const { body } = await at.ask("GET", `${topic()}/eventSubscriptions?${eventVersion}`);
      for (const { id } of body.value) await at.settle("DELETE", `${id}?${eventVersion}`);
      Object.assign(hook, { received: [], shakes: "code", answers: [200] });
      await at.ask("POST", "/_emulator/clock", { at: noon });
    },
    close: async () => {
      await at.close();
      hook.close();
    },
  };
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.ask("PUT", `${vault()}?${vaultVersion}`, vaultBody(at));
  await giveRole(at, vault(), "officer", await clientObjectId(at));
  await shop.putTopic();
  return shop;
}
