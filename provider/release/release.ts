// The life of a `ballast:index:Release`: starts a rollout on the control plane, follows it and reports how it ended. It
// works on plain values; the provider's frame translates from and to the Pulumi protocol.
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane } from "../../client/control-plane.ts";
import { brokenLine } from "../../client/follow.ts";
import { type RolloutSummary, succeeded } from "../../client/rollouts.ts";
import { callPolicy, type RetryPolicy, restBefore } from "../../engines/retry.ts";
import type { Ending, EndReason, RolloutResult } from "../../engines/rollout/vocabulary.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { releaseDegraded, releaseLeftInFlight, releaseRejected, releaseRolledBack } from "../../errors/provider.ts";
import { type Around, type Properties, type Settled, unknownValue } from "../resource-type.ts";
import { bodyOf, type ReleaseInputs, type ReleaseOutputs } from "./fields.ts";

/** What a release uses: the control plane's calls, and what every resource of the provider has around it. */
export interface Surroundings extends Omit<Around, "access"> {
  readonly controlPlane: ControlPlane;
}

/** How long to wait for a temporary refusal to end, such as a superseded rollout that returns its traffic. */
const refusalSeconds = 300;
/** With these a delete goes on: whatever it waits for may have been deleted before. */
const mayGoOn = new Set([
  "release-control-plane-unreachable",
  "release-endpoint-unbound",
  "journal-unreachable",
  "call-issuer-unreachable",
]);
/** How long a delete waits for the abort that it requested. */
const withdrawSeconds = 300;

/** Describes the release in one line, as far as a preview knows it. */
export function planned({ app, release, serving, strategy }: Properties): string {
  if (typeof release === "string" && release !== unknownValue && release === serving)
    return `would record ${release} of ${app} as released: it serves already, and no traffic moves`;
  const { weights, bakeSeconds } = (strategy ?? {}) as { weights?: unknown; bakeSeconds?: unknown };
  const bake = bakeSeconds === unknownValue ? "a bake of unknown length" : `${bakeSeconds} s of bake`;
  const steps =
    Array.isArray(weights) && !(weights as readonly unknown[]).includes(unknownValue)
      ? `${[...weights, 100].join(" → ")} %, ${bake} each`
      : "in steps not known yet";
  const what = release === unknownValue ? "a new revision" : release;
  const whose = app === unknownValue ? "the app" : app;
  return `would release ${what} of ${whose}: ${steps}, rolled back automatically if the canary fails`;
}

/**
 * Starts the release and, unless `wait` is false, follows it to its end.
 *
 * Every result has outputs, failures too, and Pulumi must keep them. The state then knows the rollout: a later
 * `destroy` can abort it, a later `up` follows it again, and a revert is released like any other release.
 */
export async function carryOut(inputs: ReleaseInputs, around: Surroundings): Promise<Settled<ReleaseOutputs>> {
  let outputs: ReleaseOutputs = { ...inputs, result: "not-started", reason: "", message: "", trace: "" };
  try {
    const started = await putWhenFree(inputs, around);
    const trace = started.trace ?? "";
    if (started.result)
      return ended(inputs, { ...started, result: started.result, reason: started.reason as EndReason }, trace);
    outputs = { ...inputs, result: "in-flight", reason: started.reason ?? "", message: started.message, trace };
    if (!inputs.wait) return { outputs };
    // Of a rollout that begins again, the facts of the attempts before are no news.
    const end = await follow(inputs, around, started.attempt > 1 ? started.facts : 0);
    return ended(inputs, end, trace);
  } catch (error) {
    if (around.cancel.aborted) return { outputs, failure: releaseLeftInFlight(inputs) };
    if (error instanceof BallastError) return { outputs, failure: error };
    throw error;
  }
}

/**
 * Reads the present state of the rollout. Without a usable answer it gives the old outputs.
 *
 * A release that ended well is not read if the program says who serves: whether it still stands is seen in the traffic.
 * So a preview of an unchanged program needs no token, which takes as long to get as the rest of the provider to start.
 *
 * It never fails: a failing refresh would keep Pulumi from repairing the control plane that does not answer.
 */
