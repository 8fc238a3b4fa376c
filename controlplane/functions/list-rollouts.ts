// GET /rollouts: the rollouts of all apps, or of one, or only what is in flight, newest first.
import { targetOf } from "../engines/rollout/names.ts";
import { callMalformed } from "../../errors/functions.ts";
import { answer, refuse, type Answer } from "./call.ts";
import { filterForm, readQuery } from "./read-address.ts";
import { shown } from "./shown.ts";

/** The most that one answer shows; older ones are found by the app. */
const shownMax = 100;

/** Lists rollouts at a glance. */
export const listRollouts: Answer = async ({ query }, { journal }) => {
  const asked = readQuery(filterForm, query);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const isAsked = (stream: string): boolean => {
    const target = targetOf(stream);
    return target !== undefined && (["resourceGroup", "app"] as const).every((name) => (asked.value[name] ?? target[name]).toLowerCase() === target[name].toLowerCase());
  };
  const streams = (await journal.streams({ unfinished: asked.value.inFlight === "true" })).filter(isAsked).slice(0, shownMax);
  const rollouts = await Promise.all(streams.map(async (stream) => shown(stream, await journal.read(stream))));
  return answer(200, { rollouts: rollouts.filter((rollout) => rollout !== undefined) });
};
