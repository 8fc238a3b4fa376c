// GET /rollouts: the rollouts of all apps, or of one, or only those in flight, newest first.

import { targetOf } from "../../../engines/rollout/names.ts";
import type { RolloutSummaryJson } from "../../../engines/rollout/summary.ts";
import { callMalformed } from "../../../errors/api.ts";
import { BallastError } from "../../../errors/catalogue.ts";
import type { Journal } from "../../runtime/ports.ts";
import { type Answer, answer, errorBody, refuse } from "../call.ts";
import { filterForm, readQuery } from "../read-address.ts";
import { summaryOf } from "./summary.ts";

/** The most rollouts of one answer. Older ones can be listed by app. */
const rolloutsMax = 100;

/** A rollout whose journal cannot be read, with the error. */
interface Unreadable {
  readonly id: string;
  readonly error: ReturnType<typeof errorBody>;
}

/** Lists rollouts. One with a broken journal is listed apart, so that it does not hide the others. */
export const listRollouts: Answer = async ({ query }, { journal }) => {
  const asked = readQuery(filterForm, query);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const isAsked = (stream: string): boolean => {
    const target = targetOf(stream);
    return (
      target !== undefined &&
      (["resourceGroup", "app"] as const).every(
        (name) => (asked.value[name] ?? target[name]).toLowerCase() === target[name].toLowerCase(),
      )
    );
  };
  const streams = (await journal.streams({ unfinished: asked.value.inFlight === "true" }))
    .filter(isAsked)
    .slice(0, rolloutsMax);
  const found = await Promise.all(streams.map((stream) => read(stream, journal)));
  return answer(200, {
    rollouts: found.filter((one) => one !== undefined && !("error" in one)),
    unreadable: found.filter((one) => one !== undefined && "error" in one),
  });
};

async function read(stream: string, journal: Journal): Promise<RolloutSummaryJson | Unreadable | undefined> {
  try {
    return summaryOf(stream, await journal.read(stream));
  } catch (thrown) {
    if (
      thrown instanceof BallastError &&
      (thrown.id === "journal-fact-unknown" || thrown.id === "journal-chain-broken")
    )
      return { id: stream, error: errorBody(thrown) };
    throw thrown;
  }
}
