// What a rollout in flight does about another release of its app. It reads the other revision once. If that one has
// stable's template, the program takes the canary back: the rollout aborts, and nothing needs a judgement. Otherwise
// the other release is refused, and its revision is deactivated, so that a refused update leaves nothing running.
import { after } from "../time.ts";
import { senderOf } from "../wording.ts";
import type { AppView, Phase, RolloutDecision, RolloutState } from "./vocabulary.ts";
import { sameName, shareOf } from "./weights.ts";

/** After this many failures in a row the other revision is left as it is, and the rollout goes on. */
const attemptsMax = 5;

/** In these phases it is known who is stable, and nothing is being put back. */
const phases: readonly Phase[] = ["opening", "activating", "smoking", "shifting", "verifying", "baking"];

/** Gives the effect that another release needs next; undefined if there is none to answer, or not now. */
export function contenderEffect({ phase, ending, contenders }: RolloutState): "Inspect" | "Deactivate" | undefined {
  const [first] = contenders;
  if (first === undefined || ending !== undefined || !phases.includes(phase)) return undefined;
  return first.refused ? "Deactivate" : "Inspect";
}

/** Adds another release to those that await an answer. */
export const contend = (state: RolloutState, revision: string, by: string, byName?: string): RolloutState => ({
  ...state,
  contenders: [
    ...state.contenders,
    { revision, by, ...(byName === undefined ? {} : { byName }), refused: false, failures: 0, retryAt: 0 },
  ],
});

/** Reports whether the release of a revision has been refused, or is about to be answered. */
export const answerTo = (
  { contenders, refused }: RolloutState,
  revision: string,
): "refused" | "pending" | undefined => {
  if (refused.some((name) => sameName(name, revision))) return "refused";
  return contenders.some((each) => sameName(each.revision, revision)) ? "pending" : undefined;
};

/** Refuses the first of the other releases. Its revision must still be deactivated, or there is nothing left to do. */
export const refuseContender = (state: RolloutState, deactivate: boolean): RolloutState => {
  const [first, ...others] = state.contenders;
  if (first === undefined) return state;
  return deactivate
    ? { ...state, contenders: [{ ...first, refused: true, failures: 0, retryAt: 0 }, ...others] }
    : { ...state, contenders: others, refused: [...state.refused, first.revision] };
};

/**
 * Counts a failed attempt to read or to deactivate the other revision. The next one is a second later, or as asked.
 * What Azure asks for may be minutes, so only this answer waits then: the canary is probed and judged meanwhile.
 */
export const failContender = (state: RolloutState, askedSeconds?: number): RolloutState => {
  const [first, ...others] = state.contenders;
  if (first === undefined) return state;
  const failed = { ...first, failures: first.failures + 1 };
  return askedSeconds === undefined
    ? { ...state, retryAt: after(state.now, 1), contenders: [failed, ...others] }
    : { ...state, contenders: [{ ...failed, retryAt: after(state.now, askedSeconds) }, ...others] };
};

/** Concludes from the app as inspected: the other release takes the canary back, or it is refused. */
export function concludeContender(state: RolloutState, { revisions, weights }: AppView): readonly RolloutDecision[] {
  const [contender] = state.contenders;
  if (contender === undefined) return [];
  const { revision, by } = contender;
  const templateOf = (name: string) => revisions.find((each) => sameName(each.name, name))?.templateHash;
  const stable = state.stable === null ? undefined : templateOf(state.stable);
  if (stable !== undefined && templateOf(revision) === stable)
    return [
      {
        kind: "Aborted",
        reason: "reverted",
        message: `taken back by ${senderOf(contender)}: the next release has the template of stable`,
        by,
      },
    ];
  const found = revisions.find(({ name }) => sameName(name, revision));
  const isIdle = found?.active === true && (shareOf(weights, revision) ?? 0) === 0;
  return [
    {
      kind: "ReleaseRefused",
      revision,
      deactivate: isIdle && !sameName(revision, state.intent!.revision),
      message: `another release, requested by ${senderOf(contender)}, is refused while this one is in flight`,
    },
  ];
}

/** Gives up on another revision that can be neither read nor deactivated; an empty list means another try. */
export function giveUpContender({ contenders: [contender] }: RolloutState, reason: string): readonly RolloutDecision[] {
  return contender === undefined || contender.failures < attemptsMax
    ? []
    : [
        {
          kind: "ReleaseRefused",
          revision: contender.revision,
          deactivate: false,
          message:
            `another release, requested by ${senderOf(contender)}, is refused; ` +
            `its revision stays as it is: ${reason}`,
        },
      ];
}
