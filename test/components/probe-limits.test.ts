// The limits of health probes at preview: what is refused there is what Azure refuses, and nothing else.
import fc from "fast-check";
import { expect, test } from "vitest";
import { hole } from "../../components/canary-app/known-parts.ts";
import { probeComplaints } from "../../components/canary-app/probe-limits.ts";
import { checkContainers } from "../../emulator/app/contract/containers.ts";

const scope = { app: "shop", secrets: new Set<string>(), volumes: new Set<string>(), cpuMax: 4 };
const tcpSocket = { port: 8080 };
const refuses = (probes: readonly object[]): boolean => {
  try {
    checkContainers({ containers: [{ name: "web", image: "web:1", probes }] }, scope);
    return false;
  } catch {
    return true;
  }
};
const near = (...bounds: readonly number[]) =>
  fc.option(fc.constantFrom(...bounds.flatMap((bound) => [bound - 1, bound, bound + 1])), { nil: undefined });
/** Mostly what Azure takes, so that each other thing is also seen alone. */
const usually =
  (...good: readonly unknown[]) =>
  (...others: readonly unknown[]) =>
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...good) }, fc.constantFrom(...others));
const probe = fc.record(
  {
    type: usually("Startup", "Readiness", "Liveness")("Ready", undefined),
    initialDelaySeconds: near(0, 60),
    periodSeconds: near(1, 240),
    timeoutSeconds: near(1, 240),
    successThreshold: near(1, 10),
    failureThreshold: near(1, 30, 48, 240),
    terminationGracePeriodSeconds: near(0, 3600),
    tcpSocket: usually({ port: 8080 })({ port: "http" }, { port: 0 }, { port: 65_536 }, { port: 80.5 }, {}, undefined),
    httpGet: usually(undefined)(
      { port: 1 },
      { port: 80, httpHeaders: [{ name: "Host", value: "a" }, { name: "a b" }] },
    ),
  },
  { requiredKeys: ["type", "tcpSocket"] },
);

test("they are Azure's, for any probes", () => {
  fc.assert(
    fc.property(fc.array(probe, { maxLength: 3 }), (probes) => {
      const given = JSON.parse(JSON.stringify(probes)) as readonly object[];
      const complaints = probeComplaints({ containers: [{ name: "web", probes: given }] });
      expect(complaints.length > 0).toBe(refuses(given));
    }),
    { numRuns: 500 },
  );
});

test("each complaint names the field, the probe, the container and the range", () =>
  expect(
    probeComplaints({
      containers: [
        {
          name: "web",
          probes: [
            { type: "Liveness", tcpSocket, failureThreshold: 31 },
            { type: "liveness", tcpSocket },
          ],
        },
        {
          name: "proxy",
          probes: [{ type: "Readiness", tcpSocket, terminationGracePeriodSeconds: 5, periodSeconds: 0 }],
        },
        {
          name: "log",
          probes: [
            { type: "Startup", httpGet: { port: "http", httpHeaders: [{ name: "a b", value: "hunter2" }] } },
            { type: "Readiness" },
            { tcpSocket },
          ],
        },
      ],
    }),
  ).toEqual([
    "container web has two liveness probes",
    "failureThreshold of the Liveness probe of container web is 31, and must be 1 to 30",
    "periodSeconds of the Readiness probe of container proxy is 0, and must be 1 to 240",
    "the Readiness probe of container proxy cannot have terminationGracePeriodSeconds",
    "port of the Startup probe of container log is http, and must be 1 to 65535",
    "the Startup probe of container log has the header a b, which HTTP has not",
    "the Readiness probe of container log needs either httpGet or tcpSocket",
    "the untyped probe of container log must be of type Startup, Readiness or Liveness",
  ]));

test("what a preview does not know yet is no complaint", () =>
  expect(
    probeComplaints({
      containers: [
        {
          name: "web",
          probes: [
            { type: hole, periodSeconds: hole, httpGet: { port: hole, httpHeaders: [{ name: hole }] } },
            { type: "Startup", tcpSocket: hole },
            hole,
          ],
        },
        hole,
      ],
    }),
  ).toEqual([]));
