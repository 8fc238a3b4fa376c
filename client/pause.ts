// The control plane's calls about a pause of all remediations.
import type { PauseOfAll } from "../engines/pause.ts";
import { type Access, accepted, acceptedIfThere, fieldOf } from "./requests.ts";

export type { PauseOfAll } from "../engines/pause.ts";

const path = "/remediations/pause";

/** Gives the pause that is in force; null if there is none. An earlier control plane knows none, and answers 404. */
export async function pauseOfAll(access: Access): Promise<PauseOfAll | null> {
  const answer = await acceptedIfThere(access, { method: "GET", path, repeatable: true });
  return answer === undefined ? null : fieldOf(answer, "paused", access);
}

/** Pauses all remediations for a time, or replaces the pause that is in force. */
export async function pauseAll(access: Access, message: string, seconds: number): Promise<PauseOfAll> {
  const body = { message, seconds };
  return fieldOf(await accepted(access, { method: "POST", path, body, repeatable: true }), "paused", access);
}

/** Ends the pause, and gives whether there was one. */
export async function resumeAll(access: Access, message: string): Promise<boolean> {
  const call = { method: "POST", path: "/remediations/resume", body: { message }, repeatable: false } as const;
  return fieldOf(await accepted(access, call), "wasPaused", access);
}
