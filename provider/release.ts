// The life of a `ballast:index:Release`: it puts the intent to the control plane, follows the rollout and says how it ended.
// Works on plain values and a few words to its surroundings; knows neither protobuf nor how a rollout is decided.
import { setTimeout as sleep } from "node:timers/promises";
import { brokenLine, type ControlPlane, type Followed, type Shown, succeeded } from "../client/control-plane.ts";
import type { RolloutResult } from "../engines/rollout/vocabulary.ts";
import { BallastError } from "../errors/catalogue.ts";
import { releaseLeftInFlight, releaseRejected, releaseRolledBack, releaseStranded } from "../errors/provider.ts";
import { type Properties, type ReleaseInputs, type ReleaseOutputs, unknownValue } from "./release-inputs.ts";

/** What a release has around it: a control plane, a voice in `pulumi up`, and somebody who may cancel. */
export interface Surroundings {
  readonly controlPlane: ControlPlane;
  readonly tell: (line: string) => void;
  readonly warn: (line: string) => void;
  readonly cancel: AbortSignal;
}

/** What carrying a release out came to. With a failure, the outputs are kept all the same: the rollout did happen. */
export interface CarriedOut {
  readonly outputs: ReleaseOutputs;
  readonly failure?: BallastError;
}

/** How long a refusal that will pass by itself is waited for: a superseded rollout that gives its traffic back, a short hold. */
const refusalSeconds = 300;
/** How long a delete waits for the abort that it asked for. */
const withdrawSeconds = 300;

/** Says what a preview can know of the release, in one line. */
export function planned({ app, release, pace }: Properties): string {
  const { weights, bakeSeconds } = (pace ?? {}) as { weights?: unknown; bakeSeconds?: unknown };
  const steps =
    Array.isArray(weights) && !(weights as readonly unknown[]).includes(unknownValue)
      ? `${[...weights, 100].join(" → ")} %, ${bakeSeconds === unknownValue ? "a while" : `${bakeSeconds} s`} of bake each`
      : "in steps that are not known yet";
  const [what, whose] = [
    release === unknownValue ? "a template that is not known yet" : release,
    app === unknownValue ? "the app" : app,
  ];
  return `would release ${what} of ${whose}: ${steps}, rolled back by itself when it goes wrong`;
}

/**
 * Puts the release and, unless `wait` is false, follows it to its end.
 *
 * Every end comes with outputs, failures too, and they are to be kept: so the state knows of the rollout, a later
 * `destroy` can abort it, a later `up` takes it up where it is, and a revert is carried out like any other release.
 */
export async function carryOut(inputs: ReleaseInputs, around: Surroundings): Promise<CarriedOut> {
  let outputs: ReleaseOutputs = { ...inputs, result: "not-started", sentence: "" };
  try {
    const shown = await putWhenFree(inputs, around);
    if (shown.result) return ended(inputs, shown.result, shown.sentence);
    outputs = { ...inputs, result: "in-flight", sentence: shown.sentence };
    if (!inputs.wait) return { outputs };
    const end = await follow(inputs, around);
    return ended(inputs, end.result, end.sentence);
  } catch (error) {
    if (around.cancel.aborted) return { outputs, failure: releaseLeftInFlight(inputs) };
    if (error instanceof BallastError) return { outputs, failure: error };
    throw error;
  }
}

/**
 * Looks up how the rollout stands now; with no answer, or none that helps, the old outputs stay as they are.
 *
 * It never fails: a refresh that did would keep Pulumi from repairing the very control plane that does not answer.
 */
export async function lookUp(inputs: Properties, outputs: Properties, around: Surroundings): Promise<Properties> {
  const { resourceGroup, app, revision } = { ...inputs, ...outputs } as unknown as ReleaseOutputs;
  try {
    const shown = await around.controlPlane.show({ resourceGroup, app, revision });
    return shown ? { ...outputs, result: shown.result ?? "in-flight", sentence: shown.sentence } : outputs;
  } catch (error) {
    around.warn(
      `What became of ${app}/${revision} could not be looked up, so the state stays as it was. ${error instanceof Error ? error.message : error}`,
    );
    return outputs;
  }
}

/** Aborts the rollout if it is in flight and waits for stable to have its traffic back; warns and goes on when nobody answers. */
export async function withdraw(name: ReleaseInputs, around: Surroundings): Promise<void> {
  const deadline = AbortSignal.timeout(withdrawSeconds * 1000);
  try {
    const shown = await around.controlPlane.show(name);
    if (!shown || shown.result) return;
    await around.controlPlane
      .signal(name, "abort", "the release is being deleted by pulumi")
      .catch((error: unknown) => {
        if (!(error instanceof BallastError) || error.id !== "signal-disregarded") throw error; // It is giving its traffic back already, or has just ended.
      });
    const end = await follow(name, { ...around, cancel: AbortSignal.any([around.cancel, deadline]) }, shown.facts);
    around.tell(end.sentence);
  } catch (error) {
    if (around.cancel.aborted) throw releaseLeftInFlight(name);
    if (deadline.aborted) return around.warn(releaseLeftInFlight(name).message);
    if (!(error instanceof BallastError) || error.id !== "release-control-plane-unreachable") throw error;
    around.warn(`${error.message} Nothing could be aborted; deleting goes on.`);
  }
}

async function putWhenFree(inputs: ReleaseInputs, { controlPlane, cancel, tell }: Surroundings): Promise<Shown> {
  const { release, pace, limits, shadowLimits: shadow, probePath, whenInFlight, outsideWeights, gate } = inputs;
  const deadline = Date.now() + refusalSeconds * 1000;
  for (let turn = 0; ; turn += 1) {
    const put = await controlPlane.put(inputs, {
      release,
      pace,
      limits,
      ...(shadow ? { shadow } : {}),
      probePath,
      whenInFlight,
      outsideWeights,
      ...(gate && { gate }),
    });
    if ("shown" in put) return put.shown;
    if (put.retryAfterSeconds === undefined || Date.now() > deadline) throw put.refused;
    if (turn === 0) tell(`${put.refused.message} Waiting until that is over.`);
    await sleep(Math.min(10, Math.max(0.1, put.retryAfterSeconds)) * 1000, undefined, { signal: cancel });
  }
}

async function follow(
  name: ReleaseInputs,
  { controlPlane, tell, cancel }: Surroundings,
  from = 0,
): Promise<Extract<Followed, { kind: "ended" }>> {
  let last = "";
  for await (const heard of controlPlane.follow(name, { from, cancel })) {
    if (heard.kind === "ended") {
      if (succeeded(heard.result) && heard.sentence !== last) tell(heard.sentence); // a failure is told once, as the error
      return heard;
    }
    if (heard.kind === "broken") tell(brokenLine(heard.reason));
    else if (heard.fact.kind !== "Finished" && heard.fact.isWorthTelling && heard.fact.text !== last)
      tell((last = heard.fact.text));
  }
  throw new Error("following a rollout ended without its end");
}

function ended(inputs: ReleaseInputs, result: RolloutResult, sentence: string): CarriedOut {
  const outputs: ReleaseOutputs = { ...inputs, result, sentence };
  const failures = { "rolled-back": releaseRolledBack, rejected: releaseRejected, stranded: releaseStranded };
  return succeeded(result) ? { outputs } : { outputs, failure: failures[result]({ ...inputs, sentence }) };
}
