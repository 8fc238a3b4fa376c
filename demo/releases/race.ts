// A `pulumi up` that races with a verdict: the next release starts while the one before is being decided. Whichever
// comes first, the `up` succeeds or is refused with an error of the catalogue, and the fault determines the verdict.
import type { Ended } from "../../toolchain/child.ts";
import { type Draw, type DrawnRelease, environmentOf } from "./draw.ts";
import { account, app, carryOut, checkResult, follow, knownNow, type Released, type Stage } from "./release.ts";

/** The errors that may refuse an `up` that comes too early, or whose plan is out of date. */
const refusals = ["stream-in-flight", "canary-app-traffic-moved", "canary-app-locked"];

/** Starts a release without waiting, then the next one's `pulumi up` at the drawn moment, and returns both results. */
export async function race(
  stage: Stage,
  first: DrawnRelease,
  next: DrawnRelease,
  { atPercent, afterSeconds }: NonNullable<Draw["race"]>,
): Promise<readonly Released[]> {
  const { stack, plane, timeline } = stage;
  const from = Date.now();
  const known = await knownNow(stage);
  stack.configure({ "ballast:wait": false });
  stack.setStorefront(environmentOf(first));
  const begun = await stack.up();
  stack.configure({ "ballast:wait": undefined });
  timeline.check(begun.code === 0, `pulumi up started release ${first.release} without waiting for it`);
  const start = (): Promise<Ended> => {
    timeline.line(
      `  ⇄ pulumi up of release ${next.release} while release ${first.release} is being decided`,
      "magenta",
    );
    stack.setStorefront(environmentOf(next));
    return stack.up();
  };
  let racing: Promise<Ended> | undefined;
  const followed = await follow(stage, known, {
    atPercent,
    afterSeconds,
    act: async () => {
      racing = start();
    },
  });
  const to = Date.now();
  const ended = await (racing ?? start());
  await checkResult(stage, first, followed, from);
  const journal = await plane.journal(followed.name);
  const decided = { ...first, ...followed, from, to, journal };

  const started = (await plane.list(app)).rollouts.find(
    (rollout) => !known.has(rollout.id) && rollout.revision !== followed.name.revision,
  );
  if (started === undefined) {
    const refusal = refusals.find((id) => ended.output.includes(id));
    const reason = refusal === undefined ? `for another reason:\n${ended.output}` : `with ${refusal}`;
    timeline.check(
      ended.code !== 0 && refusal !== undefined,
      `release ${next.release} came too early and was refused ${reason}; it starts again`,
    );
    return [decided, await carryOut(stage, next)];
  }
  timeline.line(`release ${next.release} came after the verdict on release ${first.release} and was carried out`);
  const { result, message, revision, startedAt } = started;
  if (result === null) throw new Error(`pulumi up ended before its rollout did:\n${ended.output}`);
  return [decided, await account(stage, next, { name: { ...app, revision }, result, message }, ended, startedAt)];
}
