// Facts → what people outside are told of them. Which facts are worth it is decided here, once, for every channel; where it goes and in which
// form is not known. A notice says nothing that the journal does not.
import type { Instant } from "../time.ts";
import { evolve, initial } from "./evolve.ts";
import { tell } from "./tell.ts";
import type { RolloutEvent, RolloutResult, Target } from "./vocabulary.ts";

/** What a notice is about: a beginning, a hold, a step, or an end by its result. */
export type NoticeKind = "started" | "held" | "step-reached" | RolloutResult;

/** One fact as it is told outside. */
export interface Notice {
  /** The same whenever and however often this fact is told, so that whoever gets it twice can tell. */
  readonly id: string;
  /** Which fact of the stream it is. */
  readonly index: number;
  readonly kind: NoticeKind;
  readonly at: Instant;
  readonly target: Target;
  readonly revision: string;
  readonly release: string;
  readonly sentence: string;
}

/**
 * Gives the notices of a journal from one fact on, in order.
 *
 * A step that is reached again after its weights were put right is no news, nor is the look back after the end.
 */
export function noticesOf(stream: string, events: readonly RolloutEvent[], from: number): readonly Notice[] {
  const notices: Notice[] = [];
  let state = initial;
  let lastPercent = 0;
  for (const [index, event] of events.entries()) {
    const isNews = event.kind !== "StepReached" || (state.ending === undefined && event.percent !== lastPercent);
    const kind = isNews ? kindOf(event) : undefined;
    state = evolve(state, event);
    if (event.kind === "StepReached") lastPercent = event.percent;
    if (event.kind === "Started") lastPercent = 0;
    if (index < from || kind === undefined || state.intent === undefined) continue;
    const { target, revision, release } = state.intent;
    notices.push({
      id: `${stream}#${index}`,
      index,
      kind,
      at: event.at,
      target,
      revision,
      release,
      sentence: tell(event),
    });
  }
  return notices;
}

function kindOf(event: RolloutEvent): NoticeKind | undefined {
  switch (event.kind) {
    case "Started":
      return "started";
    case "Held":
      return "held";
    case "StepReached":
      return "step-reached";
    case "Finished":
      return event.result;
    default:
      return undefined;
  }
}
