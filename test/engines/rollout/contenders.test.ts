// Another release of the same app while a rollout is in flight: its revision is read and, if refused, deactivated. Both
// calls follow Azure's Retry-After, and neither stops the rollout for good.
import { describe, expect, it } from "vitest";
import { contend, refuseContender } from "../../../engines/rollout/contenders.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutObservation, RolloutState } from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import { hear, stateIn } from "../../support/worlds/meddling.ts";

const calls = {
  Inspect: (state: RolloutState) => contend(state, "storefront--3", "bea"),
  Deactivate: (state: RolloutState) => refuseContender(contend(state, "storefront--3", "bea"), true),
} as const;

const throttled = (of: "Inspect" | "Deactivate", at: number, retryAfterSeconds?: number) =>
  ({
    kind: "Outcome",
    of,
    at,
    found: { ok: false, reason: "429", ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
  }) as RolloutObservation;

describe.each(["Inspect", "Deactivate"] as const)("the %s of another release's revision", (of) => {
  it("is tried again when Azure asked for it and not before, and the canary is watched meanwhile", async () => {
    const state = calls[of](await stateIn("baking"));
    expect(rollout.react(state)).toMatchObject({ kind: of });
    const failed = hear(state, throttled(of, state.now, 120));
    expect(rollout.react(failed)).toEqual(rollout.react(await stateIn("baking")));
    expect(rollout.react({ ...failed, now: after(state.now, 119) })).not.toMatchObject({ kind: of });
    expect(rollout.react({ ...failed, now: after(state.now, 120) })).toMatchObject({ kind: of });
    // Nothing else is due before the answer.
    const idle = {
      ...failed,
      probedAt: after(state.now, 90),
      readAt: after(state.now, 90),
      measuredAt: after(state.now, 90),
    };
    expect(rollout.react({ ...idle, now: after(state.now, 90) })).toEqual({
      kind: "Wait",
      until: after(state.now, 120),
    });
  });

  it("is tried again after a second if Azure asked for nothing, in a pause too", async () => {
    const state = { ...calls[of](await stateIn("shifting")), step: 0, paused: true };
    expect(rollout.react(hear(state, throttled(of, state.now)))).toEqual({ kind: "Wait", until: after(state.now, 1) });
  });

  it("waits no longer than 15 minutes, whatever Azure asks for, and is given up after five failures", async () => {
    let state = calls[of](await stateIn("baking"));
    for (let failures = 1; failures <= 5; failures++) {
      expect(rollout.react(state)).toMatchObject({ kind: of });
      state = hear(state, throttled(of, state.now, 86_400));
      const [waiting] = state.contenders;
      expect(rollout.react({ ...state, now: after(state.now, 899) })).not.toMatchObject({ kind: of });
      expect((waiting?.retryAt ?? 0) - state.now).toBeLessThanOrEqual(900_000);
      state = { ...state, now: after(state.now, 900) };
    }
    expect(state.contenders).toEqual([]);
    expect(rollout.react(state)).not.toMatchObject({ kind: of });
  });
});
