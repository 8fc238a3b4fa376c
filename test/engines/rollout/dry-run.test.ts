// Dry-run thresholds judge a live rollout as well but decide nothing: what the journal says of them, and that
// nothing else changes.
import { describe, expect, it } from "vitest";
import { checkIntent, defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import { messageOf } from "../../../engines/rollout/tell.ts";
import type { RolloutEvent, Thresholds } from "../../../engines/rollout/vocabulary.ts";
import { healthy, kinds, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import type { Scenario } from "../../support/worlds/scenario.ts";

const lenient: Thresholds = { ...defaultThresholds, oddsTolerated: 4, failurePointsMax: 8 };
/** A canary that fails 2 % while stable fails 0.7 %: too much for the default thresholds, tolerated by lenient ones. */
const worse: Scenario = {
  ...healthy,
  thresholds: lenient,
  dryRun: defaultThresholds,
  canary: [{ fromMinutes: 0, failedPercent: 2, slowPercent: 0 }],
  stable: [{ fromMinutes: 0, failedPercent: 0.7, slowPercent: 0 }],
};
const dryRuns = (journal: readonly RolloutEvent[]) => journal.filter((event) => event.kind === "DryRunJudged");
const withoutDryRun = (journal: readonly RolloutEvent[]) =>
  journal.filter(({ kind }) => kind !== "DryRunJudged" && kind !== "Planned");

describe("stricter dry-run thresholds", async () => {
  const { journal, state } = await run(worse);

  it("report that they would roll back, with their numbers, and the rollout is promoted all the same", () => {
    expect(state.ending?.result).toBe("promoted");
    expect(dryRuns(journal).map(messageOf)).toContainEqual(
      expect.stringMatching(
        new RegExp(
          "^dry-run thresholds would roll back: canary fails .* \\(1\\.9 %\\), stable .* \\(0\\.\\d %\\) .*; " +
            "evidence [\\d,]+ : 1 against canary, rolls back at 20 : 1$",
        ),
      ),
    );
  });

  it("change no other fact of the journal, and no moment of it", async () => {
    const { dryRun: _none, ...plain } = worse;
    expect(withoutDryRun(journal)).toEqual(withoutDryRun((await run(plain)).journal));
  });

  it("are decided again from the journal, byte for byte", () => expect(replay(journal)).toBeUndefined());

  it("begin without evidence in a retry, as the thresholds in force do", async () => {
    const retried: Scenario = {
      ...sick,
      dryRun: defaultThresholds,
      signals: [{ atMinutes: 50, signal: "retry", by: "ann", message: "once more" }],
    };
    const again = (await run(retried)).journal;
    const second = again.slice(again.findIndex(({ kind }) => kind === "Signalled"));
    expect(kinds(second)).toContain("DryRunJudged");
  });
});

it("a dry run with the same verdict at every interval reports it once", async () => {
  const { journal } = await run({ ...healthy, dryRun: defaultThresholds });
  expect(dryRuns(journal).map(({ verdict }) => verdict)).toEqual(["pass"]);
});

it("invalid dry-run thresholds are refused, and named as such", () =>
  expect(
    checkIntent({
      strategy: defaultStrategy,
      thresholds: defaultThresholds,
      dryRun: { ...defaultThresholds, oddsTolerated: 0 },
    }),
  ).toEqual([expect.stringMatching(/^In the dry-run thresholds, oddsTolerated is 0/)]));
