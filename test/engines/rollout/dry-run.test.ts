// Other limits that judge a live rollout beside, without power: what the journal then says, and that nothing else is different.
import { describe, expect, it } from "vitest";
import { checkIntent, defaultLimits, defaultPace } from "../../../engines/rollout/plan.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import { tell } from "../../../engines/rollout/tell.ts";
import type { Limits, RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { healthy, kinds, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import type { Scenario } from "../../support/worlds/scenario.ts";

const lenient: Limits = { ...defaultLimits, oddsTolerated: 4, failurePointsMax: 4 };
/** A canary that fails 2 % where stable fails 0.7 %: too much by default, and tolerated by lenient limits. */
const worse: Scenario = {
  ...healthy,
  limits: lenient,
  shadow: defaultLimits,
  canary: [{ fromMinutes: 0, failedPercent: 2, slowPercent: 0 }],
  stable: [{ fromMinutes: 0, failedPercent: 0.7, slowPercent: 0 }],
};
const shadows = (journal: readonly RolloutEvent[]) => journal.filter((event) => event.kind === "ShadowJudged");
const withoutShadow = (journal: readonly RolloutEvent[]) =>
  journal.filter(({ kind }) => kind !== "ShadowJudged" && kind !== "Planned");

describe("stricter limits in the shadow", () => {
  const { journal, state } = run(worse);

  it("say that they would roll back, with their numbers, and the rollout is promoted all the same", () => {
    expect(state.ending?.result).toBe("promoted");
    expect(shadows(journal).map(tell)).toContainEqual(
      expect.stringMatching(
        /^other limits would roll back: canary fails 1.9 % of [\d,]+ requests where stable fails 0\.\d % .*; evidence 1 : [\d,]+ against, limit 1 : 20$/,
      ),
    );
  });

  it("change no other fact of the journal, and no moment of it", () => {
    const { shadow: _none, ...plain } = worse;
    expect(withoutShadow(journal)).toEqual(withoutShadow(run(plain).journal));
  });

  it("are decided again from the journal, byte for byte", () => expect(replay(journal)).toBeUndefined());

  it("judge a rollout that is tried again from nothing, as the limits in force do", () => {
    const retried: Scenario = {
      ...sick,
      shadow: defaultLimits,
      signals: [{ atMinutes: 50, signal: "retry", by: "ann", reason: "once more" }],
    };
    const again = run(retried).journal;
    const second = again.slice(again.findIndex(({ kind }) => kind === "Signalled"));
    expect(kinds(second)).toContain("ShadowJudged");
  });
});

it("a shadow that says the same at every tick is heard once", () => {
  const { journal } = run({ ...healthy, shadow: defaultLimits });
  expect(shadows(journal).map(({ verdict }) => verdict)).toEqual(["pass"]);
});

it("limits in the shadow that make no sense are refused like any others, and said to be those", () =>
  expect(
    checkIntent({ pace: defaultPace, limits: defaultLimits, shadow: { ...defaultLimits, oddsTolerated: 0 } }),
  ).toEqual([expect.stringMatching(/^Of the limits in the shadow, oddsTolerated is 0/)]));
