// The limits of health probes at preview: what is refused there is what Azure refuses, and nothing else.
import fc from "fast-check";
import { expect, test } from "vitest";
import { probeComplaints } from "../../components/canary-app/probe-limits.ts";
import { checkContainers } from "../../emulator/app/contract/containers.ts";

const scope = { app: "shop", secrets: new Set<string>(), volumes: new Set<string>(), cpuMax: 4 };
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
const probe = fc.record(
  {
    type: fc.constantFrom("Startup", "Readiness", "Liveness"),
    tcpSocket: fc.constant({ port: 8080 }),
    initialDelaySeconds: near(0, 60),
    periodSeconds: near(1, 240),
    timeoutSeconds: near(1, 240),
    successThreshold: near(1, 10),
    failureThreshold: near(1, 30, 48, 240),
    terminationGracePeriodSeconds: near(0, 3600),
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
        { name: "web", probes: [{ type: "Liveness", failureThreshold: 31 }, { type: "liveness" }] },
        { name: "proxy", probes: [{ type: "Readiness", terminationGracePeriodSeconds: 5, periodSeconds: 0 }] },
      ],
    }),
  ).toEqual([
    "container web has two liveness probes",
    "failureThreshold of the Liveness probe of container web is 31, and must be 1 to 30",
    "periodSeconds of the Readiness probe of container proxy is 0, and must be 1 to 240",
    "the Readiness probe of container proxy cannot have terminationGracePeriodSeconds",
  ]));
