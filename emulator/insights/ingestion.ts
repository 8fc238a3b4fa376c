// The door of Application Insights: POST /v2.1/track, JSON lists of envelopes, answered as the service does, item by item. An item belongs to
// the component whose key it names; where that component takes no key alone, the caller shows a token and has the right to publish there.
import type { IncomingMessage } from "node:http";
import { ArmError, type ArmReply, type Body, type Cloud } from "../arm/resource.ts";
import { mayAct } from "../authorization/roles.ts";
import type { Principal, Tokens } from "../authorization/tokens.ts";
import { readText } from "../http.ts";
import { componentOf, itemsMax, keepEnvelope } from "./telemetry-rows.ts";

/** Whom a token must be for, whatever the cloud is called: the SDK asks for it by this name in all of public Azure. */
const audiences = ["https://monitor.azure.com"];
const publish = "Microsoft.Insights/Telemetry/Write";

interface Trouble {
  readonly index: number;
  readonly statusCode: number;
  readonly message: string;
}

/** Takes one request. */
export async function takeTelemetry(request: IncomingMessage, cloud: Cloud, tokens: Tokens): Promise<ArmReply> {
  if (request.method !== "POST" || !/^\/+v2(\.1)?\/track$/.test((request.url ?? "").split("?")[0]!))
    throw new ArmError(404, "NotFound", "The ingestion host has /v2.1/track and nothing else.");
  if (request.headers["content-encoding"] !== undefined)
    throw new ArmError(415, "UnsupportedMediaType", "The stand-in takes telemetry as it is, not compressed.");
  const principal = request.headers.authorization === undefined ? undefined : await tokens.verify(request, audiences);
  const envelopes = parsed(await readText(request));
  if (envelopes === undefined || envelopes.length > itemsMax)
    return {
      status: 400,
      body: verdict(0, [{ index: 0, statusCode: 400, message: "The body is no list of envelopes" }]),
    };
  const errors = envelopes.flatMap((envelope, index) => {
    const trouble = troubleWith(envelope, cloud, principal);
    return trouble === undefined ? [] : [{ index, ...trouble }];
  });
  const [first] = errors;
  // All refused alike is the request refused; some of them, and the rest counts.
  const status = first === undefined ? 200 : errors.length < envelopes.length ? 206 : first.statusCode;
  return { status, body: verdict(envelopes.length, errors) };
}

const verdict = (received: number, errors: readonly Trouble[]) => ({
  itemsReceived: received,
  itemsAccepted: received - errors.length,
  errors,
  appId: null,
});

function parsed(text: string): readonly Body[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((each) => typeof each === "object" && each !== null) ? list : undefined;
  } catch {
    return undefined;
  }
}

function troubleWith(
  envelope: Body,
  cloud: Cloud,
  principal: Principal | undefined,
): Omit<Trouble, "index"> | undefined {
  const component = componentOf(cloud, envelope["iKey"]);
  if (component === undefined) return { statusCode: 400, message: "Invalid instrumentation key" };
  const isOpen = component.body["properties"].DisableLocalAuth !== true;
  if (!isOpen && principal === undefined)
    return { statusCode: 401, message: "Authentication required: this component takes no instrumentation key alone" };
  if (!isOpen && !mayAct(cloud.store, principal!, publish, component.id, true))
    return { statusCode: 403, message: `The caller may not ${publish} at this component` };
  const message = keepEnvelope(cloud, component, envelope);
  return message === undefined ? undefined : { statusCode: 400, message };
}
