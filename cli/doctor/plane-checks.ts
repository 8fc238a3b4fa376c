// Whether the control plane answers, moves what is in flight, and takes this caller's token. What it says of itself is taken as said.
import { endpointUnknown } from "../../errors/cli.ts";
import { doctorHeartbeatLost } from "../../errors/doctor.ts";
import { controlPlane } from "../../provider/control-plane.ts";
import { tokenFor } from "../../provider/credential.ts";
import { ask, refusal } from "../../provider/requests.ts";
import { failed, ok, unknown, type Check, type Said } from "./finding.ts";
import type { Patient } from "./patient.ts";

/** What `/health` tells. */
export interface Pulse {
  readonly inFlight: number;
  readonly lastWriteSecondsAgo: number | null;
}

/** Judges a pulse as the dead man's switch does: rollouts in flight and no write for longer than the silence is no heartbeat. */
export function judgePulse({ inFlight, lastWriteSecondsAgo }: Pulse, silenceSeconds: number): Said {
  const seconds = lastWriteSecondsAgo === null ? null : Math.round(lastWriteSecondsAgo);
  if (inFlight > 0 && seconds !== null && seconds >= silenceSeconds) return failed(doctorHeartbeatLost({ inFlight, seconds, silenceSeconds }));
  return ok(`the database answers, ${inFlight} rollout${inFlight === 1 ? "" : "s"} in flight, ${seconds === null ? "nothing written yet" : `last write ${seconds} s ago`}`);
}

const patienceSeconds = 5;

async function pulse({ endpoint, settings }: Patient): Promise<Said> {
  if (endpoint === undefined) return failed(endpointUnknown({ stack: "The stack", reason: "it has not been deployed yet, or has no such output" }));
  // Health is open to all, so that no token is needed and none is shown.
  const access = { endpoint, token: async () => "", patienceSeconds };
  const answer = await ask(access, { method: "GET", path: "/health", repeatable: true });
  return answer.status === 200 ? judgePulse(answer.body as Pulse, settings.silenceSeconds) : failed(refusal(access, answer));
}

async function token({ endpoint, settings, app }: Patient): Promise<Said> {
  if (endpoint === undefined) return unknown("there is no control plane to show it to");
  const { rollouts } = await controlPlane({ endpoint, token: tokenFor(settings.audience), patienceSeconds }).list({ app });
  return ok(`accepted, and it may read; ${rollouts.length} rollout${rollouts.length === 1 ? "" : "s"} of ${app} known`);
}

/** The checks of the control plane and its database. */
export const planeChecks: readonly Check<Patient>[] = [{ name: "control plane", run: pulse }, { name: "token", run: token }];
