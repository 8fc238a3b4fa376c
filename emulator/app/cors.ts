// Cross-origin requests as the proxy of the platform handles them: it answers a preflight from an allowed origin
// itself, and adds the headers to the answers of containers. A preflight from any other origin is passed on as it is.
import type { IncomingMessage } from "node:http";
import type { Body } from "../arm/resource.ts";
import type { AppRuntime } from "./revisions.ts";

/** Gives the origin of a request if the app's policy allows it. */
function allowedOrigin(policy: Body | undefined, { headers }: IncomingMessage): string | undefined {
  const { origin } = headers;
  if (!policy || origin === undefined) return undefined;
  const isAllowed = ((policy["allowedOrigins"] ?? []) as string[]).some((each) => matches(each, origin));
  return isAllowed ? origin : undefined;
}

/** Reports whether an origin matches an allowed one, in which `*` stands for any text. */
function matches(allowed: string, origin: string): boolean {
  const expression = allowed.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${expression}$`, "i").test(origin);
}

const policyOf = ({ configuration }: AppRuntime): Body | undefined => configuration["ingress"]?.corsPolicy ?? undefined;

const withCredentials = ({ allowCredentials }: Body): string[] =>
  allowCredentials ? ["access-control-allow-credentials", "true"] : [];

const list = (name: string, values: readonly string[] | undefined): string[] =>
  values?.length ? [name, values.join(",")] : [];

/** Gives the headers of the answer to a preflight; undefined when the request is none, or its origin not allowed. */
export function preflightHeaders(app: AppRuntime, request: IncomingMessage): readonly string[] | undefined {
  const policy = policyOf(app);
  const origin = allowedOrigin(policy, request);
  if (!policy || origin === undefined) return undefined;
  if (request.method !== "OPTIONS" || !request.headers["access-control-request-method"]) return undefined;
  return [
    ...["access-control-allow-origin", origin],
    ...withCredentials(policy),
    ...list("access-control-allow-methods", policy["allowedMethods"]),
    ...list("access-control-allow-headers", policy["allowedHeaders"]),
    ...(policy["maxAge"] == null ? [] : ["access-control-max-age", String(policy["maxAge"])]),
  ];
}

/** Gives the headers that an answer to a request of an allowed origin gets; none for any other. */
export function crossOriginHeaders(app: AppRuntime, request: IncomingMessage): readonly string[] {
  const policy = policyOf(app);
  const origin = allowedOrigin(policy, request);
  if (!policy || origin === undefined) return [];
  return [
    ...["access-control-allow-origin", origin],
    ...withCredentials(policy),
    ...list("access-control-expose-headers", policy["exposeHeaders"]),
  ];
}
