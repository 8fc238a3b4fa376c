// The health probes of a container as the platform runs them: startup first, then readiness and liveness side by side.
// Numbers absent from the template are Azure's defaults. Knows a container only by the loopback port it listens on.
import http from "node:http";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Body } from "../arm/resource.ts";

export interface Probe {
  /** Undefined for a TCP probe. */
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** False where the probe names another port than the container listens on; nobody ever answers there. */
  readonly reachable: boolean;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export interface ProbePlan {
  readonly startup: Probe | undefined;
  readonly readiness: Probe | undefined;
  readonly liveness: Probe | undefined;
}

type Numbers = Pick<
  Probe,
  "initialDelaySeconds" | "periodSeconds" | "timeoutSeconds" | "successThreshold" | "failureThreshold"
>;

// What a probe has that names no numbers of its own (Kubernetes' defaults, which Container Apps passes through).
const given: Numbers = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};
// What Container Apps adds, as TCP on the target port, for each type that the template leaves out while ingress is on.
const added: Record<keyof ProbePlan, Numbers> = {
  startup: { initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 240 },
  readiness: { initialDelaySeconds: 3, periodSeconds: 5, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 48 },
  liveness: given,
};

/**
 * Reads the probes of a container; `targetPort` is undefined where the app has no ingress, and then nothing is added.
 *
 * `listens` is the port that the program listens on in its container; undefined where the ports are not to be looked at.
 */
export function planProbes(container: Body, targetPort: number | undefined, listens: number | undefined): ProbePlan {
  const find = (type: keyof ProbePlan): Probe | undefined => {
    const probe = ((container["probes"] ?? []) as Body[]).find((each) => String(each["type"]).toLowerCase() === type);
    if (!probe)
      return targetPort === undefined
        ? undefined
        : { path: undefined, headers: {}, reachable: listens === undefined || listens === targetPort, ...added[type] };
    const where: Body = probe["httpGet"] ?? probe["tcpSocket"] ?? {};
    const numbers = Object.fromEntries(
      Object.keys(given).flatMap((name) => (probe[name] == null ? [] : [[name, Number(probe[name])]])),
    );
    return {
      path: probe["httpGet"] ? (where["path"] ?? "/") : undefined,
      headers: Object.fromEntries(
        ((where["httpHeaders"] ?? []) as Body[]).map((header) => [header["name"], header["value"]]),
      ),
      reachable: listens === undefined || Number(where["port"] ?? targetPort) === listens,
      ...given,
      ...numbers,
    };
  };
  return { startup: find("startup"), readiness: find("readiness"), liveness: find("liveness") };
}

/** Asks once. An HTTP answer from 200 to 399 is good, as is a TCP connection; silence within the timeout is not. */
function probeOnce(probe: Probe, port: number): Promise<boolean> {
  if (!probe.reachable) return Promise.resolve(false);
  const timeout = probe.timeoutSeconds * 1000;
  return new Promise((resolve) => {
    if (probe.path === undefined) {
      const socket = net.connect({ host: "127.0.0.1", port, timeout });
      const settle = (good: boolean) => {
        socket.destroy();
        resolve(good);
      };
      socket
        .on("connect", () => settle(true))
        .on("timeout", () => settle(false))
        .on("error", () => settle(false));
      return;
    }
    const request = http.get({
      host: "127.0.0.1",
      port,
      path: probe.path,
      headers: { "user-agent": "kube-probe/1.31", ...probe.headers },
      agent: false,
      signal: AbortSignal.timeout(timeout),
    });
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 400);
    });
    request.on("error", () => resolve(false));
  });
}

/** What is told of a container while it is watched. */
export interface ProbeListener {
  readonly ready: (ready: boolean) => void;
  /** The container must be started anew; nothing more is told afterwards. */
  readonly failed: (reason: string) => void;
}

// A container needs a moment before it can listen at all; asking sooner would waste a whole period.
const firstAskSeconds = 0.2;

/** Watches a container until `signal` aborts. */
export async function watchContainer(
  plan: ProbePlan,
  port: number,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  const repeat = async (probe: Probe, counted: (good: boolean, inRow: number) => boolean): Promise<void> => {
    let last: boolean | undefined;
    let inRow = 0;
    await pause(Math.max(probe.initialDelaySeconds, probe === plan.startup ? firstAskSeconds : 0) * 1000, undefined, {
      signal,
    });
    for (;;) {
      const good = await probeOnce(probe, port);
      if (signal.aborted) return;
      inRow = good === last ? inRow + 1 : 1;
      last = good;
      if (!counted(good, inRow)) return;
      await pause(probe.periodSeconds * 1000, undefined, { signal });
    }
  };
  const restart = (which: string, probe: Probe): false => {
    listener.failed(`${which} probe failed ${probe.failureThreshold} times in a row`);
    return false;
  };
  const { startup, readiness, liveness } = plan;
  try {
    let started = !startup;
    if (startup)
      await repeat(startup, (good, inRow) =>
        good
          ? !(started = inRow >= startup.successThreshold)
          : inRow < startup.failureThreshold || restart("startup", startup),
      );
    if (!started) return;
    if (!readiness) listener.ready(true);
    await Promise.all([
      readiness &&
        repeat(readiness, (good, inRow) => {
          if (inRow === (good ? readiness.successThreshold : readiness.failureThreshold)) listener.ready(good);
          return true;
        }),
      liveness &&
        repeat(liveness, (good, inRow) => good || inRow < liveness.failureThreshold || restart("liveness", liveness)),
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
