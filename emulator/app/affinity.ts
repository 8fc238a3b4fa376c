// Session affinity: the cookie that binds a client to a replica, and when the platform honours it.
import type { IncomingMessage } from "node:http";
import type { Replica } from "./replicas.ts";
import { type AppRuntime, isSingle, type Revision, readyReplicas, trafficOf } from "./revisions.ts";

const cookieName = "acaAffinity";

/** Reports whether an app binds its clients to replicas. */
const isSticky = (app: AppRuntime): boolean =>
  String(app.configuration["ingress"]?.stickySessions?.affinity).toLowerCase() === "sticky" &&
  (isSingle(app) || !app.quirks["affinity-in-single-only"]);

/** Gives the headers that bind a client to a replica; none when the app has no affinity. */
export const bindingHeaders = (app: AppRuntime, replica: Replica): readonly string[] =>
  isSticky(app) ? ["set-cookie", `${cookieName}="${replica.name}"; Path=/; HttpOnly`] : [];

/**
 * Gives the replica that a client's cookie names; undefined without a cookie, or when that replica no longer serves.
 */
export function boundReplica(
  app: AppRuntime,
  request: IncomingMessage,
): { readonly revision: Revision; readonly replica: Replica } | undefined {
  const [, name] = new RegExp(`(?:^|; *)${cookieName}="?([^;"]+)`).exec(request.headers.cookie ?? "") ?? [];
  if (name === undefined || !isSticky(app)) return undefined;
  for (const { revision, weight } of trafficOf(app)) {
    const replica = weight > 0 ? readyReplicas(revision).find((each) => each.name === name) : undefined;
    if (revision && replica) return { revision, replica };
  }
  return undefined;
}
