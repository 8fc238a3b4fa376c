// The ingestion endpoint of Application Insights: POST /v2.1/track takes a JSON list of envelopes and answers for each
// item, as the service does. An item belongs to the component whose instrumentation key it names. When that component
// has local authentication disabled, the caller needs a token with the right to publish there.
import type { IncomingMessage } from "node:http";
import { ArmError, type ArmReply, type Body, type Cloud } from "../arm/resource.ts";
import { mayAct } from "../authorization/roles.ts";
import type { Principal, Tokens } from "../authorization/tokens.ts";
import { readText } from "../http.ts";
import { componentOf, itemsMax, keepEnvelope } from "./telemetry-rows.ts";

/**
 * The audience of a token: the SDK asks for this one in all of public Azure, so
 * it does not depend on the cloud's suffix.
 */
const audiences = ["https://monitor.azure.com"];
const publish = "Microsoft.Insights/Telemetry/Write";

/** One refused item. */
interface Refusal {
  readonly index: number;
  readonly statusCode: number;
  readonly message: string;
}

/** Answers one request to the ingestion host. @throws ArmError 404 for another route, 415 for a compressed body */
export async function takeTelemetry(request: IncomingMessage, cloud: Cloud, tokens: Tokens): Promise<ArmReply> {
  if (request.method !== "POST" || !/^\/+v2(\.1)?\/track$/.test((request.url ?? "").split("?")[0]!))
    throw new ArmError(404, "NotFound", "The ingestion host serves /v2.1/track only.");
  if (request.headers["content-encoding"] !== undefined)
    throw new ArmError(415, "UnsupportedMediaType", "The emulator does not take compressed telemetry.");
  const principal = request.headers.authorization === undefined ? undefined : await tokens.verify(request, audiences);
  const envelopes = parsed(await readText(request));
  if (envelopes === undefined || envelopes.length > itemsMax)
    return {
      status: 400,
      body: report(0, [{ index: 0, statusCode: 400, message: "The body is not a list of envelopes" }]),
    };
  const errors = envelopes.flatMap((envelope, index) => {
    const refusal = refusalOf(envelope, cloud, principal);
    return refusal === undefined ? [] : [{ index, ...refusal }];
  });
  return { status: statusOf(envelopes.length, errors), body: report(envelopes.length, errors) };
}

/** Gives 200 when every item is accepted, 206 when some are, and the first item's own status when none is. */
function statusOf(received: number, [first, ...others]: readonly Refusal[]): number {
  if (first === undefined) return 200;
  return 1 + others.length < received ? 206 : first.statusCode;
}

const report = (received: number, errors: readonly Refusal[]) => ({
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

/** Keeps an item, or gives why it is refused. */
function refusalOf(envelope: Body, cloud: Cloud, principal: Principal | undefined): Omit<Refusal, "index"> | undefined {
  const component = componentOf(cloud, envelope["iKey"]);
  if (component === undefined) return { statusCode: 400, message: "Invalid instrumentation key" };
  const isOpen = component.body["properties"].DisableLocalAuth !== true;
  if (!isOpen && principal === undefined)
    return {
      statusCode: 401,
      message: "Authentication required: an instrumentation key alone is not enough for this component",
    };
  if (!isOpen && !mayAct(cloud, principal!, publish, component.id, true))
    return { statusCode: 403, message: `The caller may not perform ${publish} on this component` };
  const message = keepEnvelope(cloud, component, envelope);
  return message === undefined ? undefined : { statusCode: 400, message };
}