export async function lookUp(inputs: Properties, outputs: Properties, around: Surroundings): Promise<Properties> {
  if (succeeded(outputs["result"] as RolloutResult) && typeof inputs["serving"] === "string") return outputs;
  const { resourceGroup, app, revision } = { ...inputs, ...outputs } as unknown as ReleaseOutputs;
  try {
    const shown = await around.controlPlane.show({ resourceGroup, app, revision });
    if (shown === undefined) return outputs;
    return { ...outputs, result: shown.result ?? "in-flight", reason: shown.reason ?? "", message: shown.message };
  } catch (error) {
    const named = error instanceof BallastError ? `${error.message} (${error.id})` : error;
    const reason = named instanceof Error ? named.message : named;
    around.warn(`The rollout ${app}/${revision} could not be read, so the state is unchanged. ${reason}`);
    return outputs;
  }
}

/**
 * Aborts the rollout if it is in flight, and waits until stable has its traffic back. Only warns if nothing answers.
 */
export async function withdraw(name: ReleaseInputs, around: Surroundings): Promise<void> {
  const deadline = AbortSignal.timeout(withdrawSeconds * 1000);
  try {
    const shown = await around.controlPlane.show(name, { persistent: true });
    if (!shown || shown.result) return;
    await around.controlPlane
      .signal(name, "abort", "the release is being deleted by pulumi", { persistent: true })
      .catch((error: unknown) => {
        // Disregarded: the rollout already returns its traffic, perhaps by this signal, or has just ended.
        if (!(error instanceof BallastError) || error.id !== "signal-disregarded") throw error;
      });
    const end = await follow(name, { ...around, cancel: AbortSignal.any([around.cancel, deadline]) }, shown.facts);
    around.report(end.message);
  } catch (error) {
    if (around.cancel.aborted) throw releaseLeftInFlight(name);
    if (deadline.aborted) return around.warn(releaseLeftInFlight(name).message);
    if (!(error instanceof BallastError) || !mayGoOn.has(error.id)) throw error;
    around.warn(`${error.message} (${error.id}) No rollout was aborted; the deletion continues.`);
  }
}

async function putWhenFree(
  inputs: ReleaseInputs,
  { controlPlane, cancel, report }: Surroundings,
): Promise<RolloutSummary> {
  const policy: RetryPolicy = { ...callPolicy, budgetSeconds: refusalSeconds, restSecondsMax: 10 };
  const began = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    const put = await controlPlane.put(inputs, bodyOf(inputs));
    if ("rollout" in put) return put.rollout;
    const asked = put.retryAfterSeconds === undefined ? undefined : Math.min(10, put.retryAfterSeconds);
    const rest =
      asked === undefined ? undefined : restBefore(policy, attempt, (performance.now() - began) / 1000, asked);
    if (rest === undefined) throw put.refused;
    if (attempt === 1) report(`${put.refused.message} Waiting.`);
    await sleep(rest * 1000, undefined, { signal: cancel });
  }
}

async function follow(name: ReleaseInputs, { controlPlane, report, cancel }: Surroundings, from = 0): Promise<Ending> {
  let last = "";
  let hasAnswered = false;
  for await (const heard of controlPlane.follow(name, { from, cancel })) {
    if (heard.kind === "ended") {
      // A failure is printed once, as the error.
      if (succeeded(heard.result) && heard.message !== last) report(heard.message);
      return heard;
    }
    if (heard.kind === "broken") report(brokenLine("rollout", heard.reason));
    else {
      const { kind, isNoteworthy, message } = heard.fact;
      hasAnswered ||= kind === "SmokePassed";
      const line = kind === "Probed" && !hasAnswered ? `not ready yet: ${message}` : message;
      if (kind === "Finished" || !isNoteworthy || line === last) continue;
      last = line;
      report(line);
    }
  }
  throw new Error("the rollout was followed to no end");
}

function ended(inputs: ReleaseInputs, { result, reason, message }: Ending, trace: string): Settled<ReleaseOutputs> {
  const outputs: ReleaseOutputs = { ...inputs, result, reason, message, trace };
  const failures = { "rolled-back": releaseRolledBack, rejected: releaseRejected, degraded: releaseDegraded };
  return succeeded(result) ? { outputs } : { outputs, failure: failures[result]({ ...inputs, message }) };
}
