// What `ballast doctor` says that a stack costs: by which prices, line by line, and when it says that it does not know.
import { describe, expect, test } from "vitest";
import type { Patient } from "../../../cli/doctor/context.ts";
import { costChecks, estimate, judgeCost } from "../../../cli/doctor/cost.ts";
import { examine, findingJson } from "../../../cli/doctor/finding.ts";

describe("the cost", () => {
  const service = { least: 1, cpu: 0.25, gib: 0.5 };
  const plane = { least: 1, cpu: 0.5, gib: 1 };
  const database = { sku: "Standard_B1ms", zoneRedundant: false };
  const readOn = new Date("2026-11-25");
  const sums = (of: Parameters<typeof estimate>[0]) => {
    const { lines } = estimate(of);
    const total = (which: "idle" | "busy") => lines.reduce((sum, line) => sum + line[which], 0);
    return { idle: total("idle"), busy: total("busy") };
  };
  const stack = { replicas: [service, plane], database, paysRegistry: true };

  test("is what the least replicas, the database and the registry come to, by prices that say where and when", async () => {
    const { idle, busy } = sums(stack);
    // 730 hours of 0.75 vCPU and 1.5 GiB, of a B1ms server with 32 GB, and of a Standard registry.
    const fixed = 0.017 * 730 + 0.115 * 32 + (0.6666 * 730) / 24;
    expect([idle, busy]).toEqual([
      expect.closeTo(fixed + 2_628_000 * 0.00000675, 6),
      expect.closeTo(fixed + 2_628_000 * 0.0000225, 6),
    ]);
    expect(judgeCost(estimate(stack), readOn)).toMatchObject({
      state: "ok",
      text: expect.stringMatching(
        /^estimated 54 to 95 US dollars a month .* eastus2 and westus2 read between 2026-04-30 and 2026-10-05/,
      ),
    });
    const [priced] = await examine(costChecks, { stack: { ...stack, paysNetwork: true } } as unknown as Patient);
    expect(priced).toMatchObject({
      text: expect.stringContaining(
        "traffic, the load balancer, addresses and private zones of the network, the switch",
      ),
    });
    const { lines } = estimate(stack);
    expect(findingJson({ check: "cost", ...judgeCost(estimate(stack), readOn) })).toMatchObject({ lines });
    expect(lines.map(({ what }) => what)).toEqual([
      "0.75 vCPU of replicas",
      "1.5 GiB of replicas",
      "database Standard_B1ms, one server",
      "32 GB of database",
      "registry",
    ]);
    for (const { readOn: day, region, dollars } of lines.flatMap(({ from }) => from))
      expect([Number.isNaN(Date.parse(day)), region.length > 0, dollars > 0]).toEqual([false, true, true]);
  });

  test("grows with replicas and with a standby, and not by a registry that another stack pays", () => {
    const small = sums(stack).idle;
    expect(sums({ ...stack, replicas: [{ ...service, least: 2 }, plane] }).idle - small).toBeCloseTo(
      2_628_000 * 0.00000225,
      6,
    );
    expect(sums({ ...stack, database: { ...database, zoneRedundant: true } }).idle - small).toBeCloseTo(
      0.017 * 730 + 0.115 * 32,
      6,
    );
    expect(small - sums({ ...stack, paysRegistry: false }).idle).toBeCloseTo((0.6666 * 730) / 24, 6);
  });

  test("of a size without a known price is unknown and says what it lacks", () => {
    expect(
      judgeCost(estimate({ ...stack, database: { ...database, sku: "Standard_E64ds_v5" } }), readOn),
    ).toMatchObject({
      state: "unknown",
      text: expect.stringMatching(
        /^without a database of size Standard_E64ds_v5, of which no price is known here: 42 to 83 US dollars/,
      ),
    });
  });

  test("of prices of more than a year ago is unknown, and says how old they are", () => {
    expect(judgeCost(estimate(stack), new Date("2027-04-30")).state).toBe("ok");
    expect(judgeCost(estimate(stack), new Date("2027-05-01"))).toMatchObject({
      state: "unknown",
      text: expect.stringMatching(/^by prices that are up to 366 days old, .* read between 2026-04-30/),
    });
  });
});
