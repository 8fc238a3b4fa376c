// Checks whether the control plane answers, advances its rollouts, and accepts this caller's token. A control plane
// that does not answer may only be out of reach of this machine; these checks report that as what it is.
import { bindAudience } from "../../bind-audience.ts";
import { controlPlane } from "../../client/control-plane.ts";
import { tokenFor } from "../../client/credential.ts";
import { pauseOfAll } from "../../client/pause.ts";
import { ask, refusal } from "../../client/requests.ts";
import { many } from "../../engines/wording.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { endpointUnbound, endpointUnknown } from "../../errors/cli.ts";
import {
  doctorHeartbeatLost,
  doctorPlaneCallerRefused,
  doctorPlaneInternal,
  doctorRolloutsStuck,
} from "../../errors/doctor.ts";
import { pauseLine } from "../remediation/pause.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { nameOf } from "./stack.ts";

/** What `/health` answers. */
export interface Pulse {
  readonly inFlight: number;
  readonly overdueSeconds: number;
  /** Undefined in the answer of an older control plane. */
  readonly stuck?: number;
}

/**
 * Judges the heartbeat as the dead man's switch does: it is lost when the loop has left a rollout that was due
 * alone for `silenceSeconds`. A rollout that is stuck is reported too, which is no matter for the switch.
 */
export function judgePulse({ inFlight, overdueSeconds, stuck = 0 }: Pulse, silenceSeconds: number): CheckResult {
  const seconds = Math.round(overdueSeconds);
  if (inFlight > 0 && seconds >= silenceSeconds)
    return failed(doctorHeartbeatLost({ inFlight, seconds, silenceSeconds }));
  if (stuck > 0) return failed(doctorRolloutsStuck({ stuck, inFlight }));
  return ok(
    inFlight === 0
      ? "the database answers, no rollout is in progress"
      : `the database answers, ${many(inFlight, "rollout")} in progress, none overdue by more than ${seconds} s`,
  );
}

const patienceSeconds = 5;

/** Reports whether an address is private: RFC 1918, or the range that carriers share. */
const isPrivate = (address: string): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(address);

/** Gives the finding for an error that this machine's place in the network explains; undefined for any other error. */
async function outOfReach(
  error: unknown,
  { stack: { endpoint, internal, callers }, resolve }: Context,
): Promise<CheckResult | undefined> {
  const host = URL.parse(endpoint ?? "")?.hostname;
  if (!(error instanceof BallastError) || host === undefined) return undefined;
  // When the ingress refuses an address its answer is not JSON, which the control plane's answers always are.
  if (error.id === "release-control-plane-unclear" && error.message.includes("status 403") && callers.length > 0)
    return failed(doctorPlaneCallerRefused({ host, callers }));
  if (error.id !== "release-control-plane-unreachable") return undefined;
  const addresses = await resolve(host);
  const address = addresses.find(isPrivate);
  if (address !== undefined)
    return failed(
      doctorPlaneInternal({
        host,
        why: `its name resolves to the private address ${address}, which does not answer this machine`,
      }),
    );
  return internal && addresses.length === 0
    ? failed(doctorPlaneInternal({ host, why: "its name does not resolve on this machine" }))
    : undefined;
}

/** Wraps a check that calls the control plane, so that one out of reach is not reported as down. */
const fromHere =
  (run: Check<Context>["run"]): Check<Context>["run"] =>
  async (context) => {
    try {
      return await run(context);
    } catch (error) {
      const finding = await outOfReach(error, context);
      if (finding === undefined) throw error;
      return finding;
    }
  };

async function pulse({ stack: { endpoint, silenceSeconds } }: Context): Promise<CheckResult> {
  if (endpoint === undefined)
    return failed(
      endpointUnknown({
        stack: "the stack",
        reason: "it has not been deployed yet, or its program does not export it",
        isRead: true,
      }),
    );
  // Health needs no token, so none is sent.
  const access = { endpoint, token: async () => "", patienceSeconds };
  const answer = await ask(access, { method: "GET", path: "/health", repeatable: true });
  return answer.status === 200 ? judgePulse(answer.body as Pulse, silenceSeconds) : failed(refusal(access, answer));
}

async function token({ stack: { endpoint, audience, binding, apps } }: Context): Promise<CheckResult> {
  if (endpoint === undefined) return unknown("there is no control plane to send it to");
  if (binding === undefined) return failed(endpointUnbound({ endpoint, why: "no binding" }));
  if (bindAudience(endpoint, audience) !== binding)
    return failed(endpointUnbound({ endpoint, audience, why: "changed" }));
  const { rollouts } = await controlPlane({ endpoint, token: tokenFor(audience), patienceSeconds }).list();
  const appNames = apps.map(({ id }) => nameOf(id)).join(", ");
  return ok(`accepted with read permission; ${many(rollouts.length, "rollout")} of ${appNames}`);
}

/** A pause of all remediations is no fault, but whoever asks why nothing is repaired must see it. */
async function pause({ stack: { endpoint, audience, binding } }: Context): Promise<CheckResult> {
  if (endpoint === undefined || binding === undefined) return unknown("there is no control plane to ask");
  const access = { endpoint, token: tokenFor(audience), patienceSeconds };
  const paused = await pauseOfAll(access);
  return paused === null ? ok("not paused") : unknown(pauseLine(paused));
}

/** The checks of the control plane and its database. */
export const planeChecks: readonly Check<Context>[] = [
  { name: "control plane", run: fromHere(pulse) },
  { name: "token", run: fromHere(token) },
  { name: "remediations", run: fromHere(pause) },
];
