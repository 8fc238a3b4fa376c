// The rollout as the control plane's callers see it: how it is named, requested, listed and signalled.
import type { AskedRelease } from "../engines/rollout/request.ts";
import type { RolloutSummary, RolloutSummaryJson } from "../engines/rollout/summary.ts";
import type { Ending, PersonalSignal, ReleaseIntent, RolloutEvent, Target } from "../engines/rollout/vocabulary.ts";
import type { StreamCalls, StreamFact, StreamFilter, StreamKind } from "./streams.ts";

export { type RolloutSummary, succeeded } from "../engines/rollout/summary.ts";

/** Names a rollout: an app's release of one revision. */
export interface RolloutName extends Target {
  readonly revision: string;
}

/** The body of a release: the intent without what the path and the token say. */
export type PutIntent = Omit<ReleaseIntent, "target" | "revision" | "purpose" | "requestedBy" | "requestedByName"> &
  Partial<Pick<AskedRelease, "whenInFlight">>;

/** The types of rollouts. */
export interface RolloutTypes {
  readonly part: keyof RolloutName;
  readonly summary: RolloutSummary;
  readonly body: PutIntent;
  readonly filter: keyof Target;
  readonly event: RolloutEvent;
  readonly signal: PersonalSignal;
  readonly end: Ending;
}

/** Selects rollouts for a list. */
export type ListFilter = StreamFilter<RolloutTypes>;

/** One fact of a rollout's journal with its message. */
export type JournalLine = StreamFact<RolloutEvent>;

/** The calls about rollouts. */
export type RolloutCalls = StreamCalls<RolloutTypes>;

/** Rollouts, as callers address them. A summary is also a rollout's name. */
export const rollouts: StreamKind<RolloutTypes> = {
  kind: "rollout",
  plural: "rollouts",
  parts: ["resourceGroup", "app", "revision"],
  required: "target",
  summaryFrom: (json) => {
    const { target, ...rest } = json as RolloutSummaryJson;
    return { ...rest, resourceGroup: target.resourceGroup, app: target.app };
  },
  nameOf: (rollout) => rollout,
};
