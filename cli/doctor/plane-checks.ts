// Whether the control plane answers, moves what is in flight, and takes this caller's token. What it says of itself is taken as said.

import { controlPlane } from "../../client/control-plane.ts";
import { tokenFor } from "../../client/credential.ts";
import { ask, refusal } from "../../client/requests.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { endpointUnknown } from "../../errors/cli.ts";
import { doctorHeartbeatLost, doctorPlaneCallerRefused, doctorPlaneInternal } from "../../errors/doctor.ts";
import type { Patient } from "./context.ts";
import { type Check, failed, ok, type Said, unknown } from "./finding.ts";
import { nameOf } from "./stack.ts";

/** What `/health` tells. */
export interface Pulse {
  readonly inFlight: number;
  readonly lastWriteSecondsAgo: number | null;
}

/** Judges a pulse as the dead man's switch does: rollouts in flight and no write for longer than the silence is no heartbeat. */
export function judgePulse({ inFlight, lastWriteSecondsAgo }: Pulse, silenceSeconds: number): Said {
  const seconds = lastWriteSecondsAgo === null ? null : Math.round(lastWriteSecondsAgo);
  if (inFlight > 0 && seconds !== null && seconds >= silenceSeconds)
    return failed(doctorHeartbeatLost({ inFlight, seconds, silenceSeconds }));
  return ok(
    `the database answers, ${inFlight} rollout${inFlight === 1 ? "" : "s"} in flight, ${seconds === null ? "nothing written yet" : `last write ${seconds} s ago`}`,
  );
}

const patienceSeconds = 5;

/** Addresses that lead nowhere on the internet: RFC 1918, and those that carriers share. */
const isPrivate = (address: string): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(address);

/** Tells, of a control plane that did not answer, whether that is for where this machine is; undefined where it may as well be down. */
async function fromOutside(
  error: unknown,
  { stack: { endpoint, internal, callers }, resolve }: Patient,
): Promise<Said | undefined> {
  const host = URL.parse(endpoint ?? "")?.hostname;
  if (!(error instanceof BallastError) || host === undefined) return undefined;
  // The platform's own refusal of an address is no JSON, which the control plane's answers always are.
  if (error.id === "release-control-plane-unclear" && error.message.includes("status 403") && callers.length > 0)
    return failed(doctorPlaneCallerRefused({ host, callers }));
  if (error.id !== "release-control-plane-unreachable") return undefined;
  const addresses = await resolve(host);
  if (addresses.some(isPrivate))
    return failed(
      doctorPlaneInternal({
        host,
        why: `its name leads to the private address ${addresses.find(isPrivate)}, where nobody answers this machine`,
      }),
    );
  return internal && addresses.length === 0
    ? failed(doctorPlaneInternal({ host, why: "its name is not known here" }))
    : undefined;
}

/** Runs a check that asks the control plane, and says of one that does not answer where this machine is, where that is why. */
const fromHere =
  (run: Check<Patient>["run"]): Check<Patient>["run"] =>
  async (patient) => {
    try {
      return await run(patient);
    } catch (error) {
      const outside = await fromOutside(error, patient);
      if (outside === undefined) throw error;
      return outside;
    }
  };

async function pulse({ stack: { endpoint, silenceSeconds } }: Patient): Promise<Said> {
  if (endpoint === undefined)
    return failed(
      endpointUnknown({ stack: "The stack", reason: "it has not been deployed yet, or has no such output" }),
    );
  // Health is open to all, so that no token is needed and none is shown.
  const access = { endpoint, token: async () => "", patienceSeconds };
  const answer = await ask(access, { method: "GET", path: "/health", repeatable: true });
  return answer.status === 200 ? judgePulse(answer.body as Pulse, silenceSeconds) : failed(refusal(access, answer));
}

async function token({ stack: { endpoint, audience, apps } }: Patient): Promise<Said> {
  if (endpoint === undefined) return unknown("there is no control plane to show it to");
  const { rollouts } = await controlPlane({ endpoint, token: tokenFor(audience), patienceSeconds }).list();
  return ok(
    `accepted, and it may read; ${rollouts.length} rollout${rollouts.length === 1 ? "" : "s"} of ${apps.map(({ id }) => nameOf(id)).join(", ")} known`,
  );
}

/** The checks of the control plane and its database. */
export const planeChecks: readonly Check<Patient>[] = [
  { name: "control plane", run: fromHere(pulse) },
  { name: "token", run: fromHere(token) },
];
