// The ingress of the environments: it finds the app of a host name, refuses callers that the app does not admit, picks
// a revision by weight or by name, wakes it if it is at zero, and forwards the request to one of its ready replicas.
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Body, Cloud } from "../arm/resource.ts";
import { admitsAddress, lacksCertificate } from "./admission.ts";
import { boundReplica } from "./affinity.ts";
import { runtimeOf } from "./app-runtime.ts";
import { preflightHeaders } from "./cors.ts";
import { answerDirectly, forward, type Passage, requestMilliseconds } from "./forwarding.ts";
import { type AppRuntime, appHost, zoneOf } from "./revisions.ts";
import { nextReplica, pickRevision, randomFrom, revisionByPrefix } from "./routing.ts";
import { mustWake, startScaling, wake } from "./scaling.ts";
import { closePorts, keepPortsOpen } from "./tcp-ports.ts";

/** The ingress of one cloud. */
export interface Ingress {
  /** Serves a request whose Host is an app's or a revision's; false leaves it to the caller. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Breaks off the requests in progress and ends every replica. */
  readonly close: () => Promise<void>;
}

/** Starts the ingress of a cloud. The choice by weight uses a fixed seed, so that it is the same in every run. */
export function ingress(cloud: Cloud): Ingress {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });
  const draw = randomFrom(1);
  const endScaling = startScaling(cloud);
  const endPorts = keepPortsOpen(cloud);
  return {
    handle(request, response) {
      const host = (request.headers.host ?? "").toLowerCase().replace(/:\d+$/, "");
      const found = findApp(cloud, host);
      if (!found) return false;
      const { app, prefix } = found;
      // The proxy ends the handshake when a required certificate is missing, so there is no answer and no row.
      if (lacksCertificate(app, request)) {
        request.socket.destroy();
        return true;
      }
      const arrived = { cloud, agent, app, request, response, at: cloud.clock.now(), started: performance.now() };
      if (!admits({ ...arrived, revision: undefined })) return true;
      void receive({
        ...arrived,
        revision: prefix === undefined ? pickRevision(app, draw) : revisionByPrefix(app, prefix),
      });
      return true;
    },
    async close() {
      endScaling();
      endPorts();
      agent.destroy();
      for (const app of runtimeOf(cloud).apps.values()) closePorts(app);
      await runtimeOf(cloud).close();
    },
  };
}

/** Finds the app of a host name: the app's own, `<app>--<suffix>` of a revision, or `<app>---<label>`. */
function findApp(
  cloud: Cloud,
  host: string,
): { readonly app: AppRuntime; readonly prefix: string | undefined } | undefined {
  for (const app of runtimeOf(cloud).apps.values()) {
    const { ingress: settings } = app.configuration;
    if (!settings || String(settings.transport).toLowerCase() === "tcp") continue;
    if (isBound(settings, host)) return { app, prefix: undefined };
    if (!host.startsWith(app.name)) continue;
    if (host === appHost(app)) return { app, prefix: undefined };
    const zone = zoneOf(app);
    const prefix = host.endsWith(`.${zone}`) ? host.slice(0, -zone.length - 1) : "";
    if (prefix.startsWith(`${app.name}--`)) return { app, prefix };
  }
  return undefined;
}

/** Reports whether a host is a custom domain that is bound to a certificate. One that is not has no HTTPS on Azure. */
const isBound = ({ customDomains }: Body, host: string): boolean =>
  ((customDomains ?? []) as Body[]).some(
    ({ name, bindingType }) =>
      String(name).toLowerCase() === host && ["snienabled", "auto"].includes(String(bindingType).toLowerCase()),
  );

/** Answers for the proxy a caller that the app does not admit, and a preflight. Gives false when it has answered. */
function admits(passage: Passage): boolean {
  const { app, request } = passage;
  if (!admitsAddress(app, request.socket)) {
    const details = "rbac_access_denied_matched_policy[none]";
    answerDirectly(passage, { status: 403, details, flags: "-", text: "RBAC: access denied" });
    return false;
  }
  const preflight = preflightHeaders(app, request);
  if (!preflight) return true;
  answerDirectly(passage, { status: 200, details: "direct_response", flags: "-", text: "", headers: preflight });
  return false;
}

/**
 * Passes a request on, after waking its revision if that is at zero: the platform
 * holds the request until a replica is ready.
 */
async function receive(passage: Passage): Promise<void> {
  const bound = boundReplica(passage.app, passage.request);
  const revision = bound?.revision ?? passage.revision;
  if (mustWake(revision)) {
    const gone = new AbortController();
    passage.response.once("close", () => gone.abort());
    await wake(
      passage.cloud,
      passage.app,
      revision,
      AbortSignal.any([gone.signal, AbortSignal.timeout(requestMilliseconds)]),
    );
  }
  forward({ ...passage, revision }, bound?.replica ?? nextReplica(revision));
}
