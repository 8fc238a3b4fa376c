// GET /rollouts: the rollouts of all apps, or of one, or only what is in flight, newest first.

import { targetOf } from "../../../engines/rollout/names.ts";
import { callMalformed } from "../../../errors/api.ts";
import { BallastError } from "../../../errors/catalogue.ts";
import type { Journal } from "../../runtime/ports.ts";
import { type Answer, answer, errorBody, refuse } from "../call.ts";
import { filterForm, readQuery } from "../read-address.ts";
import { type Shown, shown } from "./summary.ts";

/** The most that one answer shows; older ones are found by the app. */
const shownMax = 100;

/** A rollout whose journal cannot be read, and why. */
interface Unreadable {
  readonly id: string;
  readonly error: ReturnType<typeof errorBody>;
}

/** Lists rollouts at a glance. One whose journal is broken is named beside the others, since it is no reason to show none. */
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
    .slice(0, shownMax);
  const found = await Promise.all(streams.map((stream) => read(stream, journal)));
  return answer(200, {
    rollouts: found.filter((one) => one !== undefined && !("error" in one)),
    unreadable: found.filter((one) => one !== undefined && "error" in one),
  });
};

async function read(stream: string, journal: Journal): Promise<Shown | Unreadable | undefined> {
  try {
    return shown(stream, await journal.read(stream));
  } catch (thrown) {
    if (
      thrown instanceof BallastError &&
      (thrown.id === "journal-fact-unknown" || thrown.id === "journal-chain-broken")
    )
      return { id: stream, error: errorBody(thrown) };
    throw thrown;
  }
}
