// The health probes of a container as the platform runs them: startup first, then readiness and liveness together.
// Numbers that the template leaves out are Azure's defaults.
import http from "node:http";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Body } from "../arm/resource.ts";

/** One probe with all its numbers. */
export interface Probe {
  /** Undefined for a TCP probe. */
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The port inside of the replica. */
  readonly port: number;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** The probes of a container; undefined for a type that it does not have. */
export interface ProbePlan {
  readonly startup: Probe | undefined;
  readonly readiness: Probe | undefined;
  readonly liveness: Probe | undefined;
}

type Numbers = Pick<
  Probe,
  "initialDelaySeconds" | "periodSeconds" | "timeoutSeconds" | "successThreshold" | "failureThreshold"
>;

// The defaults of a probe in the template: Kubernetes' own, which Container Apps keeps.
const given: Numbers = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};
// The probes that Container Apps adds for each type that the template leaves out, as TCP on
// the target port, while ingress is enabled.
const added: Record<keyof ProbePlan, Numbers> = {
  startup: { initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 240 },
  readiness: { initialDelaySeconds: 3, periodSeconds: 5, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 48 },
  liveness: given,
};

/**
 * Reads the probes of a container. `targetPort` is undefined for a container that gets no added probes: one of an app
 * without ingress, or one beside the container that the ingress reaches. With `forcedPort` every probe uses that port.
 */
export function planProbes(container: Body, targetPort: number | undefined, forcedPort: number | undefined): ProbePlan {
  const find = (type: keyof ProbePlan): Probe | undefined => {
    const probe = ((container["probes"] ?? []) as Body[]).find((each) => String(each["type"]).toLowerCase() === type);
    if (!probe)
      return targetPort === undefined
        ? undefined
        : { path: undefined, headers: {}, port: forcedPort ?? targetPort, ...added[type] };
    const where: Body = probe["httpGet"] ?? probe["tcpSocket"] ?? {};
    const numbers = Object.fromEntries(
      Object.keys(given).flatMap((name) => (probe[name] == null ? [] : [[name, Number(probe[name])]])),
    );
    return {
      path: probe["httpGet"] ? (where["path"] ?? "/") : undefined,
      headers: Object.fromEntries(
        ((where["httpHeaders"] ?? []) as Body[]).map((header) => [header["name"], header["value"]]),
      ),
      port: forcedPort ?? Number(where["port"] ?? targetPort),
      ...given,
      ...numbers,
    };
  };
  return { startup: find("startup"), readiness: find("readiness"), liveness: find("liveness") };
}

/** Probes once. An HTTP status from 200 to 399 or a TCP connection within the timeout is a success. */
function probeOnce(probe: Probe, port: number | undefined): Promise<boolean> {
  if (port === undefined) return Promise.resolve(false);
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

/** Hears of a watched container. */
export interface ProbeListener {
  readonly ready: (ready: boolean) => void;
  /** Called when the container must be restarted; the watch ends with it. */
  readonly failed: (reason: string) => void;
}

// A container needs a moment before it can listen; an earlier probe would waste a whole period.
const firstProbeSeconds = 0.2;

/** Watches a container until `signal` aborts. `ports` are those of this machine, by the ports inside of the replica. */
export async function watchContainer(
  plan: ProbePlan,
  ports: ReadonlyMap<number, number>,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  const repeat = async (probe: Probe, counted: (good: boolean, inRow: number) => boolean): Promise<void> => {
    let last: boolean | undefined;
    let inRow = 0;
    const least = probe === plan.startup ? firstProbeSeconds : 0;
    await pause(Math.max(probe.initialDelaySeconds, least) * 1000, undefined, { signal });
    for (;;) {
      // No request can have a path or a header that HTTP has not: such a probe fails.
      const good = await probeOnce(probe, ports.get(probe.port)).catch(() => false);
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
      await repeat(startup, (good, inRow) => {
        if (!good) return inRow < startup.failureThreshold || restart("startup", startup);
        started = inRow >= startup.successThreshold;
        return !started;
      });
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
