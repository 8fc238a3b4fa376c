// /remediations/pause and /remediations/resume: a person stops every action of every remediation, for a time and with a
// reason. It is kept in the database, so that it holds for all replicas and survives a restart.
import { line, number, object, read } from "../../engines/form.ts";
import { longestSeconds } from "../../engines/pause.ts";
import { callMalformed, routeUnknown } from "../../errors/api.ts";
import type { Pauses } from "../runtime/ports.ts";
import { type Answer, answer, type Call, describeCaller, refuse } from "./call.ts";

const message = line(500, { description: "Why. It is kept with the caller's name." });

/** The body of a pause. A pause without an end would be forgotten. */
export const pauseForm = object({
  message,
  seconds: number({ least: 1, most: longestSeconds, description: "After how many seconds it ends by itself." }),
});

/** The body of its early end. */
export const resumeForm = object({ message });

const withPauses =
  (carryOut: (call: Call, pauses: Pauses) => Promise<Response>): Answer =>
  async (call, { pauses }) =>
    pauses === undefined ? refuse(404, routeUnknown({ call: "a pause of all remediations" })) : carryOut(call, pauses);

/** Shows the pause that is in force. */
export const showPause = withPauses(async (_call, { current }) => answer(200, { paused: await current() }));

/** Begins a pause, or replaces the one that is in force. */
export const pauseAll = withPauses(async ({ caller, body }, { begin }) => {
  const asked = read(pauseForm, body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  return answer(200, { paused: await begin({ by: describeCaller(caller), ...asked.value }) });
});

/** Ends the pause. Without one nothing changes. */
export const resumeAll = withPauses(async ({ caller, body }, { end }) => {
  const asked = read(resumeForm, body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  return answer(200, { wasPaused: await end({ by: describeCaller(caller), message: asked.value.message }) });
});
