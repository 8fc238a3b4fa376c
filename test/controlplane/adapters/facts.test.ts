// The stored form of a fact: which shapes are refused, and that unknown fields are ignored.

import { describe, expect, it } from "vitest";
import { parseFact } from "../../../controlplane/adapters/postgres/facts.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

describe("a fact", () => {
  const stored = (event: unknown) => ({
    stream: "rollout/rg/web/r",
    index: 7,
    event,
    process: "p",
    epoch: 1,
    hash: "h",
  });

  it.each<[unknown, string]>([
    [null, "fact must be an object"],
    ["Waited", "fact must be an object"],
    [{ kind: "Waited" }, "fact.at is missing"],
    [{ kind: "toString", at: 1 }, "fact.kind must be Planned, "],
    [{ kind: "Finished", at: 1, result: "won", message: "" }, "Finished.result must be promoted, "],
    [
      { kind: "TrafficRead", at: 1, weights: [{ revision: "a", percent: "5" }] },
      "TrafficRead.weights[0].percent must be a number",
    ],
    [{ kind: "Measured", at: 1, to: 2, buckets: {} }, "Measured.buckets must be a list"],
    [{ kind: "Started", at: 1, activate: true }, "Started.stable is missing"],
  ])("is refused as %j", (event, why) => {
    expect(() => parseFact(stored(event), rollouts)).toThrowError(
      expect.objectContaining({ id: "journal-fact-unknown", message: expect.stringContaining(why) }),
    );
  });

  it("may have unknown fields, which are ignored", () => {
    expect(
      parseFact(
        stored({
          kind: "TrafficRead",
          at: 1,
          weights: [{ revision: "a", percent: 100, label: "stable" }],
          mood: "good",
        }),
        rollouts,
      ).event,
    ).toEqual({ kind: "TrafficRead", at: 1, weights: [{ revision: "a", percent: 100 }] });
  });
});
