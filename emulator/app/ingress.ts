// The ingress of the environments: it picks a revision by weight or by host name, wakes it if it is at
// zero, and forwards the request to one of its ready replicas. Weights and health are looked up for each
// request, so that a change applies at once.
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Body, Cloud } from "../arm/resource.ts";
import { boundReplica } from "./affinity.ts";
import { listeningPort, runtimeOf } from "./app-runtime.ts";
import { forward, type Passage, requestMilliseconds } from "./forwarding.ts";
import type { Replica } from "./replicas.ts";
import {
  type AppRuntime,
  appHost,
  findRevision,
  type Revision,
  readyReplicas,
  trafficOf,
  zoneOf,
} from "./revisions.ts";
import { mustWake, startScaling, wake } from "./scaling.ts";

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
  return {
    handle(request, response) {
      const host = (request.headers.host ?? "").toLowerCase().replace(/:\d+$/, "");
      const found = findApp(cloud, host);
      if (!found) return false;
      const revision = found.prefix === undefined ? pick(found.app, draw) : byPrefix(found.app, found.prefix);
      void receive({
        cloud,
        agent,
        app: found.app,
        revision,
        request,
        response,
        at: cloud.clock.now(),
        started: performance.now(),
      });
      return true;
    },
    async close() {
      endScaling();
      agent.destroy();
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
    if (!host.startsWith(app.name) || !app.configuration["ingress"]) continue;
    if (host === appHost(app)) return { app, prefix: undefined };
    const zone = zoneOf(app);
    const prefix = host.endsWith(`.${zone}`) ? host.slice(0, -zone.length - 1) : "";
    if (prefix.startsWith(`${app.name}--`)) return { app, prefix };
  }
  return undefined;
}

function byPrefix(app: AppRuntime, prefix: string): Revision | undefined {
  const label = `${app.name}---`;
  return prefix.startsWith(label)
    ? trafficOf(app).find((entry) => entry.label === prefix.slice(label.length))?.revision
    : findRevision(app, prefix);
}

function pick(app: AppRuntime, draw: () => number): Revision | undefined {
  const all = trafficOf(app);
  const ready = app.quirks["names-do-not-wait"]
    ? []
    : all.filter(({ revision, weight }) => weight > 0 && readyReplicas(revision).length > 0);
  const among = ready.length > 0 ? ready : all;
  let left = draw() * among.reduce((sum, { weight }) => sum + weight, 0);
  for (const { revision, weight } of among) {
    left -= weight;
    if (left < 0) return revision;
  }
  return undefined;
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
  forward({ ...passage, revision }, bound?.replica ?? nextReplica(passage.app, revision));
}

const turns = new WeakMap<Revision, number>();

/** Gives the replica whose turn it is; undefined when none can be reached. */
function nextReplica(app: AppRuntime, revision: Revision | undefined): Replica | undefined {
  const ready = readyReplicas(revision);
  if (!revision || ready.length === 0 || !isReachable(app, revision)) return undefined;
  const turn = turns.get(revision) ?? 0;
  turns.set(revision, turn + 1);
  return ready[turn % ready.length];
}

/** Reports whether a revision listens on the target port. A container on another port runs, but gets no request. */
const isReachable = (app: AppRuntime, revision: Revision): boolean => {
  const targetPort = Number(app.configuration["ingress"]?.targetPort ?? 80);
  return (
    !app.quirks["wrong-port-never-healthy"] ||
    listeningPort(revision.template["containers"]?.[0] as Body, targetPort) === targetPort
  );
};

/** Makes a generator of numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
